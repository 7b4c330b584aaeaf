//! Reading events back, by the thousand, while the writer appends: what a lossless subscriber falls back on.
//!
//! For each file of the truth there is a sparse index from sequence number to offset. The writer makes it for the file it
//! writes; for an older file, in the archive too, it is built on the first read, and a few are kept. Only flushed bytes
//! are read.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tradewind_events::Event;
use tradewind_model::EventId;

use crate::archive;
use crate::error::JournalError;
use crate::frames::{Frames, Step};
use crate::record::{Kind, Record};
use crate::segment::SegmentFile;
use crate::storage::Storage;

/// Indices of full files that are kept; of 64 MiB each takes about 20 KiB.
const INDICES_MAX: usize = 16;

/// Events between two entries of the index.
const EVERY: u32 = 256;

/// Reads events from the journal. Cheap to clone; usable from any thread.
#[derive(Clone, Debug)]
pub struct EventReader {
    log: Arc<Log>,
}

#[derive(Debug)]
struct Log {
    storage: Arc<dyn Storage>,
    /// One for each file of truth in the journal and its archive; the last is being written.
    files: RwLock<Vec<Arc<IndexedFile>>>,
    /// Files with an index, but the one being written; the oldest loses its own when there are too many.
    indexed: Mutex<VecDeque<Arc<IndexedFile>>>,
}

#[derive(Debug)]
struct IndexedFile {
    first_seq: u64,
    path: PathBuf,
    /// Bytes that may be read; `u64::MAX` for a closed file.
    flushed: AtomicU64,
    index: Mutex<Option<Index>>,
}

/// Where the first event of some sequence numbers lies.
#[derive(Debug, Default)]
struct Index {
    entries: Vec<(u64, u64)>,
    last_seq: u64,
    since: u32,
}

impl Index {
    /// Takes note of an event; the first of each `EVERY` that begins a sequence number makes an entry.
    fn note(&mut self, seq: u64, offset: u64) {
        let begins = self.entries.is_empty() || seq > self.last_seq;
        if begins && (self.entries.is_empty() || self.since >= EVERY) {
            self.entries.push((seq, offset));
            self.since = 0;
        }
        self.last_seq = seq;
        self.since += 1;
    }

    /// Where to look for what comes after sequence number `seq`; the start of the file if it is all later.
    fn offset_for(&self, seq: u64) -> u64 {
        let after = self.entries.partition_point(|(known, _)| *known <= seq);
        after
            .checked_sub(1)
            .map_or(0, |before| self.entries[before].1)
    }
}

impl EventReader {
    pub(crate) fn new(storage: Arc<dyn Storage>, older: Vec<SegmentFile>) -> Self {
        let files = older
            .into_iter()
            .map(|file| Arc::new(IndexedFile::new(&file, u64::MAX, None)))
            .collect();
        Self {
            log: Arc::new(Log {
                storage,
                files: RwLock::new(files),
                indexed: Mutex::default(),
            }),
        }
    }

    /// Up to `limit` events after `after`, in order; none if there are none yet.
    ///
    /// `EventId::default()` reads from the start. Of the `price_update` events only those are in the journal that
    /// something followed from.
    ///
    /// # Errors
    /// [`JournalError`], if a file cannot be read or is damaged.
    pub fn read_after(
        &self,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, JournalError> {
        let files = self.files();
        // Every event before the first sequence number of a file lies in the files before it.
        let behind = files.partition_point(|file| file.first_seq <= after.seq);
        let mut events = Vec::with_capacity(limit.min(1024));
        for file in &files[behind.saturating_sub(1)..] {
            if events.len() >= limit {
                break;
            }
            let read = file.read_after(&*self.log.storage, after, limit, &mut events);
            match read {
                // It was taken out of the archive: `first_seq` shows it.
                Err(error) if error.is_missing_file() => {}
                built => {
                    if built? {
                        self.log.keep_index(file);
                    }
                }
            }
        }
        Ok(events)
    }

    /// The first sequence number whose events can be read: more than 1 once the oldest files were taken out of the
    /// archive.
    #[must_use]
    pub fn first_seq(&self) -> u64 {
        let files = self.files();
        let there =
            |file: &&Arc<IndexedFile>| archive::open(&*self.log.storage, &file.path).is_ok();
        files.iter().find(there).map_or(1, |file| file.first_seq)
    }

    pub(crate) fn begin_file(&self, segment: &SegmentFile) {
        let live = IndexedFile::new(segment, 0, Some(Index::default()));
        let mut files = self
            .log
            .files
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let full = files.last().map(Arc::clone);
        files.push(Arc::new(live));
        drop(files);
        if let Some(full) = full.filter(|file| lock(&file.index).is_some()) {
            self.log.keep_index(&full);
        }
    }

    pub(crate) fn note(&self, seq: u64, offset: u64) {
        if let Some(live) = self.live() {
            lock(&live.index).get_or_insert_default().note(seq, offset);
        }
    }

    pub(crate) fn note_flushed(&self, bytes: u64) {
        if let Some(live) = self.live() {
            live.flushed.store(bytes, Ordering::Release);
        }
    }

    fn live(&self) -> Option<Arc<IndexedFile>> {
        let files = self
            .log
            .files
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        files.last().cloned()
    }

    fn files(&self) -> Vec<Arc<IndexedFile>> {
        let files = self
            .log
            .files
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        files.clone()
    }
}

impl Log {
    /// Keeps the index of a full file, and drops the oldest if there are too many.
    fn keep_index(&self, file: &Arc<IndexedFile>) {
        let mut indexed = lock(&self.indexed);
        indexed.push_back(Arc::clone(file));
        if indexed.len() > INDICES_MAX
            && let Some(oldest) = indexed.pop_front()
        {
            *lock(&oldest.index) = None;
        }
    }
}

impl IndexedFile {
    fn new(segment: &SegmentFile, flushed: u64, index: Option<Index>) -> Self {
        Self {
            first_seq: segment.first_seq,
            path: segment.path.clone(),
            flushed: AtomicU64::new(flushed),
            index: Mutex::new(index),
        }
    }

    /// Returns whether it built the file's index for that.
    fn read_after(
        &self,
        storage: &dyn Storage,
        after: EventId,
        limit: usize,
        events: &mut Vec<Arc<Event>>,
    ) -> Result<bool, JournalError> {
        let flushed = self.flushed.load(Ordering::Acquire);
        let (offset, built) = self.offset_for(storage, after.seq)?;
        let mut frames = Frames::range(storage, &self.path, offset, Some(flushed))?;
        while events.len() < limit {
            let Step::Frame(frame) = frames.step()? else {
                break;
            };
            if frame.header.seq < after.seq || frame.kind()? != Kind::Event {
                continue;
            }
            if let Record::Event(event) = frame.decode()?.record
                && event.id > after
            {
                events.push(Arc::new(event));
            }
        }
        Ok(built)
    }

    /// Where to look, and whether the index was built for that.
    fn offset_for(&self, storage: &dyn Storage, seq: u64) -> Result<(u64, bool), JournalError> {
        let mut slot = lock(&self.index);
        let built = slot.is_none();
        let index = match &mut *slot {
            Some(index) => index,
            empty => empty.insert(self.scan(storage)?),
        };
        Ok((index.offset_for(seq), built))
    }

    fn scan(&self, storage: &dyn Storage) -> Result<Index, JournalError> {
        let mut index = Index::default();
        let mut frames = Frames::open(storage, &self.path)?;
        while let Step::Frame(frame) = frames.step()? {
            if frame.kind()? == Kind::Event {
                index.note(frame.header.seq, frame.offset);
            }
        }
        Ok(index)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
