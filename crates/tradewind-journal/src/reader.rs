//! Reading a journal from the start: for replay, for inspection, for finding what an order was.
//!
//! A reader checks everything it passes: each record's checksum, the chain from record to record and from file to file.
//! It changes nothing, so it may run beside the desk; the record being written then looks like a torn tail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tradewind_events::Intent;
use tradewind_model::ClientOrderId;

use crate::error::JournalError;
use crate::frames::{Frames, Step};
use crate::journal::TornTail;
use crate::record::{Record, Stamped};
use crate::records::Records;
use crate::segment::{self, SegmentFile, StoreKind};
use crate::snapshot::{self, Snapshot, SnapshotPlace};
use crate::storage::Storage;

/// A journal, open for reading.
#[derive(Clone, Debug)]
pub struct Reader {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
}

/// What a journal holds, after everything in it was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Records of the truth.
    pub truth: u64,
    /// Records of market data.
    pub market: u64,
    /// The first sequence number for which both stores are there; older market data was dropped.
    pub complete_from: u64,
    /// The last sequence number of any record.
    pub last_seq: u64,
    /// Torn tails.
    pub torn: Vec<TornTail>,
}

/// What a start recovers from.
#[derive(Debug)]
pub struct RecoveryTail {
    /// The newest complete snapshot; none if there never was one.
    pub snapshot: Option<Snapshot>,
    /// The first sequence number that the journal covers: more than 1 if its oldest files are gone. Without a snapshot
    /// such a journal cannot be folded from the beginning.
    pub first_seq: u64,
    /// The truth behind the snapshot.
    pub records: TailRecords,
}

/// Inputs, intents and events behind a snapshot, oldest first; no segment headers and no snapshots. Ends after the first
/// error.
#[derive(Debug)]
pub struct TailRecords(Records);

impl TailRecords {
    /// The torn tail, once it has been passed: what the last run did not finish writing.
    #[must_use]
    pub fn torn(&self) -> &[TornTail] {
        self.0.torn()
    }
}

impl Iterator for TailRecords {
    type Item = Result<Stamped, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let is_frame = |found: &Self::Item| {
            let found = found.as_ref().map(|stamped| &stamped.record);
            matches!(found, Ok(Record::Segment(_) | Record::Snapshot(_)))
        };
        self.0.by_ref().find(|found| !is_frame(found))
    }
}

impl Reader {
    /// The journal in `dir`.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, dir: &Path) -> Self {
        Self {
            storage,
            dir: dir.to_owned(),
        }
    }

    pub(crate) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// All records of one store, oldest first.
    ///
    /// # Errors
    /// [`JournalError::Io`], if the directory cannot be read.
    pub fn records(&self, store: StoreKind) -> Result<Records, JournalError> {
        self.records_after(store, 0)
    }

    /// The records of one store that belong to inputs behind `after`, oldest first. Files that can hold none are not read.
    ///
    /// # Errors
    /// [`JournalError::Io`], if the directory cannot be read.
    pub fn records_after(&self, store: StoreKind, after: u64) -> Result<Records, JournalError> {
        let mut files = segment::list_all(&*self.storage, &self.dir, store)?;
        let behind = files.partition_point(|file| file.first_seq <= after + 1);
        let files = files.split_off(behind.saturating_sub(1));
        Ok(self.records_of(store, files, after))
    }

    /// The records of one store in the files before `ordinal`, oldest first.
    ///
    /// # Errors
    /// [`JournalError::Io`], if the directory cannot be read.
    pub fn records_before(&self, store: StoreKind, ordinal: u32) -> Result<Records, JournalError> {
        let mut files = segment::list_all(&*self.storage, &self.dir, store)?;
        files.retain(|file| file.ordinal < ordinal);
        Ok(self.records_of(store, files, 0))
    }

    /// What a start recovers from: the newest complete snapshot, and the truth of the inputs behind it.
    ///
    /// Only the newest files are read, from the last one back to the one with the snapshot, and from there on again.
    ///
    /// # Errors
    /// [`JournalError`]: damage in those files.
    pub fn recovery_tail(&self) -> Result<RecoveryTail, JournalError> {
        self.recovery_tail_before(u32::MAX)
    }

    /// What an earlier start recovered from: the one that began file `ordinal` of the truth. See [`RecordPlace::file`](crate::RecordPlace::file).
    ///
    /// # Errors
    /// As [`recovery_tail`](Self::recovery_tail).
    pub fn recovery_tail_before(&self, ordinal: u32) -> Result<RecoveryTail, JournalError> {
        let mut files = segment::list_all(&*self.storage, &self.dir, StoreKind::Truth)?;
        files.retain(|file| file.ordinal < ordinal);
        let first_seq = files.first().map_or(1, |file| file.first_seq);
        let snapshot = self.newest_snapshot(&files)?;
        let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
        let behind = files.partition_point(|file| file.first_seq <= after + 1);
        let files = files.split_off(behind.saturating_sub(1));
        Ok(RecoveryTail {
            snapshot,
            first_seq,
            records: TailRecords(self.records_of(StoreKind::Truth, files, after)),
        })
    }

    /// The file of a store with this ordinal, in the journal or its archive.
    ///
    /// # Errors
    /// [`JournalError::Io`], if the directory cannot be read.
    pub fn path_of(&self, store: StoreKind, ordinal: u32) -> Result<Option<PathBuf>, JournalError> {
        let mut files = segment::list_all(&*self.storage, &self.dir, store)?.into_iter();
        let file = files.find(|file| file.ordinal == ordinal);
        Ok(file.map(|file| file.path))
    }

    /// The last number in the truth; 0 if it is empty. A desk may write on.
    ///
    /// # Errors
    /// [`JournalError`]: damage in the newest files.
    pub fn truth_end(&self) -> Result<u64, JournalError> {
        let files = segment::list_all(&*self.storage, &self.dir, StoreKind::Truth)?;
        for file in files.iter().rev() {
            let mut frames = Frames::open(&*self.storage, &file.path)?;
            let mut end = None;
            while let Step::Frame(frame) = frames.step()? {
                end = end.max(Some(frame.header.seq));
            }
            if let Some(end) = end {
                return Ok(end);
            }
        }
        Ok(0)
    }

    /// Where every complete snapshot lies, oldest first. The whole truth is read.
    ///
    /// # Errors
    /// [`JournalError`]: damage.
    pub fn snapshots(&self) -> Result<Vec<SnapshotPlace>, JournalError> {
        let mut all = Vec::new();
        for file in segment::list_all(&*self.storage, &self.dir, StoreKind::Truth)? {
            let found = snapshot::find_all(&*self.storage, &file)?;
            all.extend(found.into_iter().map(|place| SnapshotPlace {
                file: file.clone(),
                place,
            }));
        }
        Ok(all)
    }

    /// The snapshot that lies there.
    ///
    /// # Errors
    /// [`JournalError`]: damage.
    pub fn snapshot(&self, at: &SnapshotPlace) -> Result<Snapshot, JournalError> {
        snapshot::read(&*self.storage, &at.file, at.place)
    }

    fn newest_snapshot(&self, files: &[SegmentFile]) -> Result<Option<Snapshot>, JournalError> {
        for file in files.iter().rev() {
            if let Some(place) = snapshot::find_last(&*self.storage, file)? {
                return snapshot::read(&*self.storage, file, place).map(Some);
            }
        }
        Ok(None)
    }

    fn records_of(&self, store: StoreKind, files: Vec<SegmentFile>, after: u64) -> Records {
        Records::new(Arc::clone(&self.storage), store, files, after)
    }

    /// All inputs of both stores in the order in which the engine had them.
    ///
    /// # Errors
    /// [`JournalError::Io`], if the directory cannot be read.
    pub fn inputs(
        &self,
    ) -> Result<impl Iterator<Item = Result<Stamped, JournalError>>, JournalError> {
        let only_inputs = |records: Records| {
            records
                .filter(|found| {
                    !matches!(found, Ok(stamped) if !matches!(stamped.record, Record::Input(_)))
                })
                .peekable()
        };
        let mut truth = only_inputs(self.records(StoreKind::Truth)?);
        let mut market = only_inputs(self.records(StoreKind::Market)?);
        Ok(std::iter::from_fn(move || {
            let from_market = match (truth.peek(), market.peek()) {
                (Some(Ok(truth)), Some(Ok(market))) => market.seq < truth.seq,
                (Some(_), Some(Err(_))) | (None, _) => true,
                (Some(_), _) => false,
            };
            if from_market {
                market.next()
            } else {
                truth.next()
            }
        }))
    }

    /// Every intent by its client order id.
    ///
    /// # Errors
    /// [`JournalError`], at the first thing that does not fit.
    pub fn intents(&self) -> Result<BTreeMap<ClientOrderId, Intent>, JournalError> {
        let mut intents = BTreeMap::new();
        for found in self.records(StoreKind::Truth)? {
            if let Record::Intent(intent) = found?.record {
                intents.insert(intent.terms.client_id, intent);
            }
        }
        Ok(intents)
    }

    /// Checks every byte.
    ///
    /// # Errors
    /// [`JournalError`], at the first thing that does not fit: it names file and offset.
    pub fn verify(&self) -> Result<Coverage, JournalError> {
        let mut coverage = Coverage::default();
        for store in [StoreKind::Truth, StoreKind::Market] {
            let mut records = self.records(store)?;
            let mut count = 0;
            for found in records.by_ref() {
                let found = found?;
                if let Record::Segment(header) = &found.record
                    && count == 0
                {
                    coverage.complete_from = coverage.complete_from.max(header.first_seq);
                }
                count += 1;
                coverage.last_seq = coverage.last_seq.max(found.seq);
            }
            match store {
                StoreKind::Truth => coverage.truth = count,
                StoreKind::Market => coverage.market = count,
            }
            coverage.torn.extend_from_slice(records.torn());
        }
        Ok(coverage)
    }
}
