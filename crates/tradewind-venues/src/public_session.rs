//! A connection to a venue's public market data as a [`Protocol`]: JSON over WebSocket, with answers to requests and books kept
//! by their changes. What a venue calls things is its [`Spelling`]; all else is here.

use std::fmt;
use std::sync::Arc;

use tradewind_model::{InstrumentId, MarketEvent, Timestamp};

use crate::address::Address;
use crate::book::OrderBook;
use crate::book::keeping::Books;
use crate::book::resync::Pace;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Topic};
use crate::quote_order::QuoteOrder;
use crate::requests::{OWN_REQUEST, Requests};
use crate::symbols::{SymbolTable, Symbols};
use crate::wire::websocket::{Received, WebSocket};

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Topics.
    Subscribe,
    /// Their end.
    Unsubscribe,
}

impl Verb {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
        }
    }
}

/// What a connection remembers, whatever its venue.
#[derive(Debug)]
pub struct Kept {
    pub(crate) requests: Requests,
    pub(crate) books: Books,
}

/// What one venue calls things.
pub trait Spelling: fmt::Debug + Send + 'static {
    /// A text that the venue answers; empty where it answers the WebSocket's own ping.
    const PING: &'static str;
    /// How many requests for lost books it takes.
    const PACE: Pace;

    /// A book without levels, by its rules.
    fn book(instrument: InstrumentId) -> OrderBook;

    /// The texts of a request. What the venue does not have is requested all the same, and refused in its own words.
    fn request(
        &mut self,
        verb: Verb,
        request: u64,
        topics: &[Topic],
        symbols: &SymbolTable,
    ) -> Vec<String>;

    /// What is requested as soon as the connection is open, besides topics.
    fn greeting(&self) -> Option<String> {
        None
    }

    /// Topics are not subscribed any more.
    fn given_back(&mut self, _topics: &[Topic]) {}

    /// Reads a text. At most one thing that concerns the connection is said for each.
    fn read(
        &mut self,
        text: &[u8],
        received_at: Timestamp,
        symbols: &SymbolTable,
        kept: &mut Kept,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    );
}

/// A connection to the market data of a venue.
#[derive(Debug)]
pub struct PublicSession<S> {
    address: Address,
    symbols: Arc<SymbolTable>,
    /// Where the instruments are as they were read last.
    follows: Option<Arc<Symbols>>,
    socket: WebSocket,
    spelling: S,
    quotes: QuoteOrder,
    kept: Kept,
    is_greeted: bool,
}

impl<S: Spelling> PublicSession<S> {
    pub(crate) fn open(
        address: Address,
        path: &str,
        symbols: Arc<SymbolTable>,
        spelling: S,
    ) -> Self {
        Self {
            socket: WebSocket::new(&address, path),
            address,
            symbols,
            follows: None,
            spelling,
            quotes: QuoteOrder::default(),
            kept: Kept {
                requests: Requests::default(),
                books: Books::new(S::PACE),
            },
            is_greeted: false,
        }
    }

    /// The same, by what becomes known of its instruments while it is open.
    #[must_use]
    pub fn following(mut self, symbols: Arc<Symbols>) -> Self {
        self.follows = Some(symbols);
        self
    }

    /// The same, taking longer messages than other venues send.
    pub(crate) fn with_messages_of(mut self, bytes_max: usize) -> Self {
        self.socket.set_message_max(bytes_max);
        self
    }

    /// Keeps these books without a request.
    pub(crate) fn keep_books(&mut self, topics: &[Topic]) {
        self.kept.books.open_all(topics, S::book);
    }

    /// Reads a text that was received.
    pub(crate) fn text(
        &mut self,
        text: &[u8],
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        let quotes = &mut self.quotes;
        let mut on = |incoming| on(quotes.checked(incoming));
        let (symbols, kept) = (&self.symbols, &mut self.kept);
        self.spelling
            .read(text, received_at, symbols, kept, &mut on);
    }

    fn request(&mut self, verb: Verb, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        if request != OWN_REQUEST {
            self.kept.requests.sent(request, topics);
        }
        for text in self.spelling.request(verb, request, topics, &self.symbols) {
            if request == OWN_REQUEST {
                self.kept.requests.sent_own(topics);
            }
            self.socket.send(&text, out);
        }
    }
}

impl<S: Spelling> Protocol for PublicSession<S> {
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
        true
    }

    fn subscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_greeted, true)
            && let Some(text) = self.spelling.greeting()
        {
            self.socket.send(&text, out);
        }
        self.kept.books.open_all(topics, S::book);
        self.request(Verb::Subscribe, request, topics, out);
    }

    fn unsubscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        self.kept.books.close_all(topics);
        self.spelling.given_back(topics);
        self.request(Verb::Unsubscribe, request, topics, out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        if S::PING.is_empty() {
            self.socket.ping(out);
        } else {
            self.socket.send(S::PING, out);
        }
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
            Received::Text(text) => {
                let (quotes, symbols) = (&mut self.quotes, &self.symbols);
                let mut on = |incoming| on(quotes.checked(incoming));
                let kept = &mut self.kept;
                self.spelling
                    .read(text, received_at, symbols, kept, &mut on);
            }
            // Where the venue answers a message, a pong of the WebSocket itself proves no less.
            Received::Pong => on(Incoming::Pong),
            Received::Other => on(Incoming::Ignored(Ignored::NotWanted)),
            Received::Nothing | Received::Opened => {}
        }
        let lost = self.kept.books.due(received_at);
        if !lost.is_empty() {
            // What is wrong with a book may be what is known of its instrument.
            if let Some(symbols) = &self.follows {
                self.symbols = symbols.current();
            }
            self.request(Verb::Unsubscribe, OWN_REQUEST, &lost, out);
            self.request(Verb::Subscribe, OWN_REQUEST, &lost, out);
        }
        Ok(used)
    }
}
