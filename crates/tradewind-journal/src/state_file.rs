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

/// Size of the file: one block, the rest of it spaces.
const SIZE: usize = 4_096;

/// The file of one state.
#[derive(Clone, Debug)]
pub struct StateFile {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    name: &'static str,
}

impl StateFile {
    /// The file `name` in `dir`, which must exist.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, dir: &Path, name: &'static str) -> Self {
        Self {
            storage,
            dir: dir.to_owned(),
            name,
        }
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
        let mut bytes = serde_json::to_vec(state)?;
        if bytes.len() > SIZE {
            return Err(io::Error::other("the state is too long for its file"));
        }
        bytes.resize(SIZE, b' ');
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
}
