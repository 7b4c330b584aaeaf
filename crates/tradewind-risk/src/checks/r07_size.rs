//! R07: least and largest quantity and least value, exactly as the venue has them. Every order; a stop is worth what its trigger says.
//!
//! An exit is cut to the largest quantity beforehand, and its remainder follows; what is below the least is dust.

use tradewind_model::RuleBreach;

use super::r06_steps::breach;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};

/// Denies a quantity or a value outside the venue's range.
///
/// # Errors
/// [`DenyReason::Filter`] with the rule that would be broken.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    match breach(candidate, context) {
        Some(
            breach @ (RuleBreach::QuantityMin | RuleBreach::QuantityMax | RuleBreach::NotionalMin),
        ) => Err(DenyReason::Filter(breach)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::{Quantity, RuleBreach};

    use crate::DenyReason;
    use crate::checks::world::{World, exit_verdict, stop_verdict, verdict};

    fn broken(rule: RuleBreach) -> Option<DenyReason> {
        Some(DenyReason::Filter(rule))
    }

    /// R07
    #[test]
    fn quantity_and_value_stay_in_the_venues_range() {
        let least = |least: i64| move |w: &mut World| w.instrument.quantity_min = Quantity(least);
        assert_eq!(verdict(least(1_000)), None);
        assert_eq!(verdict(least(1_001)), broken(RuleBreach::QuantityMin));
        let largest = |max: i64| move |w: &mut World| w.instrument.quantity_max = Quantity(max);
        assert_eq!(verdict(largest(1_000)), None);
        assert_eq!(verdict(largest(999)), broken(RuleBreach::QuantityMax));
        assert_eq!(exit_verdict(largest(999)), broken(RuleBreach::QuantityMax));
        // 1.000 at the ask of 100.02 is worth 100.02.
        let value = |least: &'static str| {
            move |w: &mut World| w.instrument.notional_min = least.parse().unwrap()
        };
        let passes = verdict(value("100.02"));
        // A check of its own judges what must be left to be sold again.
        assert!(matches!(passes, Some(DenyReason::TooSmallToExit { .. })));
        assert_eq!(verdict(value("100.03")), broken(RuleBreach::NotionalMin));
    }
    /// R07
    #[test]
    fn a_stop_is_valued_at_its_trigger() {
        // 1.000 at the trigger of 90.00 is worth 90.00, at the bid 100.00.
        let value =
            |least: &str| stop_verdict(|w| w.instrument.notional_min = least.parse().unwrap());
        assert_eq!(value("90"), None);
        assert_eq!(value("90.01"), broken(RuleBreach::NotionalMin));
    }
}
