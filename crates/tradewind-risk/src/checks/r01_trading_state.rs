//! R01: the trading state. Applies to every order; a protective stop passes where an exit does, except in FLATTENING.
//!
//! REDUCING and FLATTENING stop entries; HALTED and KILLED stop exits too. A circuit breaker that is half open lets one
//! entry pass and stops the others until its outcome is known.

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context, PositionEffect};
use crate::state::TradingState;

/// Denies what the state does not let pass.
///
/// # Errors
/// [`DenyReason::TradingState`] or [`DenyReason::ProbeOpen`].
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let passes = match candidate.purpose {
        PositionEffect::Entry => context.state.lets_enter(),
        PositionEffect::Exit => context.state.lets_exit(),
        // While everything is sold nothing is placed that waits.
        PositionEffect::Protect => {
            context.state.lets_exit() && context.state != TradingState::Flattening
        }
    };
    if !passes {
        return Err(DenyReason::TradingState(context.state));
    }
    if candidate.purpose == PositionEffect::Entry && context.account.probe_open {
        return Err(DenyReason::ProbeOpen);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::checks::world::{exit_verdict, stop_verdict, verdict};
    use crate::{DenyReason, TradingState};

    /// R01
    #[test]
    fn states_stop_entries_and_the_strict_ones_exits_too() {
        let cases = [
            (TradingState::Active, true, true, true),
            (TradingState::Reducing, false, true, true),
            (TradingState::Halted, false, false, false),
            (TradingState::Flattening, false, true, false),
            (TradingState::Killed, false, false, false),
        ];
        for (state, entry, exit, stop) in cases {
            let entered = verdict(|w| w.state = state);
            assert_eq!(entered.is_none(), entry, "entry in {state}");
            let left = exit_verdict(|w| w.state = state);
            assert_eq!(left.is_none(), exit, "exit in {state}");
            let protected = stop_verdict(|w| w.state = state);
            assert_eq!(protected.is_none(), stop, "stop in {state}");
        }
    }

    #[test]
    fn a_probe_on_its_way_stops_entries_alone() {
        let probing = verdict(|w| w.account.probe_open = true);
        assert_eq!(probing, Some(DenyReason::ProbeOpen));
        assert_eq!(exit_verdict(|w| w.account.probe_open = true), None);
    }
}
