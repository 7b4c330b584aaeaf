//! The exchange's clock: an origin plus real time passed, at some speed.
//!
//! The desk and the exchange embedded in it share one clock, so that recorded data plays at any speed and both still agree
//! on the time. Socket time-outs and shutdown do not use it: they count real time.

use std::time::{Duration, Instant, SystemTime};

use tradewind_model::{Ppm, Timestamp};

/// `origin + speed × time since it was started`. Clones run in step.
#[derive(Clone, Copy, Debug)]
pub struct SimClock {
    origin: Timestamp,
    speed: Ppm,
    started: Instant,
}

impl SimClock {
    /// A clock that shows `origin` now and runs at `speed` ([`Ppm::ONE`] is real time). A speed of zero or below stands still.
    #[must_use]
    pub fn new(origin: Timestamp, speed: Ppm) -> Self {
        Self {
            origin,
            speed,
            started: Instant::now(),
        }
    }

    /// The host's time at speed 1. It follows the monotonic clock from here on: a later correction of the host's time does
    /// not reach it.
    #[must_use]
    pub fn system() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self::new(Timestamp::EPOCH + since_epoch, Ppm::ONE)
    }

    /// What it shows now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.origin + scale(self.started.elapsed(), self.speed.0, Ppm::ONE.0)
    }

    /// What it showed when it was started.
    #[must_use]
    pub const fn origin(&self) -> Timestamp {
        self.origin
    }

    /// How fast it runs.
    #[must_use]
    pub const fn speed(&self) -> Ppm {
        self.speed
    }

    /// Real time until it shows `at`; zero when it already has, [`Duration::MAX`] when it never will.
    #[must_use]
    pub fn real_until(&self, at: Timestamp) -> Duration {
        scale(at.since(self.now()), Ppm::ONE.0, self.speed.0)
    }
}

/// `span` × `numerator` / `denominator`, saturating.
fn scale(span: Duration, numerator: i64, denominator: i64) -> Duration {
    if span.is_zero() {
        return span;
    }
    let (Ok(numerator), Ok(denominator)) = (u128::try_from(numerator), u128::try_from(denominator))
    else {
        return if numerator < 0 {
            Duration::ZERO
        } else {
            Duration::MAX
        };
    };
    if denominator == 0 {
        return Duration::MAX;
    }
    let nanos = span.as_nanos().saturating_mul(numerator) / denominator;
    u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_starts_at_its_origin_and_runs_at_its_speed() {
        let origin = Timestamp::from_secs(1_000);
        let clock = SimClock::new(origin, Ppm(10_000_000));
        assert!(clock.now() >= origin);
        let real = clock.real_until(origin + Duration::from_secs(100));
        assert!(
            real <= Duration::from_secs(10) && real > Duration::from_secs(9),
            "{real:?}"
        );
        assert_eq!(clock.real_until(origin), Duration::ZERO);
    }

    #[test]
    fn a_standing_clock_never_gets_there() {
        let clock = SimClock::new(Timestamp::from_secs(1_000), Ppm::ZERO);
        assert_eq!(clock.now(), Timestamp::from_secs(1_000));
        assert_eq!(clock.real_until(Timestamp::from_secs(1_001)), Duration::MAX);
    }
}
