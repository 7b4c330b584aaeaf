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
    if candidate.purpose.reduces() {
        return Ok(());
    }
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
