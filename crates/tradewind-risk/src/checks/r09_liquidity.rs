//! R09: the order's size against what is visible on the other side within the collar. Entries only; an exit is sliced.

use tradewind_model::{Ppm, Quantity};

use super::liquidity::visible_quantity;
use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry that is large for what the book shows.
///
/// # Errors
/// [`DenyReason::Liquidity`] with the quantity that may be taken.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let share = required(context.limits.depth_share_max, LimitKey::DepthShareMax)?;
    let collar = required(context.limits.collar, LimitKey::Collar)?;
    let quote = context.quote.ok_or(DenyReason::NoReference)?;
    let visible = visible_quantity(quote, context.depth, candidate.terms.side, collar);
    let limit = i128::from(visible.0) * i128::from(share.0) / i128::from(Ppm::ONE.0);
    let limit = Quantity(i64::try_from(limit).unwrap_or(i64::MAX));
    if candidate.terms.quantity <= limit {
        Ok(())
    } else {
        Err(DenyReason::Liquidity { limit })
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::{Depth, InstrumentId, Level, Price, Quantity, Side};

    use crate::DenyReason;
    use crate::checks::world::{NOW, World, exit_verdict, verdict};

    fn touch(quantity: i64) -> impl Fn(&mut World) {
        move |w| w.quote.as_mut().unwrap().ask_quantity = Quantity(quantity)
    }

    fn book(quantities: [i64; 3]) -> impl Fn(&mut World) {
        move |w| {
            touch(1)(w);
            let level = |price, quantity| Level {
                price: Price(price),
                quantity: Quantity(quantity),
            };
            // The mid is 100.01, so that 2 % past it is 102.0102.
            let [first, last_within, beyond] = quantities;
            w.depth = Some(Depth {
                instrument: InstrumentId(0),
                bids: Vec::new(),
                asks: vec![
                    level(10_002, first),
                    level(10_201, last_within),
                    level(10_202, beyond),
                ],
                received_at: NOW,
            });
            w.limits.market_slippage_max = Some(tradewind_model::Ppm(20_000));
        }
    }

    /// R09
    #[test]
    fn a_tenth_of_the_visible_quantity_within_the_collar_may_be_taken() {
        let denied = |limit| {
            Some(DenyReason::Liquidity {
                limit: Quantity(limit),
            })
        };
        assert_eq!(verdict(touch(10_001)), None);
        assert_eq!(verdict(touch(10_000)), None);
        assert_eq!(verdict(touch(9_999)), denied(999));
        assert_eq!(verdict(book([5_000, 5_000, 0])), None);
        assert_eq!(verdict(book([5_000, 4_999, 90_000])), denied(999));
        let sale = verdict(|w| {
            touch(1)(w);
            w.candidate.terms.side = Side::Sell;
        });
        assert_eq!(sale, None, "a sale takes bids");
        assert_eq!(
            exit_verdict(|w| w.quote.as_mut().unwrap().bid_quantity = Quantity(1)),
            None
        );
    }
}
