//! Reading a journal from the start: for replay, for inspection, for finding what an order was.
//!
//! A reader checks everything it passes: each record's checksum, the chain from record to record and from file to file.
//! It changes nothing, so it may run beside the desk; the record being written then looks like a torn tail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tradewind_events::{Input, Intent};
use tradewind_model::{ClientOrderId, Timestamp};

use crate::error::JournalError;
use crate::frames::{Frame, Frames, Step};
use crate::journal::TornTail;
use crate::record::{Record, Stamped};
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
        &self.0.torn
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

    /// What an earlier start recovered from: the one that began file `ordinal` of the truth. See [`RecordPlace::file`].
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
        Records {
            storage: Arc::clone(&self.storage),
            store,
            files: files.into_iter(),
            after,
            current: None,
            last: RecordPlace::default(),
            chain: None,
            torn: Vec::new(),
            over: false,
            passed: 0,
        }
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
            coverage.torn.append(&mut records.torn);
        }
        Ok(coverage)
    }
}

/// Where a record lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordPlace {
    /// Ordinal of its file in its store.
    pub file: u32,
    /// Its first byte in that file.
    pub offset: u64,
    /// Its number among the records that were read, the first is 1.
    pub number: u64,
}

/// The records of one store, oldest first. Ends after the first error.
#[derive(Debug)]
pub struct Records {
    storage: Arc<dyn Storage>,
    store: StoreKind,
    files: std::vec::IntoIter<SegmentFile>,
    /// Records up to this sequence number are passed over.
    after: u64,
    current: Option<(SegmentFile, Frames)>,
    last: RecordPlace,
    chain: Option<u64>,
    torn: Vec<TornTail>,
    over: bool,
    /// Bytes of the files that are read.
    passed: u64,
}

impl Records {
    /// Bytes of the store up to the end of the record that was read last, over all its files.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        let current = self.current.as_ref();
        self.passed + current.map_or(0, |(_, frames)| frames.offset())
    }

    /// Torn tails that were passed.
    #[must_use]
    pub fn torn(&self) -> &[TornTail] {
        &self.torn
    }

    /// Where the record lies that was read last.
    #[must_use]
    pub const fn place(&self) -> RecordPlace {
        self.last
    }

    /// The file of the record that was read last; `None` before the first and behind the end.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.current.as_ref().map(|(file, _)| &*file.path)
    }

    /// The next input, with its number and time; what else comes before it is passed over. Faster than the iterator.
    ///
    /// # Errors
    /// [`JournalError`]: damage. Nothing follows then.
    pub fn next_input(&mut self) -> Result<Option<(u64, Timestamp, Input)>, JournalError> {
        if self.over {
            return Ok(None);
        }
        let next = self.advance(|frame| {
            let input = frame.input()?;
            Ok(input.map(|input| (frame.header.seq, frame.header.at, input)))
        });
        self.over = !matches!(next, Ok(Some(_)));
        next
    }

    /// The next record for which `decode` returns something.
    fn advance<T>(
        &mut self,
        decode: impl Fn(&Frame<'_>) -> Result<Option<T>, JournalError>,
    ) -> Result<Option<T>, JournalError> {
        loop {
            let Some((file, frames)) = &mut self.current else {
                let Some(file) = self.files.next() else {
                    return Ok(None);
                };
                let frames = Frames::open(&*self.storage, &file.path)?;
                self.current = Some((file, frames));
                continue;
            };
            let offset = frames.offset();
            match frames.step()? {
                Step::Frame(frame) if offset > 0 && frame.header.seq <= self.after => continue,
                Step::Frame(frame) => {
                    if offset == 0 {
                        continues(&file.path, &frame.decode()?, self.chain)?;
                    }
                    self.last = RecordPlace {
                        file: file.ordinal,
                        offset,
                        number: self.last.number + 1,
                    };
                    if let Some(found) = decode(&frame)? {
                        return Ok(Some(found));
                    }
                    continue;
                }
                Step::End => self.chain = frames.chain().or(self.chain),
                Step::Torn { bytes } => {
                    self.torn.push(TornTail {
                        path: file.path.clone(),
                        offset,
                        bytes,
                    });
                    self.tear(offset)?;
                }
            }
            self.passed = self.bytes_read();
            self.current = None;
        }
    }

    /// A torn tail is fine at the very end, and in market data, which is not synced when a file is full.
    fn tear(&mut self, offset: u64) -> Result<(), JournalError> {
        let used = offset > 0;
        let last = self.files.as_slice().is_empty();
        if let (Some((file, _)), StoreKind::Truth, true, false) =
            (&self.current, self.store, used, last)
        {
            let what = "it ends inside a record, and is not the last file";
            return Err(JournalError::corrupt(&file.path, offset, what));
        }
        if used {
            self.chain = None;
        }
        Ok(())
    }
}

/// Whether a file continues where the one before it ended.
fn continues(path: &Path, first: &Stamped, chain: Option<u64>) -> Result<(), JournalError> {
    let Record::Segment(header) = &first.record else {
        let what = "it does not begin with a segment header";
        return Err(JournalError::corrupt(path, 0, what));
    };
    if chain.is_some_and(|chain| chain != header.chain_before) {
        let what = "it does not continue the file before it: records or a file are missing";
        return Err(JournalError::corrupt(path, 0, what));
    }
    Ok(())
}

impl Iterator for Records {
    type Item = Result<Stamped, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.advance(|frame| frame.decode().map(Some)).transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}
