//! R20: an entry may not trade with a resting order of the same account. Entries only: before an exit the engine cancels
//! the resting entry that is in its way.

use tradewind_model::{OrderKind, OrderTerms, Ppm, Quote, Side, TimeInForce};

use super::liquidity::past_mid;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};

/// Denies an entry that could trade with an own resting order.
///
/// # Errors
/// [`DenyReason::SelfMatch`] with that order's id.
pub(crate) fn check(_: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    match context.account.crossing {
        Some(resting) => Err(DenyReason::SelfMatch(resting)),
        None => Ok(()),
    }
}

/// Whether an order would trade with a resting one of the same account and instrument: it is of the other side, and its
/// price is reached. A market order reaches as far past the mid as it may slip.
#[must_use]
pub fn would_match(
    taker: &OrderTerms,
    resting: &OrderTerms,
    quote: Option<&Quote>,
    slippage: Ppm,
) -> bool {
    let rests = match resting.kind {
        OrderKind::PostOnly { price }
        | OrderKind::Limit {
            price,
            time_in_force: TimeInForce::GoodTillCancel,
        } => Some(price),
        // A stop is not on the book before it triggers.
        OrderKind::Market
        | OrderKind::Limit { .. }
        | OrderKind::Stop { .. }
        | OrderKind::StopLimit { .. } => None,
    };
    let is_other = (taker.account, taker.instrument) == (resting.account, resting.instrument)
        && taker.side == resting.side.opposite();
    let Some(price) = rests.filter(|_| is_other) else {
        return false;
    };
    match (taker.kind.limit(), taker.side) {
        (Some(limit), Side::Buy) => limit >= price,
        (Some(limit), Side::Sell) => limit <= price,
        (None, side) => quote
            .and_then(|quote| past_mid(quote, side, price))
            .is_none_or(|distance| distance <= slippage),
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::{ClientOrderId, OrderKind, OrderTerms, Ppm, Price, Side, TimeInForce};

    use super::would_match;
    use crate::DenyReason;
    use crate::checks::world::{exit_verdict, quote, verdict, world};

    /// R20
    #[test]
    fn an_entry_that_could_meet_an_own_order_is_denied() {
        let id = ClientOrderId(9);
        let denied = verdict(|w| w.account.crossing = Some(id));
        assert_eq!(denied, Some(DenyReason::SelfMatch(id)));
        assert_eq!(verdict(|w| w.account.crossing = None), None);
        assert_eq!(exit_verdict(|w| w.account.crossing = Some(id)), None);
    }

    fn at(side: Side, price: Option<i64>) -> OrderTerms {
        let kind = price.map_or(OrderKind::Market, |price| OrderKind::Limit {
            price: Price(price),
            time_in_force: TimeInForce::GoodTillCancel,
        });
        OrderTerms {
            side,
            kind,
            ..world().candidate.terms
        }
    }

    #[test]
    fn a_price_is_crossed_at_itself_and_beyond() {
        let check = |taker: OrderTerms, resting: OrderTerms, wanted: bool| {
            let quote = quote();
            let found = would_match(&taker, &resting, Some(&quote), Ppm(5_000));
            assert_eq!(found, wanted, "{taker:?} against {resting:?}");
        };
        let sale = at(Side::Sell, Some(10_010));
        check(at(Side::Buy, Some(10_009)), sale, false);
        check(at(Side::Buy, Some(10_010)), sale, true);
        check(at(Side::Buy, Some(10_011)), sale, true);
        check(at(Side::Sell, Some(10_010)), sale, false);
        let bid = at(Side::Buy, Some(9_990));
        check(at(Side::Sell, Some(9_991)), bid, false);
        check(at(Side::Sell, Some(9_990)), bid, true);
        // A market order slips by 0.5 % of 100.01 at most: from 99.50995 on.
        check(at(Side::Sell, None), at(Side::Buy, Some(9_951)), true);
        check(at(Side::Sell, None), at(Side::Buy, Some(9_950)), false);
        check(at(Side::Sell, None), at(Side::Buy, None), false);
    }
}
