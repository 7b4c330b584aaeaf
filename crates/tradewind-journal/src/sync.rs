//! Making what was flushed durable, from whichever thread waits for it.
//!
//! The writer never waits for a sync. Callers use a [`Syncer`]; callers that come while one runs share the
//! next (group commit). `sync_thread.rs` runs one for a writer that must not wait.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tradewind_model::mutation::{Mutation, is_on};

use crate::archive::{self, Archive};
use crate::error::JournalError;
use crate::space::Space;
use crate::storage::{CrashPoint, Storage};

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
    /// Of those, how many are durable.
    durable: AtomicU64,
    /// `flushed` when the file being written began.
    file_began_at: AtomicU64,
    archive: Archive,
    /// Held while a sync runs, so that the next one waits.
    running: Mutex<()>,
    failed: AtomicBool,
}

#[derive(Debug, Default)]
struct Files {
    /// Full files with something to sync, closed: they are opened again for that. Linux reports a write error that no
    /// sync has seen to the file as opened again, too (errseq.rst). At most one for each file of the journal; a sync
    /// removes them all.
    full: Vec<PathBuf>,
    /// The file being written.
    current: Option<(PathBuf, Arc<Space>)>,
    names_changed: bool,
    /// Whether files were moved to the archive.
    archived: bool,
}

impl Syncer {
    pub(crate) fn new(storage: Arc<dyn Storage>, dir: PathBuf, archive: Archive) -> Self {
        Self {
            shared: Arc::new(Shared {
                storage,
                dir,
                files: Mutex::default(),
                flushed: AtomicU64::new(0),
                durable: AtomicU64::new(0),
                file_began_at: AtomicU64::new(0),
                archive,
                running: Mutex::default(),
                failed: AtomicBool::new(false),
            }),
        }
    }

    /// From now on `file` is the one being written.
    pub(crate) fn begin_file(&self, path: PathBuf, space: Arc<Space>) {
        self.shared
            .file_began_at
            .store(self.flushed(), Ordering::Release);
        let mut files = lock(&self.shared.files);
        let full = files.current.replace((path, space));
        files.full.extend(full.map(|(path, _)| path));
        files.names_changed = true;
    }

    pub(crate) fn note_flushed(&self, bytes: usize) {
        self.shared
            .flushed
            .fetch_add(bytes as u64, Ordering::Release);
    }

    /// Bytes flushed since the start.
    #[must_use]
    pub fn flushed(&self) -> u64 {
        self.shared.flushed.load(Ordering::Acquire)
    }

    /// Bytes durable since the start, of those flushed.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.shared.durable.load(Ordering::Acquire)
    }

    /// Durable bytes of the file being written.
    pub(crate) fn durable_in_file(&self) -> u64 {
        let began_at = self.shared.file_began_at.load(Ordering::Acquire);
        self.durable().saturating_sub(began_at)
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
        let wanted = self.flushed();
        let _running = lock(&self.shared.running);
        if self.has_failed() {
            return Err(JournalError::Failed);
        }
        if self.durable() >= wanted && !lock(&self.shared.files).names_changed {
            return Ok(());
        }
        let reached = self.flushed();
        self.sync_files().inspect_err(|_| {
            self.shared.failed.store(true, Ordering::Release);
        })?;
        self.shared.durable.store(reached, Ordering::Release);
        Ok(())
    }

    /// Adds space to the file being written if little is left, and syncs it, so that the next sync need not.
    ///
    /// # Errors
    /// [`JournalError::Io`], if the disk is full or refused; what was flushed is not touched by that.
    pub(crate) fn extend(&self) -> Result<(), JournalError> {
        let current = lock(&self.shared.files).current.clone();
        let Some((path, space)) = current else {
            return Ok(());
        };
        let extended = space.extend();
        if extended.map_err(JournalError::io("extend", &path))? {
            let synced = space.file().sync();
            synced.map_err(JournalError::io("sync the space of", &path))?;
        }
        Ok(())
    }

    pub(crate) fn archive(&self) -> &Archive {
        &self.shared.archive
    }

    /// Moves the files that lie behind a snapshot which is durable. Their new names are made durable by the next sync.
    pub(crate) fn archive_durable(&self) {
        self.archive_behind(self.durable());
    }

    pub(crate) fn archive_behind(&self, durable: u64) {
        let _running = lock(&self.shared.running);
        if self.shared.archive.run(durable) {
            let mut files = lock(&self.shared.files);
            (files.names_changed, files.archived) = (true, true);
        }
    }

    fn sync_files(&self) -> Result<(), JournalError> {
        if is_on(Mutation::SyncNotAwaited) {
            return Ok(());
        }
        let shared = &*self.shared;
        let (full, current, names_changed, archived) = {
            let mut files = lock(&shared.files);
            let names_changed = std::mem::take(&mut files.names_changed);
            let archived = std::mem::take(&mut files.archived);
            (
                files.full.clone(),
                files.current.clone(),
                names_changed,
                archived,
            )
        };
        reach(shared, CrashPoint::BeforeSync)?;
        for path in &full {
            let opened = archive::open(&*shared.storage, path);
            let synced = opened.and_then(|file| file.sync());
            synced.map_err(JournalError::io("sync", path))?;
        }
        if let Some((path, space)) = &current {
            let synced = space.file().sync();
            synced.map_err(JournalError::io("sync", path))?;
        }
        if archived {
            let synced = shared.archive.sync_names();
            synced.map_err(JournalError::io("sync the archive of", &shared.dir))?;
        }
        if names_changed {
            shared
                .storage
                .sync_dir(&shared.dir)
                .map_err(JournalError::io("sync", &shared.dir))?;
        }
        // Files that were full when this sync began are durable for good.
        lock(&shared.files).full.drain(..full.len());
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
