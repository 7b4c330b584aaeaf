//! Full files of the truth that a start does not need any more: they are moved to `archive/`, never removed.
//!
//! A file is moved once a durable snapshot contains all its inputs, and lies in a later file. Readers look in both
//! places, so a move may happen while they read.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::segment::SegmentFile;
use crate::storage::{OpenMode, Storage, StorageFile};

const FOLDER: &str = "archive";

/// The archive's folder in the journal's.
pub(crate) fn folder(journal_dir: &Path) -> PathBuf {
    journal_dir.join(FOLDER)
}

/// Opens a file to be read, wherever it lies by now.
pub(crate) fn open(storage: &dyn Storage, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
    match storage.open(path, OpenMode::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let moved = moved_to(path).ok_or(error)?;
            storage.open(&moved, OpenMode::Read)
        }
        other => other,
    }
}

fn moved_to(path: &Path) -> Option<PathBuf> {
    Some(folder(path.parent()?).join(path.file_name()?))
}

/// Which files can be moved, and moving them.
#[derive(Debug)]
pub(crate) struct Archive {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// Full files, oldest first, each with the first sequence number behind it: one for each file of truth in the
    /// journal's folder.
    full: VecDeque<(SegmentFile, u64)>,
    snapshot: Option<FlushedSnapshot>,
}

/// The newest snapshot that was flushed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlushedSnapshot {
    /// The last input it contains.
    pub(crate) seq: u64,
    /// The file it lies in.
    pub(crate) ordinal: u32,
    /// Position behind it, counted as [`Journal::flushed`](crate::Journal::flushed).
    pub(crate) position: u64,
}

impl Archive {
    /// For the files that are there, and one that is begun at `next_seq`.
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        dir: PathBuf,
        files: Vec<SegmentFile>,
        next_seq: u64,
    ) -> Self {
        let behind = files.iter().skip(1).map(|file| file.first_seq);
        let behind: Vec<_> = behind.chain([next_seq]).collect();
        let full = files.into_iter().zip(behind).collect();
        let snapshot = None;
        Self {
            storage,
            dir,
            queue: Mutex::new(Queue { full, snapshot }),
        }
    }

    pub(crate) fn note_full(&self, file: SegmentFile, next_seq: u64) {
        self.queue().full.push_back((file, next_seq));
    }

    pub(crate) fn note_snapshot(&self, snapshot: FlushedSnapshot) {
        self.queue().snapshot = Some(snapshot);
    }

    /// Moves what lies behind a snapshot that is durable by position `durable`; whether names have changed.
    ///
    /// What cannot be moved stays where it is; the next start tries again.
    pub(crate) fn run(&self, durable: u64) -> bool {
        let files = self.queue().take(durable);
        if files.is_empty() {
            return false;
        }
        let folder = folder(&self.dir);
        let made = self.storage.create_dir(&folder);
        let moved = files.iter().filter(|file| {
            let to = moved_to(&file.path);
            to.is_some_and(|to| made.is_ok() && self.storage.rename(&file.path, &to).is_ok())
        });
        moved.count() > 0
    }

    /// Makes moves durable: the new names first, so that a power cut leaves no file without one.
    pub(crate) fn sync_names(&self) -> io::Result<()> {
        self.storage.sync_dir(&folder(&self.dir))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Each change is one push, pop or assignment.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn take(&mut self, durable: u64) -> Vec<SegmentFile> {
        let snapshot = self.snapshot.filter(|found| found.position <= durable);
        let Some(snapshot) = snapshot else {
            return Vec::new();
        };
        let is_behind = |(file, next_seq): &mut (SegmentFile, u64)| {
            *next_seq <= snapshot.seq + 1 && file.ordinal < snapshot.ordinal
        };
        let taken = std::iter::from_fn(|| self.full.pop_front_if(is_behind));
        taken.map(|(file, _)| file).collect()
    }
}
