//! Desk time that runs faster than real time: the clock of the generated market, and deadlines that sockets can keep.
//!
//! Durations of the configuration are desk time. What the desk waits for is done in real time, by sockets and threads. So a
//! deadline of the desk is never under 250 ms of real time, however fast its clock runs.

use std::time::Duration;

use tradewind_events::Configuration;
use tradewind_model::{Clock as _, DeskClock, OrderPolicy, Ppm, Timestamp};

/// The least real time of a deadline.
const REAL_MIN: Duration = Duration::from_millis(250);
/// A host's clock that is behind the last record by more than this is worth a line.
const NOTEWORTHY: Duration = Duration::from_secs(1);

/// A clock that shows the host's time, or `last` if that is later: where an earlier run stopped. Time that was recorded never
/// comes again, so that a host's clock that was set back makes no timer wait.
pub(crate) fn clock_after(last: Timestamp, speed: Ppm) -> DeskClock {
    DeskClock::new(origin_after(last, speed), speed)
}

/// The host's time, or `last` if that is later.
pub(crate) fn origin_after(last: Timestamp, speed: Ppm) -> Timestamp {
    let host = DeskClock::system().now();
    let ahead = last.since(host);
    if speed == Ppm::ONE && ahead > NOTEWORTHY {
        tracing::warn!(
            seconds = ahead.as_secs(),
            "The last record of this folder is ahead of this host's clock. Times continue from it, and stay ahead until the desk was down for as long. Set the host's clock if it is wrong."
        );
    }
    host.max(last)
}

/// The least desk time of a deadline on a clock that runs at `speed`.
pub(crate) fn deadline_min(speed: Ppm) -> Duration {
    if speed <= Ppm::ONE {
        return Duration::ZERO;
    }
    let millionths = u32::try_from(speed.0).unwrap_or(u32::MAX);
    REAL_MIN.saturating_mul(millionths) / 1_000_000
}

/// Real time of a duration of the desk.
pub(crate) fn real(span: Duration, speed: Ppm) -> Duration {
    if speed <= Ppm::ZERO {
        return span;
    }
    let millionths = u32::try_from(speed.0).unwrap_or(u32::MAX);
    span.saturating_mul(1_000_000) / millionths
}

/// Lengthens the deadlines of a configuration that would be too short on a clock that runs at `speed`.
pub(crate) fn keep_deadlines(configuration: &mut Configuration, speed: Ppm) {
    let least = deadline_min(speed);
    if least.is_zero() {
        return;
    }
    configuration.deadline_min = least;
    let limits = &mut configuration.limits;
    for deadline in [
        &mut limits.reconcile_within,
        &mut limits.intent_ttl_quote,
        &mut limits.intent_ttl_candle,
        &mut limits.clock_uncertainty_max,
    ] {
        *deadline = deadline.map(|set| set.max(least));
    }
    configuration.stale_after = configuration.stale_after.max(least);
    for bot in &mut configuration.bots {
        if let OrderPolicy::Limit(limit) = &mut bot.policy {
            limit.timeout = limit.timeout.map(|set| set.max(least));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{LimitPolicy, OnTimeout};
    use tradewind_testkit::{bot, configuration};

    #[test]
    fn no_deadline_is_under_250_ms_of_real_time() {
        let mut configuration = configuration();
        configuration.limits.intent_ttl_quote = Some(Duration::from_secs(2));
        configuration.limits.intent_ttl_candle = Some(Duration::from_secs(20));
        configuration.stale_after = Duration::from_secs(10);
        configuration.bots = vec![bot(0)];
        configuration.bots[0].policy = OrderPolicy::Limit(LimitPolicy {
            offset: Ppm::ZERO,
            post_only: false,
            timeout: Some(Duration::from_secs(1)),
            chases: 0,
            then: OnTimeout::Cancel,
            own_price: false,
        });
        let real_time = configuration.clone();
        keep_deadlines(&mut configuration, Ppm::ONE);
        assert_eq!(configuration, real_time);
        keep_deadlines(&mut configuration, Ppm(60_000_000));
        let limits = &configuration.limits;
        assert_eq!(limits.intent_ttl_quote, Some(Duration::from_secs(15)));
        assert_eq!(limits.intent_ttl_candle, Some(Duration::from_secs(20)));
        assert_eq!(configuration.stale_after, Duration::from_secs(15));
        assert_eq!(configuration.deadline_min, Duration::from_secs(15));
        let OrderPolicy::Limit(limit) = configuration.bots[0].policy else {
            unreachable!("it was set above");
        };
        assert_eq!(limit.timeout, Some(Duration::from_secs(15)));
        assert_eq!(
            real(configuration.stale_after, Ppm(60_000_000)),
            Duration::from_millis(250)
        );
    }

    #[test]
    fn a_clock_never_shows_less_than_what_was_recorded() {
        let before = DeskClock::system().now();
        let clock = clock_after(Timestamp::EPOCH, Ppm::ONE);
        assert!(clock.now() >= before && clock.now() < before + Duration::from_secs(60));
        let recorded = before + Duration::from_secs(3_600);
        let clock = clock_after(recorded, Ppm(60_000_000));
        assert!(clock.now() >= recorded);
        assert_eq!(clock.speed(), Ppm(60_000_000));
    }
}
