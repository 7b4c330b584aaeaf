//! Whether the journal keeps up, judged by how long its writes take.
//!
//! It measures nothing itself: the journal's writer hands in how long a write took and passes the verdict on.

use std::time::Duration;

use tradewind_events::StorageHealth;

/// A write longer than this means that the disk is behind.
const SLOW: Duration = Duration::from_secs(1);
/// A write shorter than this means that it has caught up.
const FAST: Duration = Duration::from_millis(200);

/// The last verdict on the disk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DiskWatch {
    behind: bool,
}

impl DiskWatch {
    /// The verdict after a write that took so long, if it has changed.
    pub(crate) fn after(&mut self, took: Duration) -> Option<StorageHealth> {
        let (behind, health) = match took {
            took if took > SLOW => (true, StorageHealth::Behind),
            took if took < FAST => (false, StorageHealth::Writing),
            _ => return None,
        };
        (std::mem::replace(&mut self.behind, behind) != behind).then_some(health)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_write_is_reported_once_and_so_is_the_first_fast_one_after_it() {
        let mut watch = DiskWatch::default();
        let verdict = |millis| watch.after(Duration::from_millis(millis));
        assert_eq!(
            [5, 1_000, 1_001, 3_000, 200, 199, 5].map(verdict),
            [
                None,
                None,
                Some(StorageHealth::Behind),
                None,
                None,
                Some(StorageHealth::Writing),
                None,
            ]
        );
    }
}
