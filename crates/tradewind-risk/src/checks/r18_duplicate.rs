//! R18: the same order again within a moment. Entries and exits; slices and re-placements are none.

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context, PositionEffect};
use crate::limits::LimitKey;

/// Denies an order equal to one let through within the window.
///
/// # Errors
/// [`DenyReason::Duplicate`] with the earlier order's id.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    if candidate.continues {
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

#[cfg(test)]
mod tests {
    use tradewind_model::{ClientOrderId, OrderTerms, Quantity, Timestamp};

    use crate::DenyReason;
    use crate::checks::world::{World, exit_verdict, stop_verdict, verdict};

    fn sent(millis: i64) -> impl Fn(&mut World) {
        move |w| {
            let earlier = OrderTerms {
                client_id: ClientOrderId(7),
                ..w.candidate.terms
            };
            w.recent.note(Timestamp::from_millis(millis), &earlier);
        }
    }

    /// R18
    #[test]
    fn an_equal_order_is_a_duplicate_only_within_the_window() {
        // It is 1,000.000 s now and the window is a second.
        let duplicate = Some(DenyReason::Duplicate(ClientOrderId(7)));
        assert_eq!(verdict(sent(999_001)), duplicate);
        assert_eq!(verdict(sent(999_000)), None);
        assert_eq!(verdict(sent(998_999)), None);
        assert_eq!(exit_verdict(sent(999_001)), duplicate);
        let other = verdict(|w| {
            sent(999_001)(w);
            w.candidate.terms.quantity = Quantity(999);
        });
        assert_eq!(other, None);
    }

    #[test]
    fn the_next_slice_is_no_duplicate() {
        let slice = exit_verdict(|w| {
            sent(999_999)(w);
            w.candidate.continues = true;
        });
        assert_eq!(slice, None);
    }
    /// R18
    #[test]
    fn a_stop_is_no_duplicate_of_the_one_it_replaces() {
        assert_eq!(stop_verdict(sent(999_999)), None);
    }
}
