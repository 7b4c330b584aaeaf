//! R19: a bot that enters on the same side again and again. Entries only; the engine takes the bot's entries off.

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::{Candidate, Context};
use crate::limits::LimitKey;

/// Denies an entry of a bot that made as many on this side within the window as it may.
///
/// # Errors
/// [`DenyReason::RepeatedEntries`].
pub(crate) fn check(candidate: &Candidate, context: &Context<'_>) -> Result<(), DenyReason> {
    let limit = required(
        context.limits.same_side_entries_max,
        LimitKey::SameSideEntriesMax,
    )?;
    if candidate.bot.is_none() || context.same_side_entries < limit {
        Ok(())
    } else {
        Err(DenyReason::RepeatedEntries { limit })
    }
}

#[cfg(test)]
mod tests {
    use crate::DenyReason;
    use crate::checks::world::{exit_verdict, verdict};

    /// R19
    #[test]
    fn as_many_entries_on_a_side_as_the_limit_pass() {
        assert_eq!(verdict(|w| w.same_side_entries = 62), None);
        assert_eq!(verdict(|w| w.same_side_entries = 63), None, "the 64th");
        let denied = verdict(|w| w.same_side_entries = 64);
        assert_eq!(denied, Some(DenyReason::RepeatedEntries { limit: 64 }));
        assert_eq!(exit_verdict(|w| w.same_side_entries = 64), None);
        let by_hand = verdict(|w| {
            w.candidate.bot = None;
            w.same_side_entries = 64;
        });
        assert_eq!(by_hand, None);
    }
}
