//! `desk.json`: where the running desk can be reached. A hint for the command line, not a lock.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::replace::replace;
use crate::storage::Storage;

const FILE: &str = "desk.json";

/// The content of `desk.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningDesk {
    /// Its process id.
    pub pid: u32,
    /// Address of its API.
    pub url: String,
}

/// The file `desk.json` of a data directory.
#[derive(Clone, Debug)]
pub struct DeskFile {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
}

impl DeskFile {
    /// The one in `data_dir`.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, data_dir: &Path) -> Self {
        Self {
            storage,
            dir: data_dir.to_owned(),
        }
    }

    /// Announces a desk.
    ///
    /// # Errors
    /// Any error of the storage.
    pub fn write(&self, desk: &RunningDesk) -> io::Result<()> {
        self.storage.create_dir(&self.dir)?;
        replace(&*self.storage, &self.dir, FILE, &serde_json::to_vec(desk)?)
    }

    /// Takes the announcement back; fine if there is none.
    ///
    /// # Errors
    /// Any error of the storage.
    pub fn remove(&self) -> io::Result<()> {
        match self.storage.remove(&self.dir.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// The announced desk. It may not run any more: a desk that is killed does not remove its file.
    #[must_use]
    pub fn read(&self) -> Option<RunningDesk> {
        let bytes = self.storage.read(&self.dir.join(FILE)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}
