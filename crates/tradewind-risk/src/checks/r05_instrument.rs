//! R05: the instrument is traded by the venue and allowed to the bot. The list binds entries, the venue both.

use tradewind_model::InstrumentStatus;

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context, PositionEffect};

/// Denies an instrument that is not on the list or not traded now.
///
/// # Errors
/// [`DenyReason::NotAllowed`] or [`DenyReason::NotTrading`].
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    if candidate.purpose == PositionEffect::Entry && !context.allowed {
        return Err(DenyReason::NotAllowed);
    }
    let status = context.instrument.status;
    if status == InstrumentStatus::Trading {
        Ok(())
    } else {
        Err(DenyReason::NotTrading(status))
    }
}
