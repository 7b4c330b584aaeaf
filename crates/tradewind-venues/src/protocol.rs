//! The seam between a data source and a way of transporting data: what a [`Protocol`] must be able to do.
//!
//! There are JSON over WebSocket (Binance's market and account streams; the public feeds of OKX, Bybit, Kraken and Coinbase) and the
//! transports of house sources. A consumer
//! cannot tell which one a quote came through. Connecting, retrying and pacing are not a protocol's business: the source does
//! those. A client that insists on a socket of its own cannot be a protocol; it shares only its decoder.

use tradewind_model::{AccountId, InstrumentId, Interval, Timestamp};

use crate::address::Address;
use crate::book::Loss;

/// Something to subscribe to, in the desk's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Best bid and ask.
    Quotes(InstrumentId),
    /// Public prints.
    Trades(InstrumentId),
    /// Candles as they close.
    Candles(InstrumentId, Interval),
    /// The top of the book.
    Depth(InstrumentId),
    /// What happens to an account's orders and balances.
    Account(AccountId),
}

impl Topic {
    /// The instrument it is about, if it is about one.
    #[must_use]
    pub const fn instrument(self) -> Option<InstrumentId> {
        match self {
            Self::Quotes(id) | Self::Trades(id) | Self::Candles(id, _) | Self::Depth(id) => {
                Some(id)
            }
            Self::Account(_) => None,
        }
    }
}

/// Where a message stands among its topic's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// Numbers without holes: a missing one is lost data.
    Contiguous(u64),
    /// Numbers that only grow: a smaller one is late or a repetition.
    Increasing(u64),
}

/// Why a message was not used. Each is counted; none is an error of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// It cannot be read. Many of them end a connection.
    Malformed,
    /// It can be read, but not what it reports of one instrument: the other instruments of its connection have nothing to do with it.
    Content,
    /// It names no symbol.
    NoSymbol,
    /// It names a symbol that is not ours, or not the stream's.
    WrongSymbol,
    /// It names a price that is finer than its instrument's prices were when they were read.
    OffGrid,
    /// Of a kind that was not requested.
    NotWanted,
    /// Seen before: its book has it already, or it is behind a gap that is being filled and comes again.
    Repeated,
}

impl Ignored {
    /// The same of a message that is known to be of one instrument.
    #[must_use]
    pub const fn of_instrument(self) -> Self {
        match self {
            Self::Malformed => Self::Content,
            other => other,
        }
    }
}

/// What a message turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming<E> {
    /// Data.
    Event {
        /// The topic it belongs to.
        topic: Topic,
        /// Its number, where the venue gives one.
        sequence: Option<Sequence>,
        /// The data.
        event: E,
    },
    /// Data of no topic, such as a number of a named series.
    Unlisted {
        /// The data.
        event: E,
    },
    /// A sign of life that carries nothing to hand on, such as a candle that is still open.
    Alive {
        /// The topic that is alive.
        topic: Topic,
    },
    /// A subscription request was granted.
    Acked {
        /// The request's number.
        request: u64,
    },
    /// A subscription request was refused.
    Refused {
        /// The request's number.
        request: u64,
        /// In the venue's words.
        reason: String,
    },
    /// A pong.
    Pong,
    /// The venue is about to close the connection.
    ClosingSoon,
    /// Messages of the whole feed are missing, 0 for an unknown number.
    Gap {
        /// How many.
        missing: u64,
    },
    /// What was kept of a topic is lost, such as a book behind a gap, and is requested again. Until [`Whole`](Self::Whole)
    /// its instrument is not live, whatever other topics say.
    Lost {
        /// Of which topic.
        topic: Topic,
        /// Why.
        why: Loss,
    },
    /// What is kept of a topic is whole, for the first time on this connection or again.
    Whole {
        /// Of which topic.
        topic: Topic,
    },
    /// Messages of the past follow, up to [`Synced`](Self::Synced).
    Filling,
    /// From here on messages are current.
    Synced,
    /// A message without use.
    Ignored(Ignored),
}

/// The transport failed; the connection is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProtocolError(pub String);

impl ProtocolError {
    #[expect(
        clippy::needless_pass_by_value,
        reason = "taken as it comes out of map_err"
    )]
    pub(crate) fn new(error: impl ToString) -> Self {
        Self(error.to_string())
    }
}

/// One connection's spelling as a machine: bytes in, events and bytes out. It has no socket; the shell moves the bytes.
pub trait Protocol: Send + 'static {
    /// What its messages mean.
    type Event: Send + std::fmt::Debug;

    /// Where to connect.
    fn address(&self) -> &Address;

    /// The connection is open: appends what is sent first. `nonce` differs from connection to connection.
    fn start(&mut self, nonce: u64, out: &mut Vec<u8>);

    /// Whether handshakes are over, so that topics can be subscribed to.
    fn is_ready(&self) -> bool;

    /// Whether it keeps books by their changes, and says when one is whole.
    fn keeps_books(&self) -> bool {
        false
    }

    /// Whether this connection has only named another one, which is opened in its place at once.
    fn is_redirected(&self) -> bool {
        false
    }

    /// Appends a request for topics; the answer comes as a message that names `request`.
    fn subscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>);

    /// Appends a request to give topics back; the answer comes as a message that names `request`.
    fn unsubscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>);

    /// Appends a ping.
    fn ping(&mut self, out: &mut Vec<u8>);

    /// Appends a polite end, if there is one.
    fn close(&mut self, out: &mut Vec<u8>);

    /// Takes in the first message of `bytes`, which were read and not used yet; defined for any bytes. Returns how many are
    /// done with, 0 while the message is not whole. What has to be answered at once goes to `out`.
    ///
    /// # Errors
    /// The other side has closed the connection or does not keep to the protocol.
    fn receive(
        &mut self,
        bytes: &[u8],
        received_at: Timestamp,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<Self::Event>),
    ) -> Result<usize, ProtocolError>;
}
