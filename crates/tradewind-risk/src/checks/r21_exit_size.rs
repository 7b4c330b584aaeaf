//! R21: an exit is on the other side of its position, no larger than it, and the only one on its way. Exits only.
//!
//! This is what makes it safe to let exits pass where entries are refused.

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};

/// Denies an exit that would open or turn a position, or comes beside another.
///
/// # Errors
/// [`DenyReason::ExitTooLarge`] or [`DenyReason::ExitInFlight`].
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let terms = &candidate.terms;
    let against = terms.side.opposite().signed(terms.quantity);
    let position = context.position;
    let fits = position.0.signum() == against.0.signum() && against.abs() <= position.abs();
    if !fits {
        return Err(DenyReason::ExitTooLarge);
    }
    if context.working.is_zero() {
        Ok(())
    } else {
        Err(DenyReason::ExitInFlight)
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::Quantity;

    use crate::DenyReason;
    use crate::checks::world::exit_verdict;

    /// R21
    #[test]
    fn an_exit_never_turns_a_position_and_goes_alone() {
        let holding = |position: i64| exit_verdict(|w| w.position = Quantity(position));
        assert_eq!(holding(1_001), None);
        assert_eq!(holding(1_000), None);
        assert_eq!(holding(999), Some(DenyReason::ExitTooLarge));
        assert_eq!(holding(-1_000), Some(DenyReason::ExitTooLarge));
        assert_eq!(holding(0), Some(DenyReason::ExitTooLarge));
        let second = exit_verdict(|w| {
            w.position = Quantity(5_000);
            w.working = Quantity(1);
        });
        assert_eq!(second, Some(DenyReason::ExitInFlight));
    }
}
