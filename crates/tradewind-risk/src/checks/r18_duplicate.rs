//! R18: the same order again within a moment. Applies to entries and exits.

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context, PositionEffect};
use crate::limits::LimitKey;

/// Denies an order equal to one let through within the window.
///
/// # Errors
/// [`DenyReason::Duplicate`] with the earlier order's id.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    // A stop that takes the place of another often has its terms.
    if candidate.purpose == PositionEffect::Protect {
        return Ok(());
    }
    let window = match required(context.limits.duplicate_window, LimitKey::DuplicateWindow) {
        Ok(window) => window,
        // A missing limit refuses entries only: nothing may stand between a position and its exit.
        Err(_) if candidate.purpose == PositionEffect::Exit => return Ok(()),
        Err(reason) => return Err(reason),
    };
    match context
        .recent
        .equal_since(context.now - window, &candidate.terms)
    {
        Some(earlier) => Err(DenyReason::Duplicate(earlier)),
        None => Ok(()),
    }
}
