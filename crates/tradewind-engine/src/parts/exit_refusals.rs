//! Exits of one position that were refused in a row, and the pause before the next.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::Timestamp;

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// From how many refusals on the position is listed as one that cannot be closed.
const LISTED_FROM: u32 = 3;

/// Refusals of an exit since one was last filled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExitRefusals {
    count: u32,
    not_before: Timestamp,
    reason: String,
}

impl ExitRefusals {
    /// Notes one more. The pause starts at a second and doubles up to five minutes.
    pub(crate) fn note(&mut self, reason: String, now: Timestamp) {
        let pause = Duration::from_secs(1 << self.count.min(9)).min(PAUSE_MAX);
        self.count += 1;
        self.not_before = now + pause;
        self.reason = reason;
    }

    /// Whether one was refused since one was last filled.
    pub(crate) const fn is_any(&self) -> bool {
        self.count > 0
    }

    /// The end of the pause.
    pub(crate) const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// How many, and the last reason, if they are enough for the position to be listed.
    pub(crate) fn listed(&self) -> Option<(u32, &str)> {
        (self.count >= LISTED_FROM).then_some((self.count, self.reason.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_five_minutes() {
        let (mut refusals, now) = (ExitRefusals::default(), Timestamp::from_secs(1_000));
        let pauses = (0..12).map(|_| {
            refusals.note("no".to_owned(), now);
            refusals.not_before().since(now).as_secs()
        });
        let pauses: Vec<u64> = pauses.collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(refusals.listed(), Some((12, "no")));
    }
}
