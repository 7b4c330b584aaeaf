//! When a lost book is requested again: at once, then ever more slowly while it keeps getting lost, and as fast as the venue takes
//! requests.

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

/// How many requests for lost books a venue takes.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Books in one request.
    pub batch_max: usize,
    /// Requests at once after a long pause.
    pub burst: u32,
    /// Time after which one more may follow.
    pub refill: Duration,
}

impl Pace {
    /// One request after another, each for this many books, for venues that limit neither by the hour.
    pub(crate) const fn of(batch_max: usize) -> Self {
        Self {
            batch_max,
            burst: 2,
            refill: Duration::from_millis(500),
        }
    }
}

/// The requests of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pace: Pace,
    /// The time up to which requests are used up.
    used_up_to: Option<Timestamp>,
}

impl Allowance {
    pub(crate) const fn new(pace: Pace) -> Self {
        Self {
            pace,
            used_up_to: None,
        }
    }

    pub(crate) const fn batch_max(&self) -> usize {
        self.pace.batch_max
    }

    /// When the next request may leave, from `now` on.
    pub(crate) fn next(&self, now: Timestamp) -> Timestamp {
        let ahead = self
            .pace
            .refill
            .saturating_mul(self.pace.burst.saturating_sub(1));
        self.used_up_to.map_or(now, |at| now.max(at - ahead))
    }

    /// A request leaves.
    pub(crate) fn used(&mut self, now: Timestamp) {
        let from = self.used_up_to.map_or(now, |at| at.max(now));
        self.used_up_to = Some(from + self.pace.refill);
    }
}

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

    /// When to look at it again; `None` for a book that nothing is to be requested of.
    pub(crate) const fn due(&self) -> Option<Timestamp> {
        self.due
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
    fn requests_leave_as_fast_as_the_venue_takes_them() {
        let mut allowance = Allowance::new(Pace {
            batch_max: 1,
            burst: 3,
            refill: Duration::from_secs(20),
        });
        let mut requested = Vec::new();
        for second in 0..100 {
            while allowance.next(at(second)) <= at(second) {
                allowance.used(at(second));
                requested.push(second);
            }
        }
        assert_eq!(requested, [0, 0, 0, 20, 40, 60, 80]);
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
