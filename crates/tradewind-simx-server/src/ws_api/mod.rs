//! The WebSocket API: the same calls as REST in another envelope, and the user data streams.
//!
//! A request is `{"id", "method", "params"}`; its answer carries the id, an HTTP status, `result` or `error`, and the
//! limits unless they were waved off. Requests are signed one by one, or not at all on a connection that an Ed25519 key is
//! logged on to; see `session.rs`.

pub(crate) mod session;
pub(crate) mod user_data;

use std::net::IpAddr;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tradewind_model::{AccountId, Timestamp};

use crate::core::Core;
use crate::rest::{
    self, ApiError, Call, Handler, ORDERS_PER_10_SECONDS, ORDERS_PER_DAY, Params, RateLimitCount,
    TimeUnit,
};
use crate::streams::ConnectionId;
use crate::streams::connection::is_id;

/// Weight of opening a connection.
pub(crate) const CONNECT_WEIGHT: u32 = 2;

/// Who asks, over which connection, and how it wants its answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub(crate) connection: ConnectionId,
    pub(crate) address: IpAddr,
    pub(crate) unit: TimeUnit,
    /// Whether answers tell the limits unless a request says otherwise.
    pub(crate) rate_limits: bool,
}

struct Request {
    id: Value,
    method: String,
    params: Map<String, Value>,
}

impl Request {
    /// Reads a text, which must be an object; of one that is no request, the id if it has one to answer with.
    fn read(text: &str) -> Result<Self, Value> {
        let mut fields: Map<String, Value> = serde_json::from_str(text).map_err(|_| Value::Null)?;
        let id = fields.remove("id").unwrap_or_default();
        if !is_id(&id) {
            return Err(Value::Null);
        }
        let params = match fields.remove("params") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) => return Err(id),
        };
        match fields.remove("method") {
            Some(Value::String(method)) => Ok(Self { id, method, params }),
            _ => Err(id),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    id: &'a Value,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limits: Option<Vec<RateLimitCount>>,
}

#[derive(Serialize)]
struct Fault<'a> {
    code: i32,
    msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<FaultData<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum FaultData<'a> {
    Retry(Retry),
    Other(&'a RawValue),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Retry {
    server_time: i64,
    retry_after: i64,
}

/// Answers one text.
pub(crate) fn answer(core: &mut Core, now: Timestamp, asker: Asker, text: &str) -> String {
    let request = match Request::read(text) {
        Ok(request) => request,
        Err(id) => {
            let refused = Err(ApiError::INVALID_JSON);
            return envelope(core, now, asker, &id, refused, None, asker.rate_limits);
        }
    };
    let params = Params::from_json(&request.params);
    let shown = params
        .text("returnRateLimits")
        .map_or(asker.rate_limits, |wanted| wanted == "true");
    let mut counted = None;
    let outcome = call(core, now, asker, &request.method, &params, &mut counted);
    envelope(core, now, asker, &request.id, outcome, counted, shown)
}

fn call(
    core: &mut Core,
    now: Timestamp,
    asker: Asker,
    method: &str,
    params: &Params,
    counted: &mut Option<AccountId>,
) -> Result<String, ApiError> {
    match session::call(core, now, asker, method, params) {
        Some(outcome) => outcome,
        None => call_route(core, now, asker, method, params, counted),
    }
}

fn call_route(
    core: &mut Core,
    now: Timestamp,
    asker: Asker,
    method: &str,
    params: &Params,
    counted: &mut Option<AccountId>,
) -> Result<String, ApiError> {
    let Some(route) = rest::ws_route(method) else {
        core.meters.charge(now, asker.address, 1)?;
        return Err(ApiError {
            status: 400,
            ..ApiError::NOT_FOUND
        });
    };
    core.meters
        .charge(now, asker.address, (route.weight)(params))?;
    let caller = match route.handler {
        Handler::Public(_) => None,
        Handler::Signed(_) | Handler::Trade(_) | Handler::Order(..) => {
            let session = core.sessions.caller(asker.connection);
            let shown = core.shown(now);
            Some(core.keys.authorize_ws(shown, params, session)?)
        }
    };
    params.refuse_empty()?;
    rest::run(
        core,
        Call {
            now,
            params,
            unit: asker.unit,
        },
        route.handler,
        caller,
        counted,
    )
}

fn envelope(
    core: &mut Core,
    now: Timestamp,
    asker: Asker,
    id: &Value,
    outcome: Result<String, ApiError>,
    counted: Option<AccountId>,
    limits_shown: bool,
) -> String {
    let (body, error) = match outcome {
        Ok(body) => (RawValue::from_string(body).ok(), None),
        Err(error) => (None, Some(error)),
    };
    let answer = Answer {
        id,
        status: error.as_ref().map_or(200, |error| error.status),
        result: body.as_deref(),
        error: error.as_ref().map(|error| Fault {
            code: error.code,
            msg: &error.message,
            data: match error.retry_at {
                Some(at) => Some(FaultData::Retry(Retry {
                    server_time: asker.unit.stamp(now),
                    retry_after: at.as_millis(),
                })),
                None => error.data().map(FaultData::Other),
            },
        }),
        rate_limits: limits_shown.then(|| limits(core, now, asker, counted)),
    };
    serde_json::to_string(&answer).expect("an answer is made of texts, numbers and checked JSON")
}

fn limits(
    core: &mut Core,
    now: Timestamp,
    asker: Asker,
    account: Option<AccountId>,
) -> Vec<RateLimitCount> {
    let mut limits = Vec::with_capacity(3);
    if let Some(account) = account {
        let counts = core.meters.order_counts(now, account);
        limits.push(RateLimitCount::orders(
            "SECOND",
            10,
            ORDERS_PER_10_SECONDS,
            counts.ten_seconds,
        ));
        limits.push(RateLimitCount::orders("DAY", 1, ORDERS_PER_DAY, counts.day));
    }
    limits.push(RateLimitCount::weight(core.meters.used(asker.address)));
    limits
}
