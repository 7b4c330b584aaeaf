//! A connection to Kraken's market data as a [`Protocol`]: JSON over WebSocket, one request for each channel.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tradewind_model::{MarketEvent, Timestamp};

use super::candles::OpenCandles;
use super::codec::{self, Data, Said};
use crate::address::Address;
use crate::book::OrderBook;
use crate::book::keeping::Books;
use crate::connection::ConnectionSettings;
use crate::machine::SourceSettings;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Topic};
use crate::requests::Requests;
use crate::subscriptions::SubscriptionSettings;
use crate::symbols::SymbolTable;
use crate::wire::websocket::{Received, WebSocket};

/// Levels a side that are subscribed. The checksum covers the best 10, so with 10 every level that is shown is checked.
const DEPTH: usize = 10;
/// The number of requests that the connection makes on its own. The source's begin at 1.
const OWN_REQUEST: u64 = 0;

/// What suits the venue, which sends a heartbeat each second once something is subscribed.
#[must_use]
pub fn settings() -> SourceSettings {
    SourceSettings {
        connection: ConnectionSettings {
            ping_every: Duration::from_secs(5),
            silence_max: None,
            ..ConnectionSettings::default()
        },
        subscriptions: SubscriptionSettings {
            batch_max: 50,
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
    candles: OpenCandles,
}

impl MarketProtocol {
    /// A connection that is not open yet. `address` is the venue's own, such as `wss://ws.kraken.com`.
    #[must_use]
    pub fn new(address: Address, symbols: Arc<SymbolTable>) -> Self {
        Self {
            socket: WebSocket::new(&address, "/v2"),
            address,
            symbols,
            inner: Inner::default(),
        }
    }

    /// Sends one message for each channel, all with the number of the request.
    fn request(&mut self, verb: &str, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        let mut channels: Vec<(Value, Vec<&str>)> = Vec::new();
        for topic in topics {
            let (params, symbol) = params(*topic, &self.symbols);
            match channels.iter_mut().find(|(known, _)| *known == params) {
                Some((_, symbols)) => symbols.push(symbol),
                None => channels.push((params, vec![symbol])),
            }
        }
        for (mut params, symbols) in channels {
            params["symbol"] = json!(symbols);
            if let Some(params) = params.as_object_mut()
                && verb == "unsubscribe"
            {
                params.remove("snapshot");
            }
            let text = json!({"method": verb, "params": params, "req_id": request}).to_string();
            self.socket.send(&text, out);
        }
        if request != OWN_REQUEST {
            self.inner.requests.sent(request, topics);
        }
    }
}

/// The venue's words for a topic but for its symbol, and the symbol. Old trades and candles are read over REST, so no snapshot of
/// them is wanted. What the venue does not have is requested all the same, and refused in its own words.
fn params(topic: Topic, symbols: &SymbolTable) -> (Value, &str) {
    let symbol = topic.instrument().and_then(|id| symbols.symbol(id));
    let params = match topic {
        Topic::Quotes(_) => json!({"channel": "ticker", "event_trigger": "bbo"}),
        Topic::Trades(_) => json!({"channel": "trade", "snapshot": false}),
        Topic::Depth(_) => json!({"channel": "book", "depth": DEPTH}),
        Topic::Candles(_, interval) => {
            let minutes = interval.duration().as_secs() / 60;
            json!({"channel": "ohlc", "interval": minutes, "snapshot": false})
        }
        Topic::Account(_) => json!({"channel": "balances"}),
    };
    (params, symbol.unwrap_or("UNKNOWN"))
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
        let new = |instrument| OrderBook::of_depth(instrument, DEPTH);
        self.inner.books.open_all(topics, new);
        self.request("subscribe", request, topics, out);
    }

    fn unsubscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        self.inner.books.close_all(topics);
        for topic in topics {
            if let Topic::Candles(instrument, interval) = topic {
                self.inner.candles.forget(*instrument, *interval);
            }
        }
        self.request("unsubscribe", request, topics, out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        self.socket.send(r#"{"method":"ping"}"#, out);
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
            Ok(Said::Alive) => on(Incoming::Pong),
            Ok(Said::Granted {
                channel,
                symbol,
                minutes,
            }) => on(self.granted(channel, symbol, minutes, symbols)),
            Ok(Said::Refused { request, message }) => {
                on(self.requests.refused(request, message, &mut self.books));
            }
            Ok(Said::Other) => on(Incoming::Ignored(Ignored::NotWanted)),
            Err(why) => on(Incoming::Ignored(why)),
        }
    }

    fn granted(
        &mut self,
        channel: &[u8],
        symbol: &[u8],
        minutes: Option<u64>,
        symbols: &SymbolTable,
    ) -> Incoming<MarketEvent> {
        let Some(instrument) = symbols.find(symbol) else {
            return Incoming::Ignored(Ignored::WrongSymbol);
        };
        match codec::topic(channel, minutes, instrument) {
            Ok(topic) => self.requests.acked_topic(topic),
            Err(why) => Incoming::Ignored(why),
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
            return codec::decode(data, received_at, symbols, &mut self.candles, on);
        }
        match codec::decode_book(data, symbols, &mut self.books.levels) {
            Ok((instrument, message)) => {
                self.books.take(instrument.id, message, received_at, on);
            }
            Err((Some(instrument), why)) => {
                self.books
                    .take_read(instrument.id, Err(why), received_at, on);
            }
            Err((None, why)) => on(Incoming::Ignored(why)),
        }
    }
}
