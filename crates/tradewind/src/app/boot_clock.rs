//! The desk's clock on real prices: it counts the time during which the machine was suspended, too (T03).
//!
//! The monotonic clock of the system stands meanwhile. A desk on it would take a quote of eight hours ago for a new one.

use std::fmt;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tradewind_model::{Clock, Ppm, Timestamp};

/// An origin and the time since, by a clock of the machine that never stands.
pub(crate) struct BootClock<F = fn() -> Duration> {
    origin: Timestamp,
    started: Duration,
    since_boot: F,
}

impl BootClock {
    /// A clock that shows `origin` now.
    pub(crate) fn new(origin: Timestamp) -> Self {
        Self::on(origin, since_boot)
    }
}

impl<F: Fn() -> Duration> BootClock<F> {
    /// The same on another clock of the machine.
    fn on(origin: Timestamp, since_boot: F) -> Self {
        Self {
            origin,
            started: since_boot(),
            since_boot,
        }
    }
}

impl<F> fmt::Debug for BootClock<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BootClock")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl<F: Fn() -> Duration + Send + Sync + 'static> Clock for BootClock<F> {
    fn now(&self) -> Timestamp {
        self.origin + (self.since_boot)().saturating_sub(self.started)
    }

    fn real_until(&self, at: Timestamp) -> Duration {
        at.since(self.now())
    }

    fn speed(&self) -> Ppm {
        Ppm::ONE
    }
}

/// Time since the machine was started, suspended or not.
fn since_boot() -> Duration {
    let at = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(at.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(at.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// T03: what the machine's clock ran while nothing else did has passed for the desk.
    #[test]
    fn a_suspension_has_passed_when_it_is_over() {
        let seconds = Arc::new(AtomicU64::new(1_000));
        let read = Arc::clone(&seconds);
        let machine = move || Duration::from_secs(read.load(Ordering::Relaxed));
        let origin = Timestamp::from_secs(50_000);
        let clock = BootClock::on(origin, machine);
        assert_eq!(clock.now(), origin);
        let at = origin + Duration::from_secs(60);
        assert_eq!(clock.real_until(at), Duration::from_secs(60));
        seconds.fetch_add(8 * 3_600, Ordering::Relaxed);
        assert_eq!(clock.now(), origin + Duration::from_secs(8 * 3_600));
        assert_eq!(clock.real_until(at), Duration::ZERO);
    }

    #[test]
    fn the_machines_clock_runs() {
        let clock = BootClock::new(Timestamp::EPOCH);
        let first = clock.now();
        while clock.now() == first {}
        assert!(first.since(Timestamp::EPOCH) < Duration::from_secs(60));
    }
}
