//! R05: the instrument is traded by the venue and allowed to the bot. The list binds entries, the venue both.

use tradewind_model::InstrumentStatus;
use tradewind_model::mutation::{Mutation, is_on};

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
    if status == InstrumentStatus::Trading || is_on(Mutation::HaltIgnored) {
        Ok(())
    } else {
        Err(DenyReason::NotTrading(status))
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::InstrumentStatus;

    use crate::DenyReason;
    use crate::checks::world::{exit_verdict, verdict};

    /// R05
    #[test]
    fn an_unlisted_instrument_denies_entries_and_one_that_is_not_traded_both() {
        assert_eq!(verdict(|w| w.allowed = false), Some(DenyReason::NotAllowed));
        assert_eq!(exit_verdict(|w| w.allowed = false), None);
        for status in [
            InstrumentStatus::Halted,
            InstrumentStatus::CancelOnly,
            InstrumentStatus::NoData,
            InstrumentStatus::PricesOnly,
        ] {
            let refused = Some(DenyReason::NotTrading(status));
            assert_eq!(verdict(|w| w.instrument.status = status), refused);
            assert_eq!(exit_verdict(|w| w.instrument.status = status), refused);
        }
    }
}
