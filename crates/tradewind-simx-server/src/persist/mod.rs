//! What outlives the process: a snapshot of the exchange and a log of everything that reached it since.
//!
//! The log holds inputs, not results: the exchange is deterministic, so repeating them rebuilds it to the last trade id.
//! Clients' actions and what the market did are both inputs. Nothing is answered before the log is on disk, and one sync
//! serves all who wait. When the log has grown, a new snapshot replaces both; a crash between two steps leaves a state
//! that starts.
//!
//! What the market did after the last sync can be lost with the power, never with the process; no account was told of it.

mod log;
mod record;
mod snapshot;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::mirror::OtherDecimals;
use log::{Log, LogError};
pub(crate) use record::Record;
pub(crate) use snapshot::{SavedMarket, Snapshot};

/// The log is replaced by a snapshot when it is longer than this, and than the last snapshot.
const LOG_BYTES_MIN: u64 = 16 << 20;

/// The folder, opened.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    log: Log,
    generation: u64,
    snapshot_bytes: u64,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("cannot use {path}")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} is damaged: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error(
        "{path} belongs to another version of this program (format {found}, this one writes {known})"
    )]
    Format {
        path: PathBuf,
        found: u32,
        known: u32,
    },
    #[error("it holds another market ({found}); give this one a data folder of its own")]
    OtherMarket { found: String },
    #[error(transparent)]
    OtherDecimals(#[from] OtherDecimals),
}

/// What a folder held.
pub(crate) struct Saved {
    pub(crate) snapshot: Snapshot<'static>,
    /// What reached the exchange after the snapshot, oldest first.
    pub(crate) records: Vec<Record>,
}

/// Reads `folder`; `None` when nothing was ever kept there. Changes nothing but a torn tail.
pub(crate) fn read(folder: &Path) -> Result<Option<Saved>, StoreError> {
    let Some((snapshot, _)) = snapshot::read(&snapshot_path(folder))? else {
        return Ok(None);
    };
    let path = log_path(folder, snapshot.generation);
    let (mut records, mut broken) = (Vec::new(), None);
    Log::open(&path, |payload| match Record::decode(payload) {
        Ok(record) => records.push(record),
        Err(reason) => broken = broken.take().or(Some(reason)),
    })?;
    match broken {
        Some(reason) => Err(StoreError::Damaged { path, reason }),
        None => Ok(Some(Saved { snapshot, records })),
    }
}

impl Store {
    /// Begins a new generation in `folder` with `snapshot`, which gets its number.
    pub(crate) fn begin(folder: &Path, snapshot: &mut Snapshot<'_>) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|source| StoreError::Io {
            path: folder.to_owned(),
            source,
        })?;
        let before =
            snapshot::read(&snapshot_path(folder))?.map_or(0, |(before, _)| before.generation);
        let generation = before + 1;
        let (log, snapshot_bytes) = turn(folder, generation, snapshot)?;
        Ok(Self {
            folder: folder.to_owned(),
            log,
            generation,
            snapshot_bytes,
        })
    }

    /// Adds a record; it is in memory until [`sync`](Self::sync) or [`write`](Self::write).
    pub(crate) fn append(&mut self, record: &Record) {
        self.log.append(&record.encode());
    }

    /// Hands everything appended to the system: it survives the process, not the power.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        self.log.write()
    }

    /// Makes everything appended survive a loss of power.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.log.sync()
    }

    /// Whether the log has grown so long that a snapshot is due.
    pub(crate) fn wants_snapshot(&self) -> bool {
        self.log.len() > LOG_BYTES_MIN.max(self.snapshot_bytes)
    }

    /// Replaces snapshot and log.
    pub(crate) fn replace(&mut self, snapshot: &mut Snapshot<'_>) -> Result<(), StoreError> {
        let generation = self.generation + 1;
        (self.log, self.snapshot_bytes) = turn(&self.folder, generation, snapshot)?;
        self.generation = generation;
        Ok(())
    }
}

/// Writes `snapshot` as `generation`, opens its empty log and removes what came before.
///
/// The new log exists before the snapshot that names it; until the snapshot is renamed into place the old pair is whole.
fn turn(
    folder: &Path,
    generation: u64,
    snapshot: &mut Snapshot<'_>,
) -> Result<(Log, u64), StoreError> {
    snapshot.generation = generation;
    let path = log_path(folder, generation);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(StoreError::Io { path, source });
        }
        _ => {}
    }
    let log = Log::open(&path, |_| {})?;
    let bytes = snapshot::write(&snapshot_path(folder), snapshot)?;
    remove_other_logs(folder, generation);
    Ok((log, bytes))
}

/// A log that stays behind costs room and nothing else, so failing to remove it is no error.
fn remove_other_logs(folder: &Path, generation: u64) {
    let kept = log_path(folder, generation);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "log") && path != kept {
            drop(fs::remove_file(path));
        }
    }
}

fn snapshot_path(folder: &Path) -> PathBuf {
    folder.join("exchange.snapshot")
}

fn log_path(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("exchange-{generation:08}.log"))
}
