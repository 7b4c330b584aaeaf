//! R24: the venue's clock is known and the account's stream proved live. Entries only.

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry whose stamp may be wrong, or whose reports may not come.
///
/// # Errors
/// [`DenyReason::ClockUncertain`] or [`DenyReason::StreamNotProved`].
pub(crate) fn check(_: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let limit = required(
        context.limits.clock_uncertainty_max,
        LimitKey::ClockUncertaintyMax,
    )?;
    let uncertainty = context.account.clock_uncertainty.unwrap_or_default();
    if uncertainty > limit {
        return Err(DenyReason::ClockUncertain { uncertainty, limit });
    }
    if context.account.stream_proved {
        Ok(())
    } else {
        Err(DenyReason::StreamNotProved)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::DenyReason;
    use crate::checks::world::{World, exit_verdict, verdict};

    fn uncertain(millis: u64) -> impl Fn(&mut World) {
        move |w| w.account.clock_uncertainty = Some(Duration::from_millis(millis))
    }

    /// R24, T01
    #[test]
    fn an_uncertain_clock_or_stream_denies_entries_alone() {
        assert_eq!(verdict(uncertain(499)), None);
        assert_eq!(verdict(uncertain(500)), None);
        let denied = DenyReason::ClockUncertain {
            uncertainty: Duration::from_millis(501),
            limit: Duration::from_millis(500),
        };
        assert_eq!(verdict(uncertain(501)), Some(denied));
        let unproved = verdict(|w| w.account.stream_proved = false);
        assert_eq!(unproved, Some(DenyReason::StreamNotProved));
        assert_eq!(exit_verdict(uncertain(9_000)), None);
        assert_eq!(exit_verdict(|w| w.account.stream_proved = false), None);
    }
}
