//! The desk's time, handed in wherever it is needed.
//!
//! [`DeskClock`] runs: an origin plus real time passed, at some speed. [`ManualClock`] stands until it is moved: backtests,
//! simulations and tests move it from event to event. The desk and the exchange embedded in it share one clock, so that
//! recorded data plays at any speed and both still agree on the time. Socket time-outs and shutdown count real time.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::number::Ppm;
use crate::time::Timestamp;

/// Shows the desk's time. Code that needs the time gets one of these and reads no other clock.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Real time until it shows `at`: zero if it already does, [`Duration::MAX`] if it never will by itself.
    fn real_until(&self, at: Timestamp) -> Duration;

    /// How fast it runs; [`Ppm::ONE`] is real time.
    fn speed(&self) -> Ppm;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    #[inline]
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn real_until(&self, at: Timestamp) -> Duration {
        (**self).real_until(at)
    }

    fn speed(&self) -> Ppm {
        (**self).speed()
    }
}

/// `origin + speed × time since it was started`. Copies run in step.
#[derive(Clone, Copy, Debug)]
pub struct DeskClock {
    origin: Timestamp,
    speed: Ppm,
    started: Instant,
}

impl DeskClock {
    /// A clock that shows `origin` now and runs at `speed` ([`Ppm::ONE`] is real time). At zero or below it stops.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one clock of the desk: an edge starts it, the core is only handed what it shows"
    )]
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
    #[expect(
        clippy::disallowed_methods,
        reason = "the one clock of the desk: an edge starts it, the core is only handed what it shows"
    )]
    pub fn system() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self::new(Timestamp::EPOCH + since_epoch, Ppm::ONE)
    }
}

impl Clock for DeskClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one clock of the desk: an edge starts it, the core is only handed what it shows"
    )]
    fn now(&self) -> Timestamp {
        self.origin + scale(self.started.elapsed(), self.speed.0, Ppm::ONE.0)
    }

    fn real_until(&self, at: Timestamp) -> Duration {
        scale(at.since(self.now()), Ppm::ONE.0, self.speed.0)
    }

    fn speed(&self) -> Ppm {
        self.speed
    }
}

/// A clock that stands until its driver moves it, and never goes back. Others may read it at any time.
#[derive(Debug, Default)]
pub struct ManualClock {
    nanos: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self {
            nanos: AtomicI64::new(now.as_nanos()),
        }
    }

    /// Moves it forward to `at`; one that shows a later time stays.
    #[inline]
    pub fn advance_to(&self, at: Timestamp) {
        if at > self.now() {
            self.nanos.store(at.as_nanos(), Ordering::Relaxed);
        }
    }

    /// Moves it forward by `span`.
    pub fn advance(&self, span: Duration) {
        self.advance_to(self.now() + span);
    }
}

impl Clock for ManualClock {
    #[inline]
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    fn real_until(&self, at: Timestamp) -> Duration {
        if at > self.now() {
            Duration::MAX
        } else {
            Duration::ZERO
        }
    }

    fn speed(&self) -> Ppm {
        Ppm::ZERO
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
        let clock = DeskClock::new(origin, Ppm(10_000_000));
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
        let at = Timestamp::from_secs;
        let standing = DeskClock::new(at(1_000), Ppm::ZERO);
        let clocks: [&dyn Clock; 2] = [&standing, &ManualClock::new(at(1_000))];
        for clock in clocks {
            assert_eq!(clock.now(), at(1_000));
            assert_eq!(clock.real_until(at(1_000)), Duration::ZERO);
            assert_eq!(clock.real_until(at(1_001)), Duration::MAX);
        }
    }

    #[test]
    fn a_manual_clock_moves_forward_and_never_back() {
        let at = Timestamp::from_secs;
        let clock = ManualClock::new(at(10));
        clock.advance_to(at(20));
        clock.advance_to(at(15));
        assert_eq!(clock.now(), at(20));
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), at(21));
    }
}
