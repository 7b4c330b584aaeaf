//! An append-only file of records, each framed by its length and checksum.
//!
//! A record counts once [`Log::sync`] returned. A process that dies in the middle of a write leaves a torn tail, which is
//! cut off at the next start; a damaged record in the middle is an error, since what follows it was acknowledged.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Length and checksum before each payload.
const HEADER: usize = 8;
/// No record is longer: a length beyond it is damage.
const PAYLOAD_MAX: usize = 64 << 20;

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
        self.pending.extend_from_slice(&length.to_le_bytes());
        self.pending
            .extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
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

/// Gives each whole record to `each` and returns where they end, or where the damage is.
fn scan(bytes: &[u8], each: &mut impl FnMut(&[u8])) -> Result<u64, u64> {
    let mut at = 0;
    while let Some((payload, next)) = record(bytes, at) {
        match payload {
            Some(payload) => each(payload),
            // A torn write ends the file; a bad checksum with more records behind it does not.
            None if next >= bytes.len() || bytes.iter().skip(at).all(|byte| *byte == 0) => break,
            None => return Err(at as u64),
        }
        at = next;
    }
    Ok(at as u64)
}

/// The record at `at` (`None` inside when its checksum fails) and where the next one starts; `None` when it is cut short.
fn record(bytes: &[u8], at: usize) -> Option<(Option<&[u8]>, usize)> {
    let field = |from: usize| {
        bytes
            .get(from..from + 4)?
            .try_into()
            .ok()
            .map(u32::from_le_bytes)
    };
    let length = usize::try_from(field(at)?).ok()?;
    let checksum = field(at + 4)?;
    if length > PAYLOAD_MAX {
        return Some((None, bytes.len()));
    }
    let next = at + HEADER + length;
    let payload = bytes.get(at + HEADER..next)?;
    Some((
        (length > 0 && crc32fast::hash(payload) == checksum).then_some(payload),
        next,
    ))
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
        assert_eq!(log.len(), 3 * 8 + 11);
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
            let wanted = [11, 22, 35].iter().filter(|end| cut >= **end).count();
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
    fn damage_before_the_end_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        written(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[9] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(read(&path), Err(LogError::Damaged { at: 0, .. })));
    }
}
