//! R14: gross exposure, of the account and of the bot, with what the entry would add. Entries only.
//!
//! That the prices of positions carry the exposure over a limit is the monitor's of the same number.

use tradewind_model::{Amount, Ppm};

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry that would make the exposure too large. People are held to the limit of the account alone.
///
/// # Errors
/// [`DenyReason::Exposure`], or [`DenyReason::Unpriced`] when a position has no price.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let limits = context.limits;
    let account = required(limits.account_exposure_max, LimitKey::AccountExposureMax)?;
    let bot = required(limits.bot_exposure_max, LimitKey::BotExposureMax)?;
    let added = context.value(&candidate.terms, candidate.terms.quantity)?;
    fits(context, context.account.exposure, added, account, false)?;
    if candidate.bot.is_none() {
        return Ok(());
    }
    fits(context, context.account.owner_exposure, added, bot, true)
}

fn fits(
    context: &Context<'_>,
    exposure: Option<Amount>,
    added: Amount,
    share: Ppm,
    of_bot: bool,
) -> Result<(), DenyReason> {
    let exposure = exposure.ok_or(DenyReason::Unpriced)?;
    let value = exposure.0.checked_add(added.0).map(Amount);
    let value = value.ok_or(DenyReason::Unpriced)?;
    let limit = context.equity.share(share).ok_or(DenyReason::Unpriced)?;
    if value <= limit {
        Ok(())
    } else {
        Err(DenyReason::Exposure {
            of_bot,
            value,
            limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::Amount;

    use crate::DenyReason;
    use crate::checks::world::{exit_verdict, verdict};

    fn money(text: &str) -> Amount {
        text.parse().unwrap()
    }

    /// R14
    #[test]
    fn exposure_with_the_entry_stays_within_both_shares() {
        // The equity is 10,000, the entry is worth 100.02.
        let account = |exposure: &str| verdict(|w| w.account.exposure = Some(money(exposure)));
        assert_eq!(account("9899.97"), None);
        assert_eq!(account("9899.98"), None);
        let (value, limit) = (money("10000.01"), Amount::whole(10_000));
        let of_bot = false;
        let denied = DenyReason::Exposure {
            of_bot,
            value,
            limit,
        };
        assert_eq!(account("9899.99"), Some(denied));
        let bot = |exposure: &str| verdict(|w| w.account.owner_exposure = Some(money(exposure)));
        assert_eq!(bot("2399.98"), None);
        let denied = bot("2399.99");
        assert!(matches!(
            denied,
            Some(DenyReason::Exposure { of_bot: true, .. })
        ));
        let unpriced = verdict(|w| w.account.exposure = None);
        assert_eq!(unpriced, Some(DenyReason::Unpriced));
        assert_eq!(exit_verdict(|w| w.account.exposure = None), None);
    }

    #[test]
    fn a_person_has_no_share_of_a_bot() {
        let by_hand = verdict(|w| {
            w.candidate.bot = None;
            w.account.owner_exposure = Some(Amount::whole(5_000));
        });
        assert_eq!(by_hand, None);
    }
}
