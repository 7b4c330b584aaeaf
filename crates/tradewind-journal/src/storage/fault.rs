//! Errors of the disk that a test injects into [`MemoryStorage`](super::MemoryStorage).

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// No space left on the device.
const ENOSPC: i32 = 28;
/// The file system is mounted read-only.
const EROFS: i32 = 30;

/// What a disk refuses.
#[derive(Clone)]
pub struct StorageFault {
    error: i32,
    applies_to: Arc<dyn Fn(&Path) -> bool + Send + Sync>,
    /// Bytes that are written before the first error.
    room: u64,
    /// Whether only bytes that make a file longer need room.
    only_growth: bool,
    /// The operation that fails, counted from 1 over reads and syncs, too; all writing ones if not set.
    operation: Option<u64>,
    operations: u64,
    pub(super) refused: u64,
}

impl StorageFault {
    /// Every change of a file fails with this error of the operating system.
    #[must_use]
    pub fn errors(error: i32) -> Self {
        Self {
            error,
            applies_to: Arc::new(|_| true),
            room: 0,
            only_growth: false,
            operation: None,
            operations: 0,
            refused: 0,
        }
    }

    /// The disk is full but for `room` bytes. What lies in files can be written over, and what is cut off gives room.
    #[must_use]
    pub fn full(room: u64) -> Self {
        Self {
            room,
            only_growth: true,
            ..Self::errors(ENOSPC)
        }
    }

    /// The file system is read-only.
    #[must_use]
    pub fn read_only() -> Self {
        Self::errors(EROFS)
    }

    /// Only on these paths.
    #[must_use]
    pub fn on(self, applies_to: impl Fn(&Path) -> bool + Send + Sync + 'static) -> Self {
        Self {
            applies_to: Arc::new(applies_to),
            ..self
        }
    }

    /// Only after so many bytes were written; the write that meets the limit is cut short.
    #[must_use]
    pub fn after_bytes(self, room: u64) -> Self {
        Self { room, ..self }
    }

    /// Only the `operation`-th operation from now on, counted from 1; reads and syncs count, too.
    #[must_use]
    pub fn at_operation(self, operation: u64) -> Self {
        Self {
            operation: Some(operation),
            ..self
        }
    }

    /// A read or a sync.
    pub(super) fn look(&mut self, path: &Path) -> io::Result<()> {
        if self.operation.is_none() {
            return Ok(());
        }
        self.change(path)
    }

    /// A change of names or of a length.
    pub(super) fn change(&mut self, path: &Path) -> io::Result<()> {
        if !(self.applies_to)(path) {
            return Ok(());
        }
        self.operations += 1;
        let due = self
            .operation
            .is_none_or(|number| number == self.operations);
        if !due || self.only_growth || self.room > 0 {
            return Ok(());
        }
        Err(self.refuse())
    }

    /// A write of `bytes`, `growth` of them behind the file's end; how many of the bytes may be written, and the error
    /// after that.
    pub(super) fn write(
        &mut self,
        path: &Path,
        bytes: usize,
        growth: usize,
    ) -> (usize, io::Result<()>) {
        if let Some(number) = self.operation {
            self.operations += u64::from((self.applies_to)(path));
            if number == self.operations && self.refused == 0 {
                return (bytes / 2, Err(self.refuse()));
            }
            return (bytes, Ok(()));
        }
        if !(self.applies_to)(path) {
            return (bytes, Ok(()));
        }
        let needed = if self.only_growth { growth } else { bytes } as u64;
        if needed <= self.room && (self.room > 0 || self.only_growth) {
            self.room -= needed;
            return (bytes, Ok(()));
        }
        let missing =
            usize::try_from(needed - std::mem::take(&mut self.room)).unwrap_or(usize::MAX);
        (bytes.saturating_sub(missing), Err(self.refuse()))
    }

    /// Bytes were cut off.
    pub(super) const fn give_back(&mut self, bytes: u64) {
        if self.only_growth {
            self.room += bytes;
        }
    }

    fn refuse(&mut self) -> io::Error {
        self.refused += 1;
        io::Error::from_raw_os_error(self.error)
    }
}

impl fmt::Debug for StorageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageFault")
            .field("error", &self.error)
            .field("room", &self.room)
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}
