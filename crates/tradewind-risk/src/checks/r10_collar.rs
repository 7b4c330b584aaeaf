//! R10: the price collar, on the aggressive side only. Entries; an exit is sliced and widened.
//!
//! A limit may not reach further past the mid than the collar; a market order may not be expected to slip further from
//! the mid than its own limit price. How far away a passive order waits is the venue's filter.

use tradewind_model::Ppm;

use super::liquidity::{past_mid, reach};
use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// No collar is wider, whatever is configured.
const COLLAR_HARD: Ppm = Ppm(50_000);

/// Denies an entry that reaches too far.
///
/// # Errors
/// [`DenyReason::Collar`], or [`DenyReason::NoReference`] without a sound, live quote.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let collar = required(context.limits.collar, LimitKey::Collar)?;
    let slippage = required(
        context.limits.market_slippage_max,
        LimitKey::MarketSlippageMax,
    )?;
    let quote = context.quote.ok_or(DenyReason::NoReference)?;
    let terms = &candidate.terms;
    let (price, limit) = match terms.kind.limit() {
        Some(price) => (price, collar.min(COLLAR_HARD)),
        None => (
            reach(quote, context.depth, terms.side, terms.quantity),
            slippage,
        ),
    };
    let distance = past_mid(quote, terms.side, price).ok_or(DenyReason::Unpriced)?;
    if distance <= limit {
        Ok(())
    } else {
        Err(DenyReason::Collar { distance, limit })
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::{Depth, InstrumentId, Level, Ppm, Price, Quantity};

    use crate::DenyReason;
    use crate::checks::world::{NOW, World, exit_verdict, quote, verdict};

    fn refused(denied: Option<DenyReason>, by: i64) -> bool {
        matches!(denied, Some(DenyReason::Collar { limit, .. }) if limit == Ppm(by))
    }

    /// R10
    #[test]
    fn the_collar_measures_only_the_aggressive_side() {
        // 2 % past the mid of 100.01 is 102.0102, 5 % is 105.0105.
        assert_eq!(verdict(|w| w.limit(10_201)), None);
        assert!(refused(verdict(|w| w.limit(10_202)), 20_000));
        assert_eq!(verdict(|w| w.limit(5_000)), None, "passive");
        let wide = |price: i64| {
            move |w: &mut World| {
                w.limits.collar = Some(Ppm::ONE);
                w.limit(price);
            }
        };
        assert_eq!(verdict(wide(10_501)), None);
        assert!(refused(verdict(wide(10_502)), 50_000), "the hard one");
    }

    #[test]
    fn a_market_order_is_measured_by_the_price_it_would_reach() {
        let ask = |ask: i64| {
            move |w: &mut World| {
                w.limits.spread_max = Some(Ppm(20_000));
                w.quote = Some(tradewind_model::Quote {
                    ask: Price(ask),
                    ..quote()
                });
            }
        };
        // With the bid at 100.00, an ask of 101.00 is 0.4975 % past the mid, and one of 101.01 is 0.5025 %.
        assert_eq!(verdict(ask(10_100)), None);
        assert!(refused(verdict(ask(10_101)), 5_000));
        let thin = |last: i64| {
            move |w: &mut World| {
                let level = |price, quantity| Level {
                    price: Price(price),
                    quantity: Quantity(quantity),
                };
                w.depth = Some(Depth {
                    instrument: InstrumentId(0),
                    bids: Vec::new(),
                    asks: vec![level(10_002, 999), level(last, 100_000)],
                    received_at: NOW,
                });
            }
        };
        // 0.5 % past the mid of 100.01 is 100.51005.
        assert_eq!(verdict(thin(10_051)), None);
        assert!(refused(verdict(thin(10_052)), 5_000));
        assert_eq!(exit_verdict(thin(10_052)), None);
        assert_eq!(exit_verdict(|w| w.quote = None), None);
    }
}
