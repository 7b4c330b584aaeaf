//! The progress in the stream of updates. It is saved over a restart, so that each update is applied once.
//!
//! Two marks, because commands differ. Stop and kill may be done twice but never not at all: an update is confirmed only
//! when they were answered. An order may be placed not at all but never twice: its update is saved on disk before it is
//! given to the desk.

use std::fmt::Debug;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The progress in the stream of updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The first update not yet handled: the `offset` of the next poll. None before the first.
    pub next: Option<i64>,
    /// The last update whose order or start was given to the desk.
    pub entry: Option<i64>,
}

/// Where [`Progress`] is kept. Called from a thread that may block.
pub trait ProgressStore: Debug + Send + Sync + 'static {
    /// What was kept last; the default if nothing was.
    ///
    /// # Errors
    /// It cannot be read. The Telegram bot does not start, because it could execute a command twice.
    fn load(&self) -> io::Result<Progress>;

    /// Keeps it durably.
    ///
    /// # Errors
    /// It cannot be written. Orders and starts are refused until it can.
    fn keep(&self, progress: Progress) -> io::Result<()>;
}

/// Progress in a small file, replaced whole.
#[derive(Clone, Debug)]
pub struct ProgressFile(PathBuf);

impl ProgressFile {
    /// Progress in the file at `path`, whose directory exists.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    fn draft(&self) -> PathBuf {
        self.0.with_extension("new")
    }
}

impl ProgressStore for ProgressFile {
    fn load(&self) -> io::Result<Progress> {
        match std::fs::read(&self.0) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Progress::default()),
            Err(error) => Err(error),
        }
    }

    fn keep(&self, progress: Progress) -> io::Result<()> {
        let mut file = std::fs::File::create(self.draft())?;
        file.write_all(&serde_json::to_vec(&progress)?)?;
        file.sync_all()?;
        std::fs::rename(self.draft(), &self.0)?;
        let directory = self.0.parent().filter(|path| !path.as_os_str().is_empty());
        std::fs::File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_outlives_the_process_and_a_spoilt_file_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("telegram.json");
        let file = ProgressFile::new(&path);
        assert_eq!(file.load().unwrap(), Progress::default());
        let progress = Progress {
            next: Some(347_023_015),
            entry: Some(-3),
        };
        file.keep(progress).unwrap();
        assert_eq!(ProgressFile::new(&path).load().unwrap(), progress);
        std::fs::write(&path, "{").unwrap();
        assert!(file.load().is_err());
    }
}
