//! A condition that counts as over only after it was absent for a while.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::Timestamp;

/// How long a condition must be absent.
const CLEAN: Duration = Duration::from_secs(60);

/// A condition over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hold {
    is_open: bool,
    clean_since: Option<Timestamp>,
}

impl Hold {
    /// Takes whether the condition holds now. Returns the new state where it changes: it opens at once and closes after
    /// a minute without the condition.
    pub(super) fn update(&mut self, now: Timestamp, holds: bool) -> Option<bool> {
        if holds {
            self.clean_since = None;
            return (!std::mem::replace(&mut self.is_open, true)).then_some(true);
        }
        if !self.is_open {
            return None;
        }
        let since = *self.clean_since.get_or_insert(now);
        let is_over = now.since(since) >= CLEAN;
        if is_over {
            *self = Self::default();
        }
        is_over.then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_closes_after_a_minute_without_the_condition() {
        let mut hold = Hold::default();
        let mut see = |second: i64, holds| hold.update(Timestamp::from_secs(second), holds);
        assert_eq!(see(0, false), None);
        assert_eq!(see(1, true), Some(true));
        assert_eq!(see(2, true), None);
        assert_eq!(see(10, false), None);
        assert_eq!(see(69, false), None);
        assert_eq!(see(70, true), None, "it came back");
        assert_eq!(see(80, false), None);
        assert_eq!(see(139, false), None);
        assert_eq!(see(140, false), Some(false));
        assert_eq!(see(141, false), None);
    }
}
