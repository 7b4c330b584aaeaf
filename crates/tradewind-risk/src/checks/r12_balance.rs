//! R12: what the order spends is there, reservations and the worst fee counted. Applies to entries.
//!
//! Buying power is cash: a spot buy spends the quote asset, a spot sale the base asset, a contract its full value.

use tradewind_model::{Amount, InstrumentKind, Ppm, Side};

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry its owner cannot pay for.
///
/// # Errors
/// [`DenyReason::Balance`] with what it needs and what may be used.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let share = required(context.limits.balance_use_max, LimitKey::BalanceUseMax)?;
    let needed = needed(candidate, context)?;
    let usable = context.free.share(share).ok_or(DenyReason::Unpriced)?;
    if needed <= usable {
        Ok(())
    } else {
        Err(DenyReason::Balance { needed, usable })
    }
}

fn needed(candidate: &Candidate, context: &Context<'_>) -> Result<Amount, DenyReason> {
    let terms = &candidate.terms;
    if context.instrument.kind == InstrumentKind::Spot && terms.side == Side::Sell {
        return Ok(context.instrument.quantity_amount(terms.quantity));
    }
    let price = context.value_price(terms).ok_or(DenyReason::NoReference)?;
    let value = context
        .instrument
        .notional(price, terms.quantity)
        .ok_or(DenyReason::Unpriced)?;
    value
        .share(Ppm(Ppm::ONE.0 + context.fee.0))
        .ok_or(DenyReason::Unpriced)
}

#[cfg(test)]
mod tests {
    use tradewind_model::{Amount, Side};

    use crate::DenyReason;
    use crate::checks::world::{exit_verdict, verdict};

    /// R12
    #[test]
    fn value_and_fee_fit_into_the_usable_share() {
        // 100.02 and a fee of 0.1 % is 100.12002; 99 % of 101.13133… is that.
        let enough: Amount = "101.131334".parse().unwrap();
        assert_eq!(verdict(|w| w.free = enough), None);
        let short = verdict(|w| w.free = "101.1313".parse().unwrap());
        assert!(matches!(short, Some(DenyReason::Balance { .. })));
        let naked = verdict(|w| {
            w.candidate.terms.side = Side::Sell;
            w.free = Amount::ZERO;
        });
        assert!(matches!(naked, Some(DenyReason::Balance { .. })));
        assert_eq!(exit_verdict(|w| w.free = Amount::ZERO), None);
    }
}
