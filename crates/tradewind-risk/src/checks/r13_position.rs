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
    if candidate.purpose.reduces() {
        return Ok(());
    }
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
