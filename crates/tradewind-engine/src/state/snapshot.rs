//! A state that is written in slices, while the engine handles inputs.
//!
//! It is the state as of the input after which it began. Small and flat parts are copied at the start. Closed orders,
//! which hardly ever change, are shared. Strategies may be large and cannot be copied: each is saved in its turn, or
//! before its next call if that comes first. Writing all of it as bytes takes the most time: that is what slices are for.

use std::vec::IntoIter;

use serde::Serialize;

use super::record::{Derived, Durable, durable_records, market_records};
use super::{Digest, EngineState, Section};
use crate::parts::Parts;
use crate::parts::strategies::Strategies;

/// Bytes after which a slice ends: 20 us or so. The record that passes the limit is written to its end.
const SLICE_BYTES: usize = 8 * 1024;

/// A snapshot being written.
#[derive(Debug)]
pub(crate) struct Snapshot {
    durable: IntoIter<Durable>,
    market: IntoIter<Derived>,
    written_durable: SectionWriter,
    written_derived: SectionWriter,
}

impl Snapshot {
    /// Begins a snapshot of the state as it is now. One that is being written is given up.
    pub(crate) fn begin(parts: &mut Parts) -> Self {
        parts.strategies.begin_save();
        Self::of(parts)
    }

    fn of(parts: &Parts) -> Self {
        Self {
            durable: durable_records(parts).into_iter(),
            market: market_records(parts).into_iter(),
            written_durable: SectionWriter::default(),
            written_derived: SectionWriter::default(),
        }
    }

    /// Writes the next records. True once all are written.
    pub(crate) fn write_slice(&mut self, strategies: &mut Strategies) -> bool {
        let mut written = 0;
        while written < SLICE_BYTES {
            written += if let Some(record) = self.durable.next() {
                self.written_durable.write(&record)
            } else if let Some(record) = self.market.next() {
                self.written_derived.write(&record)
            } else if let Some((bot, saved)) = strategies.next_saved() {
                self.written_derived.write(&Derived::Strategy(bot, saved))
            } else {
                return true;
            };
        }
        false
    }

    /// The state that was written.
    pub(crate) fn finish(self) -> EngineState {
        EngineState {
            durable: self.written_durable.finish(),
            derived: self.written_derived.finish(),
        }
    }
}

/// All state at once.
pub(crate) fn save(parts: &Parts) -> EngineState {
    let mut snapshot = Snapshot::of(parts);
    for record in snapshot.durable.by_ref() {
        snapshot.written_durable.write(&record);
    }
    let strategies = parts.strategies.saved();
    let strategies = strategies.map(|(bot, saved)| Derived::Strategy(bot, saved));
    for record in snapshot.market.by_ref().chain(strategies) {
        snapshot.written_derived.write(&record);
    }
    snapshot.finish()
}

/// Writes the records of one half.
#[derive(Debug, Default)]
struct SectionWriter {
    bytes: Vec<u8>,
    digest: Digest,
}

impl SectionWriter {
    /// Appends a record. Returns its size in bytes.
    fn write<T: Serialize>(&mut self, record: &T) -> usize {
        let before = self.bytes.len();
        rmp_serde::encode::write_named(&mut self.bytes, record)
            .expect("writing to memory cannot fail, and no record holds what the format lacks");
        self.digest.add(&self.bytes[before..]);
        self.bytes.len() - before
    }

    fn finish(self) -> Section {
        Section::new(self.bytes, self.digest)
    }
}
