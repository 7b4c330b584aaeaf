//! The faults that an executor reports for the log.

use tradewind_model::{ClientOrderId, InstrumentId, Interval};

use super::RequestId;
use crate::error::VenueError;

/// Something that went wrong and was dealt with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorFault {
    /// An order was handed in a second time and is not sent again.
    #[error("order {0} was handed in before and is not sent again")]
    Duplicate(ClientOrderId),
    /// Too many orders wait; this one is not sent.
    #[error("order {0} is not sent: too many orders wait")]
    QueueFull(ClientOrderId),
    /// The venue did not answer an order or a cancel as it must; the order's fate is unknown.
    #[error("order {id} has no usable answer: {error}")]
    Unanswered {
        /// The order.
        id: ClientOrderId,
        /// What came instead.
        error: VenueError,
    },
    /// A cancel was sent before its order's answer came.
    #[error("order {0} is cancelled before its answer came")]
    CancelledEarly(ClientOrderId),
    /// A query brought no answer; it is repeated.
    #[error("the state of order {id} is not known yet: {error}")]
    QueryFailed {
        /// The order.
        id: ClientOrderId,
        /// Why.
        error: VenueError,
    },
    /// A query does not find an order, and the venue's lists do not agree that it does not exist.
    #[error(
        "order {0} is in doubt: the venue does not find it, but its lists or its locked balances do not agree"
    )]
    AbsenceDoubtful(ClientOrderId),
    /// The lists that orders in doubt are looked for in cannot be read; they are read again later.
    #[error("orders stay in doubt: the venue's lists cannot be read: {0}")]
    ListsUnreadable(VenueError),
    /// Too many orders are under query; this one is not.
    #[error("order {0} is not queried: too many queries wait")]
    QueriesFull(ClientOrderId),
    /// The venue has archived an order that was taken for open: it ended without a fill.
    #[error("the venue has archived order {0}, which was taken for open: it ended without a fill")]
    Archived(ClientOrderId),
    /// The account, a list or candles could not be read; it is tried again.
    #[error("a reading is tried again: {0}")]
    ReadAgain(VenueError),
    /// The account cannot be read. The reading starts again later, and until then nothing trades on it.
    #[error("the account cannot be read, nothing trades on it: {0}")]
    AccountUnreadable(VenueError),
    /// The account changes during each reading, and until it stops changing nothing trades on it.
    #[error("the account does not stand still, nothing trades on it")]
    AccountMoves,
    /// Past candles cannot be read; the answer has none.
    #[error("past candles of instrument {} at {interval} cannot be read: {error}", instrument.0)]
    CandlesUnreadable {
        /// The instrument.
        instrument: InstrumentId,
        /// The length of a candle.
        interval: Interval,
        /// Why.
        error: VenueError,
    },
    /// A book cannot be read; the entry that waits for it is denied.
    #[error("the book of instrument {} cannot be read: {}", .0.0, .1)]
    BookUnreadable(InstrumentId, VenueError),
    /// A second answer to one request, or one to a request that was given up.
    #[error("request {} was answered twice or too late", .0.0)]
    Unexpected(RequestId),
}

impl ExecutorFault {
    /// Whether a person must look; otherwise it passes by itself.
    #[must_use]
    pub const fn is_serious(&self) -> bool {
        matches!(
            self,
            Self::Duplicate(_)
                | Self::QueueFull(_)
                | Self::QueriesFull(_)
                | Self::AccountUnreadable(_)
                | Self::CandlesUnreadable { .. }
        )
    }
}
