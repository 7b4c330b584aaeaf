//! Walking through the records of one file, and telling a torn tail from damage.
//!
//! A tail is *torn* when the file ends inside a record, when a sector of a record was never written and reads as
//! zeros, or when everything from inside a record on does (a write that was cut short). After a power cut any sector behind the last sync may be missing, so sound records may follow the hole; they
//! were never synced either and go with it. If one of them states that the hole was durable, the file is damaged. Whatever else
//! does not fit is damage, too, and an error.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tradewind_events::Input;

use crate::archive;
use crate::error::JournalError;
use crate::frame::{HEADER, Header, PAYLOAD_MAX, SECTOR, checksum, field};
use crate::record::{Kind, PayloadFault, Stamped, input, kind, unpack};
use crate::segment::SegmentHeader;
use crate::storage::{Storage, StorageFile};

/// Bytes read at once, at most.
const WINDOW: usize = 256 * 1024;

/// Bytes of the first read; every further one is twice as long.
const WINDOW_FIRST: usize = 4 * 1024;

/// Zeros before the end of a sector that show it was never written where a record begins: its length is never 0.
const ZEROS_MIN: u64 = 4;

/// The records of one file, in order.
#[derive(Debug)]
pub(crate) struct Frames {
    file: Arc<dyn StorageFile>,
    path: PathBuf,
    end: u64,
    offset: u64,
    chain: Option<u64>,
    window: Vec<u8>,
    window_at: u64,
    /// Bytes of the next read.
    ahead: usize,
}

/// What comes next in a file.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A sound record.
    Frame(Frame<'a>),
    /// Nothing.
    End,
    /// A record of which the end was never written.
    Torn {
        /// Bytes from its start to the end of the file.
        bytes: u64,
    },
}

/// What the bytes in the window show.
enum Next {
    Frame(Header),
    End,
    Torn,
}

/// A sound record.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) header: Header,
    pub(crate) offset: u64,
    pub(crate) payload: &'a [u8],
    path: &'a Path,
}

impl Frame<'_> {
    /// What it holds.
    pub(crate) fn decode(&self) -> Result<Stamped, JournalError> {
        Stamped::decode(&self.header, self.payload)
            .map_err(|fault| explain(fault, self.path, self.offset))
    }

    /// The input that it holds, if it holds one.
    pub(crate) fn input(&self) -> Result<Option<Input>, JournalError> {
        input(&self.header, self.payload).map_err(|fault| explain(fault, self.path, self.offset))
    }

    /// Which kind it is.
    pub(crate) fn kind(&self) -> Result<Kind, JournalError> {
        kind(&self.header).map_err(|fault| explain(fault, self.path, self.offset))
    }
}

fn explain(fault: PayloadFault, path: &Path, offset: u64) -> JournalError {
    match fault {
        PayloadFault::Malformed(what) => JournalError::corrupt(path, offset, what),
        PayloadFault::Unknown(what) => JournalError::Unsupported {
            path: path.to_owned(),
            offset,
            what,
        },
    }
}

impl Frames {
    /// The whole of a file.
    pub(crate) fn open(storage: &dyn Storage, path: &Path) -> Result<Self, JournalError> {
        Self::range(storage, path, 0, None)
    }

    /// From a record's start to `end`, or to the end of the file.
    pub(crate) fn range(
        storage: &dyn Storage,
        path: &Path,
        offset: u64,
        end: Option<u64>,
    ) -> Result<Self, JournalError> {
        let opened = archive::open(storage, path);
        let file = opened.map_err(JournalError::io("open", path))?;
        let length = file.len().map_err(JournalError::io("measure", path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            end: end.map_or(length, |end| end.min(length)),
            offset,
            chain: None,
            window: Vec::new(),
            window_at: offset,
            ahead: WINDOW_FIRST,
        })
    }

    /// Where the next record begins.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the file ends.
    pub(crate) const fn end(&self) -> u64 {
        self.end
    }

    /// The chain after the last record; `None` before the first.
    pub(crate) const fn chain(&self) -> Option<u64> {
        self.chain
    }

    /// The next record.
    pub(crate) fn step(&mut self) -> Result<Step<'_>, JournalError> {
        let offset = self.offset;
        let header = loop {
            let next = self.next();
            match next {
                Ok(Next::Frame(header)) => break header,
                Ok(Next::End) => return Ok(Step::End),
                // A desk may have written here since these bytes were read.
                _ if self.reload()? => {}
                Ok(Next::Torn) => {
                    let bytes = self.end.saturating_sub(offset);
                    return Ok(Step::Torn { bytes });
                }
                Err(error) => return Err(error),
            }
        };
        let start = self.position(offset);
        Ok(Step::Frame(Frame {
            payload: &self.window[start + HEADER..start + header.record_len()],
            header,
            offset,
            path: &self.path,
        }))
    }

    fn next(&mut self) -> Result<Next, JournalError> {
        let offset = self.offset;
        self.load(HEADER)?;
        let head = self.loaded();
        if head.len() < HEADER {
            return Ok(self.ended_early());
        }
        let head: [u8; HEADER] = field(head, 0);
        let Some(header) = Header::decode(&head) else {
            return self.unfit(HEADER, "the header's checksum does not fit");
        };
        if header.len as usize > PAYLOAD_MAX {
            return Err(JournalError::corrupt(
                &self.path,
                offset,
                "longer than any record",
            ));
        }
        let length = header.record_len();
        self.load(length)?;
        if self.loaded().len() < length {
            return Ok(Next::Torn);
        }
        if checksum(&head[..24], &self.loaded()[HEADER..length]) != header.crc {
            return self.unfit(length, "the checksum does not fit");
        }
        self.follow(&header, length)?;
        self.offset += length as u64;
        Ok(Next::Frame(header))
    }

    /// Reads the window again from the next record on. Returns whether other bytes are there now.
    fn reload(&mut self) -> Result<bool, JournalError> {
        let old = self.loaded().to_vec();
        let mut new = vec![0; old.len()];
        let read = self.read(&mut new, self.offset)?;
        new.truncate(read);
        let is_other = new != old;
        (self.window, self.window_at) = (new, self.offset);
        Ok(is_other)
    }

    /// Checks the chain and moves it on. The first record of a file names the chain it continues.
    fn follow(&mut self, header: &Header, length: usize) -> Result<(), JournalError> {
        let before = match self.chain {
            None if self.offset == 0 => {
                let first: SegmentHeader = unpack(&self.loaded()[HEADER..length])
                    .map_err(|fault| explain(fault, &self.path, 0))?;
                Some(first.chain_before)
            }
            known => known,
        };
        if before.is_some_and(|before| header.chain_after(before) != header.chain) {
            let what = "a sound record in the wrong place: one before it is missing";
            return Err(JournalError::corrupt(&self.path, self.offset, what));
        }
        self.chain = Some(header.chain);
        Ok(())
    }

    fn ended_early(&self) -> Next {
        if self.loaded().iter().all(|byte| *byte == 0) {
            Next::End
        } else {
            Next::Torn
        }
    }

    /// A record of `length` bytes that does not fit: the end of preallocated space, a torn tail, or damage.
    fn unfit(&self, length: usize, what: &'static str) -> Result<Next, JournalError> {
        if self.is_zero(self.offset, self.end)? {
            return Ok(Next::End);
        }
        if !self.has_hole(length as u64)? {
            return Err(JournalError::corrupt(&self.path, self.offset, what));
        }
        if let Some(witness) = self.durable_claim()? {
            let what = format!("{what}, and the record at byte {witness} says it was durable");
            return Err(JournalError::corrupt(&self.path, self.offset, what));
        }
        Ok(Next::Torn)
    }

    /// Whether a part of the next `length` bytes was never written: a sector, or all from some byte on.
    fn has_hole(&self, length: u64) -> Result<bool, JournalError> {
        let record_end = self.offset + length;
        let last = record_end.saturating_sub(ZEROS_MIN).max(self.offset);
        if record_end < self.end && self.is_zero(last, self.end)? {
            return Ok(true);
        }
        let mut from = self.offset;
        while from < (self.offset + length).min(self.end) {
            let to = ((from / SECTOR + 1) * SECTOR).min(self.end);
            if to - from >= ZEROS_MIN && self.is_zero(from, to)? {
                return Ok(true);
            }
            from = to;
        }
        Ok(false)
    }

    /// A record behind the one that does not fit which was written when that one was durable already; where it lies.
    fn durable_claim(&self) -> Result<Option<u64>, JournalError> {
        let length = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
        let mut rest = vec![0; length];
        let read = self.read(&mut rest, self.offset)?;
        let candidates = rest[..read].windows(HEADER).enumerate().skip(1);
        for (at, bytes) in candidates.filter(|(_, bytes)| bytes[4] != 0) {
            let offset = self.offset + at as u64;
            let Some(header) = Header::decode(&field(bytes, 0)) else {
                continue;
            };
            let payload = rest.get(at + HEADER..at + header.record_len());
            let is_sound =
                payload.is_some_and(|payload| checksum(&bytes[..24], payload) == header.crc);
            if is_sound && header.durable_before(offset) > self.offset {
                return Ok(Some(offset));
            }
        }
        Ok(None)
    }

    fn is_zero(&self, mut from: u64, to: u64) -> Result<bool, JournalError> {
        let room = usize::try_from(to - from).unwrap_or(usize::MAX);
        let mut buffer = vec![0; WINDOW.min(room)];
        while from < to {
            let left = usize::try_from(to - from).unwrap_or(usize::MAX);
            let wanted = buffer.len().min(left);
            let read = self.read(&mut buffer[..wanted], from)?;
            if read == 0 || buffer[..read].iter().any(|byte| *byte != 0) {
                return Ok(read == 0);
            }
            from += read as u64;
        }
        Ok(true)
    }

    /// Makes sure that `wanted` bytes from `offset` on are in the window, or all there are.
    fn load(&mut self, wanted: usize) -> Result<(), JournalError> {
        if self.loaded().len() >= wanted {
            return Ok(());
        }
        let start = self.position(self.offset);
        self.window.drain(..start);
        self.window_at = self.offset;
        let have = self.window.len();
        self.window.resize(wanted.max(self.ahead), 0);
        self.ahead = (self.ahead * 2).min(WINDOW);
        let mut window = std::mem::take(&mut self.window);
        let read = self.read(&mut window[have..], self.offset + have as u64)?;
        window.truncate(have + read);
        self.window = window;
        Ok(())
    }

    fn read(&self, buffer: &mut [u8], at: u64) -> Result<usize, JournalError> {
        let room = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(room);
        self.file
            .read_at(&mut buffer[..wanted], at)
            .map_err(JournalError::io("read", &self.path))
    }

    fn loaded(&self) -> &[u8] {
        self.window
            .get(self.position(self.offset)..)
            .unwrap_or_default()
    }

    fn position(&self, offset: u64) -> usize {
        usize::try_from(offset - self.window_at).expect("the window is smaller than memory")
    }
}
