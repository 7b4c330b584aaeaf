//! A connection to OKX's market data as a [`Protocol`]: JSON over WebSocket, with pings as plain text.

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

/// The venue keeps 400 levels a side; more than this is not kept.
const LEVELS_MAX: usize = 1_000;
/// The number of requests that the connection makes on its own. The source's begin at 1.
const OWN_REQUEST: u64 = 0;

/// Which of the venue's addresses carries a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Quotes, trades and books.
    Public,
    /// Candles.
    Business,
}

impl Endpoint {
    /// Where a topic is to be subscribed to.
    #[must_use]
    pub const fn of(topic: Topic) -> Self {
        match topic {
            Topic::Candles(..) => Self::Business,
            Topic::Quotes(_) | Topic::Trades(_) | Topic::Depth(_) | Topic::Account(_) => {
                Self::Public
            }
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Public => "/ws/v5/public",
            Self::Business => "/ws/v5/business",
        }
    }
}

/// What suits the venue. It cuts a connection that is silent for 30 s, so pings come more often than that; a quiet instrument has
/// nothing to say, so the pong is what proves the connection. Connections: 3 a second at most; requests: 480 an hour.
#[must_use]
pub fn settings() -> SourceSettings {
    SourceSettings {
        connection: ConnectionSettings {
            ping_every: Duration::from_secs(5),
            silence_max: None,
            ..ConnectionSettings::default()
        },
        subscriptions: SubscriptionSettings {
            // 100 topics are about 6 kB; a request may have 64.
            batch_max: 100,
            spacing: Duration::from_millis(500),
            retry_pause: Duration::from_secs(2),
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
    /// A connection that is not open yet. `address` is the venue's own, such as `wss://ws.okx.com:8443`.
    #[must_use]
    pub fn new(address: Address, endpoint: Endpoint, symbols: Arc<SymbolTable>) -> Self {
        Self {
            socket: WebSocket::new(&address, endpoint.path()),
            address,
            symbols,
            inner: Inner::default(),
        }
    }

    fn request(&mut self, verb: &str, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        let named: Vec<_> = topics
            .iter()
            .map(|topic| argument(*topic, &self.symbols))
            .collect();
        if request != OWN_REQUEST {
            self.inner.requests.sent(request, topics);
        }
        let text = json!({"id": request.to_string(), "op": verb, "args": named});
        self.socket.send(&text.to_string(), out);
    }
}

/// The venue's name for a topic. What it does not have is requested all the same, and refused in its own words.
fn argument(topic: Topic, symbols: &SymbolTable) -> serde_json::Value {
    let symbol = topic.instrument().and_then(|id| symbols.symbol(id));
    let channel = match topic {
        Topic::Quotes(_) => codec::QUOTES.to_owned(),
        Topic::Trades(_) => codec::TRADES.to_owned(),
        Topic::Depth(_) => codec::BOOKS.to_owned(),
        Topic::Candles(_, interval) => codec::candle_channel(interval),
        Topic::Account(_) => "account".to_owned(),
    };
    json!({"channel": channel, "instId": symbol.unwrap_or("UNKNOWN")})
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
        self.socket.send("ping", out);
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
            // The venue answers the text `ping`; a pong of the WebSocket itself proves no less.
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
            Ok(Said::Granted { channel, symbol }) => on(self.granted(channel, symbol, symbols)),
            Ok(Said::Refused {
                request,
                code,
                message,
            }) => on(self.refused(request, code, message)),
            Ok(Said::ClosingSoon) => on(Incoming::ClosingSoon),
            Ok(Said::Other) => on(Incoming::Ignored(Ignored::NotWanted)),
            Err(why) => on(Incoming::Ignored(why)),
        }
    }

    fn granted(
        &mut self,
        channel: &[u8],
        symbol: &[u8],
        symbols: &SymbolTable,
    ) -> Incoming<MarketEvent> {
        let Some(instrument) = symbols.find(symbol) else {
            return Incoming::Ignored(Ignored::WrongSymbol);
        };
        match codec::topic(channel, instrument) {
            Ok(topic) => self.requests.acked_topic(topic),
            Err(why) => Incoming::Ignored(why),
        }
    }

    fn refused(
        &mut self,
        request: Option<u64>,
        code: &[u8],
        message: &[u8],
    ) -> Incoming<MarketEvent> {
        let words = [code, b" ", message].concat();
        self.requests.refused(request, &words, &mut self.books)
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
