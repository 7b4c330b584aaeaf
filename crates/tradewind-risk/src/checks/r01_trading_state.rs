//! R01: the trading state. Applies to entries and exits.
//!
//! REDUCING and FLATTENING stop entries; HALTED and KILLED stop exits too.

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context, PositionEffect};

/// Denies what the state does not let pass.
///
/// # Errors
/// [`DenyReason::TradingState`].
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let passes = match candidate.purpose {
        PositionEffect::Entry => context.state.lets_enter(),
        PositionEffect::Exit => context.state.lets_exit(),
    };
    if passes {
        Ok(())
    } else {
        Err(DenyReason::TradingState(context.state))
    }
}
