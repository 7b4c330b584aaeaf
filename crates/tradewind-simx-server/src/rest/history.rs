//! What an account did: its orders, open and finished, and its trades.

use tradewind_model::{AccountId, InstrumentId, Timestamp, VenueOrderId};
use tradewind_simx::{Execution, Order, OrderRef, Refusal};

use super::cancels::{CancelNames, order_ref};
use super::errors::ApiError;
use super::page::page;
use super::signing::Caller;
use super::{Call, Outcome, Params, body, check_span};
use crate::core::Core;

pub(super) fn query(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let account = caller.account;
    let instrument = call.instrument(core)?;
    let order = core
        .exchange
        .order(
            account,
            instrument.id,
            order_ref(call.params, CancelNames::PLAIN)?,
        )
        .ok_or(ApiError::NO_SUCH_ORDER)?;
    body(&call.spelling(core, instrument).queried(&order))
}

pub(super) fn open_weight(params: &Params) -> u32 {
    if params.text("symbol").is_some() {
        6
    } else {
        80
    }
}

pub(super) fn open_orders(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let account = caller.account;
    let only = call
        .params
        .text("symbol")
        .map(|_| call.instrument(core))
        .transpose()?
        .map(|instrument| instrument.id);
    let open = core
        .exchange
        .open_orders(account)
        .filter(|order| only.is_none_or(|only| order.instrument == only));
    let bodies: Vec<_> = open
        .filter_map(|order| {
            let instrument = core.exchange.instruments().get(order.instrument.index())?;
            Some(call.spelling(core, instrument).queried(order))
        })
        .collect();
    body(&bodies)
}

pub(super) fn all_orders(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let account = caller.account;
    let params = call.params;
    let limit = params.limit(500, 1_000)?;
    let from = params.integer("orderId")?;
    let (start, end) = (params.time("startTime")?, params.time("endTime")?);
    check_span(start, end)?;
    let instrument = call.instrument(core)?;
    let mut orders: Vec<Order> = core
        .exchange
        .finished_orders(account)
        .chain(core.exchange.open_orders(account))
        .filter(|order| order.instrument == instrument.id)
        .filter(|order| start.is_none_or(|start| order.created_at >= start))
        .filter(|order| end.is_none_or(|end| order.created_at <= end))
        .copied()
        .collect();
    orders.sort_unstable_by_key(|order| order.id);
    let oldest_first = from.or(start.map(|_| 0));
    let from = oldest_first
        .map(|from| move |order: &Order| i64::try_from(order.id.0).is_ok_and(|id| id >= from));
    let orders = page(orders.iter(), limit, from);
    let spelling = call.spelling(core, instrument);
    body(
        &orders
            .iter()
            .map(|order| spelling.queried(order))
            .collect::<Vec<_>>(),
    )
}

pub(super) fn trades_weight(params: &Params) -> u32 {
    if params.text("orderId").is_some() {
        5
    } else {
        20
    }
}

pub(super) fn my_trades(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let account = caller.account;
    let params = call.params;
    let limit = params.limit(500, 1_000)?;
    let (order, from) = (params.integer("orderId")?, params.integer("fromId")?);
    let (start, end) = (params.time("startTime")?, params.time("endTime")?);
    if from.is_some() && (start.is_some() || end.is_some()) {
        return Err(ApiError::COMBINATION);
    }
    check_span(start, end)?;
    let instrument = call.instrument(core)?;
    let is_from = |fill: &&Execution| {
        let id = i64::try_from(fill.trade_id.0);
        from.is_none_or(|from| id.is_ok_and(|id| id >= from))
    };
    // From the newest back, no further than what is wanted: an account may have hundreds of thousands.
    let begins = start.or_else(|| placed_at(core, account, instrument.id, order?));
    let own = core
        .exchange
        .executions(account)
        .rev()
        .take_while(|fill| begins.is_none_or(|begins| fill.at >= begins))
        .filter(|fill| fill.instrument == instrument.id)
        .take_while(is_from)
        .filter(|fill| order.is_none_or(|order| i64::try_from(fill.order_id.0) == Ok(order)))
        .filter(|fill| end.is_none_or(|end| fill.at <= end));
    let most = if from.is_none() && start.is_none() {
        limit
    } else {
        usize::MAX
    };
    // Both sides of a self-trade are here, under one id.
    let mut own: Vec<Execution> = own.take(most).copied().collect();
    own.reverse();
    let oldest_first = from.or(start.map(|_| 0));
    let from = oldest_first.map(|from| {
        move |fill: &Execution| i64::try_from(fill.trade_id.0).is_ok_and(|id| id >= from)
    });
    let own = page(own.iter(), limit, from);
    let list_of = |fill: &Execution| {
        let named = OrderRef::Venue(fill.order_id);
        let order = core.exchange.order(fill.account, fill.instrument, named)?;
        order.list
    };
    let spelling = call.spelling(core, instrument);
    body(
        &own.iter()
            .map(|fill| spelling.own_trade(fill, list_of(fill)))
            .collect::<Vec<_>>(),
    )
}

/// When an order was placed, if it is remembered: its executions are no older.
fn placed_at(
    core: &Core,
    account: AccountId,
    instrument: InstrumentId,
    order: i64,
) -> Option<Timestamp> {
    let named = OrderRef::Venue(VenueOrderId(u64::try_from(order).ok()?));
    let order = core.exchange.order(account, instrument, named)?;
    Some(order.created_at)
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let status = if refusal == Refusal::UnknownAccount {
            401
        } else {
            400
        };
        Self {
            status,
            code: refusal.code(),
            message: refusal.to_string().into(),
            retry_at: None,
            data: None,
        }
    }
}
