//! R04: how long an entry may take from its decision to the wire. The order gate drops what is older.

use std::time::Duration;

use crate::checks::required;
use crate::deny::DenyReason;
use crate::gate::Candidate;
use crate::limits::{LimitKey, Limits};

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

    use crate::checks::world::{NOW, world};
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

    #[test]
    fn without_a_time_to_live_no_entry_passes() {
        let mut world = world();
        world.limits.intent_ttl_quote = None;
        let missing = DenyReason::LimitMissing(LimitKey::IntentTtlQuote);
        assert_eq!(world.denied(), Some(missing));
    }
}
