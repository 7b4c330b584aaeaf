//! Space kept for the truth: a file of zeros that becomes the next file of truth when the disk is full.
//!
//! It is written over in place, so nobody else can take its space in between. It is filled in small steps, and again once
//! the disk has room.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tradewind_model::Timestamp;

use crate::error::JournalError;
use crate::segment::{SegmentFile, StoreKind};
use crate::storage::{OpenMode, Storage, StorageFile};
use crate::store::recover;

const FILE: &str = "reserve";

/// Zeros written at once.
const STEP: usize = 64 * 1024;

/// Wait after the disk had no room.
const RETRY: Duration = Duration::from_secs(10);

/// Bytes that are left to the rest of the desk where the reserve cannot be filled: a start writes some small files.
const LEFT_FREE: u64 = 1 << 20;

/// Frees space that the desk holds in `dir` and does not use, for the small files of a start on a full disk: a part of the
/// reserve or, if the last run used it, what is unused of the last file of truth. Whether there was any.
///
/// # Errors
/// Any error of the storage, and damage of the last file.
pub fn make_room(storage: &dyn Storage, dir: &Path) -> Result<bool, JournalError> {
    let path = dir.join(FILE);
    let opened = storage.open(&path, OpenMode::Write).ok();
    let length = opened.as_ref().and_then(|file| file.len().ok());
    if let Some((file, left)) = opened.zip(length.and_then(|length| length.checked_sub(LEFT_FREE)))
    {
        let shortened = file.set_len(left);
        shortened.map_err(JournalError::io("shorten", &path))?;
        return Ok(true);
    }
    let before = recover(storage, dir, StoreKind::Truth)?;
    Ok(before.had_unused())
}

/// The reserve of a journal.
#[derive(Debug)]
pub(crate) struct Reserve {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    /// Bytes wanted; 0 for no reserve.
    bytes: u64,
    filled: u64,
    file: Option<Arc<dyn StorageFile>>,
    retry_at: Timestamp,
}

/// A reserve that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) file: Arc<dyn StorageFile>,
    pub(crate) bytes: u64,
}

impl Reserve {
    /// The reserve in `dir`, filled as far as the disk has room.
    pub(crate) fn open(storage: Arc<dyn Storage>, dir: &Path, bytes: u64, now: Timestamp) -> Self {
        let path = dir.join(FILE);
        let file = storage.open(&path, OpenMode::Write).ok();
        let length = file.as_ref().and_then(|file| file.len().ok());
        let mut reserve = Self {
            storage,
            path,
            bytes,
            filled: length.unwrap_or(0).min(bytes),
            file,
            retry_at: Timestamp::EPOCH,
        };
        while !reserve.is_complete() && now >= reserve.retry_at {
            reserve.fill(now);
        }
        reserve
    }

    /// Whether all of it is there.
    pub(crate) const fn is_complete(&self) -> bool {
        self.filled >= self.bytes
    }

    /// Adds a step, unless it is complete or the disk had no room a moment ago.
    pub(crate) fn fill(&mut self, now: Timestamp) {
        if !self.is_complete() && now >= self.retry_at && self.add_step().is_err() {
            self.retry_at = now + RETRY;
            self.leave_some_free();
        }
    }

    /// Gives back a part of what was added, or all of it.
    fn leave_some_free(&mut self) {
        let Some(file) = &self.file else { return };
        let left = self.filled.saturating_sub(LEFT_FREE);
        if file.set_len(left).is_ok() {
            self.filled = left;
        }
    }

    /// Makes it the file of `segment`; `None` if nothing is left of it.
    pub(crate) fn take(&mut self, segment: &SegmentFile) -> io::Result<Option<Taken>> {
        let Some(file) = self.file.clone().filter(|_| self.filled > 0) else {
            return Ok(None);
        };
        self.storage.rename(&self.path, &segment.path)?;
        self.file = None;
        let bytes = std::mem::take(&mut self.filled);
        Ok(Some(Taken { file, bytes }))
    }

    fn add_step(&mut self) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.storage.open(&self.path, OpenMode::Create)?,
        };
        let file = self.file.insert(file);
        let left = usize::try_from(self.bytes - self.filled).unwrap_or(STEP);
        let step = left.min(STEP);
        file.write_at(&[0; STEP][..step], self.filled)?;
        self.filled += step as u64;
        Ok(())
    }
}
