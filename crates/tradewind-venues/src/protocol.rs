//! The seam between a data source and a way of transporting data: what a [`Protocol`] must be able to do.
//!
//! There are two: Binance's JSON over WebSocket, and length-prefixed frames over TCP. A consumer cannot tell which one
//! a quote came through. Reconnecting, retrying and pacing are not a protocol's business: the machine does those.

use std::future::Future;

use tradewind_model::{AccountId, InstrumentId, Interval, Timestamp};

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
    /// It cannot be read.
    Malformed,
    /// It names no symbol.
    NoSymbol,
    /// It names a symbol that is not ours, or not the stream's.
    WrongSymbol,
    /// Of a kind nobody asked for.
    NotWanted,
}

/// What a message turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming<E> {
    /// Data.
    Event {
        /// Of which topic.
        topic: Topic,
        /// Its number, where the venue gives one.
        sequence: Option<Sequence>,
        /// The data.
        event: E,
    },
    /// A sign of life that carries nothing to hand on, such as a candle that is still open.
    Alive {
        /// Of which topic.
        topic: Topic,
    },
    /// A subscription request was granted.
    Acked {
        /// Which.
        request: u64,
    },
    /// A subscription request was refused.
    Refused {
        /// Which.
        request: u64,
        /// In the venue's words.
        reason: String,
    },
    /// A pong.
    Pong,
    /// The venue is about to close the connection.
    ClosingSoon,
    /// Nothing of use.
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

/// One connection's transport and spelling. The shell calls these one at a time and gives each a time-out.
pub trait Protocol: Send + 'static {
    /// A message as it came, cheap to move.
    type Message: Send;
    /// What its messages mean.
    type Event: Send;

    /// Opens the connection.
    fn connect(&mut self) -> impl Future<Output = Result<(), ProtocolError>> + Send;

    /// Asks for topics; the answer comes as a message that names `request`.
    fn subscribe(
        &mut self,
        request: u64,
        topics: &[Topic],
    ) -> impl Future<Output = Result<(), ProtocolError>> + Send;

    /// Gives topics back; the answer comes as a message that names `request`.
    fn unsubscribe(
        &mut self,
        request: u64,
        topics: &[Topic],
    ) -> impl Future<Output = Result<(), ProtocolError>> + Send;

    /// Sends a ping.
    fn ping(&mut self) -> impl Future<Output = Result<(), ProtocolError>> + Send;

    /// The next message. Dropping the future before it is ready loses nothing.
    fn receive(&mut self) -> impl Future<Output = Result<Self::Message, ProtocolError>> + Send;

    /// Closes the connection, politely if that is quick.
    fn disconnect(&mut self) -> impl Future<Output = ()> + Send;

    /// Reads a message; pure, and defined for any bytes. Returns the message's length in bytes.
    fn decode(
        &self,
        message: &Self::Message,
        received_at: Timestamp,
        out: &mut impl FnMut(Incoming<Self::Event>),
    ) -> usize;
}
