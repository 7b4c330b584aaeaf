//! Desk time that runs faster than real time: the clock of the generated market, and deadlines that sockets can keep.
//!
//! Durations of the configuration are desk time. What the desk waits for is done in real time, by sockets and threads. So a
//! deadline of the desk is never under 250 ms of real time, however fast its clock runs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tradewind_events::Configuration;
use tradewind_model::{Clock as _, DeskClock, OrderPolicy, Ppm};
use tradewind_simx_server::saved_position;

/// The least real time of a deadline.
const REAL_MIN: Duration = Duration::from_millis(250);
/// Marks a data folder whose market ran faster than real time, so that its clock may be ahead of the host's.
const MARKER: &str = "fast-clock";

/// A clock for the generated market of a data folder. It shows the host's time, or where an earlier run at a higher speed
/// stopped, if that is later.
///
/// # Errors
/// The folder cannot be written, or what the exchange kept there is damaged.
pub(crate) fn generated_clock(data_dir: Option<&Path>, speed: Ppm) -> anyhow::Result<DeskClock> {
    let system = DeskClock::system();
    let Some(data_dir) = data_dir else {
        return Ok(DeskClock::new(system.now(), speed));
    };
    let marker = data_dir.join(MARKER);
    if speed > Ppm::ONE {
        let context = || format!("writing {}", marker.display());
        fs::create_dir_all(data_dir).with_context(context)?;
        fs::write(&marker, "desk time may be ahead of this machine's\n").with_context(context)?;
    }
    if speed == Ppm::ONE && !marker.exists() {
        return Ok(system);
    }
    let origin = match saved_position(data_dir)? {
        Some(saved) => saved.max(system.now()),
        None => system.now(),
    };
    Ok(DeskClock::new(origin, speed))
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
    use tempfile::TempDir;
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
    fn a_folder_that_ran_fast_is_remembered() {
        let folder = TempDir::new().unwrap();
        let before = DeskClock::system().now();
        let clock = generated_clock(Some(folder.path()), Ppm::ONE).unwrap();
        assert!(clock.now() >= before && !folder.path().join(MARKER).exists());
        let clock = generated_clock(Some(folder.path()), Ppm(60_000_000)).unwrap();
        assert_eq!(clock.speed(), Ppm(60_000_000));
        assert!(folder.path().join(MARKER).exists());
    }
}
