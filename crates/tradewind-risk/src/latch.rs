//! The kill latch as the order gate sees it: one flag in memory, set before anything is written anywhere.
//!
//! Its copy on disk, which survives a restart, is kept by `tradewind-journal`.

use std::sync::atomic::{AtomicBool, Ordering};

/// Set: nothing new leaves. Cancels and queries still do.
#[derive(Debug, Default)]
pub struct KillLatch {
    set: AtomicBool,
}

impl KillLatch {
    /// A latch in the given position.
    #[must_use]
    pub const fn new(set: bool) -> Self {
        Self {
            set: AtomicBool::new(set),
        }
    }

    /// Sets it; returns whether it was clear before.
    pub fn set(&self) -> bool {
        !self.set.swap(true, Ordering::SeqCst)
    }

    /// Clears it; only an authorised reset does.
    pub fn clear(&self) {
        self.set.store(false, Ordering::SeqCst);
    }

    /// Whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::SeqCst)
    }
}
