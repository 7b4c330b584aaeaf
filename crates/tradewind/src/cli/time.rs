//! The host's time, for what the command line stamps itself.

use tradewind_model::Timestamp;

/// Now, by the host's clock.
pub(super) fn now() -> Timestamp {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}
