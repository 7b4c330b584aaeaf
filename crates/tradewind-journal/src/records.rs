//! The records of one store, oldest first.

use std::path::Path;
use std::sync::Arc;

use tradewind_events::Input;
use tradewind_model::Timestamp;

use crate::error::JournalError;
use crate::frames::{Frame, Frames, Step};
use crate::journal::TornTail;
use crate::record::{Record, Stamped};
use crate::segment::{SegmentFile, StoreKind};
use crate::storage::Storage;

/// Where a record lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordPlace {
    /// Ordinal of its file in its store.
    pub file: u32,
    /// Its first byte in that file.
    pub offset: u64,
    /// Its number among the records that were read, the first is 1.
    pub number: u64,
}

/// The records of one store, oldest first. Ends after the first error.
#[derive(Debug)]
pub struct Records {
    storage: Arc<dyn Storage>,
    store: StoreKind,
    files: std::vec::IntoIter<SegmentFile>,
    /// Records up to this sequence number are passed over.
    after: u64,
    current: Option<(SegmentFile, Frames)>,
    last: RecordPlace,
    chain: Option<u64>,
    torn: Vec<TornTail>,
    over: bool,
    /// Bytes of the files that are read.
    passed: u64,
}

impl Records {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        store: StoreKind,
        files: Vec<SegmentFile>,
        after: u64,
    ) -> Self {
        Self {
            storage,
            store,
            files: files.into_iter(),
            after,
            current: None,
            last: RecordPlace::default(),
            chain: None,
            torn: Vec::new(),
            over: false,
            passed: 0,
        }
    }

    /// Bytes of the store up to the end of the record that was read last, over all its files.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        let current = self.current.as_ref();
        self.passed + current.map_or(0, |(_, frames)| frames.offset())
    }

    /// Torn tails that were passed.
    #[must_use]
    pub fn torn(&self) -> &[TornTail] {
        &self.torn
    }

    /// Where the record lies that was read last.
    #[must_use]
    pub const fn place(&self) -> RecordPlace {
        self.last
    }

    /// The file of the record that was read last; `None` before the first and behind the end.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.current.as_ref().map(|(file, _)| &*file.path)
    }

    /// The next input, with its number and time; what else comes before it is passed over. Faster than the iterator.
    ///
    /// # Errors
    /// [`JournalError`]: damage. Nothing follows then.
    pub fn next_input(&mut self) -> Result<Option<(u64, Timestamp, Input)>, JournalError> {
        if self.over {
            return Ok(None);
        }
        let next = self.advance(|frame| {
            let input = frame.input()?;
            Ok(input.map(|input| (frame.header.seq, frame.header.at, input)))
        });
        self.over = !matches!(next, Ok(Some(_)));
        next
    }

    /// The next record for which `decode` returns something.
    fn advance<T>(
        &mut self,
        decode: impl Fn(&Frame<'_>) -> Result<Option<T>, JournalError>,
    ) -> Result<Option<T>, JournalError> {
        loop {
            let Some((file, frames)) = &mut self.current else {
                let Some(file) = self.files.next() else {
                    return Ok(None);
                };
                let frames = Frames::open(&*self.storage, &file.path)?;
                self.current = Some((file, frames));
                continue;
            };
            let offset = frames.offset();
            match frames.step()? {
                Step::Frame(frame) if offset > 0 && frame.header.seq <= self.after => continue,
                Step::Frame(frame) => {
                    if offset == 0 {
                        continues(&file.path, &frame.decode()?, self.chain)?;
                    }
                    self.last = RecordPlace {
                        file: file.ordinal,
                        offset,
                        number: self.last.number + 1,
                    };
                    if let Some(found) = decode(&frame)? {
                        return Ok(Some(found));
                    }
                    continue;
                }
                Step::End => self.chain = frames.chain().or(self.chain),
                Step::Torn { bytes } => {
                    self.torn.push(TornTail {
                        path: file.path.clone(),
                        offset,
                        bytes,
                    });
                    self.tear(offset)?;
                }
            }
            self.passed = self.bytes_read();
            self.current = None;
        }
    }

    /// A torn tail is fine at the very end, and in market data, which is not synced when a file is full.
    fn tear(&mut self, offset: u64) -> Result<(), JournalError> {
        let used = offset > 0;
        let last = self.files.as_slice().is_empty();
        if let (Some((file, _)), StoreKind::Truth, true, false) =
            (&self.current, self.store, used, last)
        {
            let what = "it ends inside a record, and is not the last file";
            return Err(JournalError::corrupt(&file.path, offset, what));
        }
        if used {
            self.chain = None;
        }
        Ok(())
    }
}

/// Whether a file continues where the one before it ended.
fn continues(path: &Path, first: &Stamped, chain: Option<u64>) -> Result<(), JournalError> {
    let Record::Segment(header) = &first.record else {
        let what = "it does not begin with a segment header";
        return Err(JournalError::corrupt(path, 0, what));
    };
    if chain.is_some_and(|chain| chain != header.chain_before) {
        let what = "it does not continue the file before it: records or a file are missing";
        return Err(JournalError::corrupt(path, 0, what));
    }
    Ok(())
}

impl Iterator for Records {
    type Item = Result<Stamped, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.advance(|frame| frame.decode().map(Some)).transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}
