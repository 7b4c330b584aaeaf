//! The parameters that each call has. The venue refuses a request with one it does not know, so a program with a misspelt
//! or foreign parameter has to learn of it here too, before anything is done.
//!
//! An empty one is refused likewise. Calls outside of spot trading take whatever they are sent. Source: the venue's
//! reference of REST endpoints, July 2026.

use super::errors::ApiError;
use super::{Handler, Method, Params, Route};

/// What is known of one call.
struct Known {
    names: &'static [&'static str],
    /// What it has beside a call that is otherwise the same.
    more: &'static [&'static str],
    /// What the names of its orders' own parameters begin with.
    legs: &'static [&'static str],
}

/// What every signed call may have.
const SIGNED: [&str; 3] = ["timestamp", "recvWindow", "signature"];

/// The parameters of one order in a list, after the name of its place.
const LEG: [&str; 16] = [
    "Type",
    "Side",
    "ClientOrderId",
    "Price",
    "StopPrice",
    "TrailingDelta",
    "Quantity",
    "IcebergQty",
    "TimeInForce",
    "StrategyId",
    "StrategyType",
    "PegPriceType",
    "PegOffsetType",
    "PegOffsetValue",
    "LimitPrice",
    "LimitTimeInForce",
];

const ORDER: &[&str] = &[
    "symbol",
    "side",
    "type",
    "timeInForce",
    "quantity",
    "quoteOrderQty",
    "price",
    "newClientOrderId",
    "strategyId",
    "strategyType",
    "stopPrice",
    "trailingDelta",
    "icebergQty",
    "newOrderRespType",
    "selfTradePreventionMode",
    "pegPriceType",
    "pegOffsetType",
    "pegOffsetValue",
];

/// What a replacement has beside the new order's.
const REPLACE: &[&str] = &[
    "cancelReplaceMode",
    "cancelNewClientOrderId",
    "cancelOrigClientOrderId",
    "cancelOrderId",
    "cancelRestrictions",
    "orderRateLimitExceededMode",
];

const LIST: &[&str] = &[
    "symbol",
    "listClientOrderId",
    "newOrderRespType",
    "selfTradePreventionMode",
    "side",
    "quantity",
    "price",
    "stopPrice",
    "trailingDelta",
];

const fn names(names: &'static [&'static str]) -> Option<Known> {
    both(names, &[])
}

const fn both(names: &'static [&'static str], more: &'static [&'static str]) -> Option<Known> {
    let legs = &[];
    Some(Known { names, more, legs })
}

const fn list(legs: &'static [&'static str]) -> Option<Known> {
    Some(Known {
        names: LIST,
        more: &[],
        legs,
    })
}

#[rustfmt::skip]
fn known(method: Method, path: &str) -> Option<Known> {
    use Method::{Delete, Get, Post, Put};
    match (method, path.strip_prefix("/api/v3/")?) {
        (Get, "ping" | "time" | "openOrderList" | "rateLimit/order") => names(&[]),
        (Get, "exchangeInfo") => names(&["symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"]),
        (Get, "depth") => names(&["symbol", "limit", "symbolStatus"]),
        (Get, "trades") => names(&["symbol", "limit"]),
        (Get, "historicalTrades") => names(&["symbol", "limit", "fromId"]),
        (Get, "aggTrades") => names(&["symbol", "fromId", "startTime", "endTime", "limit"]),
        (Get, "klines" | "uiKlines") => names(&["symbol", "interval", "startTime", "endTime", "timeZone", "limit"]),
        (Get, "avgPrice" | "account/commission" | "myFilters") => names(&["symbol"]),
        (Get, "ticker/24hr") => names(&["symbol", "symbols", "type", "symbolStatus"]),
        (Get, "ticker/price" | "ticker/bookTicker" | "executionRules" | "referencePrice" | "referencePrice/calculation") =>
            names(&["symbol", "symbols", "symbolStatus"]),
        (Get, "ticker/tradingDay") => names(&["symbol", "symbols", "timeZone", "type", "symbolStatus"]),
        (Get, "ticker") => names(&["symbol", "symbols", "windowSize", "type", "symbolStatus"]),
        (Post, "order") => names(ORDER),
        (Post, "order/test") => both(ORDER, &["computeCommissionRates"]),
        (Post, "order/cancelReplace") => both(ORDER, REPLACE),
        (Get, "order") => names(&["symbol", "orderId", "origClientOrderId"]),
        (Delete, "order") => names(&["symbol", "orderId", "origClientOrderId", "newClientOrderId", "cancelRestrictions"]),
        (Put, "order/amend/keepPriority") => names(&["symbol", "orderId", "origClientOrderId", "newClientOrderId", "newQty"]),
        (Get, "order/amendments") => names(&["symbol", "orderId", "fromExecutionId", "limit"]),
        (Get | Delete, "openOrders") => names(&["symbol"]),
        (Get, "allOrders") => names(&["symbol", "orderId", "startTime", "endTime", "limit"]),
        (Post, "order/oco") => list(&["limit", "stop"]),
        (Post, "orderList/oco") => list(&["above", "below"]),
        (Post, "orderList/oto") => list(&["working", "pending"]),
        (Post, "orderList/otoco") => list(&["working", "pending", "pendingAbove", "pendingBelow"]),
        (Delete, "orderList") => names(&["symbol", "orderListId", "listClientOrderId", "newClientOrderId"]),
        (Get, "orderList") => names(&["orderListId", "origClientOrderId"]),
        (Get, "allOrderList") => names(&["fromId", "startTime", "endTime", "limit"]),
        (Get, "account") => names(&["omitZeroBalances"]),
        (Get, "myTrades") => names(&["symbol", "orderId", "startTime", "endTime", "fromId", "limit"]),
        (Get, "myPreventedMatches") => names(&["symbol", "preventedMatchId", "orderId", "fromPreventedMatchId", "limit"]),
        (Get, "myAllocations") => names(&["symbol", "startTime", "endTime", "fromAllocationId", "limit", "orderId"]),
        _ => None,
    }
}

/// Refuses a request with a parameter that its call does not have, or with an empty one.
pub(super) fn check(route: &Route, params: &Params) -> Result<(), ApiError> {
    let Some(known) = known(route.method, route.path) else {
        return Ok(());
    };
    let is_signed = !matches!(route.handler, Handler::Public(_));
    let is_of_leg = |name: &str| {
        let rest = |leg: &&str| name.strip_prefix(leg);
        known
            .legs
            .iter()
            .filter_map(rest)
            .any(|rest| LEG.contains(&rest))
    };
    let is_known = |name: &str| {
        known.names.contains(&name)
            || known.more.contains(&name)
            || is_of_leg(name)
            || (is_signed && SIGNED.contains(&name))
    };
    let (sent, read) = params.iter().fold((0, 0), |(sent, read), (name, _)| {
        (sent + 1, read + usize::from(is_known(name)))
    });
    match (sent == read, known.names.is_empty() && !is_signed) {
        (true, _) => params.refuse_empty(),
        (false, true) => Err(ApiError::too_many(sent)),
        (false, false) => Err(ApiError::not_read(read, sent)),
    }
}
