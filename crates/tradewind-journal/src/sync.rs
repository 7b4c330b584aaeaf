//! Making what was flushed durable, from whichever thread waits for it.
//!
//! The writer never waits for a sync. Whoever needs one asks a [`Syncer`]; callers that come while one runs share the
//! next (group commit).

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::JournalError;
use crate::storage::{CrashPoint, Storage, StorageFile};

/// Makes durable what the journal flushed. Cheap to clone; usable from any thread.
#[derive(Clone, Debug)]
pub struct Syncer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    files: Mutex<Files>,
    /// Bytes flushed since the start; what a sync can make durable.
    flushed: AtomicU64,
    /// Of those, how many are durable. Held while a sync runs, so that the next one waits.
    durable: Mutex<u64>,
    failed: AtomicBool,
}

#[derive(Debug, Default)]
struct Files {
    /// Files with something to sync; the last is the one being written.
    open: Vec<(PathBuf, Arc<dyn StorageFile>)>,
    names_changed: bool,
}

impl Syncer {
    pub(crate) fn new(storage: Arc<dyn Storage>, dir: PathBuf) -> Self {
        Self {
            shared: Arc::new(Shared {
                storage,
                dir,
                files: Mutex::default(),
                flushed: AtomicU64::new(0),
                durable: Mutex::new(0),
                failed: AtomicBool::new(false),
            }),
        }
    }

    /// From now on `file` is the one being written.
    pub(crate) fn begin_file(&self, path: PathBuf, file: Arc<dyn StorageFile>) {
        let mut files = lock(&self.shared.files);
        files.open.push((path, file));
        files.names_changed = true;
    }

    pub(crate) fn note_flushed(&self, bytes: usize) {
        self.shared
            .flushed
            .fetch_add(bytes as u64, Ordering::Release);
    }

    /// Whether a sync failed; nothing may be trusted after that.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.shared.failed.load(Ordering::Acquire)
    }

    /// Returns once all that was flushed before the call is durable against power loss.
    ///
    /// # Errors
    /// [`JournalError::Io`] if the disk refused, and [`JournalError::Failed`] ever after: a failed sync is not tried
    /// again, since the system may have dropped what it could not write. The process should end.
    pub fn sync(&self) -> Result<(), JournalError> {
        let wanted = self.shared.flushed.load(Ordering::Acquire);
        let mut durable = lock(&self.shared.durable);
        if self.has_failed() {
            return Err(JournalError::Failed);
        }
        if *durable >= wanted && !lock(&self.shared.files).names_changed {
            return Ok(());
        }
        let reached = self.shared.flushed.load(Ordering::Acquire);
        self.sync_files().inspect_err(|_| {
            self.shared.failed.store(true, Ordering::Release);
        })?;
        *durable = reached;
        Ok(())
    }

    fn sync_files(&self) -> Result<(), JournalError> {
        let shared = &*self.shared;
        let (open, names_changed) = {
            let mut files = lock(&shared.files);
            let names_changed = std::mem::take(&mut files.names_changed);
            (files.open.clone(), names_changed)
        };
        reach(shared, CrashPoint::BeforeSync)?;
        for (path, file) in &open {
            file.sync().map_err(JournalError::io("sync", path))?;
        }
        if names_changed {
            shared
                .storage
                .sync_dir(&shared.dir)
                .map_err(JournalError::io("sync", &shared.dir))?;
        }
        // Files that were full when this sync began are durable for good.
        lock(&shared.files).open.drain(..open.len() - 1);
        reach(shared, CrashPoint::AfterSync)
    }
}

fn reach(shared: &Shared, point: CrashPoint) -> Result<(), JournalError> {
    let reached = shared.storage.reach(point);
    reached.map_err(JournalError::io("sync", &shared.dir))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
