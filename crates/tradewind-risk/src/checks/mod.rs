//! The checks, one file each, named for their number in the list of risk checks.
//!
//! A check is a function of the candidate and the context and of nothing else. `applies to` in each header states
//! whether it may refuse an exit.

pub(crate) mod r01_trading_state;
pub(crate) mod r04_time_to_live;
pub(crate) mod r05_instrument;
pub(crate) mod r06_r07_filters;
pub(crate) mod r08_order_value;
pub(crate) mod r10_collar;
pub(crate) mod r12_balance;
pub(crate) mod r13_position;
pub(crate) mod r15_r16_pace;
pub(crate) mod r18_duplicate;
pub(crate) mod r21_exit_size;

#[cfg(test)]
mod tests;

use crate::deny::DenyReason;
use crate::limits::LimitKey;

/// A limit that must be configured.
fn required<T>(limit: Option<T>, key: LimitKey) -> Result<T, DenyReason> {
    limit.ok_or(DenyReason::LimitMissing(key))
}
