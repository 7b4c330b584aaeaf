//! The kill latch as the order gate sees it: one value in memory, set before anything is written anywhere.
//!
//! Its copy on disk, which survives a restart, is kept by `tradewind-journal`.

use std::sync::atomic::{AtomicU8, Ordering};

const CLEAR: u8 = 0;
const FLATTENING: u8 = 1;
const KILLED: u8 = 2;

/// Set: nothing new leaves. Cancels and queries still do.
///
/// Between clear and set is *flattening*: only orders that close positions for a kill leave. It ends in *killed*, never in
/// clear.
#[derive(Debug, Default)]
pub struct KillLatch {
    value: AtomicU8,
}

impl KillLatch {
    /// A latch in the given position.
    #[must_use]
    pub const fn new(set: bool) -> Self {
        Self {
            value: AtomicU8::new(if set { KILLED } else { CLEAR }),
        }
    }

    /// Sets it; returns whether something could leave before.
    pub fn set(&self) -> bool {
        self.value.swap(KILLED, Ordering::SeqCst) != KILLED
    }

    /// Lets only orders leave that close positions for a kill; returns false if it was not clear.
    pub fn flatten(&self) -> bool {
        let (clear, flattening) = (CLEAR, FLATTENING);
        let (set, seen) = (Ordering::SeqCst, Ordering::SeqCst);
        self.value
            .compare_exchange(clear, flattening, set, seen)
            .is_ok()
    }

    /// Clears it; only an authorised reset does.
    pub fn clear(&self) {
        self.value.store(CLEAR, Ordering::SeqCst);
    }

    /// Whether it is not clear.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.value.load(Ordering::SeqCst) != CLEAR
    }

    /// Whether an order may leave that closes a position for a kill, or any other order.
    #[must_use]
    pub fn lets(&self, is_flattening: bool) -> bool {
        let value = self.value.load(Ordering::SeqCst);
        value == CLEAR || (is_flattening && value == FLATTENING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flattening_lets_its_own_orders_pass_and_ends_in_killed_only() {
        let latch = KillLatch::default();
        assert!(latch.lets(false) && latch.lets(true) && !latch.is_set());
        assert!(latch.flatten() && !latch.flatten());
        assert!(!latch.lets(false) && latch.lets(true) && latch.is_set());
        assert!(latch.set() && !latch.set() && !latch.flatten());
        assert!(!latch.lets(false) && !latch.lets(true));
        latch.clear();
        assert!(latch.lets(false) && !KillLatch::new(true).lets(true));
    }
}
