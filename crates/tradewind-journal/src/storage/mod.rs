//! The seam between what is written and where: files behind a trait, so that a test can cut the power.
//!
//! [`Disk`] is the real one, [`MemoryStorage`] the one that can crash. The trait has positional reads and writes only:
//! a write that failed half-way is simply written again at the same place.

mod disk;
mod fault;
mod memory;

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use disk::Disk;
pub use fault::StorageFault;
pub use memory::{Loss, MemoryStorage};

/// Places at which a test can end the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each name says where it lies")]
pub enum CrashPoint {
    BeforeFlush,
    AfterFlush,
    BeforeSync,
    AfterSync,
    BeforeRotation,
    AfterRotation,
    BeforeReplacement,
    ReplacementWritten,
    ReplacementSynced,
    ReplacementRenamed,
    BeforeLatch,
    LatchWritten,
    LatchSynced,
}

impl CrashPoint {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::BeforeFlush,
        Self::AfterFlush,
        Self::BeforeSync,
        Self::AfterSync,
        Self::BeforeRotation,
        Self::AfterRotation,
        Self::BeforeReplacement,
        Self::ReplacementWritten,
        Self::ReplacementSynced,
        Self::ReplacementRenamed,
        Self::BeforeLatch,
        Self::LatchWritten,
        Self::LatchSynced,
    ];
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// To be read; it must be there.
    Read,
    /// To be read and written; it must be there.
    Write,
    /// To be read and written; made, or emptied if it is there.
    Create,
}

/// Where files lie.
pub trait Storage: Send + Sync + Debug {
    /// Makes a directory and those above it; fine if it is there.
    ///
    /// # Errors
    /// Any error of the operating system.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Opens a file.
    ///
    /// # Errors
    /// Any error of the operating system; `NotFound` where it is missing and not created.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn StorageFile>>;

    /// Names of the files in a directory, sorted; none if there is no such directory.
    ///
    /// # Errors
    /// Any error of the operating system.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Gives a file another name, replacing what has it.
    ///
    /// # Errors
    /// Any error of the operating system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// Any error of the operating system.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// Any error of the operating system.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Called at each named place; a test's storage may end the world there.
    ///
    /// # Errors
    /// Only in a test: the crash.
    fn reach(&self, _point: CrashPoint) -> io::Result<()> {
        Ok(())
    }

    /// The whole of a small file.
    ///
    /// # Errors
    /// Any error of the operating system; `NotFound` where it is missing.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenMode::Read)?;
        let length = usize::try_from(file.len()?).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        let read = file.read_at(&mut bytes, 0)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// An open file.
#[expect(
    clippy::len_without_is_empty,
    reason = "reading a file's length can fail, and `is_empty` is not needed"
)]
pub trait StorageFile: Send + Sync + Debug {
    /// Fills `buffer` from `offset` on, less only at the end of the file; how much.
    ///
    /// # Errors
    /// Any error of the operating system.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`. After an error any part of it may be there: write it again.
    ///
    /// # Errors
    /// Any error of the operating system.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes the contents durable against power loss.
    ///
    /// # Errors
    /// Any error of the operating system; then what is durable is not known.
    fn sync(&self) -> io::Result<()>;

    /// Cuts or extends the file.
    ///
    /// # Errors
    /// Any error of the operating system.
    fn set_len(&self, length: u64) -> io::Result<()>;

    /// Its length in bytes.
    ///
    /// # Errors
    /// Any error of the operating system.
    fn len(&self) -> io::Result<u64>;
}
