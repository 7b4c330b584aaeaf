//! Space kept for the truth: a file of zeros that becomes the next file of truth when the disk is full.
//!
//! It is written over in place, so nobody else can take its space in between. It is filled in small steps, and again once
//! the disk has room.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tradewind_model::Timestamp;

use crate::segment::SegmentFile;
use crate::storage::{OpenMode, Storage, StorageFile};

const FILE: &str = "reserve";

/// Zeros written at once.
const STEP: usize = 64 * 1024;

/// Wait after the disk had no room.
const RETRY: Duration = Duration::from_secs(10);

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
