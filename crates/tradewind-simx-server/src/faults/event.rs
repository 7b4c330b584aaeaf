//! What a fault can strike: requests, answers, frames, subscriptions, connections, or a moment.

use serde_json::Value;
use tradewind_model::AccountId;

use super::fault::Place;
use crate::core::Core;
use crate::rest::{self, Params, RestRequest};
use crate::streams::ConnectionId;

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// No event: a moment.
    Time,
    /// A request came, over REST or the WebSocket API.
    Request,
    /// Its answer goes.
    Answer,
    /// A frame of a stream goes, or an account's event.
    Frame,
    /// A market connection asks for streams.
    Subscribe,
    /// A WebSocket was opened.
    Connect,
}

impl On {
    pub(crate) const WORDS: [(&'static str, Self); 6] = [
        ("time", Self::Time),
        ("request", Self::Request),
        ("answer", Self::Answer),
        ("frame", Self::Frame),
        ("subscribe", Self::Subscribe),
        ("connect", Self::Connect),
    ];

    pub(crate) fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, on)| *on == self);
        found.map_or("", |(word, _)| word)
    }
}

/// The kinds of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireKind {
    /// HTTP requests.
    Rest,
    /// Market streams.
    Market,
    /// The WebSocket API, with the accounts' events.
    Api,
}

impl WireKind {
    pub(crate) const WORDS: [(&'static str, Self); 3] = [
        ("rest", Self::Rest),
        ("market", Self::Market),
        ("ws-api", Self::Api),
    ];
}

/// One of them, with all a script can tell it by.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) on: On,
    pub(crate) wire: WireKind,
    pub(crate) account: Option<String>,
    pub(crate) symbol: Option<String>,
    /// `POST /api/v3/order` and `order.place`: a script may use either name on either wire.
    pub(crate) call: [Option<String>; 2],
    pub(crate) order_type: Option<String>,
    pub(crate) frame: Option<String>,
}

impl Event {
    pub(crate) const fn new(on: On, wire: WireKind) -> Self {
        Self {
            on,
            wire,
            account: None,
            symbol: None,
            call: [None, None],
            order_type: None,
            frame: None,
        }
    }

    /// A REST request.
    pub(crate) fn rest(request: &RestRequest) -> Self {
        let params = Params::from_form(&request.query, &request.body).unwrap_or_default();
        let label = format!("{} {}", request.method.name(), request.path);
        let ws = rest::rest_route(request.method, &request.path).and_then(rest::Route::ws_name);
        Self {
            account: request.key.clone(),
            call: [Some(label), ws.map(str::to_owned)],
            ..Self::new(On::Request, WireKind::Rest).with_params(&params)
        }
    }

    /// A request on the WebSocket API.
    pub(crate) fn ws(method: &str, params: &Params) -> Self {
        Self {
            account: params.text("apiKey").map(str::to_owned),
            call: [
                rest::ws_route(method).map(rest::Route::label),
                Some(method.to_owned()),
            ],
            ..Self::new(On::Request, WireKind::Api).with_params(params)
        }
    }

    fn with_params(mut self, params: &Params) -> Self {
        self.symbol = params.text("symbol").map(str::to_owned);
        self.order_type = params.text("type").map(str::to_owned);
        self
    }

    /// A frame on its way to `connection`.
    pub(crate) fn frame(core: &Core, connection: ConnectionId, text: &str) -> Self {
        let root: Value = serde_json::from_str(text).unwrap_or_default();
        let wire = wire_of(text);
        let mut event = Self::new(On::Frame, wire);
        let stream = root["stream"].as_str();
        let payload = payload(&root);
        event.frame = Some(kind(payload));
        let symbol = payload["s"].as_str().map(str::to_owned);
        event.symbol = symbol.or_else(|| {
            let (symbol, _) = stream?.split_once('@')?;
            Some(symbol.to_ascii_uppercase())
        });
        let account = root["subscriptionId"]
            .as_u64()
            .and_then(|id| core.users.account_of(connection, id));
        event.account = account.and_then(|account| core.key_of(account).map(str::to_owned));
        event
    }
}

impl Place {
    /// Whether `event` happens here.
    pub(crate) fn fits(&self, event: &Event) -> bool {
        let same =
            |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || (wanted == found);
        let called = |wanted: &String| {
            event.call.iter().flatten().any(|name| {
                name == wanted || name.split_once(' ').is_some_and(|(_, path)| path == wanted)
            })
        };
        let framed = |wanted: &String| {
            event.frame.as_ref().is_some_and(|frame| {
                frame == wanted
                    || frame
                        .split_once('/')
                        .is_some_and(|(kind, _)| kind == wanted)
            })
        };
        same(&self.account, &event.account)
            && same(&self.symbol, &event.symbol)
            && same(&self.order_type, &event.order_type)
            && self.call.as_ref().is_none_or(called)
            && self.frame.as_ref().is_none_or(framed)
            && self.wire.is_none_or(|wire| wire == event.wire)
    }
}

/// Which kind of connection a frame goes to; told by how it begins, since every frame asks.
pub(crate) fn wire_of(text: &str) -> WireKind {
    let of_the_api = ["{\"subscriptionId\"", "{\"id\"", "{\"event\""];
    if of_the_api.iter().any(|start| text.starts_with(start)) {
        WireKind::Api
    } else {
        WireKind::Market
    }
}

/// The part of a message that tells something, without its envelope.
pub(super) fn payload(root: &Value) -> &Value {
    let inside = ["data", "event", "result"]
        .into_iter()
        .map(|key| &root[key]);
    inside
        .into_iter()
        .find(|value| value.is_object() || value.is_array())
        .unwrap_or(root)
}

fn kind(payload: &Value) -> String {
    let has = |key: &str| payload.get(key).is_some();
    match payload["e"].as_str() {
        Some("depthUpdate") => "depth".to_owned(),
        Some("24hrMiniTicker") => "miniTicker".to_owned(),
        Some("24hrTicker") => "ticker".to_owned(),
        Some("kline") if payload["k"]["x"] == true => "kline/closed".to_owned(),
        Some("kline") => "kline/open".to_owned(),
        Some("executionReport") => {
            format!(
                "executionReport/{}",
                payload["x"].as_str().unwrap_or_default()
            )
        }
        Some(other) => other.to_owned(),
        None if has("lastUpdateId") => "partialDepth".to_owned(),
        None if has("B") && has("A") => "bookTicker".to_owned(),
        None if has("id") => "ack".to_owned(),
        None => "other".to_owned(),
    }
}

impl Core {
    /// The key an account was opened with.
    pub(crate) fn key_of(&self, account: AccountId) -> Option<&str> {
        self.account_keys.get(account.index()).map(String::as_str)
    }

    /// The account that was opened with `key`.
    pub(crate) fn account_of(&self, key: &str) -> Option<AccountId> {
        let place = self.account_keys.iter().position(|known| known == key)?;
        u32::try_from(place).ok().map(AccountId)
    }
}
