//! Requests on their way in and their answers on the way out, over REST and the WebSocket API alike.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tradewind_model::Timestamp;
use tradewind_simx::Leg;

use super::between::{Between, Due};
use super::edit::{self, Hidden};
use super::event::{Event, On};
use super::fault::{Deed, Executed, Replacement};
use super::frames::Carriage;
use super::{Reply, Stroke, Target};
use crate::core::{Core, In};
use crate::rest::{
    self, ApiError, Call, Caller, Handler, Params, RestAnswer, RestRequest, TimeUnit,
};
use crate::streams::ConnectionId;
use crate::streams::frames::Frame;
use crate::ws_api::Asker;

/// What is remembered of a request until its answer goes.
#[derive(Debug)]
pub(super) struct Asked {
    event: Event,
    /// The request's id on the WebSocket API.
    id: Value,
    /// `limit`, for answers that are made here.
    limit: Option<usize>,
    plan: Plan,
}

/// What the faults made of a request.
#[derive(Debug, Default)]
struct Plan {
    wait: Duration,
    executed: Option<Executed>,
    answer: Option<Box<Replacement>>,
    /// The end of the fault that answers.
    until: Option<Timestamp>,
    lost: Option<Reply>,
}

/// A request that has not reached the exchange yet.
#[derive(Debug)]
pub(super) struct Pending {
    input: In,
    asked: Asked,
}

/// A call the exchange makes though its client was told something else.
#[derive(Debug)]
pub(super) struct Late {
    route: &'static rest::Route,
    params: Params,
    caller: Caller,
    unit: TimeUnit,
}

impl Between {
    pub(super) fn on_rest(
        &mut self,
        core: &mut Core,
        now: Timestamp,
        token: u64,
        request: RestRequest,
    ) {
        if self.is_partitioned() {
            self.out.mischief.replies.push((token, Reply::Silence));
            return;
        }
        let mut asked = Asked::new(Event::rest(&request), Value::Null);
        asked.limit = Params::from_form(&request.query, &request.body)
            .ok()
            .and_then(|params| params.limit(100, 5_000).ok());
        self.admit(core, now, In::Rest { token, request }, asked, None);
    }

    pub(super) fn on_ws(&mut self, core: &mut Core, now: Timestamp, asker: Asker, text: String) {
        if self.is_partitioned() {
            return;
        }
        let request: Value = serde_json::from_str(&text).unwrap_or_default();
        let params = Params::from_json(request["params"].as_object().unwrap_or(&Map::new()));
        let event = Event::ws(request["method"].as_str().unwrap_or_default(), &params);
        let mut asked = Asked::new(event, request["id"].clone());
        asked.limit = params.limit(100, 5_000).ok();
        self.admit(
            core,
            now,
            In::WsApi { asker, text },
            asked,
            Some(asker.connection),
        );
    }

    /// Lets the faults look at a request, and sends it on its way to the exchange.
    fn admit(
        &mut self,
        core: &mut Core,
        now: Timestamp,
        input: In,
        mut asked: Asked,
        lane: Option<ConnectionId>,
    ) {
        if self.listens(On::Request) {
            self.plan(core, now, &mut asked);
        }
        let matched = if asked.event.changes_orders() {
            self.latency(Leg::Match)
        } else {
            Duration::ZERO
        };
        let wait = self.latency(Leg::Request) + matched + asked.plan.wait;
        let mut due = now + wait;
        if let Some(lane) = lane.map(|lane| self.lanes.entry(lane).or_default()) {
            due = due.max(lane.arrives);
            lane.arrives = due;
        }
        let pending = Pending { input, asked };
        if due == now {
            self.execute(core, now, pending);
        } else {
            self.schedule(due, Due::Request(Box::new(pending)));
        }
    }

    fn plan(&mut self, core: &mut Core, now: Timestamp, asked: &mut Asked) {
        for (id, deed) in self.struck(core, now, &asked.event) {
            let plan = &mut asked.plan;
            match deed {
                Deed::Drop => {
                    (plan.executed, plan.lost) = (Some(Executed::No), Some(Reply::Silence));
                }
                Deed::Delay(_) => {
                    plan.wait += self
                        .armed
                        .get_mut(&id)
                        .map(|armed| armed.wait())
                        .unwrap_or_default()
                }
                Deed::Answer(replacement) => {
                    plan.executed = Some(replacement.executed);
                    plan.answer = Some(replacement);
                    plan.until = self.armed.get(&id).and_then(|armed| armed.ends);
                }
                Deed::LoseReply { executed, hang_up } => {
                    plan.executed = Some(executed);
                    plan.lost = Some(if hang_up {
                        Reply::HungUp
                    } else {
                        Reply::Silence
                    });
                }
                other => self.do_to_exchange(core, now, id, &other),
            }
        }
    }

    /// A request has reached the exchange.
    pub(super) fn execute(&mut self, core: &mut Core, at: Timestamp, pending: Pending) {
        let Pending { input, asked } = pending;
        match asked.plan.executed {
            Some(Executed::No) => return self.answer_alone(core, at, &input, asked),
            Some(Executed::Late(wait)) => {
                if let Some(late) = authorised(core, at, &input) {
                    self.schedule(at + wait, Due::Late(Box::new(late)));
                    return self.answer_alone(core, at, &input, asked);
                }
            }
            Some(Executed::Yes) | None => {}
        }
        match input {
            In::WsApi { asker, text } => {
                core.handle(at, In::WsApi { asker, text });
                self.collect_answer(core, at, Some((asker.connection, asked)));
            }
            input => {
                if let In::Rest { token, .. } = &input {
                    self.asked.insert(*token, asked);
                }
                core.handle(at, input);
                self.collect(core, at);
            }
        }
    }

    /// The exchange does what it was asked long ago; nobody hears of it but the account's stream.
    pub(super) fn execute_late(&mut self, core: &mut Core, at: Timestamp, late: &Late) {
        let call = Call {
            now: at,
            params: &late.params,
            unit: late.unit,
        };
        // Its client was told something else already.
        drop(rest::run(
            core,
            call,
            late.route.handler,
            Some(late.caller),
            &mut None,
        ));
        self.collect(core, at);
    }

    /// Answers a request that the exchange never saw, or has not seen yet.
    fn answer_alone(&mut self, core: &Core, at: Timestamp, input: &In, asked: Asked) {
        match input {
            In::Rest { token, request } => {
                let mut answer = RestAnswer::refusal(&ApiError::UNKNOWN);
                answer.used_weight = core.meters.used(request.address);
                self.finish_rest(at, *token, answer, asked.plan);
            }
            In::WsApi { asker, .. } => self.finish_ws(at, asker.connection, None, &asked),
            _ => {}
        }
    }

    /// The exchange answered over REST.
    pub(super) fn on_rest_answer(
        &mut self,
        core: &mut Core,
        at: Timestamp,
        token: u64,
        mut answer: RestAnswer,
    ) {
        let Some(mut asked) = self.asked.remove(&token) else {
            return self.post(at, token, answer, Duration::ZERO);
        };
        if core.skew_nanos != 0 && asked.event.is_called("time") {
            answer.body = skewed(&answer.body, core.skew_nanos);
        }
        if asked.plan.answer.is_some() || asked.plan.lost.is_some() || !self.listens(On::Answer) {
            return self.finish_rest(at, token, answer, asked.plan);
        }
        let mut carriage = Carriage {
            text: std::mem::take(&mut answer.body),
            ..Carriage::default()
        };
        self.spoil_answer(core, at, &mut asked, &mut carriage, None);
        answer.body = carriage.text;
        answer.status = carriage.status.unwrap_or(answer.status);
        let lost = match carriage.stroke {
            Some(Stroke::CutAfter(bytes)) => Some(Reply::Cut(answer.clone(), bytes)),
            Some(Stroke::Close(_) | Stroke::Shutdown) => Some(Reply::HungUp),
            Some(Stroke::Mute) => Some(Reply::Silence),
            None => carriage.dropped.then_some(Reply::Silence),
        };
        match lost {
            Some(reply) => self.out.mischief.replies.push((token, reply)),
            None => self.post(at, token, answer, carriage.extra.unwrap_or_default()),
        }
    }

    /// The exchange answered over the WebSocket API.
    pub(super) fn on_ws_answer(
        &mut self,
        core: &mut Core,
        at: Timestamp,
        connection: ConnectionId,
        frame: &Frame,
        mut asked: Asked,
    ) {
        if core.skew_nanos != 0 && asked.event.is_called("time") {
            return self.finish_ws(at, connection, Some(skewed(frame, core.skew_nanos)), &asked);
        }
        if asked.plan.answer.is_some() || asked.plan.lost.is_some() || !self.listens(On::Answer) {
            return self.finish_ws(at, connection, Some(frame.to_string()), &asked);
        }
        let mut carriage = Carriage {
            text: frame.to_string(),
            ..Carriage::default()
        };
        self.spoil_answer(core, at, &mut asked, &mut carriage, Some(connection));
        if let Some(status) = carriage.status {
            carriage.text = json!({
                "id": asked.id, "status": status, "error": serde_json::from_str::<Value>(&carriage.text).unwrap_or_default(),
            })
            .to_string();
        }
        self.send(at, connection, carriage, Leg::Report);
    }

    fn spoil_answer(
        &mut self,
        core: &mut Core,
        at: Timestamp,
        asked: &mut Asked,
        carriage: &mut Carriage,
        to: Option<ConnectionId>,
    ) {
        asked.event.on = On::Answer;
        for (id, deed) in self.struck(core, at, &asked.event) {
            match deed {
                Deed::HideOrders { lag } => match edit::hide_young(&carriage.text, at, lag) {
                    Hidden::Shorter(text) => carriage.text = text,
                    Hidden::Refused(error) => {
                        (carriage.status, carriage.text) = (Some(error.status), error.body());
                    }
                    Hidden::Same => {}
                },
                Deed::StaleDepth { .. } => {
                    let kept = self.armed.get(&id).and_then(|armed| armed.kept.as_deref());
                    if let Some(kept) = kept {
                        let depth = edit::levels(kept, asked.limit.unwrap_or(100));
                        carriage.text = in_place_of(&carriage.text, &depth);
                    }
                }
                deed => self.spoil(core, at, id, deed, carriage, to),
            }
        }
    }

    fn finish_rest(&mut self, at: Timestamp, token: u64, mut answer: RestAnswer, plan: Plan) {
        if let Some(reply) = plan.lost {
            self.out.mischief.replies.push((token, reply));
            return;
        }
        if let Some(replacement) = plan.answer {
            answer.status = replacement.status;
            answer.body = replacement.rest_body();
            answer.orders = None;
            answer.retry_after_seconds = replacement.retry_after(at, plan.until).map(|after| {
                after
                    .as_millis()
                    .div_ceil(1_000)
                    .try_into()
                    .unwrap_or(u64::MAX)
            });
        }
        self.post(at, token, answer, Duration::ZERO);
    }

    fn post(&mut self, at: Timestamp, token: u64, answer: RestAnswer, extra: Duration) {
        let wait = extra + self.latency(Leg::Report);
        if wait.is_zero() {
            self.out.answers.push((token, answer));
        } else {
            self.schedule(at + wait, Due::Answer(token, answer));
        }
    }

    fn finish_ws(
        &mut self,
        at: Timestamp,
        connection: ConnectionId,
        text: Option<String>,
        asked: &Asked,
    ) {
        match &asked.plan.lost {
            Some(Reply::HungUp) => {
                return self.stroke(Target::One(connection), Stroke::CutAfter(0));
            }
            Some(_) => return,
            None => {}
        }
        let replacement = asked.plan.answer.as_ref();
        let replaced = replacement.map(|answer| answer.ws_body(at, &asked.id, asked.plan.until));
        if let Some(text) = replaced.or(text) {
            let carriage = Carriage {
                text,
                ..Carriage::default()
            };
            self.send(at, connection, carriage, Leg::Report);
        }
    }
}

impl Asked {
    fn new(event: Event, id: Value) -> Self {
        Self {
            event,
            id,
            limit: None,
            plan: Plan::default(),
        }
    }
}

impl Event {
    fn is_called(&self, method: &str) -> bool {
        self.call[1].as_deref() == Some(method)
    }

    /// Whether the request goes to the book.
    fn changes_orders(&self) -> bool {
        self.call[0].as_deref().is_some_and(|call| {
            !call.starts_with("GET ") && call.contains("rder") && !call.ends_with("/test")
        })
    }
}

impl Replacement {
    fn message(&self) -> Cow<'_, str> {
        self.message
            .as_deref()
            .map_or_else(|| usual_message(self.code).into(), Cow::Borrowed)
    }

    fn rest_body(&self) -> String {
        let usual = || json!({ "code": self.code, "msg": self.message() }).to_string();
        self.body.clone().unwrap_or_else(usual)
    }

    fn ws_body(&self, at: Timestamp, id: &Value, until: Option<Timestamp>) -> String {
        let mut error = json!({ "code": self.code, "msg": self.message() });
        if let Some(after) = self.retry_after(at, until) {
            error["data"] =
                json!({ "serverTime": at.as_millis(), "retryAfter": (at + after).as_millis() });
        }
        let usual = || json!({ "id": id, "status": self.status, "error": error }).to_string();
        self.body.clone().unwrap_or_else(usual)
    }

    /// As it was said, or, of a limit, until the fault ends.
    fn retry_after(&self, at: Timestamp, until: Option<Timestamp>) -> Option<Duration> {
        let limit = matches!(self.status, 418 | 429);
        self.retry_after
            .or_else(|| until.filter(|_| limit).map(|until| until.since(at)))
    }
}

/// What the venue says with a code when a script says nothing.
const fn usual_message(code: i32) -> &'static str {
    match code {
        -1001 => "Internal error; unable to process your request. Please try again.",
        -1003 => "Too many requests; current limit of IP is 6000 requests per minute.",
        -1006 => {
            "An unexpected response was received from the message bus. Execution status unknown."
        }
        -1007 => {
            "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
        }
        -1008 => {
            "Server is currently overloaded with other requests. Please try again in a few minutes."
        }
        -1013 => "Filter failure: LOT_SIZE",
        -1015 => "Too many new orders.",
        -1021 => "Timestamp for this request is outside of the recvWindow.",
        -2010 => "Account has insufficient balance for requested action.",
        -2011 => "Unknown order sent.",
        -2013 => "Order does not exist.",
        -2021 => "Order cancel-replace partially failed.",
        -2022 => "Order cancel-replace failed.",
        -2026 => {
            "Order was canceled or expired with no executed qty over 90 days ago and has been archived."
        }
        _ => "An unknown error occurred while processing the request.",
    }
}

/// The call of a request, if the exchange would take it now.
fn authorised(core: &Core, at: Timestamp, input: &In) -> Option<Late> {
    match input {
        In::Rest { request, .. } => {
            let route = rest::rest_route(request.method, &request.path)?;
            let params = Params::from_form(&request.query, &request.body).ok()?;
            let caller = rest::admit(core, at, route, request, &params).ok()??;
            Late::of(route, params, caller, request.unit)
        }
        In::WsApi { asker, text } => {
            let request: Value = serde_json::from_str(text).ok()?;
            let route = rest::ws_route(request["method"].as_str()?)?;
            let params = Params::from_json(request["params"].as_object()?);
            let session = core.sessions.caller(asker.connection);
            let caller = core
                .keys
                .authorize_ws(core.shown(at), &params, session)
                .ok()?;
            params.refuse_empty().ok()?;
            Late::of(route, params, caller, asker.unit)
        }
        _ => None,
    }
}

impl Late {
    fn of(
        route: &'static rest::Route,
        params: Params,
        caller: Caller,
        unit: TimeUnit,
    ) -> Option<Self> {
        let public = matches!(route.handler, Handler::Public(_));
        (!public).then_some(Self {
            route,
            params,
            caller,
            unit,
        })
    }
}

/// The book of `symbol` as `/depth` tells it now.
pub(super) fn depth_now(core: &mut Core, at: Timestamp, symbol: &str) -> Option<String> {
    let params = json!({ "symbol": symbol, "limit": 5_000 });
    let params = Params::from_json(params.as_object()?);
    let call = Call {
        now: at,
        params: &params,
        unit: TimeUnit::Milliseconds,
    };
    rest::run(
        core,
        call,
        rest::ws_route("depth")?.handler,
        None,
        &mut None,
    )
    .ok()
}

/// `depth` as a whole REST body, or as the result in a WebSocket API answer.
fn in_place_of(answer: &str, depth: &str) -> String {
    let (Ok(mut root), Ok(depth)) = (
        serde_json::from_str::<Value>(answer),
        serde_json::from_str::<Value>(depth),
    ) else {
        return answer.to_owned();
    };
    match root.get_mut("result") {
        Some(result) => {
            *result = depth;
            root.to_string()
        }
        None => depth.to_string(),
    }
}

/// An answer of the time, told by a clock that is wrong.
fn skewed(text: &str, skew_nanos: i64) -> String {
    let changed = edit::changed(text, |payload| {
        let time = payload.get_mut("serverTime")?;
        let stamp = time.as_i64()?;
        *time = (stamp + skew_nanos / TimeUnit::of(stamp).nanos()).into();
        Some(())
    });
    changed.unwrap_or_else(|| text.to_owned())
}
