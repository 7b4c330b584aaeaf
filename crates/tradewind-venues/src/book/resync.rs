//! When a lost book is requested again: at once, then ever more slowly while it keeps getting lost.

use std::time::Duration;

use tradewind_model::Timestamp;

/// The first pause, and how long an answer may take.
const PAUSE_FIRST: Duration = Duration::from_secs(2);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// How long the first snapshot may take.
const FIRST_WITHIN: Duration = Duration::from_secs(10);
/// A book that was whole for this long counts as healthy, and its next loss as the first.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// One book's attempts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resync {
    attempts: u32,
    /// When to ask; `None` while nothing is to be requested.
    due: Option<Timestamp>,
    whole_since: Option<Timestamp>,
}

impl Resync {
    /// The book is lost.
    pub(crate) fn lost(&mut self, now: Timestamp) {
        let healthy = |since: Timestamp| now.since(since) >= HEALTHY_AFTER;
        if self.whole_since.take().is_some_and(healthy) {
            self.attempts = 0;
        }
        self.due = Some(if self.attempts == 0 {
            now
        } else {
            now + self.pause()
        });
    }

    /// Whether to ask now. An answer that does not come is requested again later.
    pub(crate) fn ask(&mut self, now: Timestamp) -> bool {
        let Some(due) = self.due else {
            self.due = self.whole_since.is_none().then(|| now + FIRST_WITHIN);
            return false;
        };
        let is_due = now >= due;
        if is_due {
            self.attempts = self.attempts.saturating_add(1);
            self.due = Some(now + self.pause());
        }
        is_due
    }

    /// The book is whole.
    pub(crate) fn whole(&mut self, now: Timestamp) {
        self.due = None;
        self.whole_since.get_or_insert(now);
    }

    fn pause(&self) -> Duration {
        let doublings = self.attempts.saturating_sub(1).min(16);
        PAUSE_FIRST.saturating_mul(1 << doublings).min(PAUSE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000 + seconds)
    }

    #[test]
    fn a_book_that_keeps_getting_lost_is_requested_ever_more_slowly() {
        let mut resync = Resync::default();
        resync.lost(at(0));
        assert!(resync.ask(at(0)));
        assert!(!resync.ask(at(1)), "the answer is awaited");
        assert!(resync.ask(at(2)), "no answer");
        resync.whole(at(3));
        assert!(!resync.ask(at(100)));
        resync.lost(at(4));
        let requested: Vec<i64> = (4..300).filter(|second| resync.ask(at(*second))).collect();
        assert_eq!(requested, [8, 16, 32, 64, 124, 184, 244]);
    }

    #[test]
    fn a_first_snapshot_that_does_not_come_is_requested() {
        let mut resync = Resync::default();
        let requested: Vec<i64> = (0..20).filter(|second| resync.ask(at(*second))).collect();
        assert_eq!(requested, [10, 12, 16]);
    }

    #[test]
    fn a_book_that_was_whole_for_long_is_requested_at_once() {
        let mut resync = Resync::default();
        resync.lost(at(0));
        assert!(resync.ask(at(0)));
        resync.whole(at(1));
        resync.whole(at(50));
        resync.lost(at(61));
        assert!(resync.ask(at(61)));
    }
}
