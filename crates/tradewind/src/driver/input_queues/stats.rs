//! What a queue counts.

/// Counts of one queue since the start. `published = delivered + conflated + dropped + depth`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// Its name in metrics and on the dashboard.
    pub name: &'static str,
    /// What it does when it is full: `lossless`, `drop` (the newest) or `latest` (per instrument).
    pub class: &'static str,
    /// How many wait now.
    pub depth: usize,
    /// How many may wait.
    pub capacity: usize,
    /// The most that ever waited.
    pub high_water: usize,
    /// Put in, the lost ones included.
    pub published: u64,
    /// Replaced by a later one before the engine came to them.
    pub conflated: u64,
    /// Lost because the queue was full.
    pub dropped: u64,
}

impl QueueStats {
    /// Taken out by the engine.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        let waiting = u64::try_from(self.depth).unwrap_or(u64::MAX);
        self.published
            .saturating_sub(self.conflated + self.dropped)
            .saturating_sub(waiting)
    }
}

/// The counters behind them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    high_water: usize,
    published: u64,
    conflated: u64,
    dropped: u64,
}

impl Counters {
    /// One was put in, after which `depth` wait.
    pub(super) fn published(&mut self, depth: usize) {
        self.published += 1;
        self.high_water = self.high_water.max(depth);
    }

    /// One was put in and replaced another.
    pub(super) const fn conflated(&mut self) {
        self.published += 1;
        self.conflated += 1;
    }

    /// One found no room.
    pub(super) const fn dropped(&mut self) {
        self.published += 1;
        self.dropped += 1;
    }

    pub(super) const fn stats(
        &self,
        name: &'static str,
        class: &'static str,
        depth: usize,
        capacity: usize,
    ) -> QueueStats {
        QueueStats {
            name,
            class,
            depth,
            capacity,
            high_water: self.high_water,
            published: self.published,
            conflated: self.conflated,
            dropped: self.dropped,
        }
    }
}
