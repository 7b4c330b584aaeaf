//! The protocol of one market-data connection: which streams it wants and in which form.
//!
//! A state machine: a text comes in, answers and changes of subscription come out. Names that are no streams are kept and
//! listed like any other, as the venue does; nothing is ever sent for them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ConnectionId, Wish};
use crate::core::In;
use crate::rest::TimeUnit;

/// Streams one connection may hold.
const STREAMS_MAX: usize = 1_024;
/// Longest name that a connection remembers; no stream's comes near it.
const NAME_LENGTH_MAX: usize = 128;

/// How a payload is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    #[default]
    Raw,
    /// Inside `{"stream":…,"data":…}`.
    Combined,
}

/// What a request leads to, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Send this text.
    Answer(String),
    /// Begin to send this stream.
    Subscribe(String),
    /// Stop sending this stream.
    Unsubscribe(String),
    /// Send all streams in this form from now on.
    Switch(Form),
}

impl Effect {
    /// What it means to the exchange.
    pub(crate) fn into_input(self, connection: ConnectionId, unit: TimeUnit) -> In {
        match self {
            Self::Answer(text) => In::Answer { connection, text },
            Self::Subscribe(name) => In::Subscribe { connection, name },
            Self::Unsubscribe(name) => In::Unsubscribe { connection, name },
            Self::Switch(form) => In::Form {
                connection,
                wish: Wish { form, unit },
            },
        }
    }
}

/// One connection's wishes.
#[derive(Debug)]
pub(crate) struct MarketConnection {
    names: BTreeSet<String>,
    form: Form,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Method {
    Subscribe,
    Unsubscribe,
    ListSubscriptions,
    SetProperty,
    GetProperty,
}

#[derive(Deserialize)]
struct Request {
    method: Method,
    params: Option<Vec<Value>>,
    #[serde(default)]
    id: Value,
}

impl Request {
    /// Reads a text, which must be an object: derived code alone would take its fields as an array as well.
    fn read(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str::<Map<String, Value>>(text)?;
        serde_json::from_str(text)
    }

    fn params(&self) -> &[Value] {
        self.params.as_deref().unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Answer<'a, T> {
    result: T,
    id: &'a Value,
}

#[derive(Serialize)]
struct Refusal<'a> {
    error: Fault<'a>,
    id: &'a Value,
}

#[derive(Serialize)]
struct Fault<'a> {
    code: u8,
    msg: &'a str,
}

impl MarketConnection {
    /// A connection to `/ws/a/b` or `/stream?streams=a/b`: `path` holds the names, with slashes between.
    pub(crate) fn open(path: &str, form: Form, effects: &mut Vec<Effect>) -> Self {
        let mut connection = Self {
            names: BTreeSet::new(),
            form,
        };
        for name in path
            .split('/')
            .filter(|name| !name.is_empty())
            .take(STREAMS_MAX)
        {
            connection.subscribe(name, effects);
        }
        connection
    }

    /// A text came in.
    pub(crate) fn on_text(&mut self, text: &str, effects: &mut Vec<Effect>) {
        match Request::read(text) {
            Ok(request) if !is_id(&request.id) => {
                refuse(
                    &Value::Null,
                    2,
                    "Invalid request: request ID must be a number, a text or null",
                    effects,
                );
            }
            Ok(request) => self.on_request(&request, effects),
            Err(error) if error.is_data() => {
                let id = serde_json::from_str::<Value>(text)
                    .ok()
                    .and_then(|value| value.get("id").cloned());
                refuse(
                    &id.filter(is_id).unwrap_or_default(),
                    2,
                    &format!("Invalid request: {error}"),
                    effects,
                );
            }
            Err(error) => refuse(&Value::Null, 3, &format!("Invalid JSON: {error}"), effects),
        }
    }

    fn on_request(&mut self, request: &Request, effects: &mut Vec<Effect>) {
        let id = &request.id;
        match request.method {
            Method::Subscribe => self.on_subscribe(request, effects),
            Method::Unsubscribe => self.on_unsubscribe(request, effects),
            Method::ListSubscriptions => answer(&self.names, id, effects),
            Method::GetProperty => match property(request) {
                Ok(()) => answer(self.form == Form::Combined, id, effects),
                Err((code, text)) => refuse(id, code, text, effects),
            },
            Method::SetProperty => self.on_set_property(request, effects),
        }
    }

    fn on_subscribe(&mut self, request: &Request, effects: &mut Vec<Effect>) {
        let Some(names) = names(request) else {
            return refuse(
                &request.id,
                2,
                "Invalid request: params must be an array of stream names",
                effects,
            );
        };
        let new = names
            .iter()
            .filter(|name| !self.names.contains(**name))
            .count();
        if self.names.len() + new > STREAMS_MAX {
            return refuse(
                &request.id,
                2,
                "Invalid request: too many subscriptions",
                effects,
            );
        }
        for name in names {
            self.subscribe(name, effects);
        }
        answer((), &request.id, effects);
    }

    fn on_unsubscribe(&mut self, request: &Request, effects: &mut Vec<Effect>) {
        let Some(names) = names(request) else {
            return refuse(
                &request.id,
                2,
                "Invalid request: params must be an array of stream names",
                effects,
            );
        };
        for name in names {
            if self.names.remove(name) {
                effects.push(Effect::Unsubscribe(name.to_owned()));
            }
        }
        answer((), &request.id, effects);
    }

    fn on_set_property(&mut self, request: &Request, effects: &mut Vec<Effect>) {
        if let Err((code, text)) = property(request) {
            return refuse(&request.id, code, text, effects);
        }
        let Some(Value::Bool(combined)) = request.params().get(1) else {
            return refuse(
                &request.id,
                1,
                "Invalid value type: expected Boolean",
                effects,
            );
        };
        self.form = if *combined { Form::Combined } else { Form::Raw };
        effects.push(Effect::Switch(self.form));
        answer((), &request.id, effects);
    }

    fn subscribe(&mut self, name: &str, effects: &mut Vec<Effect>) {
        // What is longer names no stream, and is taken as one that says nothing; it need not be remembered.
        if name.len() <= NAME_LENGTH_MAX && self.names.insert(name.to_owned()) {
            effects.push(Effect::Subscribe(name.to_owned()));
        }
    }

    /// The form payloads are sent in.
    pub(crate) const fn form(&self) -> Form {
        self.form
    }
}

fn names(request: &Request) -> Option<Vec<&str>> {
    request.params().iter().map(Value::as_str).collect()
}

fn property(request: &Request) -> Result<(), (u8, &'static str)> {
    match request.params().first().map(Value::as_str) {
        Some(Some("combined")) => Ok(()),
        Some(Some(_)) => Err((0, "Unknown property")),
        _ => Err((2, "Invalid request: property name must be a string")),
    }
}

/// Whether a request may be named so, on a stream and on the WebSocket API.
pub(crate) fn is_id(id: &Value) -> bool {
    match id {
        Value::Null => true,
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::String(text) => text.len() <= 36,
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

fn answer(result: impl Serialize, id: &Value, effects: &mut Vec<Effect>) {
    effects.push(Effect::Answer(text(&Answer { result, id })));
}

fn refuse(id: &Value, code: u8, msg: &str, effects: &mut Vec<Effect>) {
    effects.push(Effect::Answer(text(&Refusal {
        error: Fault { code, msg },
        id,
    })));
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts, numbers and lists of them always serialise")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(texts: &[&str]) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut connection = MarketConnection::open("0", Form::Raw, &mut effects);
        effects.clear();
        for text in texts {
            connection.on_text(text, &mut effects);
        }
        effects
    }

    fn answers(texts: &[&str]) -> Vec<String> {
        let answer = |effect| {
            if let Effect::Answer(text) = effect {
                Some(text)
            } else {
                None
            }
        };
        run(texts).into_iter().filter_map(answer).collect()
    }

    #[test]
    fn subscriptions_change_once_and_are_listed() {
        let subscribe =
            r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@depth"],"id":1}"#;
        let effects = run(&[subscribe, subscribe]);
        let subscribed = effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Subscribe(_)))
            .count();
        assert_eq!(subscribed, 2);
        let listed = answers(&[
            subscribe,
            r#"{"method":"UNSUBSCRIBE","params":["btcusdt@depth"],"id":"a"}"#,
            r#"{"method":"LIST_SUBSCRIPTIONS","id":3}"#,
        ]);
        assert_eq!(
            listed,
            [
                r#"{"result":null,"id":1}"#,
                r#"{"result":null,"id":"a"}"#,
                r#"{"result":["0","btcusdt@trade"],"id":3}"#
            ]
        );
    }

    #[test]
    fn properties_are_set_read_and_refused() {
        let texts = answers(&[
            r#"{"method":"GET_PROPERTY","params":["combined"],"id":1}"#,
            r#"{"method":"SET_PROPERTY","params":["combined",true],"id":2}"#,
            r#"{"method":"GET_PROPERTY","params":["combined"],"id":3}"#,
            r#"{"method":"SET_PROPERTY","params":["combined","yes"],"id":4}"#,
            r#"{"method":"GET_PROPERTY","params":["colour"],"id":5}"#,
        ]);
        assert_eq!(texts[0], r#"{"result":false,"id":1}"#);
        assert_eq!(texts[2], r#"{"result":true,"id":3}"#);
        assert_eq!(
            texts[3],
            r#"{"error":{"code":1,"msg":"Invalid value type: expected Boolean"},"id":4}"#
        );
        assert_eq!(
            texts[4],
            r#"{"error":{"code":0,"msg":"Unknown property"},"id":5}"#
        );
    }

    #[test]
    fn errors_speak_the_venues_words() {
        let texts = answers(&["nonsense", r#"{"method":"SUB","id":9}"#]);
        assert_eq!(
            texts[0],
            r#"{"error":{"code":3,"msg":"Invalid JSON: expected ident at line 1 column 2"},"id":null}"#
        );
        assert!(texts[1].contains(
            "Invalid request: unknown variant `SUB`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, \
             `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column"
        ));
        assert!(texts[1].ends_with("\"id\":9}"));
    }

    #[test]
    fn an_array_is_no_request_and_null_is_no_parameter() {
        let effects = run(&[r#"["SUBSCRIBE",["btcusdt@trade"],7]"#]);
        let refused = r#"{"error":{"code":2,"msg":"Invalid request: invalid type: sequence, expected a map at line 1 column 0"},"id":null}"#;
        assert_eq!(effects, [Effect::Answer(refused.to_owned())]);
        let texts = answers(&[
            r#"{"method":"LIST_SUBSCRIPTIONS","params":null,"id":1}"#,
            r#"{"method":"SUBSCRIBE","params":null,"id":2}"#,
            r#"{"method":"GET_PROPERTY","params":null,"id":3}"#,
            r#"{"method":"SUBSCRIBE","params":{},"id":4}"#,
        ]);
        assert_eq!(texts[0], r#"{"result":["0"],"id":1}"#);
        assert_eq!(texts[1], r#"{"result":null,"id":2}"#);
        assert!(texts[2].contains("\"code\":2") && texts[2].ends_with("\"id\":3}"));
        assert!(texts[3].contains("\"code\":2") && texts[3].ends_with("\"id\":4}"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,120}", method in "[A-Z_]{0,20}", params in "[\\[\\]{}\",0-9a-z@]{0,40}") {
            drop(run(&[&text]));
            drop(run(&[&format!(r#"{{"method":"{method}","params":{params},"id":1}}"#)]));
        }
    }
}
