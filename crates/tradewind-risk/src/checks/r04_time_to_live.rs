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
