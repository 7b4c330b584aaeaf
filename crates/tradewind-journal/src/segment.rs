//! Segments: the files of a store, and the record each begins with.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::archive;
use crate::error::JournalError;
use crate::storage::Storage;

/// Which of the two stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StoreKind {
    /// Everything but market data: kept.
    Truth,
    /// Quotes, trades, candles and books: rotated.
    Market,
}

impl StoreKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Truth => "truth-",
            Self::Market => "market-",
        }
    }

    /// Name of the `ordinal`-th file of the store, which holds no input before `first_seq`.
    ///
    /// The ordinal keeps names apart: two starts with no input between them begin at the same sequence number.
    fn file_name(self, ordinal: u32, first_seq: u64) -> String {
        format!("{}{ordinal:08}-{first_seq:020}{SUFFIX}", self.prefix())
    }

    /// Ordinal and first sequence number from a file name of this store; `None` for any other file.
    fn parse(self, name: &str) -> Option<(u32, u64)> {
        let digits = name.strip_prefix(self.prefix())?.strip_suffix(SUFFIX)?;
        let (ordinal, first_seq) = digits.split_once('-')?;
        Some((ordinal.parse().ok()?, first_seq.parse().ok()?))
    }
}

const SUFFIX: &str = ".twj";

/// The first record of each file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentHeader {
    /// Which store it belongs to.
    pub store: StoreKind,
    /// The build that wrote it; replay is promised for the same build.
    pub build: String,
    /// Hash of the configuration it ran with.
    pub configuration: String,
    /// The lowest sequence number an input in it can have.
    pub first_seq: u64,
    /// The chain at the end of the segment before it; 0 for the first.
    pub chain_before: u64,
}

/// One file of a store, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentFile {
    pub(crate) ordinal: u32,
    pub(crate) first_seq: u64,
    pub(crate) path: PathBuf,
}

impl SegmentFile {
    pub(crate) fn new(dir: &Path, kind: StoreKind, ordinal: u32, first_seq: u64) -> Self {
        Self {
            ordinal,
            first_seq,
            path: dir.join(kind.file_name(ordinal, first_seq)),
        }
    }

    /// The file after this one.
    pub(crate) fn next(&self, dir: &Path, kind: StoreKind, first_seq: u64) -> Self {
        Self::new(dir, kind, self.ordinal + 1, first_seq)
    }
}

/// The files of a store that are there, oldest first.
pub(crate) fn list(
    storage: &dyn Storage,
    dir: &Path,
    kind: StoreKind,
) -> Result<Vec<SegmentFile>, JournalError> {
    let names = storage.list(dir).map_err(JournalError::io("list", dir))?;
    let mut found: Vec<_> = names
        .iter()
        .filter_map(|name| kind.parse(name))
        .map(|(ordinal, first_seq)| SegmentFile::new(dir, kind, ordinal, first_seq))
        .collect();
    found.sort();
    Ok(found)
}

/// The files of a store in `dir` and in its archive, oldest first. One that is in both, because a move was cut short, is
/// listed once.
pub(crate) fn list_all(
    storage: &dyn Storage,
    dir: &Path,
    kind: StoreKind,
) -> Result<Vec<SegmentFile>, JournalError> {
    let mut found = list(storage, dir, kind)?;
    if kind == StoreKind::Truth {
        found.extend(list(storage, &archive::folder(dir), kind)?);
        found.sort_by_key(|file| (file.ordinal, file.first_seq));
        found.dedup_by_key(|file| (file.ordinal, file.first_seq));
    }
    Ok(found)
}

/// Whether there is any journal in `dir`.
pub(crate) fn any(storage: &dyn Storage, dir: &Path) -> io::Result<bool> {
    let known = |name: &String| {
        StoreKind::Truth.parse(name).is_some() || StoreKind::Market.parse(name).is_some()
    };
    Ok(storage.list(dir)?.iter().any(known))
}
