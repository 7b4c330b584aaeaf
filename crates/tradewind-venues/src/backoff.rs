//! How long to wait before the next attempt: doubling, capped, with full jitter from a seeded generator.
//!
//! Full jitter (any wait between nothing and the ceiling) spreads many clients best after a common failure; see
//! "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// The waits between attempts.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    failures: u32,
    random: Xoshiro256PlusPlus,
}

impl Backoff {
    /// Ceilings of `first`, twice that, and so on up to `cap`.
    #[must_use]
    pub fn new(first: Duration, cap: Duration, seed: u64) -> Self {
        Self {
            first,
            cap,
            failures: 0,
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }

    /// The wait after one more failure: anything from zero to the ceiling.
    pub fn next_wait(&mut self) -> Duration {
        let ceiling = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        let nanos = u64::try_from(ceiling.as_nanos()).unwrap_or(u64::MAX);
        // The high half of a 128-bit product is uniform enough: its bias is below 2^-27 for a minute of nanoseconds.
        let part = (u128::from(self.random.next_u64()) * (u128::from(nanos) + 1)) >> 64;
        Duration::from_nanos(u64::try_from(part).unwrap_or(nanos))
    }

    /// Starts over.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// The longest the next wait can be.
    #[must_use]
    pub fn ceiling(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.cap)
    }

    /// Failures since the last reset.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn ceilings_double_from_one_second_to_sixty() {
        let mut backoff = Backoff::new(SECOND, 60 * SECOND, 7);
        let ceilings: Vec<u64> = (0..9)
            .map(|_| {
                let ceiling = backoff.ceiling();
                backoff.next_wait();
                ceiling.as_secs()
            })
            .collect();
        assert_eq!(ceilings, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        backoff.reset();
        assert_eq!(backoff.ceiling(), SECOND);
    }

    #[test]
    fn many_failures_do_not_overflow() {
        let mut backoff = Backoff::new(SECOND, 60 * SECOND, 7);
        for _ in 0..200 {
            assert!(backoff.next_wait() <= 60 * SECOND);
        }
    }

    proptest! {
        #[test]
        fn a_wait_is_within_its_ceiling_and_a_seed_repeats_it(seed: u64) {
            let mut one = Backoff::new(SECOND, 60 * SECOND, seed);
            let mut two = one.clone();
            for _ in 0..12 {
                let ceiling = one.ceiling();
                let wait = one.next_wait();
                prop_assert!(wait <= ceiling);
                prop_assert_eq!(wait, two.next_wait());
            }
        }
    }

    #[test]
    fn jitter_fills_the_whole_range() {
        let waits = (0..1_000).map(|seed| Backoff::new(SECOND, SECOND, seed).next_wait());
        let tenths: std::collections::BTreeSet<u128> =
            waits.map(|wait| wait.as_millis() / 100).collect();
        assert_eq!(tenths.len(), 10);
    }
}
