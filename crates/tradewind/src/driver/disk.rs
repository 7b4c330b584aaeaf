//! What is reported to the engine about the disk: judged by how long writes take, and by what the disk refuses.
//!
//! It measures nothing itself: the journal's writer hands in what happened and passes the verdict on.

use std::time::Duration;

use tradewind_events::StorageHealth;
use tradewind_journal::{JournalError, Refusal};

/// A write longer than this means that the disk is behind.
pub(crate) const SLOW: Duration = Duration::from_secs(1);
/// A write shorter than this means that it has caught up.
const FAST: Duration = Duration::from_millis(200);

/// The last verdict on the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DiskWatch {
    behind: bool,
    truth: StorageHealth,
    market_off: bool,
}

impl Default for DiskWatch {
    fn default() -> Self {
        Self {
            behind: false,
            truth: StorageHealth::Writing,
            market_off: false,
        }
    }
}

impl DiskWatch {
    /// The verdict on the truth after a write that took so long and was refused or not, if it has changed.
    pub(crate) fn truth(
        &mut self,
        took: Duration,
        refusal: Option<Refusal>,
        has_reserve: bool,
    ) -> Option<StorageHealth> {
        self.behind = took > SLOW || (self.behind && took >= FAST);
        let truth = match refusal {
            Some(Refusal::Full) => StorageHealth::Full,
            Some(Refusal::ReadOnly) => StorageHealth::ReadOnly,
            None if self.behind => StorageHealth::Behind,
            None if !has_reserve => StorageHealth::Reserve,
            None => StorageHealth::Writing,
        };
        (std::mem::replace(&mut self.truth, truth) != truth).then_some(truth)
    }

    /// The verdict on the market data's store, if it has changed.
    pub(crate) fn market(&mut self, is_off: bool) -> Option<StorageHealth> {
        let health = if is_off {
            StorageHealth::MarketOff
        } else {
            StorageHealth::MarketOn
        };
        (std::mem::replace(&mut self.market_off, is_off) != is_off).then_some(health)
    }

    /// Whether writes were slow the last time.
    pub(crate) const fn is_behind(&self) -> bool {
        self.behind
    }
}

/// Ends the process at once if `error` means that it is not known what of the truth is on disk (S04): nothing more may
/// be sent, and the next start reads the disk and the venue. The caller runs on the thread that sends orders.
pub(crate) fn abort_if_truth_is_lost(error: &anyhow::Error) {
    if is_truth_lost(error) {
        tracing::error!(
            error = format!("{error:#}"),
            "The journal's disk failed; the process ends here and must be started again."
        );
        std::process::abort();
    }
}

fn is_truth_lost(error: &anyhow::Error) -> bool {
    let journal = error.chain().find_map(|cause| cause.downcast_ref());
    journal.is_some_and(|error| match error {
        JournalError::Failed => true,
        JournalError::Io { .. } => error.refusal().is_none(),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_slow_write_is_reported_once_and_so_is_the_first_fast_one_after_it() {
        let mut watch = DiskWatch::default();
        let verdict = |took| watch.truth(millis(took), None, true);
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

    /// S05: first the reserve, then nothing, then the way back.
    #[test]
    fn the_strictest_of_what_is_wrong_is_reported() {
        use StorageHealth::{Behind, Full, ReadOnly, Reserve, Writing};
        let mut watch = DiskWatch::default();
        let mut verdict = |took, refusal, reserve| watch.truth(millis(took), refusal, reserve);
        assert_eq!(verdict(5, None, false), Some(Reserve));
        assert_eq!(verdict(2_000, None, false), Some(Behind));
        assert_eq!(verdict(5, Some(Refusal::Full), false), Some(Full));
        assert_eq!(verdict(5, Some(Refusal::Full), false), None);
        assert_eq!(verdict(5, Some(Refusal::ReadOnly), false), Some(ReadOnly));
        assert_eq!(verdict(5, None, false), Some(Reserve));
        assert_eq!(verdict(5, None, true), Some(Writing));
    }

    #[test]
    fn the_market_store_is_reported_apart() {
        let mut watch = DiskWatch::default();
        assert_eq!(
            [false, true, true, false].map(|off| watch.market(off)),
            [
                None,
                Some(StorageHealth::MarketOff),
                None,
                Some(StorageHealth::MarketOn)
            ]
        );
        assert_eq!(watch.truth(millis(5), None, true), None);
    }

    /// S04: only what the disk may take later leaves the process alive.
    #[test]
    fn a_broken_disk_loses_the_truth_and_a_full_one_does_not() {
        let lost = |kind: io::ErrorKind, doing| {
            let error = JournalError::Io {
                doing,
                path: "truth".into(),
                source: kind.into(),
            };
            is_truth_lost(&anyhow::Error::new(error).context("writing the journal"))
        };
        assert!(lost(io::ErrorKind::Other, "write"));
        assert!(lost(io::ErrorKind::StorageFull, "sync"));
        assert!(!lost(io::ErrorKind::StorageFull, "write"));
        assert!(!lost(io::ErrorKind::ReadOnlyFilesystem, "write"));
        assert!(is_truth_lost(&JournalError::Failed.into()));
        assert!(!is_truth_lost(&anyhow::anyhow!("something else")));
    }
}
