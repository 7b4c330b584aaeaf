//! R08: the value of one order, absolute and as a share of equity. Applies to entries.

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry worth more than one order may be.
///
/// # Errors
/// [`DenyReason::OrderValue`] with the tighter of the two limits, or the reason why the value is unknown.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    if candidate.purpose.reduces() {
        return Ok(());
    }
    let absolute = required(context.limits.order_value_max, LimitKey::OrderValueMax)?;
    let share = required(context.limits.order_equity_max, LimitKey::OrderEquityMax)?;
    let value = context.value(&candidate.terms, candidate.terms.quantity)?;
    let limit = absolute.min(context.equity.share(share).ok_or(DenyReason::Unpriced)?);
    if value <= limit {
        Ok(())
    } else {
        Err(DenyReason::OrderValue { value, limit })
    }
}
