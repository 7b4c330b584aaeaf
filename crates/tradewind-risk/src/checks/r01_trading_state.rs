//! R01: the trading state, for entries and exits.
//!
//! REDUCING and FLATTENING stop entries; HALTED and KILLED stop exits too. A circuit breaker that is half open lets one
//! entry pass and stops the others until its outcome is known.

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context, PositionEffect};

/// Denies what the state does not let pass.
///
/// # Errors
/// [`DenyReason::TradingState`] or [`DenyReason::ProbeOpen`].
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let is_entry = candidate.purpose == PositionEffect::Entry;
    let passes = if is_entry {
        context.state.lets_enter()
    } else {
        context.state.lets_exit()
    };
    if !passes {
        return Err(DenyReason::TradingState(context.state));
    }
    if is_entry && context.account.probe_open {
        return Err(DenyReason::ProbeOpen);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::checks::world::{exit_verdict, verdict};
    use crate::{DenyReason, TradingState};

    /// R01
    #[test]
    fn states_stop_entries_and_the_strict_ones_exits_too() {
        let cases = [
            (TradingState::Active, true, true),
            (TradingState::Reducing, false, true),
            (TradingState::Halted, false, false),
            (TradingState::Flattening, false, true),
            (TradingState::Killed, false, false),
        ];
        for (state, entry, exit) in cases {
            let entered = verdict(|w| w.state = state);
            assert_eq!(entered.is_none(), entry, "entry in {state}");
            let left = exit_verdict(|w| w.state = state);
            assert_eq!(left.is_none(), exit, "exit in {state}");
        }
    }

    #[test]
    fn a_probe_on_its_way_stops_entries_alone() {
        let probing = verdict(|w| w.account.probe_open = true);
        assert_eq!(probing, Some(DenyReason::ProbeOpen));
        assert_eq!(exit_verdict(|w| w.account.probe_open = true), None);
    }
}
