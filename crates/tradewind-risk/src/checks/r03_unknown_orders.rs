//! R03: no new exposure beside orders whose fate is unknown. Entries only.

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry beside too many UNKNOWN orders: of its owner in the instrument, or of the account.
///
/// # Errors
/// [`DenyReason::UnknownOrders`].
pub(crate) fn check(_: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let limits = context.limits;
    let here = required(limits.unknown_bot_max, LimitKey::UnknownBotMax)?;
    let account = required(limits.unknown_account_max, LimitKey::UnknownAccountMax)?;
    at_most(context.account.unknown_here, here)?;
    at_most(context.account.unknown, account)
}

const fn at_most(unknown: u32, limit: u32) -> Result<(), DenyReason> {
    if unknown <= limit {
        Ok(())
    } else {
        Err(DenyReason::UnknownOrders { unknown, limit })
    }
}

#[cfg(test)]
mod tests {
    use crate::DenyReason;
    use crate::checks::world::{exit_verdict, verdict};

    /// R03, I16
    #[test]
    fn unknown_orders_deny_entries_above_each_limit() {
        let check = |here: u32, account: u32, wanted: Option<(u32, u32)>| {
            let wanted =
                wanted.map(|(unknown, limit)| DenyReason::UnknownOrders { unknown, limit });
            let denied = verdict(|w| {
                w.account.unknown_here = here;
                w.account.unknown = account;
            });
            assert_eq!(denied, wanted, "{here} here, {account} on the account");
        };
        check(0, 0, None);
        check(1, 1, Some((1, 0)));
        check(0, 2, None);
        check(0, 3, None);
        check(0, 4, Some((4, 3)));
        assert_eq!(exit_verdict(|w| w.account.unknown_here = 9), None);
    }
}
