//! R07, V11: what an entry buys can be sold again. Entries in spot instruments that open a long position.
//!
//! A fee in the base asset makes the quantity smaller, and at the stop each unit is worth less. What is worth less than the
//! venue's least order then could not be sold.

use tradewind_model::{Amount, InstrumentKind, Ppm, Quantity, Side};

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};

/// What must be left, as a share of the venue's least value.
const MARGIN: Ppm = Ppm(1_100_000);

/// Denies an entry whose exit the venue would refuse for being too small.
///
/// # Errors
/// [`DenyReason::TooSmallToExit`], or [`DenyReason::NoReference`] without a price.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let (terms, instrument) = (&candidate.terms, context.instrument);
    let is_meant = instrument.kind == InstrumentKind::Spot && terms.side == Side::Buy;
    if !is_meant || instrument.notional_min <= Amount::ZERO {
        return Ok(());
    }
    let price = context.value_price(terms).ok_or(DenyReason::NoReference)?;
    let price = candidate.stop.map_or(price, |stop| price.min(stop));
    let bought = instrument.notional(price, terms.quantity + context.position.max(Quantity::ZERO));
    let value = bought
        .and_then(|value| value.share(Ppm(Ppm::ONE.0 - context.fee.0)))
        .ok_or(DenyReason::Unpriced)?;
    let least = instrument.notional_min.share(MARGIN);
    let least = least.ok_or(DenyReason::Unpriced)?;
    if value >= least {
        Ok(())
    } else {
        Err(DenyReason::TooSmallToExit { value, least })
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::{Price, Quantity};

    use crate::DenyReason;
    use crate::checks::world::{World, exit_verdict, verdict};

    /// 0.060 at `stop`, of a least value of 5: 1.1 times that is 5.50.
    fn small(quantity: i64, stop: Option<i64>) -> impl Fn(&mut World) {
        move |w| {
            w.candidate.terms.quantity = Quantity(quantity);
            w.candidate.stop = stop.map(Price);
        }
    }

    fn is_too_small(denied: Option<DenyReason>) -> bool {
        matches!(denied, Some(DenyReason::TooSmallToExit { .. }))
    }

    /// V11
    #[test]
    fn an_entry_can_be_sold_again_at_its_stop_after_the_fee() {
        // 0.055 at the ask of 100.02 is 5.5011, after a fee of 0.1 % 5.4956; 0.056 is 5.6011 and 5.5955.
        assert!(is_too_small(verdict(small(55, None))));
        assert_eq!(verdict(small(56, None)), None);
        // 0.060 at a stop of 91.77 is 5.5062, after the fee 5.50069; at 91.75 5.505 and 5.499495.
        assert_eq!(verdict(small(60, Some(9_177))), None);
        assert!(is_too_small(verdict(small(60, Some(9_175)))));
        assert_eq!(exit_verdict(small(55, Some(9_000))), None);
        // What is held already is sold with it.
        let held = |w: &mut World| {
            small(55, None)(w);
            w.position = Quantity(1_000);
        };
        assert_eq!(verdict(held), None);
    }
}
