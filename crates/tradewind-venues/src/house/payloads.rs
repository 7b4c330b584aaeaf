//! Messages by a mapping, whatever carried them: read, numbered, and passed on.

use std::borrow::Cow;
use std::sync::Arc;

use tradewind_model::Timestamp;

use super::json::Paths;
use super::mapping::{Fields, Mapping, Numbering};
use super::progress::{Numbers, Progress};
use super::symbols::HouseSymbols;
use super::xml::{Envelope, Tape};
use crate::health::SequenceVerdict;
use crate::house::data::HouseData;
use crate::protocol::{Ignored, Incoming};

/// How the messages of a source are read.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    mapping: Mapping,
    paths: Paths,
    symbols: Arc<HouseSymbols>,
}

impl Reader {
    pub(super) fn new(mapping: Mapping, symbols: Arc<HouseSymbols>) -> Self {
        Self {
            paths: Paths::new(&mapping),
            mapping,
            symbols,
        }
    }

    pub(super) const fn symbols(&self) -> &Arc<HouseSymbols> {
        &self.symbols
    }
}

/// The messages of one connection.
#[derive(Debug)]
pub(super) struct Payloads {
    reader: Arc<Reader>,
    numbers: Numbers,
    /// Messages taken, for the ids of trades that have no number.
    taken: u64,
    /// What the last document has.
    tape: Tape,
}

/// The messages of a document that was read.
#[derive(Debug)]
pub(super) struct Document<'t> {
    text: &'t str,
    tape: Tape,
}

impl Payloads {
    pub(super) const fn new(reader: Arc<Reader>, progress: Progress) -> Self {
        Self {
            reader,
            numbers: Numbers::new(progress),
            taken: 0,
            tape: Tape::new(),
        }
    }

    pub(super) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Takes in one message.
    pub(super) fn json(
        &mut self,
        bytes: &[u8],
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) {
        match self.reader.paths.read(bytes) {
            Ok(fields) => self.take(&fields, received_at, on),
            Err(why) => on(Incoming::Ignored(why)),
        }
    }

    /// Takes in a message of named fields; a path is the name of a field.
    pub(super) fn fields<'t>(
        &mut self,
        fields: &(impl Iterator<Item = (&'t str, &'t str)> + Clone),
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) {
        let mut found = Fields::default();
        for (index, path) in self.reader.mapping.paths.iter().enumerate() {
            if let Some((_, text)) = fields.clone().find(|(name, _)| name == path) {
                found.set(index, Cow::Borrowed(text));
            }
        }
        self.take(&found, received_at, on);
    }

    /// Reads all of a document: what it says besides its messages, and these for [`xml`](Self::xml).
    pub(super) fn envelope<'t>(
        &mut self,
        text: &'t str,
    ) -> Result<(Envelope, Document<'t>), Ignored> {
        let mut tape = std::mem::take(&mut self.tape);
        let Reader { mapping, paths, .. } = &*self.reader;
        let envelope = tape.read(text, (paths, mapping))?;
        Ok((envelope, Document { text, tape }))
    }

    /// Takes in the messages of a document.
    pub(super) fn xml(
        &mut self,
        Document { text, tape }: Document<'_>,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) {
        tape.messages(text, |fields| self.take(fields, received_at, on));
        self.tape = tape;
    }

    /// Takes in what a message has at the paths.
    fn take(
        &mut self,
        fields: &Fields<'_>,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) {
        self.taken += 1;
        let Reader {
            mapping, symbols, ..
        } = &*self.reader;
        let sequence = fields.sequence();
        let of_feed = sequence
            .flatten()
            .filter(|_| mapping.numbering == Numbering::Feed);
        // A message that is of no use has a number, too.
        if let Some(number) = of_feed {
            match self.numbers.judge(number) {
                SequenceVerdict::Next => {}
                SequenceVerdict::Repeated => return on(Incoming::Ignored(Ignored::Repeated)),
                SequenceVerdict::Missing(missing) => on(Incoming::Gap { missing }),
            }
        }
        // Unique within a run: the time it came, then its place.
        let id = u64::try_from(received_at.as_nanos()).unwrap_or(0) ^ self.taken.rotate_right(8);
        on(
            match mapping.read((fields, sequence), symbols, received_at, id) {
                Ok(read) => read,
                Err(why) => Incoming::Ignored(why.of_instrument()),
            },
        );
    }
}
