//! R13: the position an instrument could reach if all that works on this side filled. Applies to entries.

use tradewind_model::Quantity;

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry that could make the position too large.
///
/// # Errors
/// [`DenyReason::Position`] with the worst case and the limit.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let share = required(
        context.limits.position_equity_max,
        LimitKey::PositionEquityMax,
    )?;
    let terms = &candidate.terms;
    let added = terms
        .side
        .signed(Quantity(terms.quantity.0.saturating_add(context.working.0)));
    let worst = Quantity(context.position.0.saturating_add(added.0)).abs();
    let value = context.value(terms, worst)?;
    let limit = context.equity.share(share).ok_or(DenyReason::Unpriced)?;
    if value <= limit {
        Ok(())
    } else {
        Err(DenyReason::Position { value, limit })
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::{Ppm, Quantity};

    use crate::DenyReason;
    use crate::checks::world::{World, verdict};

    /// R13
    #[test]
    fn what_works_on_the_same_side_counts() {
        let share = |position: i64, working: i64| {
            move |w: &mut World| {
                w.limits.position_equity_max = Some(Ppm(30_006));
                w.position = Quantity(position);
                w.working = Quantity(working);
            }
        };
        assert_eq!(verdict(share(1_000, 999)), None);
        assert_eq!(verdict(share(1_000, 1_000)), None);
        let denied = verdict(share(1_000, 1_001));
        assert!(matches!(denied, Some(DenyReason::Position { .. })));
        assert_eq!(verdict(share(-1_500, 0)), None);
    }
}
