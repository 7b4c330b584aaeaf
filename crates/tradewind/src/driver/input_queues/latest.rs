//! A queue with one slot per instrument.

use tradewind_model::InstrumentId;

use super::stats::{Counters, QueueStats};

/// The latest value of each instrument, in the order in which the slots were first filled.
///
/// It is never full: a value replaces the one of its instrument that still waits, which counts as conflated.
#[derive(Debug)]
pub(super) struct LatestQueue<T> {
    slots: Vec<Option<T>>,
    /// Instruments whose slots are filled.
    waiting: Vec<InstrumentId>,
    counters: Counters,
}

impl<T> LatestQueue<T> {
    /// Empty slots for so many instruments.
    pub(super) fn new(instruments: usize) -> Self {
        Self {
            slots: std::iter::repeat_with(|| None).take(instruments).collect(),
            waiting: Vec::with_capacity(instruments),
            counters: Counters::default(),
        }
    }

    /// Puts a value in its instrument's slot; whether the slot was empty. One of an unknown instrument is ignored.
    pub(super) fn put(&mut self, instrument: InstrumentId, value: T) -> bool {
        let Some(slot) = self.slots.get_mut(instrument.index()) else {
            return false;
        };
        if slot.replace(value).is_some() {
            self.counters.conflated();
            return false;
        }
        self.waiting.push(instrument);
        self.counters.published(self.waiting.len());
        true
    }

    /// Takes everything out.
    pub(super) fn take(&mut self, into: &mut Vec<T>) {
        let Self { waiting, slots, .. } = self;
        into.extend(
            waiting
                .drain(..)
                .filter_map(|instrument| slots[instrument.index()].take()),
        );
    }

    pub(super) const fn stats(&self, name: &'static str) -> QueueStats {
        self.counters
            .stats(name, "latest", self.waiting.len(), self.slots.len())
    }
}
