//! One side of a book: levels in a sorted vector, the best at the end.

use tradewind_model::{Level, Price};

use super::SHOWN;

/// Levels above the bound before they are given up together, so that a full side does not move itself on each change.
const SLACK: usize = 64;

/// Which price is the best one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Best {
    /// Of the bids.
    Highest,
    /// Of the asks.
    Lowest,
}

/// One side.
#[derive(Clone, Debug)]
pub(super) struct Side {
    best: Best,
    levels: Vec<Level>,
    levels_max: usize,
    /// Levels behind those that are here were given up, or never came.
    is_cut: bool,
}

impl Side {
    pub(super) const fn new(best: Best, levels_max: usize) -> Self {
        Self {
            best,
            levels: Vec::new(),
            levels_max,
            is_cut: false,
        }
    }

    pub(super) fn clear(&mut self) {
        self.levels.clear();
        self.is_cut = false;
    }

    /// Takes levels in any order in place of all there are. Of two with one price the later one counts.
    pub(super) fn replace(&mut self, levels: &[Level]) {
        self.clear();
        let best = self.best;
        self.levels.extend_from_slice(levels);
        // The sort is stable, so that of equal prices the last one stays the last one.
        self.levels.sort_by_key(|level| rank(best, level.price));
        self.levels.dedup_by(|later, earlier| {
            let same = later.price == earlier.price;
            if same {
                *earlier = *later;
            }
            same
        });
        self.levels.retain(|level| !level.quantity.is_zero());
        self.is_cut = self.levels.len() >= self.levels_max;
        self.trim(0);
    }

    /// Sets a level's quantity; 0 removes it.
    pub(super) fn set(&mut self, level: Level) {
        let best = self.best;
        let wanted = rank(best, level.price);
        let found = self
            .levels
            .binary_search_by_key(&wanted, |level| rank(best, level.price));
        match found {
            Ok(at) if level.quantity.is_zero() => {
                self.levels.remove(at);
            }
            Ok(at) => self.levels[at] = level,
            Err(_) if level.quantity.is_zero() => {}
            Err(at) => {
                self.levels.insert(at, level);
                self.trim(SLACK);
            }
        }
    }

    /// Drops what lies behind the best `depth` levels, as the venue does.
    pub(super) fn keep_best(&mut self, depth: usize) {
        let surplus = self.levels.len().saturating_sub(depth);
        self.levels.drain(..surplus);
        self.is_cut = false;
    }

    /// Whether what it shows may lack levels that the venue's book has.
    pub(super) const fn is_thin(&self) -> bool {
        self.is_cut && self.levels.len() < SHOWN
    }

    pub(super) fn best_first(&self) -> impl ExactSizeIterator<Item = Level> + '_ {
        self.levels.iter().rev().copied()
    }

    fn trim(&mut self, slack: usize) {
        if self.levels.len() > self.levels_max.saturating_add(slack) {
            let surplus = self.levels.len() - self.levels_max;
            self.levels.drain(..surplus);
            self.is_cut = true;
        }
    }
}

/// The order of a side: the best has the highest rank.
const fn rank(best: Best, price: Price) -> i64 {
    match best {
        Best::Highest => price.0,
        Best::Lowest => -price.0,
    }
}
