//! An append-only file of records, each framed by its length and checksum, which have a checksum of their own: a length
//! that lies would make all that follows look like a torn tail.
//!
//! A record counts once [`Log::sync`] returned. A process that dies in the middle of a write leaves a torn tail, which is
//! cut off at the next start; a damaged record in the middle is an error, since what follows it was acknowledged.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Length and checksum before each payload, and the checksum of the two.
const HEADER: usize = 12;

/// The open file and what waits to be written.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    pending: Vec<u8>,
    length: u64,
    unsynced: bool,
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The file system said no.
    #[error("cannot use {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Its reason.
        #[source]
        source: io::Error,
    },
    /// A record before the last one does not match its checksum.
    #[error("{path} is damaged at byte {at}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        at: u64,
    },
}

impl Log {
    /// Opens or creates `path` and gives every whole record in it to `each`.
    pub(crate) fn open(path: &Path, mut each: impl FnMut(&[u8])) -> Result<Self, LogError> {
        let io = |source| LogError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let whole = scan(&bytes, &mut each).map_err(|at| LogError::Damaged {
            path: path.to_owned(),
            at,
        })?;
        file.set_len(whole).map_err(io)?;
        file.seek(SeekFrom::Start(whole)).map_err(io)?;
        Ok(Self {
            file,
            pending: Vec::new(),
            length: whole,
            unsynced: false,
        })
    }

    /// Adds a record; it is in memory until [`sync`](Self::sync).
    pub(crate) fn append(&mut self, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a record is a few kilobytes");
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[4..8].copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
        let checksum = crc32fast::hash(&header[..8]);
        header[8..].copy_from_slice(&checksum.to_le_bytes());
        self.pending.extend_from_slice(&header);
        self.pending.extend_from_slice(payload);
    }

    /// Makes everything appended so far survive a loss of power; one call for all who wait.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.write()?;
        if std::mem::take(&mut self.unsynced) {
            self.file.sync_data()
        } else {
            Ok(())
        }
    }

    /// Hands everything appended so far to the system, in one write.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.file.write_all(&self.pending)?;
        self.length += u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
        self.pending.clear();
        self.unsynced = true;
        Ok(())
    }

    /// Bytes in the file.
    pub(crate) const fn len(&self) -> u64 {
        self.length
    }
}

/// What stands at a place of the file.
enum Found<'a> {
    Whole(&'a [u8]),
    /// A write that did not get to its end: the last there was.
    Torn,
    Damaged,
}

/// Gives each whole record to `each` and returns where they end, or where the damage is.
fn scan(bytes: &[u8], each: &mut impl FnMut(&[u8])) -> Result<u64, u64> {
    let mut at = 0;
    loop {
        match record(bytes.get(at..).unwrap_or_default()) {
            Found::Whole(payload) => {
                each(payload);
                at += HEADER + payload.len();
            }
            Found::Torn => return Ok(at as u64),
            Found::Damaged => return Err(at as u64),
        }
    }
}

/// The record that `rest` begins with.
fn record(rest: &[u8]) -> Found<'_> {
    let Some((header, behind)) = rest.split_first_chunk::<HEADER>() else {
        return Found::Torn;
    };
    let field = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| header[at + byte]));
    let nothing = |rest: &[u8]| rest.iter().all(|byte| *byte == 0);
    if crc32fast::hash(&header[..8]) != field(8) {
        return if nothing(behind) {
            Found::Torn
        } else {
            Found::Damaged
        };
    }
    let length = usize::try_from(field(0)).unwrap_or(usize::MAX);
    let Some((payload, behind)) = behind.split_at_checked(length) else {
        return Found::Torn;
    };
    if crc32fast::hash(payload) == field(4) {
        Found::Whole(payload)
    } else if nothing(behind) {
        Found::Torn
    } else {
        Found::Damaged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> Result<Vec<Vec<u8>>, LogError> {
        let mut records = Vec::new();
        Log::open(path, |record| records.push(record.to_vec())).map(|_| records)
    }

    fn written(path: &Path) {
        let mut log = Log::open(path, |_| {}).unwrap();
        for record in [b"one".as_slice(), b"two", b"three"] {
            log.append(record);
        }
        log.sync().unwrap();
        assert_eq!(log.len(), 3 * HEADER as u64 + 11);
    }

    #[test]
    fn a_tail_torn_anywhere_costs_only_the_torn_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        written(&path);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let kept = read(&path).unwrap();
            let wanted = [15, 30, 47].iter().filter(|end| cut >= **end).count();
            assert_eq!(kept.len(), wanted, "cut at {cut}");
            let mut log = Log::open(&path, |_| {}).unwrap();
            log.append(b"next");
            log.sync().unwrap();
            assert_eq!(
                read(&path).unwrap().last().map(Vec::as_slice),
                Some(b"next".as_slice())
            );
        }
    }

    #[test]
    fn damage_before_the_end_is_an_error_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        written(&path);
        let whole = std::fs::read(&path).unwrap();
        for bit in 0..(HEADER + 3) * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &bytes).unwrap();
            let found = read(&path);
            assert!(
                matches!(found, Err(LogError::Damaged { at: 0, .. })),
                "bit {bit}: {found:?}"
            );
        }
    }
}
