//! Order lists: OCO, OTO and OTOCO placed, told of, and asked for.

use serde::Serialize;
use serde_json::value::RawValue;
use tradewind_model::{AccountId, Instrument, InstrumentId, Side, Timestamp, VenueOrderId};
use tradewind_simx::{
    Action, Answer, CancelList, ClientId, Execution, ListId, ListRef, ListShape, NewList, NewOrder,
    Order, OrderEvent, OrderList, OrderRef, OrderReport,
};

use super::cancels::list_ref;
use super::errors::ApiError;
use super::legs::{Leg, client_id};
use super::new_order::ReplyType;
use super::page::page;
use super::signing::Caller;
use super::words::{contingency, list_status};
use super::{Call, Outcome, Params, body};
use crate::core::Core;

/// A list without its orders' reports.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListBody {
    order_list_id: u64,
    contingency_type: &'static str,
    list_status_type: &'static str,
    list_order_status: &'static str,
    list_client_order_id: String,
    transaction_time: i64,
    symbol: String,
    orders: Vec<MemberBody>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberBody {
    symbol: String,
    order_id: u64,
    client_order_id: String,
}

/// A list and what became of each of its orders.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reported<R> {
    #[serde(flatten)]
    list: ListBody,
    order_reports: Vec<R>,
}

// Placing.

/// Two orders, one above the market and one below.
pub(super) fn oco(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let instrument = call.instrument(core)?.clone();
    let side = call.params.side("side")?;
    let [above, below] = pair(core, call, caller, (&instrument, side), PAIR)?;
    place(
        core,
        call,
        caller,
        ListShape::OneCancelsOther { above, below },
    )
}

/// The same in the words of before 2024: a limit order and a stop.
pub(super) fn old_oco(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let instrument = call.instrument(core)?.clone();
    let side = call.params.side("side")?;
    let params = in_new_words(call.params, side)?;
    let translated = Call {
        params: &params,
        ..call
    };
    let [above, below] = pair(core, translated, caller, (&instrument, side), PAIR)?;
    place(
        core,
        call,
        caller,
        ListShape::OneCancelsOther { above, below },
    )
}

/// One order that triggers another.
pub(super) fn oto(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let instrument = call.instrument(core)?.clone();
    let working = working(core, call, caller, &instrument)?;
    let side = call.params.side("pendingSide")?;
    let pending = Leg {
        params: call.params,
        prefix: "pending",
        quantity: "pendingQuantity",
    };
    let pending = pending.read(caller, &instrument, side, &mut || {
        core.next_client_id(call.now)
    })?;
    let shape = ListShape::OneTriggersOther { working, pending };
    place(core, call, caller, shape)
}

/// One order that triggers a pair.
pub(super) fn otoco(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let instrument = call.instrument(core)?.clone();
    let working = working(core, call, caller, &instrument)?;
    let side = call.params.side("pendingSide")?;
    let [above, below] = pair(core, call, caller, (&instrument, side), PENDING_PAIR)?;
    let shape = ListShape::OneTriggersPair {
        working,
        above,
        below,
    };
    place(core, call, caller, shape)
}

/// What stands before the names of the upper and the lower order's terms, and the name of their quantity.
type PairNames = ([&'static str; 2], &'static str);
const PAIR: PairNames = (["above", "below"], "quantity");
const PENDING_PAIR: PairNames = (["pendingAbove", "pendingBelow"], "pendingQuantity");

fn pair(
    core: &mut Core,
    call: Call<'_>,
    caller: Caller,
    (instrument, side): (&Instrument, Side),
    (prefixes, quantity): PairNames,
) -> Result<[NewOrder; 2], ApiError> {
    let [above, below] = prefixes.map(|prefix| Leg {
        params: call.params,
        prefix,
        quantity,
    });
    check_pair(side, above.kind()?, below.kind()?)?;
    let mut read = |leg: Leg<'_>| {
        leg.read(caller, instrument, side, &mut || {
            core.next_client_id(call.now)
        })
    };
    Ok([read(above)?, read(below)?])
}

/// Which types may lie on which side of the market.
fn check_pair(side: Side, above: &str, below: &str) -> Result<(), ApiError> {
    let known = |kind: &str| {
        matches!(
            kind,
            "STOP_LOSS" | "STOP_LOSS_LIMIT" | "TAKE_PROFIT" | "TAKE_PROFIT_LIMIT" | "LIMIT_MAKER"
        )
    };
    if !known(above) || !known(below) {
        return Err(ApiError::OCO_TYPE);
    }
    let (limit, stop, profit) = (
        "LIMIT_MAKER",
        |kind: &str| kind.starts_with("STOP_LOSS"),
        |kind: &str| kind.starts_with("TAKE_PROFIT"),
    );
    match side {
        _ if above == limit && below == limit => Err(ApiError::OCO_TWO_LIMITS),
        Side::Buy if above == limit => Err(ApiError::OCO_BUY_LIMIT_ABOVE),
        Side::Buy if profit(above) => Err(ApiError::OCO_BUY_PROFIT_ABOVE),
        Side::Buy if stop(below) => Err(ApiError::OCO_BUY_STOP_BELOW),
        Side::Sell if below == limit => Err(ApiError::OCO_SELL_LIMIT_BELOW),
        Side::Sell if profit(below) => Err(ApiError::OCO_SELL_PROFIT_BELOW),
        Side::Sell if stop(above) => Err(ApiError::OCO_SELL_STOP_ABOVE),
        Side::Buy | Side::Sell => Ok(()),
    }
}

fn working(
    core: &mut Core,
    call: Call<'_>,
    caller: Caller,
    instrument: &Instrument,
) -> Result<NewOrder, ApiError> {
    let leg = Leg {
        params: call.params,
        prefix: "working",
        quantity: "workingQuantity",
    };
    let side = call.params.side("workingSide")?;
    if !matches!(leg.kind()?, "LIMIT" | "LIMIT_MAKER") {
        return Err(ApiError::COMPOSITION);
    }
    leg.read(caller, instrument, side, &mut || {
        core.next_client_id(call.now)
    })
}

/// The parameters of the old OCO under the names of the new one.
fn in_new_words(params: &Params, side: Side) -> Result<Params, ApiError> {
    for name in ["quantity", "price", "stopPrice"] {
        params.required(name)?;
    }
    let (limit, stop) = match side {
        Side::Buy => ("below", "above"),
        Side::Sell => ("above", "below"),
    };
    let stop_limit = params.text("stopLimitPrice").is_some();
    if stop_limit {
        params.required("stopLimitTimeInForce")?;
    }
    let stop_kind = if stop_limit {
        "STOP_LOSS_LIMIT"
    } else {
        "STOP_LOSS"
    };
    let mut renamed = params.clone();
    renamed.push(format!("{limit}Type"), "LIMIT_MAKER");
    renamed.push(format!("{stop}Type"), stop_kind);
    for (old, leg, new) in [
        ("price", limit, "Price"),
        ("limitClientOrderId", limit, "ClientOrderId"),
        ("limitIcebergQty", limit, "IcebergQty"),
        ("limitStrategyId", limit, "StrategyId"),
        ("limitStrategyType", limit, "StrategyType"),
        ("stopPrice", stop, "StopPrice"),
        ("trailingDelta", stop, "TrailingDelta"),
        ("stopLimitPrice", stop, "Price"),
        ("stopLimitTimeInForce", stop, "TimeInForce"),
        ("stopClientOrderId", stop, "ClientOrderId"),
        ("stopIcebergQty", stop, "IcebergQty"),
        ("stopStrategyId", stop, "StrategyId"),
        ("stopStrategyType", stop, "StrategyType"),
    ] {
        if let Some(value) = params.text(old) {
            renamed.push(format!("{leg}{new}"), value);
        }
    }
    Ok(renamed)
}

fn place(core: &mut Core, call: Call<'_>, caller: Caller, shape: ListShape) -> Outcome {
    let instrument = call.instrument(core)?.id;
    let reply = ReplyType::read(call.params)?.unwrap_or(ReplyType::Result);
    let client_id = match call.params.text("listClientOrderId") {
        Some(text) => client_id("listClientOrderId", text)?,
        None => core.next_client_id(call.now),
    };
    let new = NewList {
        account: caller.account,
        instrument,
        client_id,
        shape,
    };
    let (answer, _) = core.act(call.now, &Action::SubmitList(Box::new(new)))?;
    let Answer::List(list) = answer else {
        return Err(ApiError::UNKNOWN);
    };
    let (members, spelling) = (
        members(core, &list),
        call.spelling(core, call.instrument(core)?),
    );
    let head = list_body(core, call, &list, list.created_at);
    match reply {
        ReplyType::Ack => body(&Reported {
            list: head,
            order_reports: members.iter().map(|order| spelling.ack(order)).collect(),
        }),
        ReplyType::Result => body(&Reported {
            list: head,
            order_reports: members
                .iter()
                .map(|order| spelling.placed(order, None))
                .collect(),
        }),
        ReplyType::Full => {
            let fills: Vec<Vec<Execution>> =
                members.iter().map(|order| fills_of(core, order)).collect();
            let reports = members.iter().zip(&fills);
            body(&Reported {
                list: head,
                order_reports: reports
                    .map(|(order, fills)| spelling.placed(order, Some(fills)))
                    .collect(),
            })
        }
    }
}

fn fills_of(core: &Core, order: &Order) -> Vec<Execution> {
    let fill = |report: &OrderReport| match report.event {
        OrderEvent::Filled(fill) if report.order.id == order.id => Some(fill),
        _ => None,
    };
    core.reports().iter().filter_map(fill).collect()
}

// Telling.

fn members(core: &Core, list: &OrderList) -> Vec<Order> {
    let find = |id: &VenueOrderId| {
        core.exchange
            .order(list.account, list.instrument, OrderRef::Venue(*id))
    };
    list.orders().iter().filter_map(find).collect()
}

fn list_body(core: &Core, call: Call<'_>, list: &OrderList, at: Timestamp) -> ListBody {
    let symbol = core.symbols.name(list.instrument);
    let member = |order: &Order| MemberBody {
        symbol: symbol.to_owned(),
        order_id: order.id.0,
        client_order_id: order.client_id.as_str().to_owned(),
    };
    let (last_step, orders_are) = list_status(list.status);
    ListBody {
        order_list_id: list.id.0,
        contingency_type: contingency(list.kind),
        list_status_type: last_step,
        list_order_status: orders_are,
        list_client_order_id: list.client_id.as_str().to_owned(),
        transaction_time: call.unit.stamp(at),
        symbol: symbol.to_owned(),
        orders: members(core, list).iter().map(member).collect(),
    }
}

/// Ends a list and gives what became of it and of its orders.
pub(super) fn ended(
    core: &mut Core,
    call: Call<'_>,
    (account, instrument): (AccountId, InstrumentId),
    list: ListId,
    cancel_id: ClientId,
) -> Result<Box<RawValue>, ApiError> {
    let cancel = CancelList {
        account,
        instrument,
        list: ListRef::Venue(list),
        cancel_id: Some(cancel_id),
    };
    let (answer, _) = core.act(call.now, &Action::CancelList(cancel))?;
    let Answer::List(list) = answer else {
        return Err(ApiError::UNKNOWN);
    };
    let (members, spelling) = (
        members(core, &list),
        call.spelling(core, call.instrument(core)?),
    );
    let reported = Reported {
        list: list_body(core, call, &list, call.now),
        order_reports: members
            .iter()
            .map(|order| spelling.cancelled(order, cancel_id.as_str()))
            .collect(),
    };
    RawValue::from_string(body(&reported)?).map_err(|_| ApiError::UNKNOWN)
}

// Asking.

pub(super) fn query(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let named = list_ref(call.params, "origClientOrderId")?;
    let list = core
        .exchange
        .order_list(caller.account, named)
        .ok_or(ApiError::NO_SUCH_ORDER)?;
    body(&list_body(core, call, &list, list.created_at))
}

pub(super) fn open(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let lists = core.exchange.open_lists(caller.account);
    let bodies = lists.map(|list| list_body(core, call, list, list.created_at));
    body(&bodies.collect::<Vec<_>>())
}

pub(super) fn all(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let params = call.params;
    let limit = params.limit(500, 1_000)?;
    let from = params.integer("fromId")?;
    let (start, end) = (params.time("startTime")?, params.time("endTime")?);
    if from.is_some() && (start.is_some() || end.is_some()) {
        return Err(ApiError::COMBINATION);
    }
    super::check_span(start, end)?;
    let mut lists: Vec<OrderList> = core
        .exchange
        .finished_lists(caller.account)
        .chain(core.exchange.open_lists(caller.account))
        .filter(|list| start.is_none_or(|start| list.created_at >= start))
        .filter(|list| end.is_none_or(|end| list.created_at <= end))
        .copied()
        .collect();
    lists.sort_unstable_by_key(|list| list.id);
    let from = from
        .or(start.map(|_| 0))
        .map(|from| move |list: &OrderList| i64::try_from(list.id.0).is_ok_and(|id| id >= from));
    let lists = page(lists.iter(), limit, from);
    let bodies = lists
        .iter()
        .map(|list| list_body(core, call, list, list.created_at));
    body(&bodies.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_side_of_the_market() {
        use Side::{Buy, Sell};
        for (side, above, below, code) in [
            (Sell, "LIMIT_MAKER", "STOP_LOSS", None),
            (Sell, "TAKE_PROFIT_LIMIT", "STOP_LOSS_LIMIT", None),
            (Buy, "STOP_LOSS_LIMIT", "LIMIT_MAKER", None),
            (Buy, "STOP_LOSS", "TAKE_PROFIT", None),
            (Buy, "LIMIT_MAKER", "LIMIT_MAKER", Some(-1168)),
            (Buy, "LIMIT_MAKER", "STOP_LOSS", Some(-1165)),
            (Buy, "TAKE_PROFIT", "STOP_LOSS", Some(-1198)),
            (Buy, "STOP_LOSS", "STOP_LOSS", Some(-1196)),
            (Sell, "STOP_LOSS", "LIMIT_MAKER", Some(-1166)),
            (Sell, "STOP_LOSS", "TAKE_PROFIT", Some(-1199)),
            (Sell, "STOP_LOSS", "STOP_LOSS", Some(-1197)),
            (Sell, "MARKET", "STOP_LOSS", Some(-1158)),
        ] {
            let found = check_pair(side, above, below).err().map(|error| error.code);
            assert_eq!(found, code, "{side:?} {above} {below}");
        }
    }

    #[test]
    fn the_old_words_become_the_new_ones() {
        let old = "price=3&stopPrice=1&stopLimitPrice=0.9&stopLimitTimeInForce=GTC&quantity=5&limitClientOrderId=a";
        let params = Params::from_form(old, "").unwrap();
        let sell = in_new_words(&params, Side::Sell).unwrap();
        for (name, value) in [
            ("aboveType", "LIMIT_MAKER"),
            ("abovePrice", "3"),
            ("aboveClientOrderId", "a"),
            ("belowType", "STOP_LOSS_LIMIT"),
            ("belowStopPrice", "1"),
            ("belowPrice", "0.9"),
        ] {
            assert_eq!(sell.text(name), Some(value), "{name}");
        }
        let buy = in_new_words(&params, Side::Buy).unwrap();
        assert_eq!(buy.text("aboveType"), Some("STOP_LOSS_LIMIT"));
        let missing = Params::from_form("quantity=5&price=1", "").unwrap();
        assert_eq!(
            in_new_words(&missing, Side::Buy),
            Err(ApiError::mandatory("stopPrice"))
        );
    }
}
