//! What an account does: places, queries and cancels orders, and looks at its trades.

use std::time::Duration;

use serde::Serialize;
use tradewind_model::{AccountId, Instrument, InstrumentId, Timestamp, VenueOrderId};
use tradewind_simx::{Action, Answer, CancelOrder, Execution, Order, OrderRef, Refusal};

use super::account::{Discount, OrderRates, Rates, rates};
use super::errors::ApiError;
use super::new_order::{self, ReplyType};
use super::orders::Spelling;
use super::page::page;
use super::signing::Caller;
use super::{Call, Outcome, Params, body};
use crate::core::Core;

/// The longest span that may be asked for at once.
const SPAN_MAX: Duration = Duration::from_secs(86_400);

// Orders.

pub(super) fn place(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let account = caller.account;
    let (order, reply) = new_order::read(core, call, account)?;
    let (answer, fills) = core.act(call.now, &Action::Submit(order))?;
    let Answer::Order(order) = answer else {
        return Err(ApiError::UNKNOWN);
    };
    let spelling = spelling(core, call, call.instrument(core)?);
    match reply {
        ReplyType::Ack => body(&spelling.ack(&order)),
        ReplyType::Result => body(&spelling.placed(&order, None)),
        ReplyType::Full => body(&spelling.placed(&order, Some(&fills))),
    }
}

pub(super) fn test_weight(params: &Params) -> u32 {
    match params.flag("computeCommissionRates") {
        Ok(Some(true)) => 20,
        _ => 1,
    }
}

/// Checks an order as far as its form goes; balances and books are not asked.
pub(super) fn test(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let account = caller.account;
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Commissions {
        standard_commission_for_order: OrderRates,
        special_commission_for_order: OrderRates,
        tax_commission_for_order: OrderRates,
        discount: Discount,
    }
    let (order, _) = new_order::read(core, call, account)?;
    new_order::check_filters(core, &order)?;
    if call.params.flag("computeCommissionRates")? != Some(true) {
        return Ok("{}".to_owned());
    }
    body(&Commissions {
        standard_commission_for_order: rates(core).into(),
        special_commission_for_order: Rates::zero().into(),
        tax_commission_for_order: Rates::zero().into(),
        discount: Discount::none(),
    })
}

pub(super) fn query(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let account = caller.account;
    let instrument = call.instrument(core)?;
    let order = core
        .exchange
        .order(account, instrument.id, order_ref(call.params)?)
        .ok_or(ApiError::NO_SUCH_ORDER)?;
    body(&spelling(core, call, instrument).queried(&order))
}

pub(super) fn cancel(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let account = caller.account;
    let instrument = call.instrument(core)?.id;
    let named = order_ref(call.params)?;
    check_restrictions(core, call.params, account, instrument, named)?;
    let cancel_id = match call.params.text("newClientOrderId") {
        Some(text) => new_order::client_id("newClientOrderId", text)?,
        None => core.next_client_id(call.now),
    };
    let cancel = CancelOrder {
        account,
        instrument,
        order: named,
        cancel_id: Some(cancel_id),
    };
    let (answer, _) = core.act(call.now, &Action::Cancel(cancel))?;
    let Answer::Order(order) = answer else {
        return Err(ApiError::UNKNOWN);
    };
    body(&spelling(core, call, call.instrument(core)?).cancelled(&order, cancel_id.as_str()))
}

fn check_restrictions(
    core: &Core,
    params: &Params,
    account: AccountId,
    instrument: InstrumentId,
    named: OrderRef,
) -> Result<(), ApiError> {
    let Some(restriction) = params.text("cancelRestrictions") else {
        return Ok(());
    };
    let order = core
        .exchange
        .order(account, instrument, named)
        .filter(Order::is_open)
        .ok_or(ApiError::UNKNOWN_ORDER)?;
    let allowed = match restriction {
        "ONLY_NEW" => order.filled.is_zero(),
        "ONLY_PARTIALLY_FILLED" => !order.filled.is_zero(),
        _ => return Err(ApiError::CANCEL_RESTRICTIONS),
    };
    if allowed {
        Ok(())
    } else {
        Err(ApiError::RESTRICTED_CANCEL)
    }
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
        .filter_map(|order| Some(order_spelling(core, call, order)?.queried(order)))
        .collect();
    body(&bodies)
}

pub(super) fn cancel_all(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let account = caller.account;
    let instrument = call.instrument(core)?.id;
    let open: Vec<Order> = core
        .exchange
        .open_orders(account)
        .filter(|order| order.instrument == instrument)
        .copied()
        .collect();
    core.act(
        call.now,
        &Action::CancelAll {
            account,
            instrument,
        },
    )?;
    let cancel_id = core.next_client_id(call.now);
    let ended = |order: &Order| {
        core.exchange
            .order(account, instrument, OrderRef::Venue(order.id))
    };
    let ended: Vec<Order> = open.iter().filter_map(ended).collect();
    let spelling = spelling(core, call, call.instrument(core)?);
    body(
        &ended
            .iter()
            .map(|order| spelling.cancelled(order, cancel_id.as_str()))
            .collect::<Vec<_>>(),
    )
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
    let spelling = spelling(core, call, instrument);
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
    let own = core
        .exchange
        .executions(account)
        .filter(|fill| fill.instrument == instrument.id)
        .filter(|fill| order.is_none_or(|order| i64::try_from(fill.order_id.0) == Ok(order)))
        .filter(|fill| start.is_none_or(|start| fill.at >= start))
        .filter(|fill| end.is_none_or(|end| fill.at <= end));
    // Both sides of a self-trade are here, under one id.
    let own: Vec<Execution> = own.copied().collect();
    let oldest_first = from.or(start.map(|_| 0));
    let from = oldest_first.map(|from| {
        move |fill: &Execution| i64::try_from(fill.trade_id.0).is_ok_and(|id| id >= from)
    });
    let own = page(own.iter(), limit, from);
    let spelling = spelling(core, call, instrument);
    body(
        &own.iter()
            .map(|fill| spelling.own_trade(fill))
            .collect::<Vec<_>>(),
    )
}

fn check_span(start: Option<Timestamp>, end: Option<Timestamp>) -> Result<(), ApiError> {
    match (start, end) {
        (Some(start), Some(end)) if end.since(start) > SPAN_MAX => Err(ApiError::MORE_THAN_A_DAY),
        (Some(start), Some(end)) if end < start => Err(ApiError::invalid("endTime")),
        _ => Ok(()),
    }
}

fn order_ref(params: &Params) -> Result<OrderRef, ApiError> {
    if let Some(id) = params.integer("orderId")? {
        return u64::try_from(id)
            .map(|id| OrderRef::Venue(VenueOrderId(id)))
            .map_err(|_| ApiError::invalid("orderId"));
    }
    match params.text("origClientOrderId") {
        Some(text) => new_order::client_id("origClientOrderId", text).map(OrderRef::Client),
        None => Err(ApiError::either("origClientOrderId", "orderId")),
    }
}

fn spelling<'c>(core: &'c Core, call: Call<'_>, instrument: &'c Instrument) -> Spelling<'c> {
    Spelling {
        symbols: &core.symbols,
        instrument,
        unit: call.unit,
    }
}

fn order_spelling<'c>(core: &'c Core, call: Call<'_>, order: &Order) -> Option<Spelling<'c>> {
    Some(spelling(
        core,
        call,
        core.exchange.instruments().get(order.instrument.index())?,
    ))
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
        }
    }
}
