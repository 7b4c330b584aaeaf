//! R02: no order at all before the account was read from its venue without an open difference. Entries and exits.

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use tradewind_model::mutation::{Mutation, is_on};

/// Denies every order of an account that is not reconciled.
///
/// # Errors
/// [`DenyReason::NotReconciled`].
pub(crate) fn check(_: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    if context.account.reconciled || is_on(Mutation::StartGateOpen) {
        Ok(())
    } else {
        Err(DenyReason::NotReconciled)
    }
}

#[cfg(test)]
mod tests {
    use crate::DenyReason;
    use crate::checks::world::{exit_verdict, verdict};

    /// R02
    #[test]
    fn nothing_passes_before_the_first_clean_reconcile() {
        let refused = Some(DenyReason::NotReconciled);
        assert_eq!(verdict(|w| w.account.reconciled = false), refused);
        assert_eq!(exit_verdict(|w| w.account.reconciled = false), refused);
        assert_eq!(verdict(|w| w.account.reconciled = true), None);
    }
}
