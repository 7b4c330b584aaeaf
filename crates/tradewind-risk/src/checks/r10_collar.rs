//! R10: the price collar, on the aggressive side only. Applies to entries.
//!
//! A limit may not reach further past the mid than the collar; a market order may not be expected to slip further from
//! the mid than its own limit price. How far away a passive order waits is the venue's filter.

use tradewind_model::{Ppm, Price, Quote, Side};

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry that reaches too far.
///
/// # Errors
/// [`DenyReason::Collar`], or [`DenyReason::NoReference`] without a sound, live quote.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    if candidate.purpose.reduces() {
        return Ok(());
    }
    let collar = required(context.limits.collar, LimitKey::Collar)?;
    let slippage = required(
        context.limits.market_slippage_max,
        LimitKey::MarketSlippageMax,
    )?;
    let quote = context.quote.ok_or(DenyReason::NoReference)?;
    let side = candidate.terms.side;
    let (reach, limit) = match candidate.terms.kind.limit() {
        Some(price) => (price, collar),
        None => (quote.opposite_side(side), slippage),
    };
    let distance = past_mid(quote, side, reach).ok_or(DenyReason::Unpriced)?;
    if distance <= limit {
        Ok(())
    } else {
        Err(DenyReason::Collar { distance, limit })
    }
}

/// How far `price` lies past the mid in the taking direction, as a share of the mid; negative on the passive side.
fn past_mid(quote: &Quote, side: Side, price: Price) -> Option<Ppm> {
    let mid_twice = i128::from(quote.mid_twice());
    let beyond = match side {
        Side::Buy => i128::from(price.0) * 2 - mid_twice,
        Side::Sell => mid_twice - i128::from(price.0) * 2,
    };
    let share = (beyond * i128::from(Ppm::ONE.0)).checked_div(mid_twice)?;
    i64::try_from(share).ok().map(Ppm)
}
