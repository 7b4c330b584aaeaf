//! A connection to Bybit's market data as a [`Protocol`]: JSON over WebSocket, with pings as messages.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tradewind_model::{MarketEvent, Timestamp};

use super::codec::{self, Data, Said};
use crate::address::Address;
use crate::book::OrderBook;
use crate::book::keeping::Books;
use crate::connection::ConnectionSettings;
use crate::machine::SourceSettings;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Topic};
use crate::quote_order::QuoteOrder;
use crate::requests::Requests;
use crate::subscriptions::SubscriptionSettings;
use crate::symbols::SymbolTable;
use crate::wire::websocket::{Received, WebSocket};

/// Topics that fit on one connection: the venue takes 21,000 characters of them, and the longest has 35.
pub const TOPICS_MAX: usize = 600;
/// The venue keeps 50 levels a side; more than this is not kept.
const LEVELS_MAX: usize = 200;
/// The number of requests that the connection makes on its own. The source's begin at 1.
const OWN_REQUEST: u64 = 0;

/// What suits the venue: a ping every 5 s, where it asks for one every 20 s, and at most 10 topics in a request. A quiet instrument has nothing to say, so the pong
/// is what proves the connection.
#[must_use]
pub fn settings() -> SourceSettings {
    SourceSettings {
        connection: ConnectionSettings {
            ping_every: Duration::from_secs(5),
            silence_max: None,
            ..ConnectionSettings::default()
        },
        subscriptions: SubscriptionSettings {
            batch_max: 10,
            ..SubscriptionSettings::default()
        },
        ..SourceSettings::default()
    }
}

/// A connection to the market data.
#[derive(Debug)]
pub struct MarketProtocol {
    address: Address,
    symbols: Arc<SymbolTable>,
    socket: WebSocket,
    inner: Inner,
}

/// Everything but the socket, which lends the text that is read.
#[derive(Debug, Default)]
struct Inner {
    requests: Requests,
    books: Books,
    quotes: QuoteOrder,
}

impl MarketProtocol {
    /// A connection that is not open yet. `address` is the venue's own, such as `wss://stream.bybit.com`.
    #[must_use]
    pub fn new(address: Address, symbols: Arc<SymbolTable>) -> Self {
        Self {
            socket: WebSocket::new(&address, "/v5/public/spot"),
            address,
            symbols,
            inner: Inner::default(),
        }
    }

    fn request(&mut self, verb: &str, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        let named: Vec<String> = topics
            .iter()
            .map(|topic| name(*topic, &self.symbols))
            .collect();
        if request != OWN_REQUEST {
            self.inner.requests.sent(request, topics);
        }
        let text = json!({"req_id": request.to_string(), "op": verb, "args": named});
        self.socket.send(&text.to_string(), out);
    }
}

/// The venue's name for a topic. What it does not have is requested all the same, and refused in its own words.
fn name(topic: Topic, symbols: &SymbolTable) -> String {
    let symbol = topic.instrument().and_then(|id| symbols.symbol(id));
    let symbol = symbol.unwrap_or("UNKNOWN");
    match topic {
        Topic::Quotes(_) => format!("{}.{symbol}", codec::QUOTES),
        Topic::Trades(_) => format!("{}.{symbol}", codec::TRADES),
        Topic::Depth(_) => format!("{}.{symbol}", codec::BOOKS),
        Topic::Candles(_, interval) => format!("{}.{symbol}", codec::candle_channel(interval)),
        Topic::Account(_) => "wallet".to_owned(),
    }
}

impl Protocol for MarketProtocol {
    type Event = MarketEvent;

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
        let new = |instrument| OrderBook::new(instrument, LEVELS_MAX);
        self.inner.books.open_all(topics, new);
        self.request("subscribe", request, topics, out);
    }

    fn unsubscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        self.inner.books.close_all(topics);
        self.request("unsubscribe", request, topics, out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        self.socket.send(r#"{"op":"ping"}"#, out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.socket.close(out);
    }

    fn receive(
        &mut self,
        bytes: &[u8],
        received_at: Timestamp,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) -> Result<usize, ProtocolError> {
        let (used, received) = self.socket.receive(bytes, out)?;
        match received {
            Received::Text(text) => self.inner.text(text, received_at, &self.symbols, on),
            // The venue answers the message; a pong of the WebSocket itself proves no less.
            Received::Pong => on(Incoming::Pong),
            Received::Other => on(Incoming::Ignored(Ignored::NotWanted)),
            Received::Nothing | Received::Opened => {}
        }
        while let Some(lost) = self.inner.books.next_to_ask(received_at) {
            let topic = [Topic::Depth(lost)];
            self.request("unsubscribe", OWN_REQUEST, &topic, out);
            self.request("subscribe", OWN_REQUEST, &topic, out);
        }
        Ok(used)
    }
}

impl Inner {
    /// At most one thing that concerns the connection is said for each text.
    fn text(
        &mut self,
        text: &[u8],
        received_at: Timestamp,
        symbols: &SymbolTable,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        match codec::read(text) {
            Ok(Said::Data(data)) => self.data(&data, received_at, symbols, on),
            Ok(Said::Pong) => on(Incoming::Pong),
            Ok(Said::Granted { request }) => on(self.requests.acked(request)),
            Ok(Said::Refused { request, message }) => {
                on(self.requests.refused(request, message, &mut self.books));
            }
            Ok(Said::Other) => on(Incoming::Ignored(Ignored::NotWanted)),
            Err(why) => on(Incoming::Ignored(why)),
        }
    }

    fn data(
        &mut self,
        data: &Data<'_>,
        received_at: Timestamp,
        symbols: &SymbolTable,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        if !data.is_book() {
            let quotes = &mut self.quotes;
            return codec::decode(data, received_at, symbols, &mut |incoming| {
                on(quotes.checked(incoming));
            });
        }
        let Some(instrument) = symbols.find(data.symbol()) else {
            return on(Incoming::Ignored(Ignored::WrongSymbol));
        };
        let read = codec::decode_book(data, instrument, &mut self.books.levels);
        self.books.take_read(instrument.id, read, received_at, on);
    }
}
