//! R15 and R16: how many entries are open, and how fast a bot sends. Applies to entries.
//!
//! The account's own rate is no refusal but a queue before the venue, where exits go first.

use tradewind_model::Ppm;

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry too many or too soon.
///
/// # Errors
/// [`DenyReason::OpenEntries`] or [`DenyReason::BotRate`].
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    if candidate.purpose.reduces() {
        return Ok(());
    }
    let limits = context.limits;
    let per_instrument = required(
        limits.open_entries_instrument,
        LimitKey::OpenEntriesInstrument,
    )?;
    let per_account = required(limits.open_entries_account, LimitKey::OpenEntriesAccount)?;
    let cap = context.instrument.open_orders_max;
    if cap > 0 {
        let account_cap = cap.saturating_mul(context.account_instruments.max(1));
        room(context.open_entries_instrument, cap, per_instrument)?;
        room(context.open_entries_account, account_cap, per_account)?;
    }
    let rate = required(limits.bot_order_rate, LimitKey::BotOrderRate)?;
    let free_to_go = candidate.bot.is_none() || context.rate.has_room(context.now, &rate);
    if free_to_go {
        Ok(())
    } else {
        Err(DenyReason::BotRate)
    }
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
