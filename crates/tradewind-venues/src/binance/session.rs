//! The market streams as a [`Protocol`]: one combined connection, JSON over WebSocket.

use std::sync::Arc;

use tradewind_model::{MarketEvent, Timestamp};

use super::codec;
use super::diff_books::DiffBooks;
use super::snapshots::Snapshots;
use crate::address::Address;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Topic};
use crate::symbols::SymbolTable;
use crate::wire::websocket::{Received, WebSocket};

/// A connection to the market streams.
#[derive(Debug)]
pub struct MarketProtocol {
    address: Address,
    symbols: Arc<SymbolTable>,
    socket: WebSocket,
    /// Books that are kept by their changes; without, the best levels come whole.
    books: Option<DiffBooks>,
}

impl MarketProtocol {
    /// A connection that is not open yet. `address` is the streams' own, such as `wss://stream.binance.com:9443`.
    #[must_use]
    pub fn new(address: Address, symbols: Arc<SymbolTable>) -> Self {
        Self {
            socket: WebSocket::new(&address, "/stream"),
            address,
            symbols,
            books: None,
        }
    }

    /// The same, with books kept by their changes from these snapshots.
    pub(super) fn with_diffs(mut self, snapshots: Arc<Snapshots>) -> Self {
        self.books = Some(DiffBooks::new(snapshots));
        self
    }

    fn request(&mut self, method: &str, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        let streams: Vec<String> = topics
            .iter()
            .filter_map(|topic| stream_name(*topic, &self.symbols, self.books.is_some()))
            .collect();
        let text = serde_json::json!({"method": method, "params": streams, "id": request});
        self.socket.send(&text.to_string(), out);
    }
}

/// The venue's name for a topic; `None` for an instrument it does not have.
fn stream_name(topic: Topic, symbols: &SymbolTable, with_diffs: bool) -> Option<String> {
    let symbol = symbols.stream(topic.instrument()?)?;
    match topic {
        Topic::Quotes(_) => Some(format!("{symbol}@bookTicker")),
        Topic::Trades(_) => Some(format!("{symbol}@trade")),
        Topic::Candles(_, interval) => Some(format!("{symbol}@kline_{}", interval.name())),
        Topic::Depth(_) if with_diffs => Some(format!("{symbol}@depth@100ms")),
        Topic::Depth(_) => Some(format!("{symbol}@depth20@100ms")),
        Topic::Account(_) => None,
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

    fn keeps_books(&self) -> bool {
        self.books.is_some()
    }

    fn subscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        self.request("SUBSCRIBE", request, topics, out);
    }

    fn unsubscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        if let Some(books) = &mut self.books {
            books.close_all(topics);
        }
        self.request("UNSUBSCRIBE", request, topics, out);
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
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) -> Result<usize, ProtocolError> {
        let (used, received) = self.socket.receive(bytes, out)?;
        let (symbols, books) = (&self.symbols, &mut self.books);
        read(received, on, |text, on| match books {
            None => codec::decode(text, received_at, symbols, on),
            Some(books) => {
                books.take_snapshots(received_at, on);
                let update = codec::decode_or_update(text, received_at, symbols, on);
                if let Some(update) = update {
                    books.update(update, received_at, on);
                }
            }
        });
        Ok(used)
    }
}

/// Passes a text to its decoder, and maps the other messages to their meaning.
pub(super) fn read<E, F: FnMut(Incoming<E>)>(
    received: Received<'_>,
    on: &mut F,
    decode: impl FnOnce(&[u8], &mut F),
) {
    match received {
        Received::Text(text) => decode(text, on),
        Received::Pong => on(Incoming::Pong),
        Received::Other => on(Incoming::Ignored(Ignored::NotWanted)),
        Received::Nothing | Received::Opened => {}
    }
}
