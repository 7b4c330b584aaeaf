//! One desk per data directory: a second one is refused, with the process id of the first.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

const FILE: &str = "lock";

/// Held while the desk runs; the system lets go of it when the process ends, however that happens.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another desk runs here.
    #[error("{dir} is in use by {holder}", holder = describe(*pid))]
    Held {
        /// Which directory.
        dir: PathBuf,
        /// The process that holds it, if known.
        pid: Option<u32>,
    },
    /// The lock file cannot be used.
    #[error("could not lock {dir}")]
    Io {
        /// Which directory.
        dir: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
}

fn describe(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

impl DirectoryLock {
    /// Takes the lock of `dir`, making the directory if it is not there.
    ///
    /// # Errors
    /// [`LockError::Held`] if another process, or another part of this one, has it.
    pub fn acquire(dir: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Io {
            dir: dir.to_owned(),
            source,
        };
        fs::create_dir_all(dir).map_err(failed)?;
        let path = dir.join(FILE);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = fs::read_to_string(&path).unwrap_or_default();
                return Err(LockError::Held {
                    dir: dir.to_owned(),
                    pid: text.trim().parse().ok(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}
