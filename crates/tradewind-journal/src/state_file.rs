//! A small state of a desk in a file of its own, overwritten in place: a full disk does not hinder it.
//!
//! It survives the process, not the power: nothing is synced. What cannot be read counts as absent.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::replace::replace;
use crate::storage::{OpenMode, Storage};

/// Size of a file that is not given more: one block, the rest of it spaces.
const SIZE: usize = 4_096;

/// The file of one state.
#[derive(Clone, Debug)]
pub struct StateFile {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    name: &'static str,
    size: usize,
}

impl StateFile {
    /// The file `name` in `dir`, which must exist.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, dir: &Path, name: &'static str) -> Self {
        Self {
            storage,
            dir: dir.to_owned(),
            name,
            size: SIZE,
        }
    }

    /// A file for states of so many bytes. It has that room once it is [renewed](Self::renew).
    #[must_use]
    pub fn with_room(mut self, bytes: usize) -> Self {
        self.size = bytes.max(1).next_multiple_of(SIZE);
        self
    }

    /// The state; `None` if there is none that can be read.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let bytes = self.storage.read(&self.dir.join(self.name)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes the state over the last one.
    ///
    /// # Errors
    /// Any error of the storage; a state longer than a block.
    pub fn write<T: Serialize>(&self, state: &T) -> io::Result<()> {
        let bytes = self.bytes(state)?;
        match self
            .storage
            .open(&self.dir.join(self.name), OpenMode::Write)
        {
            Ok(file) => file.write_at(&bytes, 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                replace(&*self.storage, &self.dir, self.name, &bytes)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the state to a file of its own in the place of the last one, whatever room that had.
    ///
    /// # Errors
    /// As [`write`](Self::write); the last file is left as it was.
    pub fn renew<T: Serialize>(&self, state: &T) -> io::Result<()> {
        let bytes = self.bytes(state)?;
        replace(&*self.storage, &self.dir, self.name, &bytes)
    }

    fn bytes<T: Serialize>(&self, state: &T) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(state)?;
        if bytes.len() > self.size {
            return Err(io::Error::other("the state is too long for its file"));
        }
        bytes.resize(self.size, b' ');
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{MemoryStorage, StorageFault};

    #[test]
    fn a_state_is_read_as_it_was_written_last_and_needs_room_once_only() {
        let storage = MemoryStorage::new();
        let dir = Path::new("desk");
        storage.create_dir(dir).unwrap();
        let file = StateFile::new(Arc::new(storage.clone()), dir, "state.json");
        assert_eq!(file.read::<Vec<u64>>(), None);
        file.write(&vec![1, 2, 3]).unwrap();
        storage.set_fault(Some(StorageFault::full(0)));
        file.write(&vec![4]).unwrap();
        assert_eq!(file.read(), Some(vec![4_u64]));
        assert_eq!(file.read::<bool>(), None, "another type's");
        assert!(file.write(&"x".repeat(SIZE)).is_err());
    }
    #[test]
    fn a_file_that_is_renewed_has_other_room() {
        let storage = MemoryStorage::new();
        let dir = Path::new("desk");
        storage.create_dir(dir).unwrap();
        let short = StateFile::new(Arc::new(storage.clone()), dir, "state.json");
        let long = "x".repeat(3 * SIZE - 2);
        let wide = short.clone().with_room(3 * SIZE - 1);
        short.write(&1).unwrap();
        wide.renew(&2).unwrap();
        storage.set_fault(Some(StorageFault::full(0)));
        wide.write(&long).unwrap();
        assert_eq!(wide.read(), Some(long.clone()));
        assert!(short.renew(&3).is_err());
        storage.set_fault(None);
        short.renew(&3).unwrap();
        assert_eq!(short.read(), Some(3));
        assert!(wide.write(&(long + "x")).is_err());
    }
}
