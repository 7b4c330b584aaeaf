//! Requests and their answers: the table of everything a client can call, over REST and over the WebSocket API.
//!
//! One table serves both, since both take the same parameters and give the same bodies; only the envelope differs. A
//! handler gets a [`Call`] that is already authorised and paid for, and returns the body or the venue's refusal.

mod account;
mod errors;
mod general;
mod new_order;
mod orders;
mod page;
mod params;
mod signed;
mod signing;
mod tickers;
mod trades;
mod weights;

use std::net::IpAddr;

use tradewind_model::{AccountId, Instrument, Timestamp};

pub(crate) use errors::ApiError;
pub(crate) use orders::{TimeUnit, kind, side, status, time_in_force};
pub(crate) use params::Params;
pub(crate) use signing::{KeyRing, Received};
pub(crate) use weights::{
    Meters, ORDERS_PER_10_SECONDS, ORDERS_PER_DAY, OrderCounts, WEIGHT_PER_MINUTE,
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
    Signed(fn(&mut Core, Call<'_>, AccountId) -> Outcome),
    /// A signature is needed and an order is placed: it counts as one.
    Order(fn(&mut Core, Call<'_>, AccountId) -> Outcome),
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
    use Handler::{Order, Public, Signed};
    use Method::{Delete, Get, Post};
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
        route(Post, "/api/v3/order", Some("order.place"), |_| 1, Order(signed::place)),
        route(Post, "/api/v3/order/test", Some("order.test"), |_| 1, Signed(signed::test)),
        route(Get, "/api/v3/order", Some("order.status"), |_| 4, Signed(signed::query)),
        route(Delete, "/api/v3/order", Some("order.cancel"), |_| 1, Signed(signed::cancel)),
        route(Get, "/api/v3/openOrders", Some("openOrders.status"), signed::open_weight, Signed(signed::open_orders)),
        route(Delete, "/api/v3/openOrders", Some("openOrders.cancelAll"), |_| 1, Signed(signed::cancel_all)),
        route(Get, "/api/v3/allOrders", Some("allOrders"), |_| 20, Signed(signed::all_orders)),
        route(Get, "/api/v3/account", Some("account.status"), |_| 20, Signed(account::account)),
        route(Get, "/api/v3/account/commission", Some("account.commission"), |_| 20, Signed(account::commission)),
        route(Get, "/api/v3/myTrades", Some("myTrades"), signed::trades_weight, Signed(signed::my_trades)),
        route(Get, "/api/v3/rateLimit/order", Some("account.rateLimits.orders"), |_| 40, Signed(account::order_limits)),
        route(Get, "/sapi/v1/account/apiRestrictions", None, |_| 1, Signed(account::restrictions)),
    ]
};

/// Answers a REST request.
pub(crate) fn answer(core: &mut Core, now: Timestamp, request: &RestRequest) -> RestAnswer {
    let mut account = None;
    let outcome = dispatch(core, now, request, &mut account);
    let (status, body, retry_at) = match outcome {
        Ok(body) => (200, body, None),
        Err(error) => (error.status, error.body(), error.retry_at),
    };
    RestAnswer {
        status,
        body,
        used_weight: core.meters.used(request.address),
        orders: account.map(|account| core.meters.order_counts(now, account)),
        retry_after_seconds: retry_at.map(|at| {
            at.since(now)
                .as_millis()
                .div_ceil(1_000)
                .try_into()
                .unwrap_or(u64::MAX)
        }),
    }
}

/// Finds the route, takes its weight, checks the signature and calls it; `counted` is set when an order was accepted.
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
    let received = Received {
        query: &request.query,
        body: &request.body,
    };
    let account = match route.handler {
        Handler::Public(_) => None,
        Handler::Signed(_) | Handler::Order(_) => Some(core.keys.authorize_rest(
            core.shown(now),
            request.key.as_deref(),
            &params,
            &received,
        )?),
    };
    run(core, call, route.handler, account, counted)
}

/// Calls a handler; over whichever wire the call came.
pub(crate) fn run(
    core: &mut Core,
    call: Call<'_>,
    handler: Handler,
    account: Option<AccountId>,
    counted: &mut Option<AccountId>,
) -> Outcome {
    match (handler, account) {
        (Handler::Public(handler), _) => handler(core, call),
        (Handler::Signed(handler), Some(account)) => handler(core, call, account),
        (Handler::Order(handler), Some(account)) => {
            let admitted = core.meters.admit_order(call.now, account);
            let body = admitted.and_then(|()| handler(core, call, account));
            let body = body.inspect_err(|error| {
                core.log(|| LogEvent::refused(call.now, core.key_of(account), call.params, error));
            })?;
            core.meters.count_order(call.now, account);
            *counted = Some(account);
            Ok(body)
        }
        (Handler::Signed(_) | Handler::Order(_), None) => Err(ApiError::KEY_FORMAT),
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
    /// The instrument that `symbol` names.
    pub(crate) fn instrument<'c>(&self, core: &'c Core) -> Result<&'c Instrument, ApiError> {
        let symbol = self.params.required("symbol")?;
        find(core, symbol)
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
