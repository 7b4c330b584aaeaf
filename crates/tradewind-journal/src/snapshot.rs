//! Snapshots of the engine's state: how one is cut into records, and how the newest complete one is found again.
//!
//! The bytes are opaque here. A snapshot is written as consecutive records of at most [`PART_MAX`] bytes each; every one
//! names the length and the checksum of the whole. A snapshot whose last part is missing is not one, and the one before
//! it serves.

use std::path::Path;

use crate::error::JournalError;
use crate::frame::field;
use crate::frames::{Frames, Step};
use crate::record::Kind;
use crate::segment::SegmentFile;
use crate::storage::Storage;
use tradewind_model::Timestamp;

/// Bytes of a snapshot in one record.
pub(crate) const PART_MAX: usize = 1 << 20;

/// Longest snapshot.
pub(crate) const SNAPSHOT_MAX: usize = 256 << 20;

/// Bytes before a part's own: length and checksum of the whole, and where the part begins.
const HEAD: usize = 20;

/// The engine's state as of one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last input that the state contains.
    pub seq: u64,
    /// The engine's time then.
    pub at: Timestamp,
    /// The state, as the engine wrote it.
    pub bytes: Vec<u8>,
}

/// One record of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotPart {
    whole: Whole,
    offset: u64,
    bytes: Vec<u8>,
}

/// What every part says of the whole snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Whole {
    length: u64,
    crc: u32,
}

/// Where a complete snapshot lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) seq: u64,
    at: Timestamp,
    whole: Whole,
}

/// Where a complete snapshot lies in a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotPlace {
    pub(crate) file: SegmentFile,
    pub(crate) place: Place,
}

impl SnapshotPlace {
    /// The last input that its state contains.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.place.seq
    }

    /// The engine's time then.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.place.at
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Where in the file its first record begins.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.place.offset
    }
}

impl SnapshotPart {
    /// Bytes of the whole snapshot.
    #[must_use]
    pub const fn whole_length(&self) -> u64 {
        self.whole.length
    }

    /// Where in the snapshot this part begins.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The part itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn decode(payload: &[u8]) -> Option<Self> {
        let (whole, offset) = head(payload)?;
        let bytes = payload[HEAD..].to_vec();
        Some(Self {
            whole,
            offset,
            bytes,
        })
    }
}

/// The parts of a snapshot as payloads; at least one.
pub(crate) fn payloads(bytes: &[u8]) -> impl Iterator<Item = ([u8; HEAD], &[u8])> {
    let (length, crc) = (bytes.len() as u64, crc32fast::hash(bytes));
    let count = bytes.len().div_ceil(PART_MAX).max(1);
    (0..count).map(move |number| {
        let from = number * PART_MAX;
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(&length.to_le_bytes());
        head[8..12].copy_from_slice(&crc.to_le_bytes());
        head[12..].copy_from_slice(&(from as u64).to_le_bytes());
        (head, &bytes[from..bytes.len().min(from + PART_MAX)])
    })
}

fn head(payload: &[u8]) -> Option<(Whole, u64)> {
    if payload.len() < HEAD {
        return None;
    }
    let whole = Whole {
        length: u64::from_le_bytes(field(payload, 0)),
        crc: u32::from_le_bytes(field(payload, 8)),
    };
    Some((whole, u64::from_le_bytes(field(payload, 12))))
}

/// Follows the records of a file and notes where its complete snapshots lie.
#[derive(Debug, Default)]
struct Finder {
    /// A snapshot of which so many bytes were passed.
    passing: Option<(Place, u64)>,
    complete: Vec<Place>,
}

impl Finder {
    fn pass_other(&mut self) {
        self.passing = None;
    }

    fn pass_part(&mut self, place: Place, part_offset: u64, part_length: u64) {
        let passed = match self.passing {
            _ if part_offset == 0 => Some((place, part_length)),
            Some((begun, passed))
                if passed == part_offset
                    && (begun.seq, begun.whole) == (place.seq, place.whole) =>
            {
                Some((begun, passed + part_length))
            }
            _ => None,
        };
        self.passing = passed.filter(|(begun, passed)| *passed < begun.whole.length);
        if let Some((begun, passed)) = passed
            && passed == begun.whole.length
        {
            self.complete.push(begun);
        }
    }
}

/// The last complete snapshot of a file, which is read from its start to its end.
pub(crate) fn find_last(
    storage: &dyn Storage,
    file: &SegmentFile,
) -> Result<Option<Place>, JournalError> {
    Ok(find_all(storage, file)?.pop())
}

/// The complete snapshots of a file, oldest first.
pub(crate) fn find_all(
    storage: &dyn Storage,
    file: &SegmentFile,
) -> Result<Vec<Place>, JournalError> {
    let mut frames = Frames::open(storage, &file.path)?;
    let mut finder = Finder::default();
    while let Step::Frame(frame) = frames.step()? {
        if frame.kind()? != Kind::Snapshot {
            finder.pass_other();
            continue;
        }
        let Some((whole, part_offset)) = head(frame.payload) else {
            return Err(malformed(file, frame.offset));
        };
        let place = Place {
            offset: frame.offset,
            seq: frame.header.seq,
            at: frame.header.at,
            whole,
        };
        let part_length = (frame.payload.len() - HEAD) as u64;
        finder.pass_part(place, part_offset, part_length);
    }
    Ok(finder.complete)
}

/// Reads the snapshot that lies at `place`.
pub(crate) fn read(
    storage: &dyn Storage,
    file: &SegmentFile,
    place: Place,
) -> Result<Snapshot, JournalError> {
    let mut frames = Frames::range(storage, &file.path, place.offset, None)?;
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < place.whole.length {
        let Step::Frame(frame) = frames.step()? else {
            return Err(malformed(file, place.offset));
        };
        bytes.extend_from_slice(frame.payload.get(HEAD..).unwrap_or_default());
    }
    if crc32fast::hash(&bytes) != place.whole.crc {
        return Err(malformed(file, place.offset));
    }
    Ok(Snapshot {
        seq: place.seq,
        at: place.at,
        bytes,
    })
}

fn malformed(file: &SegmentFile, offset: u64) -> JournalError {
    JournalError::corrupt(
        &file.path,
        offset,
        "a snapshot whose parts do not fit together",
    )
}
