//! R06 and R07: tick, step, quantity range and least value, exactly as the venue has them. Applies to both.
//!
//! Nothing is rounded here: the sizer cuts down to the step beforehand, an exit too.

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};

/// Denies what the venue would refuse by its filters.
///
/// # Errors
/// [`DenyReason::Filter`] with the rule that would be broken.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let terms = &candidate.terms;
    let quoted = context.quote.map(|quote| quote.opposite_side(terms.side));
    let (limit, trigger) = (terms.kind.limit(), terms.kind.trigger());
    let price = trigger.map_or(Ok(()), |price| context.instrument.check_price(price));
    price
        .and_then(|()| {
            context
                .instrument
                .check(terms.quantity, limit, trigger.or(quoted))
        })
        .map_err(DenyReason::Filter)
}
