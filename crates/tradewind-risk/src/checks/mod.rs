//! The checks, one file each, named for their number in the list of risk checks.
//!
//! A check is a function of the candidate and the context and of nothing else. The list in `gate.rs` states whether it
//! may deny an exit.

mod liquidity;
pub(crate) mod r01_trading_state;
pub(crate) mod r02_start_gate;
pub(crate) mod r03_unknown_orders;
pub(crate) mod r04_time_to_live;
pub(crate) mod r05_instrument;
pub(crate) mod r06_steps;
pub(crate) mod r07_exit_value;
pub(crate) mod r07_size;
pub(crate) mod r08_order_value;
pub(crate) mod r09_liquidity;
pub(crate) mod r10_collar;
pub(crate) mod r11_reference;
pub(crate) mod r12_balance;
pub(crate) mod r13_position;
pub(crate) mod r14_exposure;
pub(crate) mod r15_open_entries;
pub(crate) mod r16_order_rate;
pub(crate) mod r18_duplicate;
pub(crate) mod r19_repeated_entries;
pub(crate) mod r20_self_match;
pub(crate) mod r21_exit_size;
pub(crate) mod r24_clock_and_stream;

#[cfg(test)]
mod world;

pub use liquidity::{reach, visible_quantity};

use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// A limit that must be configured.
fn required<T>(limit: Option<T>, key: LimitKey) -> Result<T, DenyReason> {
    limit.ok_or(DenyReason::LimitMissing(key))
}

/// Denies every entry while a limit is missing, whichever check or monitor needs it.
pub(crate) fn limits_present(_: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    match context.limits.missing() {
        Some(key) => Err(DenyReason::LimitMissing(key)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::world::verdict;
    use crate::{DenyReason, LimitKey, Limits};

    #[test]
    fn a_missing_limit_denies_entries_by_its_key_and_lets_exits_pass() {
        let none = verdict(|w| w.limits = Limits::default());
        assert!(matches!(none, Some(DenyReason::LimitMissing(_))));
        let missing = verdict(|w| w.limits.turnover_max = None);
        let key = LimitKey::TurnoverMax;
        assert_eq!(missing, Some(DenyReason::LimitMissing(key)), "a monitor's");
        let missing = verdict(|w| w.limits.collar = None);
        assert_eq!(missing, Some(DenyReason::LimitMissing(LimitKey::Collar)));
        assert_eq!(
            missing.unwrap().to_string(),
            "limits.collar is not configured"
        );
        let exit = verdict(|w| {
            w.exit();
            w.limits = Limits::default();
        });
        assert_eq!(exit, None);
    }
}
