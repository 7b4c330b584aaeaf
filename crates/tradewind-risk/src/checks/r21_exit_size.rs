//! R21: an exit is on the other side of its position, no larger than it, and the only one on its way. A protective stop
//! and what works beside it are together no larger than the positions it covers.
//!
//! This is what makes it safe to let exits pass where entries are refused.

use tradewind_model::Quantity;

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context, PositionEffect};

/// Denies an exit that would open or turn a position, or comes beside another, and a stop that could turn a position.
///
/// # Errors
/// [`DenyReason::ExitTooLarge`] or [`DenyReason::ExitInFlight`].
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let (terms, position) = (&candidate.terms, context.position);
    let is_stop = candidate.purpose == PositionEffect::Protect;
    let beside = if is_stop {
        context.working
    } else {
        Quantity::ZERO
    };
    let sold = i128::from(terms.quantity.0) + i128::from(beside.0);
    let is_against = position.0.signum() == terms.side.opposite().signed(terms.quantity).0.signum();
    if !is_against || sold > i128::from(position.0).abs() {
        return Err(DenyReason::ExitTooLarge);
    }
    if is_stop || context.working.is_zero() {
        Ok(())
    } else {
        Err(DenyReason::ExitInFlight)
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::Quantity;

    use crate::DenyReason;
    use crate::checks::world::{exit_verdict, stop_verdict};

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
    /// R21
    #[test]
    fn a_stop_and_what_works_beside_it_are_no_larger_than_the_position() {
        let beside = |working: i64| {
            stop_verdict(|w| {
                w.candidate.terms.quantity = Quantity(600);
                w.working = Quantity(working);
            })
        };
        assert_eq!(beside(0), None);
        assert_eq!(beside(400), None);
        assert_eq!(beside(401), Some(DenyReason::ExitTooLarge));
        let short = stop_verdict(|w| w.position = Quantity(-1_000));
        assert_eq!(short, Some(DenyReason::ExitTooLarge));
    }
}
