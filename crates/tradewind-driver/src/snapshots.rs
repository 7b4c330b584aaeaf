//! When a snapshot of the engine is due.

use std::time::Duration;

use tradewind_model::Timestamp;

/// Between two snapshots.
const EVERY: Duration = Duration::from_secs(60);
/// Inputs between two snapshots, at most.
const INPUTS_MAX: u64 = 100_000;

/// The last snapshot, and the one being written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Snapshots {
    last: Option<(u64, Timestamp)>,
    writing: Option<(u64, Timestamp)>,
}

impl Snapshots {
    /// The snapshot being written: as of which input, and its time.
    pub(crate) const fn writing(&self) -> Option<(u64, Timestamp)> {
        self.writing
    }

    /// Whether a snapshot is to begin after input `seq`. The first call only notes where the run began.
    pub(crate) fn is_due(&mut self, seq: u64, now: Timestamp) -> bool {
        let (last_seq, last_at) = *self.last.get_or_insert((seq, now));
        seq > last_seq && (now.since(last_at) >= EVERY || seq - last_seq >= INPUTS_MAX)
    }

    /// Notes that a snapshot begins.
    pub(crate) const fn begin(&mut self, seq: u64, now: Timestamp) {
        self.last = Some((seq, now));
        self.writing = Some((seq, now));
    }

    /// Notes that the snapshot is written.
    pub(crate) const fn end(&mut self) {
        self.writing = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_due_after_a_minute_or_100000_inputs() {
        let at = Timestamp::from_secs;
        let mut snapshots = Snapshots::default();
        assert!(!snapshots.is_due(7, at(100)));
        assert!(!snapshots.is_due(8, at(159)));
        assert!(!snapshots.is_due(7, at(160)), "nothing happened since");
        assert!(snapshots.is_due(8, at(160)));
        snapshots.begin(8, at(160));
        assert_eq!(snapshots.writing(), Some((8, at(160))));
        snapshots.end();
        assert!(!snapshots.is_due(100_007, at(161)));
        assert!(snapshots.is_due(100_008, at(161)));
    }
}
