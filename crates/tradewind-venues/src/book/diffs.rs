//! A book whose snapshot is requested over another connection than its changes come over, as Binance's.
//!
//! Changes are kept until the snapshot comes. One that is older than the first of them leaves a hole: it is not used, and a newer
//! one is requested, ever more slowly, while the book shows nothing.

use std::collections::VecDeque;

use tradewind_model::{InstrumentId, Timestamp};

use super::resync::Resync;
use super::{Levels, Loss, OrderBook, Outcome, Step};

/// Changes that are kept for the snapshot: 100 s of them at one each 100 ms. Of more, the oldest are given up, so that the
/// snapshot must be newer.
const KEPT_MAX: usize = 1_000;

/// One instrument's book and the changes that wait for its snapshot.
#[derive(Clone, Debug)]
pub struct DiffBook {
    book: OrderBook,
    kept: VecDeque<(Step, Levels)>,
    resync: Resync,
}

impl DiffBook {
    /// A book without a snapshot. Levels beyond the best `levels_max` of a side are given up; a snapshot with that many is taken
    /// to have more behind them.
    #[must_use]
    pub fn new(instrument: InstrumentId, levels_max: usize) -> Self {
        Self {
            book: OrderBook::new(instrument, levels_max),
            kept: VecDeque::new(),
            resync: Resync::default(),
        }
    }

    /// Takes in the change that covers the updates `first..=last`.
    pub fn update(&mut self, first: u64, last: u64, levels: &Levels, now: Timestamp) -> Outcome {
        let step = Step::Span { first, last };
        let outcome = self.book.update(step, levels);
        match outcome {
            Outcome::Waiting | Outcome::Lost(_) => {
                if self.kept.is_empty() {
                    self.resync.lost(now);
                }
                self.keep(step, levels);
            }
            Outcome::Changed | Outcome::Same => self.resync.whole(now),
            Outcome::Repeated => {}
        }
        outcome
    }

    /// Whether a snapshot is to be requested now. While one is under way, it says no until that takes too long.
    pub fn asks_for_snapshot(&mut self, now: Timestamp) -> bool {
        !self.kept.is_empty() && self.resync.ask(now)
    }

    /// Takes in the snapshot whose last update is `last`, and the changes that were kept for it.
    /// One that is older than the book, the late answer to an earlier request, is of no use.
    pub fn snapshot(&mut self, last: u64, levels: &Levels, now: Timestamp) -> Outcome {
        if self.book.has(last) {
            return Outcome::Repeated;
        }
        let oldest = self.kept.front().map(|(step, _)| *step);
        if let Some(Step::Span { first, .. }) = oldest
            && first > last.saturating_add(1)
        {
            let was_whole = self.book.lose(Loss::StaleSnapshot) != Outcome::Waiting;
            self.resync.lost(now);
            return if was_whole {
                Outcome::Lost(Loss::StaleSnapshot)
            } else {
                Outcome::Waiting
            };
        }
        let mut outcome = self.book.snapshot(Step::Span { first: last, last }, levels);
        let kept = std::mem::take(&mut self.kept);
        for (step, levels) in kept {
            match self.book.update(step, &levels) {
                Outcome::Repeated => {}
                Outcome::Changed => outcome = Outcome::Changed,
                Outcome::Same => {}
                lost @ (Outcome::Lost(_) | Outcome::Waiting) => {
                    outcome = lost;
                    self.keep(step, &levels);
                }
            }
        }
        match self.book.is_whole() {
            true => self.resync.whole(now),
            false => self.resync.lost(now),
        }
        outcome
    }

    /// The connection is gone: what was kept belongs to it, and so does the book.
    pub fn disconnected(&mut self) -> Outcome {
        self.kept.clear();
        self.resync = Resync::default();
        self.book.lose(Loss::Gap)
    }

    /// The book itself.
    #[must_use]
    pub const fn book(&self) -> &OrderBook {
        &self.book
    }

    fn keep(&mut self, step: Step, levels: &Levels) {
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back((step, levels.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{Level, Price, Quantity};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000 + seconds)
    }

    fn bid(price: i64, quantity: i64) -> Levels {
        let level = Level {
            price: Price(price),
            quantity: Quantity(quantity),
        };
        Levels {
            bids: vec![level],
            asks: vec![],
        }
    }

    fn book() -> DiffBook {
        DiffBook::new(InstrumentId(0), 5_000)
    }

    fn bids(book: &DiffBook) -> Vec<(i64, i64)> {
        let level = |level: Level| (level.price.0, level.quantity.0);
        book.book().bids().map(level).collect()
    }

    #[test]
    fn changes_wait_for_the_snapshot_and_those_it_has_are_dropped() {
        let mut book = book();
        assert!(!book.asks_for_snapshot(at(0)), "no change yet");
        assert_eq!(book.update(10, 12, &bid(5, 1), at(0)), Outcome::Waiting);
        assert!(book.asks_for_snapshot(at(0)));
        assert!(!book.asks_for_snapshot(at(1)));
        assert_eq!(book.update(13, 15, &bid(6, 1), at(1)), Outcome::Waiting);
        assert_eq!(book.update(16, 18, &bid(7, 1), at(1)), Outcome::Waiting);
        assert_eq!(book.snapshot(14, &bid(1, 1), at(1)), Outcome::Changed);
        assert_eq!(bids(&book), [(7, 1), (6, 1), (1, 1)]);
        assert_eq!(book.update(19, 19, &bid(7, 0), at(2)), Outcome::Changed);
        assert_eq!(book.update(19, 19, &bid(7, 5), at(2)), Outcome::Repeated);
        assert!(!book.asks_for_snapshot(at(200)));
    }

    #[test]
    fn d02_a_snapshot_older_than_the_changes_is_requested_again_ever_more_slowly() {
        let mut book = book();
        book.update(10, 12, &bid(5, 1), at(0));
        let mut requested = Vec::new();
        for second in 0..100 {
            if book.asks_for_snapshot(at(second)) {
                requested.push(second);
                assert_eq!(book.snapshot(8, &bid(1, 1), at(second)), Outcome::Waiting);
                assert_eq!(bids(&book), []);
            }
        }
        assert_eq!(requested, [0, 2, 6, 14, 30, 62]);
        assert_eq!(book.snapshot(9, &bid(1, 1), at(100)), Outcome::Changed);
        assert_eq!(bids(&book), [(5, 1), (1, 1)]);
    }

    #[test]
    fn d01_a_gap_asks_for_a_snapshot_at_once_and_keeps_what_follows() {
        let mut book = book();
        book.update(10, 12, &bid(5, 1), at(0));
        assert!(book.asks_for_snapshot(at(0)));
        book.snapshot(12, &bid(1, 1), at(0));
        book.update(13, 13, &bid(1, 2), at(1));
        let gap = book.update(15, 15, &bid(9, 1), at(100));
        assert_eq!(gap, Outcome::Lost(Loss::Gap));
        assert_eq!(bids(&book), []);
        assert!(book.asks_for_snapshot(at(100)));
        assert_eq!(book.update(16, 16, &bid(8, 1), at(101)), Outcome::Waiting);
        assert_eq!(book.snapshot(14, &bid(2, 2), at(101)), Outcome::Changed);
        assert_eq!(bids(&book), [(9, 1), (8, 1), (2, 2)]);
    }

    #[test]
    fn a_late_snapshot_does_not_replace_a_newer_book() {
        let mut book = book();
        book.update(10, 12, &bid(5, 1), at(0));
        book.snapshot(12, &bid(1, 1), at(2));
        book.update(13, 13, &bid(7, 1), at(3));
        let late = book.snapshot(11, &bid(2, 2), at(3));
        assert_eq!(late, Outcome::Repeated);
        assert_eq!(bids(&book), [(7, 1), (1, 1)]);
    }

    #[test]
    fn a_hole_among_the_kept_changes_is_found_with_the_snapshot() {
        let mut book = book();
        book.update(10, 12, &bid(5, 1), at(0));
        book.update(14, 14, &bid(6, 1), at(0));
        let outcome = book.snapshot(11, &bid(1, 1), at(0));
        assert_eq!(outcome, Outcome::Lost(Loss::Gap));
        assert_eq!(book.snapshot(13, &bid(1, 1), at(1)), Outcome::Changed);
        assert_eq!(bids(&book), [(6, 1), (1, 1)]);
    }

    #[test]
    fn the_changes_that_wait_are_bounded() {
        let mut book = book();
        for number in 1..=5_000 {
            book.update(number, number, &bid(5, 1), at(0));
        }
        assert_eq!(book.kept.len(), KEPT_MAX);
        assert_eq!(book.snapshot(3_000, &bid(1, 1), at(0)), Outcome::Waiting);
        assert_eq!(book.snapshot(4_000, &bid(1, 1), at(0)), Outcome::Changed);
        assert_eq!(book.kept.len(), 0);
    }

    #[test]
    fn d04_nothing_of_an_old_connection_stays() {
        let mut book = book();
        book.update(10, 12, &bid(5, 1), at(0));
        book.snapshot(12, &bid(1, 1), at(0));
        assert_eq!(book.disconnected(), Outcome::Lost(Loss::Gap));
        assert_eq!(book.update(13, 13, &bid(6, 1), at(1)), Outcome::Waiting);
        assert_eq!(bids(&book), []);
        book.snapshot(13, &bid(2, 2), at(1));
        assert_eq!(bids(&book), [(2, 2)]);
    }
}
