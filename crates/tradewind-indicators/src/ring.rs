//! The last `n` items themselves, for what no fold can answer: an item `k` ago, an order, a weight by place.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::period::MAX_PERIOD;

/// A ring of the last items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved<T>", bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Ring<T> {
    slots: Box<[T]>,
    /// Where the next item goes.
    position: usize,
    filled: usize,
}

impl<T: Copy + Default> Ring<T> {
    /// A ring of `size` items, at least one.
    pub(crate) fn new(size: usize) -> Self {
        Self {
            slots: vec![T::default(); size.max(1)].into_boxed_slice(),
            position: 0,
            filled: 0,
        }
    }

    /// Takes the next item and answers the one that it replaces, once the ring is full.
    pub(crate) fn push(&mut self, item: T) -> Option<T> {
        let oldest = self.is_full().then_some(self.slots[self.position]);
        self.slots[self.position] = item;
        self.position += 1;
        if self.position == self.slots.len() {
            self.position = 0;
        }
        if oldest.is_none() {
            self.filled += 1;
        }
        oldest
    }

    pub(crate) fn reset(&mut self) {
        self.position = 0;
        self.filled = 0;
    }

    pub(crate) fn is_full(&self) -> bool {
        self.filled == self.slots.len()
    }

    pub(crate) fn size(&self) -> usize {
        self.slots.len()
    }

    /// The items, the oldest first.
    pub(crate) fn items(&self) -> impl Iterator<Item = T> {
        let (newer, older) = self.slots.split_at(self.position);
        let older = if self.is_full() { older } else { &[] };
        older.iter().chain(newer).copied()
    }
}

/// A ring as it was written, before anyone trusts it.
#[derive(Deserialize)]
struct Saved<T> {
    slots: Vec<T>,
    position: usize,
    filled: usize,
}

/// A saved ring whose parts contradict each other.
#[derive(Debug, Error)]
#[error("ring of {slots} slots at position {position} cannot be restored")]
struct BrokenRing {
    slots: usize,
    position: usize,
}

impl<T> TryFrom<Saved<T>> for Ring<T> {
    type Error = BrokenRing;

    fn try_from(saved: Saved<T>) -> Result<Self, BrokenRing> {
        let (slots, position) = (saved.slots.len(), saved.position);
        let within = slots <= 2 * MAX_PERIOD as usize && position < slots;
        if !within || saved.filled > slots || (saved.filled < slots && saved.filled != position) {
            return Err(BrokenRing { slots, position });
        }
        Ok(Self {
            slots: saved.slots.into_boxed_slice(),
            position,
            filled: saved.filled,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_gives_back_what_left_it_and_keeps_the_order() {
        for size in 1..=5 {
            let mut ring = Ring::new(size);
            for item in 0..20_usize {
                assert_eq!(ring.push(item), item.checked_sub(size));
                let oldest = (item + 1).saturating_sub(size);
                assert!(ring.items().eq(oldest..=item), "size {size}, item {item}");
            }
        }
    }

    #[test]
    fn a_broken_saved_ring_is_refused() {
        let saved = |position, filled| Saved {
            slots: vec![0; 3],
            position,
            filled,
        };
        assert!(Ring::try_from(saved(2, 3)).is_ok());
        assert!(Ring::try_from(saved(2, 2)).is_ok());
        assert!(Ring::try_from(saved(3, 3)).is_err());
        assert!(Ring::try_from(saved(1, 2)).is_err());
        assert!(Ring::try_from(saved(0, 4)).is_err());
    }
}
