//! How long to wait before the next attempt: doubling from 1 s to 60 s, with full jitter.
//!
//! `tradewind-venues` has one of its own; edges do not know each other, and eight lines are not worth a crate.

use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

const FIRST_MS: u64 = 1_000;
const CAP_MS: u64 = 60_000;

/// The waits between attempts.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    failures: u32,
    random: Xoshiro256PlusPlus,
}

impl Backoff {
    pub(crate) fn new(seed: u64) -> Self {
        let random = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self {
            failures: 0,
            random,
        }
    }

    /// The wait after one more failure; never below 100 ms, to limit requests to a failing server.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let ceiling = FIRST_MS
            .saturating_mul(1 << self.failures.min(6))
            .min(CAP_MS);
        self.failures = self.failures.saturating_add(1);
        Duration::from_millis((self.random.next_u64() % (ceiling + 1)).max(100))
    }

    /// Starts over.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last success.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_within_a_minute_and_start_over() {
        let mut backoff = Backoff::new(7);
        for failures in 0..200_u32 {
            let ceiling = (FIRST_MS << failures.min(6)).min(CAP_MS);
            let wait = backoff.next_wait();
            assert!((100..=ceiling).contains(&u64::try_from(wait.as_millis()).unwrap()));
        }
        backoff.reset();
        assert!(backoff.next_wait() <= Duration::from_secs(1));
    }
}
