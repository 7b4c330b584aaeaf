//! The kill latch on disk: `kill.json`, and `KILL`, which a person may create.
//!
//! Whatever is doubtful means killed. `kill.json` has a fixed size and is overwritten in place, so that a full disk does
//! not stop a kill; a half-written file is unreadable. The latch in memory, which an order gate looks
//! at, is `tradewind-risk`'s and is set first.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tradewind_model::Timestamp;

use crate::replace::replace;
use crate::segment;
use crate::storage::{CrashPoint, OpenMode, Storage};

const FILE: &str = "kill.json";
const TOUCH: &str = "KILL";

/// Size of `kill.json`: one block, the rest of it spaces.
const SIZE: usize = 4096;

/// Characters of a reason or a name that are kept; with the worst escaping they fit [`SIZE`].
const TEXT_MAX: usize = 300;

/// The state of the latch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatchState {
    /// Whether nothing new may leave.
    pub killed: bool,
    /// The reason.
    pub reason: String,
    /// The principal.
    pub by: String,
    /// When it was last set or lifted.
    pub at: Timestamp,
}

/// Whether a kill survives a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a kill that is not durable must be reported"]
pub enum Durable {
    /// It is on disk.
    Yes,
    /// It is in memory only: the process must stay up.
    No,
}

/// The latch of a data directory.
#[derive(Clone, Debug)]
pub struct LatchFile {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    journal_dir: PathBuf,
}

impl LatchFile {
    /// The one in `data_dir`, whose journal lies in `journal_dir`.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, data_dir: &Path, journal_dir: &Path) -> Self {
        Self {
            storage,
            dir: data_dir.to_owned(),
            journal_dir: journal_dir.to_owned(),
        }
    }

    /// Reads the latch, and makes it if the directory is new: the latch comes before the journal.
    ///
    /// | `kill.json` | journal | `KILL` | |
    /// |---|---|---|---|
    /// | says killed | any | any | killed |
    /// | says clear | any | absent | clear |
    /// | says clear | any | there | killed |
    /// | absent | absent | absent | clear, and it is made |
    /// | absent | there | any | killed |
    /// | unreadable | any | any | killed |
    ///
    /// # Errors
    /// Any error of creating it; the start must fail without a latch.
    pub fn open(&self, now: Timestamp) -> io::Result<LatchState> {
        self.storage.create_dir(&self.dir)?;
        let state = self.read(now);
        if !state.killed && self.is_missing() {
            self.make(&state)?;
        }
        Ok(state)
    }

    /// The state of the latch, by the table of [`open`](Self::open); changes nothing. `now` stamps what is not on disk.
    #[must_use]
    pub fn read(&self, now: Timestamp) -> LatchState {
        let killed = |reason: &str| LatchState {
            killed: true,
            reason: reason.to_owned(),
            by: "the latch itself".to_owned(),
            at: now,
        };
        let state = match self.storage.read(&self.dir.join(FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| killed("kill.json cannot be understood")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match segment::any(&*self.storage, &self.journal_dir) {
                    Ok(false) => clear("a new data directory", "the latch itself", now),
                    Ok(true) => killed("kill.json is missing beside a journal"),
                    Err(_) => killed("kill.json is missing and the journal cannot be looked at"),
                }
            }
            Err(_) => killed("kill.json cannot be read"),
        };
        if !state.killed && self.is_touched() {
            return killed("the file KILL is there");
        }
        state
    }

    /// Whether the file `KILL` exists. It reads one directory entry; call it about once a second.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        match self.storage.open(&self.dir.join(TOUCH), OpenMode::Read) {
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// Sets the latch on disk. The caller has set the one in memory before; with no desk running this alone kills.
    pub fn kill(&self, reason: &str, by: &str, now: Timestamp) -> Durable {
        let state = LatchState {
            killed: true,
            ..clear(reason, by, now)
        };
        match self.write(&state) {
            Ok(()) => Durable::Yes,
            Err(_) => Durable::No,
        }
    }

    /// Lifts the latch, and takes away `KILL`. Who may do this is decided elsewhere.
    ///
    /// # Errors
    /// Any error of the storage; the latch then counts as set.
    pub fn reset(&self, reason: &str, by: &str, now: Timestamp) -> io::Result<()> {
        match self.storage.remove(&self.dir.join(TOUCH)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.storage.sync_dir(&self.dir)?;
        self.write(&clear(reason, by, now))
    }

    fn is_missing(&self) -> bool {
        let found = self.storage.open(&self.dir.join(FILE), OpenMode::Read);
        found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    fn make(&self, state: &LatchState) -> io::Result<()> {
        replace(&*self.storage, &self.dir, FILE, &encode(state)?)
    }

    fn write(&self, state: &LatchState) -> io::Result<()> {
        self.storage.create_dir(&self.dir)?;
        self.storage.reach(CrashPoint::BeforeLatch)?;
        if self.is_missing() {
            return self.make(state);
        }
        let file = self.storage.open(&self.dir.join(FILE), OpenMode::Write)?;
        file.write_at(&encode(state)?, 0)?;
        file.set_len(SIZE as u64)?;
        self.storage.reach(CrashPoint::LatchWritten)?;
        file.sync()?;
        self.storage.reach(CrashPoint::LatchSynced)
    }
}

fn clear(reason: &str, by: &str, at: Timestamp) -> LatchState {
    let short = |text: &str| text.chars().take(TEXT_MAX).collect();
    LatchState {
        killed: false,
        reason: short(reason),
        by: short(by),
        at,
    }
}

fn encode(state: &LatchState) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(state)?;
    bytes.resize(bytes.len().max(SIZE), b' ');
    Ok(bytes)
}
