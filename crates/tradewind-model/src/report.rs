//! A venue's report about one of our orders.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ClientOrderId, InstrumentId, VenueOrderId};
use crate::number::Quantity;
use crate::order::Fill;
use crate::time::Timestamp;

/// One message about one order, from whichever channel it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionReport {
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Our id of the order.
    pub client_id: ClientOrderId,
    /// The venue's id, once there is one.
    pub venue_order_id: Option<VenueOrderId>,
    /// What happened.
    pub kind: ReportKind,
    /// Cumulative quantity by the venue's count, if the report has it.
    pub cumulative: Option<Quantity>,
    /// The venue's stamp, where there is one.
    pub event_time: Option<Timestamp>,
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReportKind {
    /// The venue has it.
    Accepted,
    /// It traded.
    Filled(Fill),
    /// It was cancelled.
    Cancelled,
    /// The venue ended it by its own rules.
    Expired,
    /// The venue refused it: it never was on the book.
    Rejected(RejectReason),
    /// A cancel was refused since there was nothing to cancel; the order's true state comes by query.
    CancelRejected(RejectReason),
    /// No definite answer came: it may or may not be there.
    Unknown,
    /// It was not sent; with the reason.
    NotSent(NotSentReason),
}

/// Why the gate kept an order back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotSentReason {
    /// The kill latch is set.
    Killed,
    /// It waited longer than its time to live.
    Expired,
    /// The venue could not be reached and nothing was written.
    Unreachable,
}

/// Why a venue refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectReason {
    /// The venue's code, 0 where it has none.
    pub code: i32,
    /// The venue's message, cut at 200 characters.
    pub text: String,
}
