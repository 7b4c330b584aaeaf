//! R21: an exit or a protective stop is on the other side of its position and no larger. Applies to both.
//!
//! This is what makes it safe to let exits pass where entries are refused.

use tradewind_model::Quantity;

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context, PositionEffect};

/// Denies an exit that would open or turn a position.
///
/// # Errors
/// [`DenyReason::ExitTooLarge`].
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    if candidate.purpose == PositionEffect::Entry {
        return Ok(());
    }
    let closing = Quantity(candidate.terms.quantity.0.saturating_add(context.working.0));
    let against = candidate.terms.side.opposite().signed(closing);
    let position = context.position;
    let fits = position.0.signum() == against.0.signum() && against.abs() <= position.abs();
    if fits {
        Ok(())
    } else {
        Err(DenyReason::ExitTooLarge)
    }
}
