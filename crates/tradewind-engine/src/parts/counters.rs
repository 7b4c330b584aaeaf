//! Counts since the start, for views only. No decision depends on them.

use serde::{Deserialize, Serialize};
use tradewind_events::{CloseView, Counters as Totals};
use tradewind_model::{OrderStatus, Timestamp, Wake};
use tradewind_risk::Rule;

/// Totals, and the same for the last candle close.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counters {
    totals: Totals,
    close: CloseView,
    /// Whether the evaluation in progress belongs to a close.
    at_close: bool,
}

impl Counters {
    /// Notes that a candle, or a bot's own interval, closed at `at`.
    pub(crate) fn closed_at(&mut self, at: Timestamp) {
        if at > self.close.at {
            self.close = CloseView {
                at,
                ..CloseView::default()
            };
        }
    }

    pub(crate) fn evaluated(&mut self, wake: Wake) {
        self.totals.wakes += 1;
        self.at_close = !matches!(wake, Wake::Quote | Wake::ReadQuote(_) | Wake::Target);
        self.close.woke += u32::from(self.at_close);
    }

    pub(crate) fn held(&mut self) {
        self.totals.holds += 1;
        self.close.held += u32::from(self.at_close);
    }

    pub(crate) fn signalled(&mut self) {
        self.totals.signals += 1;
        self.close.signals += u32::from(self.at_close);
    }

    pub(crate) fn denied(&mut self, rule: Rule) {
        self.totals.denials += 1;
        let mut denied = self.close.denied.iter_mut();
        match denied.find(|(known, _)| *known == rule) {
            Some((_, count)) => *count += 1,
            None => self.close.denied.push((rule, 1)),
        }
    }

    /// Notes a fill that left its order in `status`.
    pub(crate) fn filled(&mut self, status: OrderStatus) {
        self.totals.fills += 1;
        if status == OrderStatus::PartiallyFilled {
            self.totals.partial_fills += 1;
            self.close.partly_filled += 1;
        } else {
            self.close.filled += 1;
        }
    }

    pub(crate) const fn ordered(&mut self) {
        self.totals.orders += 1;
    }

    pub(crate) const fn alarm(&mut self) {
        self.totals.alarms += 1;
    }

    /// Notes a report that changed nothing.
    pub(crate) const fn duplicate_report(&mut self) {
        self.totals.duplicate_reports += 1;
    }

    pub(crate) const fn late_evaluation(&mut self) {
        self.totals.late_evaluations += 1;
    }

    pub(crate) const fn bot_error(&mut self) {
        self.totals.bot_errors += 1;
    }

    pub(crate) const fn totals(&self) -> Totals {
        self.totals
    }

    pub(crate) const fn last_close(&self) -> &CloseView {
        &self.close
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_between_two_closes_is_not_counted_with_the_close() {
        let mut counters = Counters::default();
        counters.closed_at(Timestamp::from_secs(60));
        counters.evaluated(Wake::Timer);
        counters.held();
        counters.evaluated(Wake::Quote);
        counters.signalled();
        counters.filled(OrderStatus::PartiallyFilled);
        let close = counters.last_close();
        assert_eq!((close.woke, close.held, close.signals), (1, 1, 0));
        assert_eq!((close.filled, close.partly_filled), (0, 1));
        counters.closed_at(Timestamp::from_secs(60));
        assert_eq!(counters.last_close().woke, 1, "the same close continues");
        counters.closed_at(Timestamp::from_secs(120));
        assert_eq!(counters.last_close().woke, 0);
        assert_eq!((counters.totals().wakes, counters.totals().fills), (2, 1));
    }
}
