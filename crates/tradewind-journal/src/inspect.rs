//! What lies in each file of a journal, for people and for tools.

use std::path::PathBuf;

use tradewind_model::Timestamp;

use crate::error::JournalError;
use crate::frames::{Frames, Step};
use crate::reader::Reader;
use crate::record::{Kind, Record};
use crate::segment::{self, SegmentFile, StoreKind};
use crate::snapshot;
use crate::storage::Storage;

/// One file of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which store it belongs to.
    pub store: StoreKind,
    /// Where it lies.
    pub path: PathBuf,
    /// Its length, with space that is not used yet.
    pub bytes: u64,
    /// The lowest sequence number an input in it can have.
    pub first_seq: u64,
    /// The highest one of its records.
    pub last_seq: u64,
    /// When it was begun.
    pub begun_at: Option<Timestamp>,
    /// Records, with its header.
    pub records: u64,
    /// The build that wrote it.
    pub build: Option<String>,
    /// The last input that its newest complete snapshot contains.
    pub snapshot: Option<u64>,
    /// Where a record begins that was not written to its end.
    pub torn_at: Option<u64>,
    /// What does not fit, with the offset.
    pub fault: Option<String>,
}

impl Reader {
    /// All files, those of the archive too, oldest first and the truth before the market data.
    ///
    /// # Errors
    /// The directory cannot be read. What is wrong with a file stands in its [`Segment::fault`].
    pub fn segments(&self) -> Result<Vec<Segment>, JournalError> {
        let mut segments = Vec::new();
        for store in [StoreKind::Truth, StoreKind::Market] {
            for file in segment::list_all(self.storage(), self.dir(), store)? {
                segments.push(examine(self.storage(), store, &file));
            }
        }
        Ok(segments)
    }
}

fn examine(storage: &dyn Storage, store: StoreKind, file: &SegmentFile) -> Segment {
    let mut segment = Segment {
        store,
        path: file.path.clone(),
        bytes: 0,
        first_seq: file.first_seq,
        last_seq: file.first_seq.saturating_sub(1),
        begun_at: None,
        records: 0,
        build: None,
        snapshot: None,
        torn_at: None,
        fault: None,
    };
    if let Err(error) = walk(storage, file, &mut segment) {
        segment.fault = Some(error.to_string());
    }
    segment
}

fn walk(
    storage: &dyn Storage,
    file: &SegmentFile,
    segment: &mut Segment,
) -> Result<(), JournalError> {
    let mut frames = Frames::open(storage, &file.path)?;
    segment.bytes = frames.end();
    loop {
        let offset = frames.offset();
        match frames.step()? {
            Step::Frame(frame) => {
                segment.records += 1;
                segment.last_seq = segment.last_seq.max(frame.header.seq);
                if frame.kind()? == Kind::Segment
                    && let Record::Segment(header) = frame.decode()?.record
                {
                    segment.begun_at = Some(frame.header.at);
                    segment.build = Some(header.build);
                }
            }
            Step::Torn { .. } => segment.torn_at = Some(offset),
            Step::End => break,
        }
        if segment.torn_at.is_some() {
            break;
        }
    }
    let newest = snapshot::find_last(storage, file)?;
    segment.snapshot = newest.map(|place| place.seq);
    Ok(())
}
