//! R01: the trading state. Applies to every order; a protective stop passes where an exit does, except in FLATTENING.
//!
//! REDUCING and FLATTENING stop entries; HALTED and KILLED stop exits too.

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context, PositionEffect};
use crate::state::TradingState;

/// Denies what the state does not let pass.
///
/// # Errors
/// [`DenyReason::TradingState`].
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let passes = match candidate.purpose {
        PositionEffect::Entry => context.state.lets_enter(),
        PositionEffect::Exit => context.state.lets_exit(),
        // While everything is sold nothing is placed that waits.
        PositionEffect::Protect => {
            context.state.lets_exit() && context.state != TradingState::Flattening
        }
    };
    if passes {
        Ok(())
    } else {
        Err(DenyReason::TradingState(context.state))
    }
}
