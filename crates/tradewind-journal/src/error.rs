//! What can go wrong with a journal, by what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why the journal could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The disk refused. A failed sync is never tried again: what it lost is not known (S04).
    #[error("could not {doing} {path}")]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// A file does not hold what was written to it. No trading on top of it; rebuild from the venue.
    #[error("{path} is corrupt at byte {offset}: {what}")]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Where the first bad record begins.
        offset: u64,
        /// What did not fit.
        what: String,
    },
    /// Valid, but written by a newer release.
    #[error("{path} holds at byte {offset} what this release does not know: {what}")]
    Unsupported {
        /// Which file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What.
        what: String,
    },
    /// A snapshot of the engine's state is too long to be written; nothing was appended.
    #[error("a snapshot of {bytes} bytes is longer than {max}, the longest there may be")]
    SnapshotTooLong {
        /// Its length.
        bytes: usize,
        /// The longest that is written.
        max: usize,
    },
    /// A value cannot be written down; a programming error, found before anything is written.
    #[error("could not encode a record")]
    Encode(#[from] rmp_serde::encode::Error),
    /// An earlier sync failed; the journal takes nothing more and the process should end.
    #[error("the journal failed before and takes nothing more")]
    Failed,
}

/// A disk that takes no writes and may take them again: nothing was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is full, or a quota is used up.
    Full,
    /// It is read-only.
    ReadOnly,
}

impl JournalError {
    /// Whether the disk only refused a write. Then the same bytes can be written later; any other error of the truth
    /// means that what is on disk is not known (S04).
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match self {
            Self::Io { doing: "sync", .. } => None,
            Self::Io { source, .. } => match source.kind() {
                StorageFull | QuotaExceeded | FileTooLarge => Some(Refusal::Full),
                ReadOnlyFilesystem => Some(Refusal::ReadOnly),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }

    /// Where it happened, for what is wrong inside a file.
    #[must_use]
    pub fn place(&self) -> Option<(&Path, u64)> {
        match self {
            Self::Corrupt { path, offset, .. } | Self::Unsupported { path, offset, .. } => {
                Some((path, *offset))
            }
            _ => None,
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn cure(&self) -> &'static str {
        match self {
            Self::Corrupt { .. } => {
                "run `tradewind journal repair`, or stop the desk and move this file, the files of its store after it, and tradewind.db to another folder; \
                 the next start reads what is left, and positions, balances and open orders from the venue"
            }
            Self::Unsupported { .. } => "use the release that wrote it, or a later one",
            Self::Io { .. } => match self.refusal() {
                Some(Refusal::Full) => "make room on the disk",
                Some(Refusal::ReadOnly) => "mount the file system writable",
                None => "check the disk and the permissions of the folder",
            },
            Self::Failed => "check the disk and start the desk again",
            Self::SnapshotTooLong { .. } | Self::Encode(_) => "report it",
        }
    }

    /// Whether a file is not there.
    pub(crate) fn is_missing_file(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    pub(crate) fn corrupt(path: &Path, offset: u64, what: impl Into<String>) -> Self {
        Self::Corrupt {
            path: path.to_owned(),
            offset,
            what: what.into(),
        }
    }
}
