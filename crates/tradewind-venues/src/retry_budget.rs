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
    /// Taken in advance.
    owed: u64,
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
            owed: 0,
            counted_at: Duration::ZERO,
        }
    }

    /// A request was answered, whatever the answer is.
    pub fn answered(&mut self) {
        let earned = u64::try_from(self.limits.share.0).unwrap_or(0).min(ONE);
        self.saved = (self.saved + earned).min(SAVED_MAX);
        self.pay();
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

    /// Counts a repetition that waits until there is one for it, behind those that wait already. Returns how long that is at most: what is
    /// answered meanwhile lets later ones wait less.
    pub fn reserve(&mut self, now: Duration) -> Duration {
        if self.take(now) {
            return Duration::ZERO;
        }
        self.owed += ONE;
        self.pay();
        let nanos = MINUTE.as_nanos() * u128::from(self.owed) / u128::from(self.waiting_rate());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Free repetitions come back evenly over the minute.
    fn refill(&mut self, now: Duration) {
        let most = u64::from(self.limits.per_minute) * ONE;
        let rate = if self.owed > 0 {
            self.waiting_rate()
        } else {
            most
        };
        let passed = now.saturating_sub(self.counted_at);
        let back = u128::from(rate) * passed.as_nanos() / MINUTE.as_nanos();
        // Less than a millionth of one stays uncounted, and so does its time.
        if back > 0 || rate == 0 {
            let back = u64::try_from(back).unwrap_or(u64::MAX);
            self.free = self.free.saturating_add(back);
            self.counted_at = now;
            self.pay();
            self.free = self.free.min(most);
        }
    }

    /// What was taken in advance is paid for before anything else is repeated.
    fn pay(&mut self) {
        for left in [&mut self.free, &mut self.saved] {
            let paid = self.owed.min(*left);
            *left -= paid;
            self.owed -= paid;
        }
    }

    /// What comes back in a minute for those that wait: one at least, or they would wait for ever.
    fn waiting_rate(&self) -> u64 {
        u64::from(self.limits.per_minute.max(1)) * ONE
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

    /// Each that waits has a repetition of its own: they come one after the other, and what is answered is theirs first.
    #[test]
    fn l09_what_waits_is_repeated_no_faster_than_repetitions_come_back() {
        for (per_minute, apart) in [(10, 6), (60, 1), (1, 60), (0, 60)] {
            let share = Ppm(100_000);
            let mut budget = RetryBudget::new(RetryLimits { share, per_minute });
            let mut now = secs(1_000);
            let free = usize::try_from(per_minute).unwrap();
            assert_eq!(all_at(&mut budget, now), free);
            for place in 1..=20 {
                assert_eq!(budget.reserve(now), secs(apart * place), "{per_minute}");
            }
            assert!(!budget.take(now + secs(apart)), "it is for one that waits");
            (0..50).for_each(|_| budget.answered());
            // Five are earned, and one came back.
            assert_eq!(budget.reserve(now + secs(apart)), secs(apart * 15));
            now += secs(apart * 16);
            assert_eq!(all_at(&mut budget, now), 0);
            now += secs(apart);
            assert_eq!(all_at(&mut budget, now), usize::from(per_minute > 0));
        }
    }

    proptest! {
        /// Some are taken, some wait for theirs; each that waits is counted at the time that was named.
        #[test]
        fn l09_repetitions_that_wait_are_within_their_share_too(steps in prop::collection::vec((0_u64..3, 0_u64..500), 1..600)) {
            let mut budget = RetryBudget::new(RetryLimits::default());
            let (mut now, mut answered, mut repeated) = (Duration::ZERO, 0, Vec::new());
            for (kind, millis) in steps {
                now += Duration::from_millis(millis);
                if kind == 0 {
                    budget.answered();
                    answered += 1;
                } else {
                    repeated.push(now + budget.reserve(now));
                }
            }
            repeated.sort_unstable();
            for (before, at) in repeated.iter().enumerate() {
                let free = 10 + at.as_secs().div_ceil(6);
                let before = u64::try_from(before).unwrap();
                prop_assert!(before <= answered / 10 + free, "{before} until {at:?} of {answered}");
            }
        }

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
