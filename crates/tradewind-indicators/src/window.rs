//! A fold over the last `n` items that never subtracts.
//!
//! The usual rolling sum adds the new item and takes the oldest away. Its rounding errors stay for ever,
//! and one huge price leaves its residue behind after it has left the window. This window instead cuts
//! the series into blocks of `n` and merges two parts: what remains of the previous block, folded once
//! from its end when that block closed, and the running fold of the current one.
//!
//! ```text
//!   previous block          current block
//!   x x x [x x x x x x x]   [y y y] . . . . . . .
//!          suffix fold        running fold
//! ```
//!
//! So an answer depends on the `n` items in the window and their place in the block, and on nothing
//! older: no drift over any length of series. A push costs two merges amortised; the push that closes a
//! block costs `n`. The items of the current block and the suffix folds of the previous one share one
//! buffer, because each new item takes the place of the suffix that has just left the window.
//!
//! It is *not* a ring of raw items: they are gone once their block is folded.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::period::{MAX_PERIOD, Period};

/// A summary of adjacent items that can be joined with the summary of the items after them.
///
/// Must be associative, up to rounding. Need not be commutative.
pub(crate) trait Merge: Copy + Default {
    /// Answers the summary of both: `self` is of the older items.
    fn merge(self, newer: Self) -> Self;
}

/// The fold of the last `n` items, `n` being the number of slots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved<A>", bound(deserialize = "A: Deserialize<'de>"))]
pub(crate) struct Window<A> {
    /// Before `position`: the items of the current block. From it on: suffix folds of the previous block.
    slots: Box<[A]>,
    position: usize,
    /// The fold of the current block; `None` when that block is empty.
    running: Option<A>,
    /// The fold of the whole window; `None` before `n` items came.
    value: Option<A>,
}

impl<A: Merge> Window<A> {
    pub(crate) fn new(period: Period) -> Self {
        Self {
            slots: vec![A::default(); period.as_usize()].into_boxed_slice(),
            position: 0,
            running: None,
            value: None,
        }
    }

    /// Takes the next item, lets the oldest go and answers the fold of the window.
    pub(crate) fn push(&mut self, item: A) -> Option<A> {
        let running = self.running.map_or(item, |older| older.merge(item));
        self.slots[self.position] = item;
        self.position += 1;
        if let Some(&suffix) = self.slots.get(self.position) {
            self.running = Some(running);
            self.value = self.value.map(|_| suffix.merge(running));
        } else {
            self.close_block();
            self.value = Some(running);
        }
        self.value
    }

    pub(crate) fn reset(&mut self) {
        self.position = 0;
        self.running = None;
        self.value = None;
    }

    fn close_block(&mut self) {
        for older in (0..self.slots.len() - 1).rev() {
            self.slots[older] = self.slots[older].merge(self.slots[older + 1]);
        }
        self.position = 0;
        self.running = None;
    }
}

impl<A: Copy> Window<A> {
    pub(crate) fn value(&self) -> Option<A> {
        self.value
    }

    pub(crate) fn period(&self) -> usize {
        self.slots.len()
    }
}

/// A window as it was written, before anyone trusts it.
#[derive(Deserialize)]
struct Saved<A> {
    slots: Vec<A>,
    position: usize,
    running: Option<A>,
    value: Option<A>,
}

/// A saved window whose parts contradict each other.
#[derive(Debug, Error)]
#[error("window of {slots} slots at position {position} cannot be restored")]
struct BrokenWindow {
    slots: usize,
    position: usize,
}

impl<A> TryFrom<Saved<A>> for Window<A> {
    type Error = BrokenWindow;

    fn try_from(saved: Saved<A>) -> Result<Self, BrokenWindow> {
        let (slots, position) = (saved.slots.len(), saved.position);
        let within = slots <= MAX_PERIOD as usize && position < slots;
        if !within || saved.running.is_some() != (position > 0) {
            return Err(BrokenWindow { slots, position });
        }
        Ok(Self {
            slots: saved.slots.into_boxed_slice(),
            position,
            running: saved.running,
            value: saved.value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and last of adjacent numbers; a merge of parts that do not touch would show.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
    struct Span(u32, u32);

    impl Merge for Span {
        fn merge(self, newer: Self) -> Self {
            assert_eq!(self.1 + 1, newer.0, "parts must be adjacent and in order");
            Self(self.0, newer.1)
        }
    }

    #[test]
    fn the_window_spans_exactly_the_last_n_items() {
        for n in 1..=9 {
            let mut window = Window::new(Period::new(n).unwrap());
            for item in 1..=50 {
                let expected = (item >= n).then(|| Span(item + 1 - n, item));
                assert_eq!(
                    window.push(Span(item, item)),
                    expected,
                    "n {n}, item {item}"
                );
                assert_eq!(window.value(), expected);
            }
        }
    }

    #[test]
    fn a_reset_window_warms_up_again() {
        let mut window = Window::new(Period::new(3).unwrap());
        for item in 1..=7 {
            window.push(Span(item, item));
        }
        window.reset();
        assert_eq!(window.push(Span(20, 20)), None);
        assert_eq!(window.push(Span(21, 21)), None);
        assert_eq!(window.push(Span(22, 22)), Some(Span(20, 22)));
    }

    #[test]
    fn a_broken_saved_window_is_refused() {
        let saved = |slots: usize, position, running| Saved {
            slots: vec![Span::default(); slots],
            position,
            running,
            value: None,
        };
        assert!(Window::try_from(saved(3, 2, Some(Span(1, 2)))).is_ok());
        assert!(Window::try_from(saved(0, 0, None)).is_err());
        assert!(Window::try_from(saved(3, 3, Some(Span(1, 3)))).is_err());
        assert!(Window::try_from(saved(3, 2, None)).is_err());
    }
}
