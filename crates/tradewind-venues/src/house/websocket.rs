//! A house's JSON over WebSocket as a [`Protocol`].
//!
//! A feed that sends everything to everybody gets no request: the answer to a ping confirms what is wanted.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tradewind_model::Timestamp;

use super::payloads::{Payloads, Reader};
use super::progress::Progress;
use crate::address::Address;
use crate::house::data::HouseData;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Topic};
use crate::wire::websocket::{Received, WebSocket};

/// How the instruments of a feed are requested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SubscribeMode {
    /// As `docs/sources.md` says: a request with a number, an answer that names it.
    #[default]
    House,
    /// Not at all: it sends everything.
    Nothing,
    /// By a text of the configuration, in which `{symbols}` stands for a list of symbols. It is not answered.
    Text(String),
}

/// A connection to a JSON feed.
#[derive(Debug)]
pub(super) struct WebSocketProtocol {
    address: Address,
    socket: WebSocket,
    subscribe: SubscribeMode,
    payloads: Payloads,
    /// Requests that the next pong confirms.
    unconfirmed: Vec<u64>,
}

impl WebSocketProtocol {
    pub(super) fn new(
        address: Address,
        reader: Arc<Reader>,
        (subscribe, token): (SubscribeMode, Option<&SecretString>),
        progress: Progress,
    ) -> Self {
        let mut socket = WebSocket::new(&address, "");
        if let Some(token) = token {
            socket.authorize(token.expose_secret());
        }
        Self {
            address,
            socket,
            subscribe,
            payloads: Payloads::new(reader, progress),
            unconfirmed: Vec::new(),
        }
    }

    fn symbols(&self, topics: &[Topic]) -> Vec<&str> {
        let symbols = self.payloads.reader().symbols();
        let mut named: Vec<&str> = topics
            .iter()
            .filter_map(|topic| symbols.symbol(topic.instrument()?))
            .collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    fn request(&mut self, op: &str, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        let symbols = self.symbols(topics);
        let text = match &self.subscribe {
            SubscribeMode::House => {
                let text = serde_json::json!({"op": op, "request": request, "symbols": symbols});
                Some(text.to_string())
            }
            SubscribeMode::Text(text) if op == "subscribe" => {
                let symbols = serde_json::json!(symbols).to_string();
                Some(text.replace("{symbols}", &symbols))
            }
            SubscribeMode::Text(_) | SubscribeMode::Nothing => None,
        };
        if let Some(text) = text {
            self.socket.send(&text, out);
        }
        if self.subscribe != SubscribeMode::House {
            self.unconfirmed.push(request);
            self.socket.ping(out);
        }
    }
}

/// An answer to a request, as a house's own feed sends it.
#[derive(serde::Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Answer {
    Acked { request: u64 },
    Refused { request: u64, reason: String },
    Closing,
}

/// Whether a text is an answer to a request and no data.
pub(super) fn is_answer(text: &[u8]) -> bool {
    Answer::read(text).is_some()
}

impl Answer {
    /// What `text` answers, if it is an answer; most messages are data and not looked at further.
    fn read(text: &[u8]) -> Option<Self> {
        let is_answer = text
            .get(..64.min(text.len()))?
            .windows(4)
            .any(|part| part == b"\"op\"");
        is_answer
            .then(|| serde_json::from_slice(text).ok())
            .flatten()
    }
}

impl Protocol for WebSocketProtocol {
    type Event = HouseData;

    fn address(&self) -> &Address {
        &self.address
    }

    fn start(&mut self, nonce: u64, out: &mut Vec<u8>) {
        self.socket.start(nonce, out);
    }

    fn is_ready(&self) -> bool {
        self.socket.is_open()
    }

    fn subscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        self.request("subscribe", request, topics, out);
    }

    fn unsubscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        self.request("unsubscribe", request, topics, out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        self.socket.ping(out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.socket.close(out);
    }

    fn receive(
        &mut self,
        bytes: &[u8],
        received_at: Timestamp,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<usize, ProtocolError> {
        let (used, received) = self.socket.receive(bytes, out)?;
        match received {
            Received::Text(text) => {
                match Answer::read(text).filter(|_| self.subscribe == SubscribeMode::House) {
                    Some(Answer::Acked { request }) => on(Incoming::Acked { request }),
                    Some(Answer::Refused { request, reason }) => {
                        let reason = crate::error::cut(&reason);
                        on(Incoming::Refused { request, reason });
                    }
                    Some(Answer::Closing) => on(Incoming::ClosingSoon),
                    None => self.payloads.json(text, received_at, on),
                }
            }
            Received::Pong => {
                on(Incoming::Pong);
                for request in self.unconfirmed.drain(..) {
                    on(Incoming::Acked { request });
                }
            }
            Received::Other => on(Incoming::Ignored(Ignored::NotWanted)),
            Received::Nothing | Received::Opened => {}
        }
        Ok(used)
    }
}
