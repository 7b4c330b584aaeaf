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
    let reference = context.quote.map(|quote| quote.opposite_side(terms.side));
    context
        .instrument
        .check(terms.quantity, terms.kind.limit(), reference)
        .map_err(DenyReason::Filter)
}
