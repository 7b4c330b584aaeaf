//! What is wrong with a file: one line with file, line, column, reason and cure.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file of market data cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file system refused.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}: {}{reason}", path.display(), Place(*line, column.as_deref()))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1; in a JSON array the element.
        line: u64,
        /// The column, as the file or the layout calls it.
        column: Option<String>,
        /// What is wrong, and what cures it.
        reason: String,
    },
    /// The file as a whole cannot be read.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what cures it.
        reason: String,
    },
}

struct Place<'a>(u64, Option<&'a str>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.0)?;
        if let Some(column) = self.1 {
            write!(f, ", column {column}")?;
        }
        f.write_str(": ")
    }
}

impl DataError {
    pub(crate) fn file(path: &Path, reason: impl Into<String>) -> Self {
        Self::File {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn line(path: &Path, line: u64, reason: impl Into<String>) -> Self {
        Self::Malformed {
            path: path.to_owned(),
            line,
            column: None,
            reason: reason.into(),
        }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// What is wrong with a row, before its place is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) column: Option<String>,
    pub(crate) reason: String,
}

impl Fault {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            column: None,
            reason: reason.into(),
        }
    }

    pub(crate) fn at(self, path: &Path, line: u64) -> DataError {
        DataError::Malformed {
            path: path.to_owned(),
            line,
            column: self.column,
            reason: self.reason,
        }
    }
}
