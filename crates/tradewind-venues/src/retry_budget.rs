//! How many requests may be repeated after they failed (L09).
//!
//! A venue that comes back after an outage is met by everything that failed meanwhile. If each of many readers repeats what failed
//! as often as it likes, the repetitions alone keep the venue down. So repetitions are paid for: each answered request earns a share
//! of one, and a few a minute are free, so that a client with little to do can still repeat what fails. Orders, cancels and
//! queries of orders are no repetitions: an order is never repeated, and the other two have pauses of their own.

use std::time::Duration;

use tradewind_model::Ppm;

/// A repetition, in the unit of what is saved.
const ONE: u64 = 1_000_000;
/// Repetitions that answered requests may earn in advance.
const SAVED_MAX: u64 = 100 * ONE;
/// The time that free repetitions are counted by.
const MINUTE: Duration = Duration::from_secs(60);

/// How many repetitions there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryLimits {
    /// Repetitions as a share of the requests that were answered, from 0 to 1.
    pub share: Ppm,
    /// Repetitions a minute besides.
    pub per_minute: u32,
}

impl Default for RetryLimits {
    /// A tenth, and ten a minute.
    fn default() -> Self {
        Self {
            share: Ppm(100_000),
            per_minute: 10,
        }
    }
}

/// Counts answers and repetitions of what shares one budget.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    limits: RetryLimits,
    /// Earned by answers.
    saved: u64,
    /// Left of the free ones.
    free: u64,
    counted_at: Duration,
}

impl RetryBudget {
    /// A budget from which nothing was taken.
    #[must_use]
    pub const fn new(limits: RetryLimits) -> Self {
        Self {
            limits,
            saved: 0,
            free: limits.per_minute as u64 * ONE,
            counted_at: Duration::ZERO,
        }
    }

    /// A request was answered, whatever the answer is.
    pub fn answered(&mut self) {
        let earned = u64::try_from(self.limits.share.0).unwrap_or(0).min(ONE);
        self.saved = (self.saved + earned).min(SAVED_MAX);
    }

    /// Whether a request may be repeated at `now`. The repetition is counted if it may.
    pub fn take(&mut self, now: Duration) -> bool {
        self.refill(now);
        for left in [&mut self.free, &mut self.saved] {
            if *left >= ONE {
                *left -= ONE;
                return true;
            }
        }
        false
    }

    /// Free repetitions come back evenly over the minute.
    fn refill(&mut self, now: Duration) {
        let most = u64::from(self.limits.per_minute) * ONE;
        let passed = now.saturating_sub(self.counted_at).min(MINUTE);
        let back = u128::from(most) * passed.as_nanos() / MINUTE.as_nanos();
        // Less than a millionth of one stays uncounted, and so does its time.
        if back > 0 {
            self.free = (self.free + u64::try_from(back).unwrap_or(most)).min(most);
            self.counted_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Repetitions at one moment until there are none left.
    fn all_at(budget: &mut RetryBudget, now: Duration) -> usize {
        std::iter::repeat_with(|| budget.take(now))
            .take_while(|may| *may)
            .count()
    }

    #[test]
    fn l09_a_tenth_of_what_was_answered_and_ten_a_minute_may_be_repeated() {
        // Answered requests, share in millionths, free ones a minute; what may be repeated at once.
        let table = [
            (0, 100_000, 10, 10),
            (9, 100_000, 10, 10),
            (10, 100_000, 10, 11),
            (11, 100_000, 10, 11),
            (500, 100_000, 10, 60),
            (5_000, 100_000, 10, 110),
            (500, 0, 10, 10),
            (500, 100_000, 0, 50),
            (0, 100_000, 0, 0),
            (50, 1_000_000, 1, 51),
        ];
        for (answered, share, per_minute, wanted) in table {
            let share = Ppm(share);
            let mut budget = RetryBudget::new(RetryLimits { share, per_minute });
            (0..answered).for_each(|_| budget.answered());
            let case = (answered, share, per_minute);
            assert_eq!(all_at(&mut budget, secs(1_000)), wanted, "{case:?}");
            // A minute later only the free ones are back.
            let free = usize::try_from(per_minute).unwrap();
            assert_eq!(all_at(&mut budget, secs(1_060)), free, "{case:?}");
            assert_eq!(all_at(&mut budget, secs(1_090)), free / 2, "{case:?}");
        }
    }

    proptest! {
        #[test]
        fn l09_repetitions_never_exceed_their_share(steps in prop::collection::vec((0_u64..3, 0_u64..500), 1..600)) {
            let mut budget = RetryBudget::new(RetryLimits::default());
            let (mut now, mut answered, mut repeated) = (Duration::ZERO, 0, 0);
            for (kind, millis) in steps {
                now += Duration::from_millis(millis);
                if kind == 0 {
                    budget.answered();
                    answered += 1;
                } else {
                    repeated += u64::from(budget.take(now));
                }
            }
            let free = 10 + now.as_secs().div_ceil(6);
            prop_assert!(repeated <= answered / 10 + free, "{repeated} of {answered} and {free}");
        }
    }
}
