//! Who this desk is: the data directory's instance and which start of it this is. Client order ids are made of both.
//!
//! An identity belongs to one directory of one machine. In a copy of that directory, or a backup restored elsewhere, the
//! epochs that were used since are not known: it draws a new instance and keeps the old one as a former one, whose orders
//! are still its own (S11, P05). A backup restored in place looks like the original; what the venue lists shows it, see
//! [`Identity::raise_epoch`].

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use tradewind_model::mutation::{Mutation, is_on};

use crate::home::Home;
use crate::replace::replace;
use crate::storage::Storage;

const FILE: &str = "identity.json";

/// Former instances that are kept, the newest: a directory is not copied that often.
const FORMER_MAX: usize = 64;

/// Instance and epoch of one start.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The data directory's own number, drawn when it was made; never 0.
    pub instance: u32,
    /// Counts the starts of this instance, from 1.
    pub epoch: u32,
    /// The instances of the directories that this one was copied or restored from, oldest first.
    pub former: Vec<FormerInstance>,
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    home: Home,
}

/// An identity to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityView {
    /// The data directory's own number.
    pub instance: u32,
    /// The last start's.
    pub epoch: u32,
    /// The instances that it was copied from, oldest first.
    pub former: Vec<FormerInstance>,
}

/// An instance that this directory was a copy of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerInstance {
    /// Its number.
    pub instance: u32,
    /// Its last epoch when the copy was made. The original may have used later ones since.
    pub epoch: u32,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    instance: u32,
    epoch: u32,
    #[serde(default)]
    home: Home,
    #[serde(default)]
    former: Vec<FormerInstance>,
}

impl Identity {
    /// Begins a start: the next epoch, durable before it is returned, so that no epoch is ever used twice.
    ///
    /// `draw` returns a random number. It is called when there is no readable identity of this `home`: then it is unknown
    /// which epochs were used, and only a new instance is safe.
    ///
    /// # Errors
    /// Any error of the storage; the start must fail.
    pub fn begin(
        storage: Arc<dyn Storage>,
        journal_dir: &Path,
        home: Home,
        draw: impl FnOnce() -> u32,
    ) -> io::Result<Self> {
        storage.create_dir(journal_dir)?;
        let next = next(read(&*storage, journal_dir)?, home, draw);
        let identity = Self {
            instance: next.instance,
            epoch: next.epoch - u32::from(is_on(Mutation::EpochReused)),
            former: next.former,
            storage,
            dir: journal_dir.to_owned(),
            home,
        };
        identity.write()?;
        Ok(identity)
    }

    /// The identity as the last start wrote it, of whichever home; `None` if there is none that can be read.
    ///
    /// # Errors
    /// Any error of the storage.
    pub fn peek(storage: &dyn Storage, journal_dir: &Path) -> io::Result<Option<IdentityView>> {
        Ok(read(storage, journal_dir)?.map(|written| IdentityView {
            instance: written.instance,
            epoch: written.epoch,
            former: written.former,
        }))
    }

    /// Takes an epoch above `seen`, the highest one that the venue knows of this instance, if it is not above it already.
    /// Durable when it returns. To be called before the first order of this start.
    ///
    /// # Errors
    /// Any error of the storage, or no epoch is left; then the epoch must not be used.
    pub fn raise_epoch(&mut self, seen: u32) -> io::Result<()> {
        if seen < self.epoch {
            return Ok(());
        }
        let raised = seen.checked_add(1);
        self.epoch = raised.ok_or_else(|| io::Error::other("no epoch is left"))?;
        self.write()
    }

    /// Whether orders of `instance` are this desk's own.
    #[must_use]
    pub fn owns(&self, instance: u32) -> bool {
        let former = self.former.iter().map(|former| former.instance);
        former.chain([self.instance]).any(|own| own == instance)
    }

    fn write(&self) -> io::Result<()> {
        let bytes = serde_json::to_vec(&Written {
            instance: self.instance,
            epoch: self.epoch,
            home: self.home,
            former: self.former.clone(),
        })?;
        replace(&*self.storage, &self.dir, FILE, &bytes)
    }
}

fn read(storage: &dyn Storage, journal_dir: &Path) -> io::Result<Option<Written>> {
    match storage.read(&journal_dir.join(FILE)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The next epoch of what was written, or a new instance.
fn next(written: Option<Written>, home: Home, draw: impl FnOnce() -> u32) -> Written {
    let mut former = Vec::new();
    if let Some(last) = written {
        if !last.home.differs(home)
            && let Some(epoch) = last.epoch.checked_add(1)
        {
            return Written { epoch, ..last };
        }
        let (instance, epoch) = (last.instance, last.epoch);
        former = last.former;
        former.push(FormerInstance { instance, epoch });
        former.drain(..former.len().saturating_sub(FORMER_MAX));
    }
    let mut instance = draw().max(1);
    while former.iter().any(|former| former.instance == instance) {
        instance = instance.wrapping_add(1).max(1);
    }
    Written {
        instance,
        epoch: 1,
        home,
        former,
    }
}
