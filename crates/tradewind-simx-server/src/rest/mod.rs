//! Requests and their answers: the table of everything a client can call, over REST and over the WebSocket API.
//!
//! One table serves both, since both take the same parameters and give the same bodies; only the envelope differs. A
//! handler gets a [`Call`] that is already authorised and paid for, and returns the body or the venue's refusal.

mod account;
mod amendments;
mod cancels;
mod elsewhere;
mod errors;
mod general;
mod head;
mod history;
mod known;
mod legs;
mod lists;
mod new_order;
mod orders;
mod page;
mod params;
mod prevented;
mod public_key;
mod signing;
mod tickers;
mod trades;
mod weights;
mod windows;
mod words;

use std::net::IpAddr;
use std::time::Duration;

use tradewind_model::{AccountId, Instrument, Timestamp};

pub(crate) use amendments::Amendments;
pub(crate) use errors::ApiError;
pub(crate) use head::{BODY_BYTES_MAX, CONTENT_TYPE, Head, KEY_FIELD, UNIT_FIELD};
pub(crate) use orders::{Spelling, TimeUnit};
pub(crate) use params::Params;
pub(crate) use prevented::{PreventedMatch, PreventedMatches};
pub(crate) use public_key::{Verifier, sign_hmac};
pub(crate) use signing::{Caller, Key, KeyRing, Received};
pub(crate) use weights::{
    Meters, ORDERS_PER_10_SECONDS, ORDERS_PER_DAY, OrderCounts, WEIGHT_PER_MINUTE,
};
pub(crate) use words::{
    contingency, expiry_reason, kind, list_id, list_status, self_trade, side, status,
    time_in_force, trailing_time,
};

use crate::core::Core;
use crate::order_log::LogEvent;

/// A REST request as it was received.
#[derive(Clone, Debug)]
pub(crate) struct RestRequest {
    pub(crate) address: IpAddr,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: String,
    pub(crate) key: Option<String>,
    pub(crate) unit: TimeUnit,
}

/// The HTTP methods that are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// A REST answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestAnswer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) used_weight: u32,
    pub(crate) orders: Option<OrderCounts>,
    pub(crate) retry_after_seconds: Option<u64>,
}

impl RestAnswer {
    /// A refusal that never reached the exchange.
    pub(crate) fn refusal(error: &ApiError) -> Self {
        Self {
            status: error.status,
            body: error.body(),
            used_weight: 0,
            orders: None,
            retry_after_seconds: None,
        }
    }
}

/// One call of a handler.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) now: Timestamp,
    pub(crate) params: &'a Params,
    pub(crate) unit: TimeUnit,
}

/// A handler's result: the body, or the refusal.
pub(crate) type Outcome = Result<String, ApiError>;

/// Something that can be called.
pub(crate) struct Route {
    method: Method,
    path: &'static str,
    /// Its name on the WebSocket API, if it is there.
    ws: Option<&'static str>,
    /// What it costs.
    pub(crate) weight: fn(&Params) -> u32,
    pub(crate) handler: Handler,
}

/// Who answers.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Anybody may ask.
    Public(fn(&mut Core, Call<'_>) -> Outcome),
    /// A signature is needed.
    Signed(fn(&mut Core, Call<'_>, Caller) -> Outcome),
    /// A signature is needed, and a key that may trade.
    Trade(fn(&mut Core, Call<'_>, Caller) -> Outcome),
    /// The same, and so many orders are placed.
    Order(u32, fn(&mut Core, Call<'_>, Caller) -> Outcome),
}

const fn route(
    method: Method,
    path: &'static str,
    ws: Option<&'static str>,
    weight: fn(&Params) -> u32,
    handler: Handler,
) -> Route {
    Route {
        method,
        path,
        ws,
        weight,
        handler,
    }
}

#[rustfmt::skip]
static ROUTES: &[Route] = {
    use Handler::{Order, Public, Signed, Trade};
    use Method::{Delete, Get, Post, Put};
    &[
        route(Get, "/api/v3/ping", Some("ping"), |_| 1, Public(general::ping)),
        route(Get, "/api/v3/time", Some("time"), |_| 1, Public(general::time)),
        route(Get, "/api/v3/exchangeInfo", Some("exchangeInfo"), |_| 20, Public(general::exchange_info)),
        route(Get, "/api/v3/depth", Some("depth"), tickers::depth_weight, Public(tickers::depth)),
        route(Get, "/api/v3/trades", Some("trades.recent"), |_| 25, Public(trades::trades)),
        route(Get, "/api/v3/historicalTrades", Some("trades.historical"), |_| 25, Public(trades::trades)),
        route(Get, "/api/v3/aggTrades", Some("trades.aggregate"), |_| 4, Public(trades::aggregate_trades)),
        route(Get, "/api/v3/klines", Some("klines"), |_| 2, Public(trades::klines)),
        route(Get, "/api/v3/uiKlines", Some("uiKlines"), |_| 2, Public(trades::klines)),
        route(Get, "/api/v3/avgPrice", Some("avgPrice"), |_| 2, Public(trades::average_price)),
        route(Get, "/api/v3/ticker/24hr", Some("ticker.24hr"), tickers::day_weight, Public(tickers::day_ticker)),
        route(Get, "/api/v3/ticker/price", Some("ticker.price"), tickers::ticker_weight, Public(tickers::price_ticker)),
        route(Get, "/api/v3/ticker/bookTicker", Some("ticker.book"), tickers::ticker_weight, Public(tickers::book_ticker)),
        route(Get, "/api/v3/ticker/tradingDay", Some("ticker.tradingDay"), windows::weight, Public(windows::trading_day)),
        route(Get, "/api/v3/ticker", Some("ticker"), windows::weight, Public(windows::rolling)),
        route(Get, "/api/v3/executionRules", Some("executionRules"), |_| 2, Public(general::execution_rules)),
        route(Get, "/api/v3/referencePrice", Some("referencePrice"), |_| 2, Public(general::reference_price)),
        route(Get, "/api/v3/referencePrice/calculation", Some("referencePrice.calculation"), |_| 2, Public(general::reference_price)),
        route(Post, "/api/v3/order", Some("order.place"), |_| 1, Order(1, new_order::place)),
        route(Post, "/api/v3/order/test", Some("order.test"), new_order::test_weight, Trade(new_order::test)),
        route(Get, "/api/v3/order", Some("order.status"), |_| 4, Signed(history::query)),
        route(Delete, "/api/v3/order", Some("order.cancel"), |_| 1, Trade(cancels::cancel)),
        route(Get, "/api/v3/openOrders", Some("openOrders.status"), history::open_weight, Signed(history::open_orders)),
        route(Delete, "/api/v3/openOrders", Some("openOrders.cancelAll"), |_| 1, Trade(cancels::cancel_all)),
        route(Get, "/api/v3/allOrders", Some("allOrders"), |_| 20, Signed(history::all_orders)),
        route(Post, "/api/v3/order/cancelReplace", Some("order.cancelReplace"), |_| 1, Order(0, new_order::cancel_replace)),
        route(Put, "/api/v3/order/amend/keepPriority", Some("order.amend.keepPriority"), |_| 4, Trade(cancels::amend)),
        route(Post, "/api/v3/order/oco", Some("orderList.place"), |_| 1, Order(2, lists::old_oco)),
        route(Post, "/api/v3/orderList/oco", Some("orderList.place.oco"), |_| 1, Order(2, lists::oco)),
        route(Post, "/api/v3/orderList/oto", Some("orderList.place.oto"), |_| 1, Order(2, lists::oto)),
        route(Post, "/api/v3/orderList/otoco", Some("orderList.place.otoco"), |_| 1, Order(3, lists::otoco)),
        route(Delete, "/api/v3/orderList", Some("orderList.cancel"), |_| 1, Trade(cancels::cancel_list)),
        route(Get, "/api/v3/orderList", Some("orderList.status"), |_| 4, Signed(lists::query)),
        route(Get, "/api/v3/openOrderList", Some("openOrderLists.status"), |_| 6, Signed(lists::open)),
        route(Get, "/api/v3/allOrderList", Some("allOrderLists"), |_| 20, Signed(lists::all)),
        route(Get, "/api/v3/account", Some("account.status"), |_| 20, Signed(account::account)),
        route(Get, "/api/v3/account/commission", Some("account.commission"), |_| 20, Signed(account::commission)),
        route(Get, "/api/v3/myTrades", Some("myTrades"), history::trades_weight, Signed(history::my_trades)),
        route(Get, "/api/v3/rateLimit/order", Some("account.rateLimits.orders"), |_| 40, Signed(account::order_limits)),
        route(Get, "/api/v3/myPreventedMatches", Some("myPreventedMatches"), prevented::weight, Signed(prevented::query)),
        route(Get, "/api/v3/myAllocations", Some("myAllocations"), |_| 20, Signed(account::allocations)),
        route(Get, "/api/v3/myFilters", Some("myFilters"), |_| 40, Signed(account::my_filters)),
        route(Post, "/api/v3/userDataStream", None, |_| 2, Public(elsewhere::gone)),
        route(Put, "/api/v3/userDataStream", None, |_| 2, Public(elsewhere::gone)),
        route(Delete, "/api/v3/userDataStream", None, |_| 2, Public(elsewhere::gone)),
        route(Get, "/api/v3/order/amendments", Some("order.amendments"), |_| 4, Signed(amendments::query)),
        route(Get, "/sapi/v1/asset/tradeFee", None, |_| 1, Signed(account::trade_fees)),
        route(Get, "/sapi/v1/system/status", None, |_| 1, Public(elsewhere::system_status)),
        route(Get, "/sapi/v1/capital/config/getall", None, |_| 10, Signed(elsewhere::coins)),
        route(Get, "/sapi/v1/account/status", None, |_| 1, Signed(elsewhere::account_status)),
        route(Get, "/sapi/v1/account/apiTradingStatus", None, |_| 1, Signed(elsewhere::trading_status)),
        route(Get, "/sapi/v1/asset/assetDetail", None, |_| 1, Signed(elsewhere::asset_details)),
        route(Get, "/sapi/v1/asset/dribblet", None, |_| 1, Signed(elsewhere::dust)),
        route(Get, "/sapi/v1/asset/assetDividend", None, |_| 10, Signed(elsewhere::dividends)),
        route(Post, "/sapi/v3/asset/getUserAsset", None, |_| 5, Signed(elsewhere::user_assets)),
        route(Get, "/sapi/v1/asset/wallet/balance", None, |_| 60, Signed(elsewhere::wallets)),
        route(Get, "/sapi/v1/capital/deposit/hisrec", None, |_| 1, Signed(elsewhere::nothing_signed)),
        route(Get, "/sapi/v1/capital/withdraw/history", None, |_| 1, Signed(elsewhere::nothing_signed)),
        route(Get, "/sapi/v1/accountSnapshot", None, |_| 1, Signed(elsewhere::snapshots)),
        route(Get, "/sapi/v1/bnbBurn", None, |_| 1, Signed(account::burn)),
        route(Post, "/sapi/v1/bnbBurn", None, |_| 1, Trade(account::set_burn)),
        route(Get, "/sapi/v1/margin/allAssets", None, |_| 1, Public(elsewhere::nothing)),
        route(Get, "/sapi/v1/margin/allPairs", None, |_| 1, Public(elsewhere::nothing)),
        route(Get, "/sapi/v1/margin/isolated/allPairs", None, |_| 10, Signed(elsewhere::nothing_signed)),
        route(Get, "/fapi/v1/exchangeInfo", None, |_| 1, Public(elsewhere::futures)),
        route(Get, "/dapi/v1/exchangeInfo", None, |_| 1, Public(elsewhere::futures)),
        route(Get, "/sapi/v1/account/apiRestrictions", None, |_| 1, Signed(account::restrictions)),
    ]
};

/// Answers a REST request.
pub(crate) fn answer(core: &mut Core, now: Timestamp, request: &RestRequest) -> RestAnswer {
    let mut counted = None;
    let outcome = dispatch(core, now, request, &mut counted);
    let (status, body, retry_at) = match outcome {
        Ok(body) => (200, body, None),
        Err(error) => (error.status, error.body(), error.retry_at),
    };
    RestAnswer {
        status,
        body,
        used_weight: core.meters.used(request.address),
        orders: counted.map(|account| core.meters.order_counts(now, account)),
        retry_after_seconds: retry_at.map(|at| {
            at.since(now)
                .as_millis()
                .div_ceil(1_000)
                .try_into()
                .unwrap_or(u64::MAX)
        }),
    }
}

/// Finds the route, takes its weight, checks the signature and calls it; `counted` is set when orders were attempted.
fn dispatch(
    core: &mut Core,
    now: Timestamp,
    request: &RestRequest,
    counted: &mut Option<AccountId>,
) -> Outcome {
    let is_called = |route: &&Route| route.method == request.method && route.path == request.path;
    let Some(route) = ROUTES.iter().find(is_called) else {
        core.meters.charge(now, request.address, 1)?;
        return Err(ApiError::NOT_FOUND);
    };
    let parsed = Params::from_form(&request.query, &request.body);
    let weight = parsed.as_ref().map_or(1, route.weight);
    core.meters.charge(now, request.address, weight)?;
    let params = parsed?;
    let call = Call {
        now,
        params: &params,
        unit: request.unit,
    };
    let caller = admit(core, now, route, request, &params)?;
    run(core, call, route.handler, caller, counted)
}

/// Checks what holds for every call, before anything is done: the signature if it needs one, and its parameters. Who calls.
pub(crate) fn admit(
    core: &Core,
    now: Timestamp,
    route: &Route,
    request: &RestRequest,
    params: &Params,
) -> Result<Option<Caller>, ApiError> {
    let received = Received {
        query: &request.query,
        body: &request.body,
    };
    let caller = match route.handler {
        Handler::Public(_) => None,
        Handler::Signed(_) | Handler::Trade(_) | Handler::Order(..) => {
            let (shown, key) = (core.shown(now), request.key.as_deref());
            Some(core.keys.authorize_rest(shown, key, params, &received)?)
        }
    };
    known::check(route, params)?;
    Ok(caller)
}

/// Calls a handler; over whichever wire the call came.
pub(crate) fn run(
    core: &mut Core,
    call: Call<'_>,
    handler: Handler,
    caller: Option<Caller>,
    counted: &mut Option<AccountId>,
) -> Outcome {
    let caller = match handler {
        Handler::Public(handler) => return handler(core, call),
        Handler::Signed(_) => caller.ok_or(ApiError::KEY_FORMAT)?,
        Handler::Trade(_) | Handler::Order(..) => caller
            .ok_or(ApiError::KEY_FORMAT)?
            .require(|permissions| permissions.trading)?,
    };
    match handler {
        Handler::Public(handler) => handler(core, call),
        Handler::Signed(handler) | Handler::Trade(handler) => handler(core, call, caller),
        Handler::Order(orders, handler) => {
            *counted = Some(caller.account);
            let admitted = core.meters.admit_orders(call.now, caller.account, orders);
            let outcome = match admitted {
                Ok(()) => handler(core, call, caller).inspect_err(|_| {
                    core.meters.take_back(call.now, caller.account, orders);
                }),
                Err(error) => Err(error),
            };
            if let Err(error) = &outcome {
                core.log(|| {
                    let key = core.key_of(caller.account);
                    LogEvent::refused(call.now, key, call.params, error)
                });
            }
            outcome
        }
    }
}

/// The route of a REST request.
pub(crate) fn rest_route(method: Method, path: &str) -> Option<&'static Route> {
    ROUTES
        .iter()
        .find(|route| route.method == method && route.path == path)
}

impl Method {
    /// As HTTP spells it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl Route {
    /// `POST /api/v3/order`.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.method.name(), self.path)
    }

    /// Its name on the WebSocket API, if it is there.
    pub(crate) const fn ws_name(&self) -> Option<&'static str> {
        self.ws
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.label())
    }
}

/// The route of a WebSocket API method.
pub(crate) fn ws_route(method: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.ws == Some(method))
}

impl Call<'_> {
    /// What texts about an order of `instrument` are made with.
    pub(crate) const fn spelling<'c>(
        &self,
        core: &'c Core,
        instrument: &'c Instrument,
    ) -> Spelling<'c> {
        Spelling {
            symbols: &core.symbols,
            instrument,
            unit: self.unit,
            prevented: &core.prevented,
        }
    }

    /// The instrument that `symbol` names.
    pub(crate) fn instrument<'c>(&self, core: &'c Core) -> Result<&'c Instrument, ApiError> {
        let symbol = self.params.required("symbol")?;
        find(core, symbol)
    }
}

/// Refuses a span of more than 24 hours, and one that ends before it begins.
fn check_span(start: Option<Timestamp>, end: Option<Timestamp>) -> Result<(), ApiError> {
    /// The longest span that may be asked for at once.
    const SPAN_MAX: Duration = Duration::from_secs(86_400);
    match (start, end) {
        (Some(start), Some(end)) if end.since(start) > SPAN_MAX => Err(ApiError::MORE_THAN_A_DAY),
        (Some(start), Some(end)) if end < start => Err(ApiError::invalid("endTime")),
        _ => Ok(()),
    }
}

/// The instrument spelled `symbol`.
pub(crate) fn find<'c>(core: &'c Core, symbol: &str) -> Result<&'c Instrument, ApiError> {
    const RANGE: &str = "^[A-Z0-9-_.]{1,20}$";
    let legal = |byte: u8| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    };
    if symbol.len() > 20 || !symbol.bytes().all(legal) {
        return Err(ApiError::illegal("symbol", RANGE));
    }
    let id = core.symbols.find(symbol).ok_or(ApiError::SYMBOL)?;
    core.exchange
        .instruments()
        .get(id.index())
        .ok_or(ApiError::SYMBOL)
}

/// A limit and how much of it is used, as the WebSocket API tells it.
#[derive(Clone, Copy, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RateLimitCount {
    rate_limit_type: &'static str,
    interval: &'static str,
    interval_num: u32,
    limit: u32,
    count: u32,
}

impl RateLimitCount {
    /// Orders of an account.
    pub(crate) const fn orders(
        interval: &'static str,
        interval_num: u32,
        limit: u32,
        count: u32,
    ) -> Self {
        Self {
            rate_limit_type: "ORDERS",
            interval,
            interval_num,
            limit,
            count,
        }
    }

    /// Weight of an address.
    pub(crate) const fn weight(count: u32) -> Self {
        Self {
            rate_limit_type: "REQUEST_WEIGHT",
            interval: "MINUTE",
            interval_num: 1,
            limit: WEIGHT_PER_MINUTE,
            count,
        }
    }
}

/// A body out of something that serialises.
pub(crate) fn body(value: &impl serde::Serialize) -> Outcome {
    serde_json::to_string(value).map_err(|_| ApiError::UNKNOWN)
}
