//! Who this desk is: the data directory's instance and which start of it this is. Client order ids are made of both.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::replace::replace;
use crate::storage::Storage;

const FILE: &str = "identity.json";

/// Instance and epoch of one start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The data directory's own number, drawn when it was made; never 0.
    pub instance: u32,
    /// Counts the starts of this instance, from 1.
    pub epoch: u32,
}

impl Identity {
    /// Begins a start: the next epoch, durable before it is returned, so that no epoch is ever used twice.
    ///
    /// `draw` returns a random number. It is called when there is no readable identity: then it is unknown
    /// which epochs were used, and only a new instance is safe.
    ///
    /// # Errors
    /// Any error of the storage; the start must fail.
    pub fn begin(
        storage: &dyn Storage,
        journal_dir: &Path,
        draw: impl FnOnce() -> u32,
    ) -> io::Result<Self> {
        storage.create_dir(journal_dir)?;
        let last = match storage.read(&journal_dir.join(FILE)) {
            Ok(bytes) => serde_json::from_slice::<Self>(&bytes).ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let next = last.and_then(|last| {
            Some(Self {
                epoch: last.epoch.checked_add(1)?,
                ..last
            })
        });
        let identity = next.unwrap_or_else(|| Self {
            instance: draw().max(1),
            epoch: 1,
        });
        let bytes = serde_json::to_vec(&identity)?;
        replace(storage, journal_dir, FILE, &bytes)?;
        Ok(identity)
    }
}
