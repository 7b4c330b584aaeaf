//! R15: how many entries are open. Entries only; protective orders are not counted.

use tradewind_model::Ppm;

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry too many: in its instrument, or on its account.
///
/// # Errors
/// [`DenyReason::OpenEntries`].
pub(crate) fn check(_: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let (limits, account) = (context.limits, &context.account);
    let per_instrument = required(
        limits.open_entries_instrument,
        LimitKey::OpenEntriesInstrument,
    )?;
    let per_account = required(limits.open_entries_account, LimitKey::OpenEntriesAccount)?;
    let cap = context.instrument.open_orders_max;
    if cap == 0 {
        return Ok(());
    }
    room(account.open_entries_instrument, cap, per_instrument)?;
    let account_cap = cap.saturating_mul(account.instruments.max(1));
    room(account.open_entries, account_cap, per_account)
}

fn room(open: u32, cap: u32, share: Ppm) -> Result<(), DenyReason> {
    let limit = i64::from(cap).saturating_mul(share.0) / Ppm::ONE.0;
    let limit = u32::try_from(limit).unwrap_or(0);
    if open < limit {
        Ok(())
    } else {
        Err(DenyReason::OpenEntries { open, limit })
    }
}

#[cfg(test)]
mod tests {
    use crate::DenyReason;
    use crate::checks::world::{World, exit_verdict, verdict};

    /// R15
    #[test]
    fn open_entries_stop_at_the_share_of_the_venues_cap() {
        // The cap is 25 in an instrument; the account trades two.
        let open = |here: u32, account: u32| {
            move |w: &mut World| {
                w.account.instruments = 2;
                w.account.open_entries_instrument = here;
                w.account.open_entries = account;
            }
        };
        assert_eq!(verdict(open(4, 4)), None);
        let denied = |open, limit| Some(DenyReason::OpenEntries { open, limit });
        assert_eq!(verdict(open(5, 5)), denied(5, 5));
        assert_eq!(verdict(open(0, 39)), None);
        assert_eq!(verdict(open(0, 40)), denied(40, 40));
        assert_eq!(exit_verdict(open(9, 90)), None);
        let uncapped = verdict(|w| {
            open(9, 90)(w);
            w.instrument.open_orders_max = 0;
        });
        assert_eq!(uncapped, None);
    }
}
