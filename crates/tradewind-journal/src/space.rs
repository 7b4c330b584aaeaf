//! Space written with zeros ahead of the records: a sync of bytes that lie in it need not write the file's length, too.
//!
//! One thread writes records, another may extend the space. They never write the same bytes: each claims its range first.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::StorageFile;

/// Zeros written at once, so that a claim never waits long.
const CHUNK: usize = 16 * 1024;

/// The space of one file.
#[derive(Debug)]
pub(crate) struct Space {
    file: Arc<dyn StorageFile>,
    /// Bytes added at a time; 0 leaves the file as long as its records.
    step: u64,
    /// No space beyond this length: the next file begins about there.
    length_max: u64,
    used: AtomicU64,
    end: Mutex<u64>,
}

impl Space {
    pub(crate) fn new(file: Arc<dyn StorageFile>, step: u64, length_max: u64) -> Self {
        Self {
            file,
            step,
            length_max,
            used: AtomicU64::new(0),
            end: Mutex::new(0),
        }
    }

    /// A file that has `room` bytes of zeros already.
    pub(crate) fn with_room(file: Arc<dyn StorageFile>, step: u64, room: u64) -> Self {
        Self {
            end: Mutex::new(room),
            ..Self::new(file, step, room)
        }
    }

    pub(crate) const fn file(&self) -> &Arc<dyn StorageFile> {
        &self.file
    }

    /// Writes records at `offset`, in the space or behind it.
    ///
    /// # Errors
    /// Any error of the operating system; the same write may be tried again.
    pub(crate) fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let to = offset + bytes.len() as u64;
        if self.step > 0 {
            self.used.store(to, Ordering::Release);
            let mut end = self.end();
            *end = (*end).max(to);
        }
        self.file.write_at(bytes, offset)
    }

    /// Adds space if less than half a step of it is left; returns whether it did and the file needs a sync.
    ///
    /// # Errors
    /// Any error of the operating system. Records can be written all the same, or meet the same error.
    pub(crate) fn extend(&self) -> io::Result<bool> {
        let used = self.used.load(Ordering::Acquire);
        let wanted = (used + self.step).min(self.length_max);
        let left = self.end().saturating_sub(used);
        if left >= self.step / 2 {
            return Ok(false);
        }
        let mut extended = false;
        while self.add_chunk(wanted)? {
            extended = true;
        }
        Ok(extended)
    }

    /// Writes zeros behind the space, `wanted` at most; whether there was room.
    fn add_chunk(&self, wanted: u64) -> io::Result<bool> {
        let zeros = [0; CHUNK];
        let mut end = self.end();
        let room = wanted.saturating_sub(*end);
        if room == 0 {
            return Ok(false);
        }
        let length = usize::try_from(room).map_or(CHUNK, |room| room.min(CHUNK));
        self.file.write_at(&zeros[..length], *end)?;
        *end += length as u64;
        Ok(true)
    }

    /// Cuts off what lies behind the first `length` bytes, whether it is space or a record that was not written whole.
    ///
    /// # Errors
    /// Any error of the operating system.
    pub(crate) fn cut(&self, length: u64) -> io::Result<()> {
        let mut end = self.end();
        *end = u64::MAX;
        self.file.set_len(length)
    }

    /// Cuts the file to the `length` of its records; it is not extended any more.
    ///
    /// # Errors
    /// Any error of the operating system; unused space at the end of a file does no harm.
    pub(crate) fn finish(&self, length: u64) -> io::Result<()> {
        if self.step == 0 {
            return Ok(());
        }
        self.cut(length)
    }

    fn end(&self) -> MutexGuard<'_, u64> {
        // It is moved only after what it counts was written or claimed.
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::thread;

    use super::*;
    use crate::storage::{MemoryStorage, OpenMode, Storage as _};

    #[test]
    fn records_and_zeros_written_at_once_never_meet() {
        let storage = MemoryStorage::new();
        let path = Path::new("/file");
        let file = storage.open(path, OpenMode::Create).unwrap();
        let space = Arc::new(Space::new(file, 40_000, 900_000));
        let writer = Arc::clone(&space);
        let writing = thread::spawn(move || {
            for number in 0..10_000_u64 {
                writer.write(&[7; 100], number * 100).unwrap();
            }
        });
        while !writing.is_finished() {
            space.extend().unwrap();
        }
        writing.join().unwrap();
        space.finish(1_000_000).unwrap();
        assert_eq!(storage.read(path).unwrap(), vec![7; 1_000_000]);
    }
}
