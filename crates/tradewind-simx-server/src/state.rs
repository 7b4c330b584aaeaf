//! Everything there is to tell about a running exchange, for `GET /state` of the control port.

use serde_json::{Value, json};
use tradewind_model::AccountId;

use crate::core::Core;
use crate::decimals;
use crate::exchange_task::Status;
use crate::front::Front;
use crate::rest::{kind, side, status};

/// Time, market, counters, faults, accounts.
pub(crate) fn of(front: &Front, state: &Status) -> Value {
    let core = &front.core;
    let counters = state.counters;
    let accounts = (0..core.exchange.accounts()).filter_map(|place| u32::try_from(place).ok());
    let symbols = core.exchange.instruments().iter();
    json!({
        "now": state.now.to_string(),
        "paused": state.paused,
        "market": core.source().describe(),
        "market_ended": state.market_ended,
        "connections": state.connections,
        "streams": state.streams,
        "cut": state.cut,
        "counters": {
            "market_events": counters.market_events, "prints": counters.prints, "orders": counters.orders,
            "executions": counters.executions, "frames": counters.frames, "requests": counters.requests,
        },
        "conduct": front.state(),
        "order_log_dropped": core.order_log.as_ref().map(crate::OrderLog::dropped),
        "symbols": symbols.map(|rules| core.symbols.name(rules.id)).collect::<Vec<_>>(),
        "accounts": accounts.map(|place| account(core, AccountId(place))).collect::<Vec<_>>(),
    })
}

fn account(core: &Core, id: AccountId) -> Value {
    let held = core.symbols.assets().iter().filter_map(|asset| {
        let balance = core.exchange.balance(id, asset.id);
        let empty = balance.free.is_zero() && balance.locked.is_zero();
        (!empty).then(|| {
            json!({ "asset": asset.name, "free": decimals::amount(balance.free), "locked": decimals::amount(balance.locked) })
        })
    });
    let open = core.exchange.open_orders(id).filter_map(|order| {
        let rules = core.exchange.instruments().get(order.instrument.index())?;
        Some(json!({
            "symbol": core.symbols.name(order.instrument), "order": order.id.0, "client": order.client_id.as_str(),
            "side": side(order.side), "type": kind(order), "status": status(order),
            "quantity": decimals::quantity(rules, order.quantity), "filled": decimals::quantity(rules, order.filled),
            "price": order.kind.limit().map(|price| decimals::price(rules, price)),
        }))
    });
    json!({ "key": core.key_of(id), "balances": held.collect::<Vec<_>>(), "open_orders": open.collect::<Vec<_>>() })
}
