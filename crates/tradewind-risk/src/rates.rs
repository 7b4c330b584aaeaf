//! A token bucket on the engine's clock.

use serde::{Deserialize, Serialize};
use tradewind_model::Timestamp;

use crate::limits::Rate;

/// How many orders may go now: a bucket that refills steadily up to its burst.
///
/// It holds no rate of its own, so a changed limit needs no change here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenBucket {
    /// When the bucket will be (or was) full again.
    full_at: Timestamp,
}

impl TokenBucket {
    /// Whether one more may go at `now`.
    #[must_use]
    pub fn has_room(&self, now: Timestamp, rate: &Rate) -> bool {
        let depth = Self::token(rate).saturating_mul(u64::from(rate.burst));
        let debt = u64::try_from(self.full_at.since(now).as_nanos()).unwrap_or(u64::MAX);
        rate.count > 0 && debt.saturating_add(Self::token(rate)) <= depth
    }

    /// Takes one out at `now`, whether or not there was room.
    pub fn take(&mut self, now: Timestamp, rate: &Rate) {
        self.full_at = self.full_at.max(now) + std::time::Duration::from_nanos(Self::token(rate));
    }

    /// Nanoseconds until one token has come back.
    fn token(rate: &Rate) -> u64 {
        u64::try_from(rate.per.as_nanos()).unwrap_or(u64::MAX) / u64::from(rate.count.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let rate = Rate {
            count: 2,
            per: Duration::from_secs(1),
            burst: 5,
        };
        let mut bucket = TokenBucket::default();
        let start = Timestamp::from_secs(1_000);
        for sent in 0..5 {
            assert!(bucket.has_room(start, &rate), "order {sent}");
            bucket.take(start, &rate);
        }
        assert!(!bucket.has_room(start, &rate));
        assert!(!bucket.has_room(start + Duration::from_millis(499), &rate));
        assert!(bucket.has_room(start + Duration::from_millis(500), &rate));
        let nothing = Rate { count: 0, ..rate };
        assert!(!TokenBucket::default().has_room(start, &nothing));
    }
}
