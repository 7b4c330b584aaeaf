//! R04: how long an entry may take from its decision to the wire, and how far the price may move meanwhile.
//!
//! The order gate drops what is older. A candle or a timer gives an entry more time than a quote does, so that its price is
//! compared with the one it was decided at. An exit is never refused for that: it is sized again when it is sent.

use std::time::Duration;

use tradewind_model::{Ppm, Quote};

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::{LimitKey, Limits};

/// How far the mid may be from the price that the entry was decided at, either way.
const PRICE_BOUND: Ppm = Ppm(5_000);

/// Denies an entry whose price moved away since it was decided.
///
/// # Errors
/// [`DenyReason::PriceMoved`], or [`DenyReason::NoReference`] without a sound, live quote.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let Some(reference) = candidate.reference.filter(|price| price.0 > 0) else {
        return Ok(());
    };
    let mid_twice = i128::from(context.quote.map_or(0, Quote::mid_twice));
    if mid_twice <= 0 {
        return Err(DenyReason::NoReference);
    }
    let reference_twice = i128::from(reference.0) * 2;
    let moved = (mid_twice - reference_twice).abs() * i128::from(Ppm::ONE.0) / reference_twice;
    let moved = Ppm(i64::try_from(moved).unwrap_or(i64::MAX));
    if moved <= PRICE_BOUND {
        Ok(())
    } else {
        Err(DenyReason::PriceMoved {
            moved,
            limit: PRICE_BOUND,
        })
    }
}

/// The time to live of an entry.
///
/// # Errors
/// [`DenyReason::LimitMissing`] when it is not configured.
pub(crate) fn of(candidate: &Candidate, limits: &Limits) -> Result<Duration, DenyReason> {
    if candidate.decided_on_quote {
        required(limits.intent_ttl_quote, LimitKey::IntentTtlQuote)
    } else {
        required(limits.intent_ttl_candle, LimitKey::IntentTtlCandle)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tradewind_model::{Ppm, Price};

    use crate::checks::world::{NOW, exit_verdict, verdict, world};
    use crate::{DenyReason, LimitKey};

    /// R04
    #[test]
    fn an_entry_expires_by_what_decided_it_and_an_exit_never() {
        let mut world = world();
        let expiry = |world: &crate::checks::world::World| {
            let approved = world.check().unwrap();
            approved.expires_at().map(|at| at.since(NOW))
        };
        assert_eq!(expiry(&world), Some(Duration::from_secs(2)));
        world.candidate.decided_on_quote = false;
        assert_eq!(expiry(&world), Some(Duration::from_secs(15)));
        world.exit();
        assert_eq!(expiry(&world), None);
    }

    /// R04: the mid is 100.01.
    #[test]
    fn a_price_that_left_the_decisions_bound_denies_the_entry_alone() {
        let decided_at = |price: i64| {
            move |w: &mut crate::checks::world::World| {
                w.candidate.decided_on_quote = false;
                w.candidate.reference = Some(Price(price));
            }
        };
        // 99.52 is 0.4924 % below, 99.51 is 0.5024 %; 100.51 is 0.4974 % above, 100.52 is 0.5073 %.
        assert_eq!(verdict(decided_at(9_952)), None);
        assert_eq!(verdict(decided_at(10_051)), None);
        for price in [9_951, 10_052] {
            let denied = verdict(decided_at(price));
            assert!(
                matches!(
                    denied,
                    Some(DenyReason::PriceMoved {
                        limit: Ppm(5_000),
                        ..
                    })
                ),
                "{denied:?}"
            );
            assert_eq!(exit_verdict(decided_at(price)), None);
        }
    }

    #[test]
    fn without_a_time_to_live_no_entry_passes() {
        let mut world = world();
        world.limits.intent_ttl_quote = None;
        let missing = DenyReason::LimitMissing(LimitKey::IntentTtlQuote);
        assert_eq!(world.denied(), Some(missing));
    }
}
