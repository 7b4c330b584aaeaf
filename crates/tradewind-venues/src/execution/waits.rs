//! The executor's periods, and how often a reading is tried.

use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use tradewind_model::{Ppm, Timestamp};

use crate::error::VenueError;
use crate::retry_budget::{RetryBudget, RetryLimits};

/// Tries of a reading before it is given up.
const READS_MAX: u32 = 5;

/// The executor's periods, on the clock that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Between two queries of one order, and before a reading of the account starts again after an error.
    pub query_gap: Duration,
    /// How long a cancel waits for its order's answer.
    pub cancel_patience: Duration,
    /// Between two attempts to send orders that wait for the rate.
    pub queue_look: Duration,
    /// Between two readings of an account that changed under the first.
    pub stand_still: Duration,
    /// Before a failed reading is tried again; twice as long each further time.
    pub retry_first: Duration,
    /// Before a failed reading of the account is tried again while too much is repeated already (L09).
    pub retry_refused: Duration,
    /// Longest a venue may take to answer an order, a cancel or a query. Its own time-outs are shorter.
    pub answer_within: Duration,
    /// Longest a venue may take for a reading, which may be of many pages.
    pub reading_within: Duration,
    /// How fast the clock runs.
    speed: Ppm,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            query_gap: Duration::from_secs(2),
            cancel_patience: Duration::from_secs(2),
            queue_look: Duration::from_millis(50),
            stand_still: Duration::from_millis(250),
            retry_first: Duration::from_millis(500),
            retry_refused: Duration::from_secs(10),
            answer_within: Duration::from_secs(120),
            reading_within: Duration::from_secs(600),
            speed: Ppm::ONE,
        }
    }
}

impl Waits {
    /// The same real time on a clock that runs at `speed`: sockets do not get faster with it.
    #[must_use]
    pub fn at_speed(self, speed: Ppm) -> Self {
        let scale = |span| scaled(span, speed);
        Self {
            query_gap: scale(self.query_gap),
            cancel_patience: scale(self.cancel_patience),
            queue_look: scale(self.queue_look),
            stand_still: scale(self.stand_still),
            retry_first: scale(self.retry_first),
            retry_refused: scale(self.retry_refused),
            answer_within: scale(self.answer_within),
            reading_within: scale(self.reading_within),
            speed,
        }
    }

    /// A real time on this clock.
    pub(super) fn of_real(&self, span: Duration) -> Duration {
        scaled(span, self.speed)
    }
}

fn scaled(span: Duration, speed: Ppm) -> Duration {
    let millionths = u32::try_from(speed.0.max(1)).unwrap_or(u32::MAX);
    span.saturating_mul(millionths) / 1_000_000
}

/// What a reading is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// The state of the account, of which one reading runs at a time: nothing trades before it is known.
    Account,
    /// Past candles, of which there may be thousands.
    Candles,
}

/// How the readings of one executor are repeated: ever later, each a little apart from the others, and no more often than the venue is
/// to bear after an outage (L09).
#[derive(Debug)]
pub(super) struct Retries {
    budget: RetryBudget,
    random: Xoshiro256PlusPlus,
    first: Duration,
    refused: Duration,
}

impl Retries {
    pub(super) fn new(limits: RetryLimits, waits: &Waits, seed: u64) -> Self {
        Self {
            budget: RetryBudget::new(limits),
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            first: waits.retry_first,
            refused: waits.retry_refused,
        }
    }

    /// A request was answered.
    pub(super) fn answered(&mut self) {
        self.budget.answered();
    }

    /// How long to wait before a reading that failed is tried again; `None` if it is not.
    pub(super) fn after(
        &mut self,
        (retry, urgency): (&mut Retry, Urgency),
        error: &VenueError,
        now: Timestamp,
    ) -> Option<Duration> {
        let wait = retry.after(error, self.first)?;
        let now = now.since(Timestamp::EPOCH);
        let until_allowed = match urgency {
            // Each waits for a repetition of its own.
            Urgency::Candles => self.budget.reserve(now),
            Urgency::Account if self.budget.take(now) => Duration::ZERO,
            Urgency::Account => return Some(self.spread(self.refused.max(wait))),
        };
        Some(until_allowed + self.spread(wait))
    }

    /// How long to wait before a reading of the account that was given up starts over, `pause` at least.
    pub(super) fn start_over(&mut self, pause: Duration, now: Timestamp) -> Duration {
        match self.budget.take(now.since(Timestamp::EPOCH)) {
            true => pause,
            false => pause.max(self.spread(self.refused)),
        }
    }

    /// Something between half of a wait and all of it.
    fn spread(&mut self, wait: Duration) -> Duration {
        let half = wait / 2;
        let nanos = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
        let part = (u128::from(self.random.next_u64()) * (u128::from(nanos) + 1)) >> 64;
        half + Duration::from_nanos(u64::try_from(part).unwrap_or(nanos))
    }
}

/// Counts the failures of one reading.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retry {
    failed: u32,
}

impl Retry {
    /// How long to wait before the next try; `None` if there is to be none.
    pub(super) fn after(&mut self, error: &VenueError, first: Duration) -> Option<Duration> {
        self.failed += 1;
        let again = error.is_transient() && self.failed < READS_MAX;
        again.then(|| first * 2_u32.pow(self.failed - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_five_times_and_what_may_not_once() {
        let first = Duration::from_millis(500);
        let (mut retry, lost) = (Retry::default(), VenueError::Connection("lost".to_owned()));
        let waits: Vec<_> = (0..5).map(|_| retry.after(&lost, first)).collect();
        let wanted = [500, 1_000, 2_000, 4_000].map(|millis| Some(Duration::from_millis(millis)));
        assert_eq!((&waits[..4], waits[4]), (&wanted[..], None));
        let ours = VenueError::Ours("no such instrument".to_owned());
        assert_eq!(Retry::default().after(&ours, first), None);
    }

    /// L09: accounts whose readings fail at one moment are not tried again at one moment, nor all of them soon.
    #[test]
    fn readings_are_spread_and_wait_longer_once_too_many_are_repeated() {
        let (waits, lost) = (Waits::default(), VenueError::Connection("lost".to_owned()));
        let limits = RetryLimits {
            share: Ppm(500_000),
            per_minute: 3,
        };
        let mut retries = Retries::new(limits, &waits, 7);
        let fail = |retries: &mut Retries| {
            let failed = (&mut Retry::default(), Urgency::Account);
            let wait = retries.after(failed, &lost, Timestamp::from_secs(9));
            wait.expect("it may pass").as_millis()
        };
        let soon: Vec<_> = (0..3).map(|_| fail(&mut retries)).collect();
        assert!(
            soon.iter().all(|wait| (250..=500).contains(wait)),
            "{soon:?}"
        );
        assert!(soon[0] != soon[1] && soon[1] != soon[2], "{soon:?}");
        assert!((5_000..=10_000).contains(&fail(&mut retries)));
        (0..2).for_each(|_| retries.answered());
        assert!((250..=500).contains(&fail(&mut retries)));
        assert!((5_000..=10_000).contains(&fail(&mut retries)));
        // Three a minute: each candle read waits for one of its own.
        for place in 1..=5 {
            let failed = (&mut Retry::default(), Urgency::Candles);
            let wait = retries.after(failed, &lost, Timestamp::from_secs(9));
            let wait = wait.expect("it may pass").as_millis();
            let least = 20_000 * place + 250;
            assert!((least..=least + 250).contains(&wait), "{wait} of {place}");
        }
        let other = Retries::new(limits, &waits, 8).spread(waits.retry_first);
        assert_ne!(
            other.as_millis(),
            soon[0],
            "another account waits another time"
        );
    }

    #[test]
    fn a_faster_clock_has_longer_periods() {
        let real = Waits::default();
        assert_eq!(real.at_speed(Ppm::ONE), real);
        assert_eq!(
            real.at_speed(Ppm(60_000_000)).query_gap,
            real.query_gap * 60
        );
        let minute = Duration::from_secs(60);
        assert_eq!(real.of_real(minute), minute);
        assert_eq!(real.at_speed(Ppm(60_000_000)).of_real(minute), minute * 60);
    }
}
