//! R08: the value of one order, absolute and as a share of equity. Applies to entries.

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry worth more than one order may be.
///
/// # Errors
/// [`DenyReason::OrderValue`] with the tighter of the two limits, or the reason why the value is unknown.
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let absolute = required(context.limits.order_value_max, LimitKey::OrderValueMax)?;
    let share = required(context.limits.order_equity_max, LimitKey::OrderEquityMax)?;
    let value = context.value(&candidate.terms, candidate.terms.quantity)?;
    let limit = absolute.min(context.equity.share(share).ok_or(DenyReason::Unpriced)?);
    if value <= limit {
        Ok(())
    } else {
        Err(DenyReason::OrderValue { value, limit })
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::{Amount, Ppm};

    use crate::DenyReason;
    use crate::checks::world::{exit_verdict, verdict};

    /// R08
    #[test]
    fn the_tighter_of_value_and_share_denies() {
        let value: Amount = "100.02".parse().unwrap();
        assert_eq!(verdict(|w| w.limits.order_value_max = Some(value)), None);
        let limit = value - Amount(1);
        let denied = verdict(|w| w.limits.order_value_max = Some(limit));
        assert_eq!(denied, Some(DenyReason::OrderValue { value, limit }));
        let by_share = verdict(|w| w.limits.order_equity_max = Some(Ppm(10_001)));
        let limit = "100.01".parse().unwrap();
        assert_eq!(by_share, Some(DenyReason::OrderValue { value, limit }));
        assert_eq!(
            verdict(|w| w.limits.order_equity_max = Some(Ppm(10_002))),
            None
        );
        let exit = exit_verdict(|w| w.limits.order_value_max = Some(Amount(1)));
        assert_eq!(exit, None);
    }
}
