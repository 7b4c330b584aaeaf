//! R06: price range, tick and step, exactly as the venue has them. Every order; of a stop, the trigger too.
//!
//! Nothing is rounded here: the sizer cuts down to the step beforehand, an exit too.

use tradewind_model::RuleBreach;

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};

/// Denies a price or a quantity that is off the venue's grid.
///
/// # Errors
/// [`DenyReason::Filter`] with the rule that would be broken.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    match breach(candidate, context) {
        Some(
            breach @ (RuleBreach::Tick
            | RuleBreach::Step
            | RuleBreach::PriceRange
            | RuleBreach::Overflow),
        ) => Err(DenyReason::Filter(breach)),
        _ => Ok(()),
    }
}

/// The first filter of the venue that the order would break, those of R07 among them.
pub(super) fn breach(candidate: &Candidate, context: &Context<'_>) -> Option<RuleBreach> {
    let terms = &candidate.terms;
    let (limit, trigger) = (terms.kind.limit(), terms.kind.trigger());
    let trigger_breach = trigger.and_then(|price| context.instrument.check_price(price).err());
    // A stop trades where it triggers, whatever the market is now.
    let quoted = context.quote.map(|quote| quote.opposite_side(terms.side));
    let reference = trigger.or(quoted);
    let checked = context.instrument.check(terms.quantity, limit, reference);
    trigger_breach.or(checked.err())
}

#[cfg(test)]
mod tests {
    use tradewind_model::{Price, Quantity, RuleBreach};

    use crate::DenyReason;
    use crate::checks::world::{World, exit_verdict, stop_verdict, verdict};

    fn broken(rule: RuleBreach) -> Option<DenyReason> {
        Some(DenyReason::Filter(rule))
    }

    /// R06
    #[test]
    fn prices_and_quantities_are_exact_multiples() {
        let step = |step: i64| move |w: &mut World| w.instrument.step = Quantity(step);
        assert_eq!(verdict(step(1_000)), None);
        assert_eq!(verdict(step(999)), broken(RuleBreach::Step));
        assert_eq!(exit_verdict(step(999)), broken(RuleBreach::Step));
        let tick = |price: i64| {
            move |w: &mut World| {
                w.instrument.tick = Price(10);
                w.limit(price);
            }
        };
        assert_eq!(verdict(tick(10_000)), None);
        assert_eq!(verdict(tick(10_001)), broken(RuleBreach::Tick));
        let top = |price: i64| {
            move |w: &mut World| {
                w.instrument.price_max = Price(10_000);
                w.limit(price);
            }
        };
        assert_eq!(verdict(top(10_000)), None);
        assert_eq!(verdict(top(10_001)), broken(RuleBreach::PriceRange));
    }
    /// R06
    #[test]
    fn a_stops_trigger_is_on_a_tick() {
        let trigger = |price: i64| {
            stop_verdict(|w| {
                w.instrument.tick = Price(5);
                w.trigger(price);
            })
        };
        assert_eq!(trigger(9_000), None);
        assert_eq!(trigger(9_001), broken(RuleBreach::Tick));
    }
}
