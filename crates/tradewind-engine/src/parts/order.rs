//! The life of an order: one function from a state and a report to the next state, and the table that proves it.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    BotId, EventId, OrderStatus, OrderTerms, Ppm, Price, Quantity, ReportKind, Timestamp, TradeId,
    VenueOrderId,
};
use tradewind_risk::PositionEffect;

/// An order as the engine keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What the venue was told.
    pub terms: OrderTerms,
    /// For which bot, and which of its instruments; `None` for a person's.
    pub bot: Option<(BotId, usize)>,
    /// Entry or exit.
    pub purpose: PositionEffect,
    /// Where it is.
    pub status: OrderStatus,
    /// How much is filled: the sum of its fills.
    pub filled: Quantity,
    /// The venue's id, once known.
    pub venue_order_id: Option<VenueOrderId>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The event that announced it; everything that happens to it follows from that.
    pub placed_by: EventId,
    /// How often it may still follow the touch.
    pub reprices: u32,
    /// Whether the rest is to be taken at market once its cancel is confirmed.
    pub cross_remainder: bool,
    /// A price its strategy does not want to trade beyond.
    pub limit: Option<Price>,
    /// The exposure its bot had asked for before; it is that again if nothing comes of this order.
    pub exposure_before: Ppm,
    /// How much the venue says is filled; more than [`filled`](Self::filled) means that executions are missing.
    pub cumulative: Quantity,
    /// Whether a cancel is on its way.
    pub cancelling: bool,
    /// Executions booked, so that none is booked twice.
    pub trades: Trades,
}

/// Executions of one order by id. Nearly every order has one, which costs no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trades {
    first: Option<TradeId>,
    more: Vec<TradeId>,
}

impl Trades {
    /// Notes an execution; false if it was there already.
    pub fn insert(&mut self, id: TradeId) -> bool {
        if self.first == Some(id) || self.more.contains(&id) {
            return false;
        }
        match self.first {
            None => self.first = Some(id),
            Some(_) => self.more.push(id),
        }
        true
    }
}

impl Order {
    /// What is not filled yet; nothing if the venue filled more than was asked for.
    #[must_use]
    pub fn remaining(&self) -> Quantity {
        (self.terms.quantity - self.filled).max(Quantity::ZERO)
    }
}

impl FromIterator<TradeId> for Trades {
    fn from_iter<T: IntoIterator<Item = TradeId>>(ids: T) -> Self {
        let mut trades = Self::default();
        for id in ids {
            trades.insert(id);
        }
        trades
    }
}

/// What a report says, as far as an order's state depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportClass {
    /// The venue has it.
    Accepted,
    /// A fill that leaves some of it.
    PartialFill,
    /// The fill that completes it.
    FinalFill,
    /// Cancelled.
    Cancelled,
    /// Ended by the venue's rules.
    Expired,
    /// Refused by the venue.
    Rejected,
    /// A cancel found nothing to cancel.
    CancelRejected,
    /// No definite answer.
    Unknown,
    /// It never left.
    NotSent,
}

impl ReportClass {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Accepted,
        Self::PartialFill,
        Self::FinalFill,
        Self::Cancelled,
        Self::Expired,
        Self::Rejected,
        Self::CancelRejected,
        Self::Unknown,
        Self::NotSent,
    ];

    /// The class of `kind` for an order of which `filled` of `quantity` will be filled once it is booked.
    #[must_use]
    pub fn of(kind: &ReportKind, filled: Quantity, quantity: Quantity) -> Self {
        match kind {
            ReportKind::Accepted => Self::Accepted,
            ReportKind::Filled(_) if filled < quantity => Self::PartialFill,
            ReportKind::Filled(_) => Self::FinalFill,
            ReportKind::Cancelled => Self::Cancelled,
            ReportKind::Expired => Self::Expired,
            ReportKind::Rejected(_) => Self::Rejected,
            ReportKind::CancelRejected(_) => Self::CancelRejected,
            ReportKind::Unknown => Self::Unknown,
            ReportKind::NotSent(_) => Self::NotSent,
        }
    }
}

/// What a report does to an order's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It moves on.
    To(OrderStatus),
    /// It stays; the report was heard before, came late, or contradicts what is certain.
    Stay,
    /// It stays, and the venue has to be asked.
    Ask,
}

/// The next state. States only move forward: what has ended never opens again, though its late fills are booked.
#[must_use]
pub const fn transition(status: OrderStatus, report: ReportClass) -> Step {
    use OrderStatus as S;
    use ReportClass as R;
    match (status, report) {
        (S::Pending | S::Unknown, R::Accepted) => Step::To(S::Accepted),
        (S::Pending | S::Accepted | S::Unknown, R::PartialFill) => Step::To(S::PartiallyFilled),
        (S::Pending | S::Accepted | S::PartiallyFilled | S::Unknown, R::FinalFill) => {
            Step::To(S::Filled)
        }
        (S::Pending | S::Accepted | S::PartiallyFilled | S::Unknown, R::Cancelled) => {
            Step::To(S::Cancelled)
        }
        (S::Pending | S::Accepted | S::PartiallyFilled | S::Unknown, R::Expired) => {
            Step::To(S::Expired)
        }
        // Refused means it never was on the book: what has been there cannot be.
        (S::Pending | S::Unknown, R::Rejected) => Step::To(S::Rejected),
        (S::Accepted | S::PartiallyFilled, R::Rejected) => Step::Ask,
        (S::Pending | S::Accepted | S::PartiallyFilled | S::Unknown, R::CancelRejected) => {
            Step::Ask
        }
        (S::Pending, R::Unknown) => Step::To(S::Unknown),
        // The gate knows for certain that nothing left, unless the venue has already spoken of it.
        (S::Pending, R::NotSent) => Step::To(S::NotSent),
        (S::Unknown, R::Unknown) | (S::Accepted | S::PartiallyFilled, R::Unknown) => Step::Ask,
        (S::Accepted | S::PartiallyFilled, R::Accepted)
        | (S::PartiallyFilled, R::PartialFill)
        | (S::Accepted | S::PartiallyFilled | S::Unknown, R::NotSent)
        | (S::Filled | S::Cancelled | S::Expired | S::Rejected | S::NotSent, _) => Step::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state (rows) against every report (columns, in the order of `ReportClass::ALL`).
    #[test]
    fn every_state_meets_every_report() {
        let table = [
            (
                OrderStatus::Pending,
                "accepted partially_filled filled cancelled expired rejected ask unknown not_sent",
            ),
            (
                OrderStatus::Accepted,
                "stay partially_filled filled cancelled expired ask ask ask stay",
            ),
            (
                OrderStatus::PartiallyFilled,
                "stay stay filled cancelled expired ask ask ask stay",
            ),
            (
                OrderStatus::Unknown,
                "accepted partially_filled filled cancelled expired rejected ask ask stay",
            ),
            (
                OrderStatus::Filled,
                "stay stay stay stay stay stay stay stay stay",
            ),
            (
                OrderStatus::Cancelled,
                "stay stay stay stay stay stay stay stay stay",
            ),
            (
                OrderStatus::Expired,
                "stay stay stay stay stay stay stay stay stay",
            ),
            (
                OrderStatus::Rejected,
                "stay stay stay stay stay stay stay stay stay",
            ),
            (
                OrderStatus::NotSent,
                "stay stay stay stay stay stay stay stay stay",
            ),
        ];
        for (status, row) in table {
            for (report, wanted) in ReportClass::ALL.into_iter().zip(row.split(' ')) {
                let step = match transition(status, report) {
                    Step::To(next) => next.name(),
                    Step::Stay => "stay",
                    Step::Ask => "ask",
                };
                assert_eq!(step, wanted, "{status:?} on {report:?}");
            }
        }
        assert_eq!(table.len(), OrderStatus::ALL.len());
    }

    #[test]
    fn what_has_ended_never_opens_again() {
        for status in OrderStatus::ALL {
            for report in ReportClass::ALL {
                if let Step::To(next) = transition(status, report) {
                    assert!(status.is_open(), "{status:?} moved on {report:?}");
                    assert!(
                        next > status || status == OrderStatus::Unknown,
                        "{status:?} fell back on {report:?}"
                    );
                }
            }
        }
    }
}
