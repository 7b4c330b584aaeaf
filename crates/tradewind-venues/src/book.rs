//! An order book kept from a snapshot and its changes, by the venue's own rule of what follows what.
//!
//! A machine without I/O. It is either whole or has nothing to show: a gap, a crossed book or a wrong checksum empties it until
//! the next snapshot, so that what it shows was the venue's book at some moment. Each connection keeps books of its own; levels
//! of two connections never mix.
//!
//! Each side is a sorted vector with the best level at its end, not a tree. Nearly all changes fall near the best price, where
//! inserting moves a few levels of 16 bytes; the top of the book is a slice; and a change allocates nothing.

mod diffs;
pub(crate) mod keeping;
pub(crate) mod resync;
mod side;

use std::collections::VecDeque;
use std::fmt;

use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{Depth, InstrumentId, Level, Timestamp};

pub use diffs::DiffBook;
use side::{Best, Side};

/// Levels a side that the engine is given.
pub const SHOWN: usize = 20;
/// Steps that are remembered, to tell a repetition from a gap.
const REMEMBERED: usize = 64;

/// Where a change stands among the changes of its book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It covers the updates `first..=last`; the next one starts one later (Binance).
    Span {
        /// First update.
        first: u64,
        /// Last update.
        last: u64,
    },
    /// It names the change before it (OKX). Both the same: nothing changed. A smaller number after a larger one that is the
    /// book's: the venue started to count anew.
    After {
        /// The number of the change before it, -1 for a snapshot.
        previous: i64,
        /// Its own number.
        this: i64,
    },
    /// Its number is one more than the last (Bybit).
    Next {
        /// Its number, which starts over when the venue does.
        number: u64,
        /// A number that does not, by which a repetition is recognised.
        cross: u64,
    },
    /// It has no number of its own; its connection's messages have, and none before it is missing (Coinbase).
    Sent {
        /// Its message's number.
        number: u64,
    },
    /// It has no number, but the book has this checksum with it (Kraken).
    Checked {
        /// Of the best 10 levels a side, see [`OrderBook::checksum`].
        checksum: u32,
        /// When the venue changed it, by which a repetition is recognised.
        at: Option<Timestamp>,
        /// Decimals in the venue's checksum minus ours: (price, quantity).
        finer: (i8, i8),
    },
}

/// Levels that a message names; a quantity of 0 removes one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Of the bids, in any order.
    pub bids: Vec<Level>,
    /// Of the asks.
    pub asks: Vec<Level>,
}

impl Levels {
    /// Removes all.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }
}

/// A message about a book, apart from its levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The levels are all there are.
    Snapshot(Step),
    /// The levels are those that changed.
    Update(Step),
}

/// Why a book is not whole any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A change is missing, or came out of order.
    Gap,
    /// The snapshot is older than the changes that were kept for it.
    StaleSnapshot,
    /// The venue's checksum is not ours.
    Checksum,
    /// The best bid is not below the best ask.
    Crossed,
    /// Levels beyond the bound were given up, and too few are left.
    Thin,
    /// A message of this book could not be read.
    Unreadable,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gap => "a change of the book is missing",
            Self::StaleSnapshot => "the snapshot of the book is older than its changes",
            Self::Checksum => "the checksum of the book is wrong",
            Self::Crossed => "the best bid of the book is not below its best ask",
            Self::Thin => "too few levels of the book are left",
            Self::Unreadable => "a change of the book cannot be read",
        })
    }
}

/// What a message did to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The levels that are shown are others now.
    Changed,
    /// It is current; nothing changed of what is shown.
    Same,
    /// The message was a repetition.
    Repeated,
    /// There is no snapshot yet.
    Waiting,
    /// The book was whole and is not any more: a new snapshot is needed.
    Lost(Loss),
}

/// One instrument's book.
#[derive(Clone, Debug)]
pub struct OrderBook {
    instrument: InstrumentId,
    bids: Side,
    asks: Side,
    /// How many levels the venue keeps, if it does not say which it drops.
    depth: Option<usize>,
    /// The last step in it; `None` while it is not whole.
    last: Option<Step>,
    recent: VecDeque<Step>,
    shown: Levels,
    generation: u64,
}

impl OrderBook {
    /// A book without a snapshot. Levels beyond the best `levels_max` of a side are given up.
    #[must_use]
    pub fn new(instrument: InstrumentId, levels_max: usize) -> Self {
        Self {
            instrument,
            bids: Side::new(Best::Highest, levels_max),
            asks: Side::new(Best::Lowest, levels_max),
            depth: None,
            last: None,
            recent: VecDeque::with_capacity(REMEMBERED),
            shown: Levels::default(),
            generation: 0,
        }
    }

    /// Takes in a message and the levels it names.
    pub fn take(&mut self, message: Message, levels: &Levels) -> Outcome {
        match message {
            Message::Snapshot(step) => self.snapshot(step, levels),
            Message::Update(step) => self.update(step, levels),
        }
    }

    /// The book of a venue that keeps the best `depth` levels and does not say when one falls out of them.
    #[must_use]
    pub fn of_depth(instrument: InstrumentId, depth: usize) -> Self {
        Self {
            depth: Some(depth),
            // A message is taken in whole before the side is cut.
            ..Self::new(instrument, depth.saturating_mul(2).saturating_add(1_000))
        }
    }

    /// CRC32 of the best 10 asks and then the best 10 bids: each price and quantity as its digits, without a point and without
    /// zeros in front. That is what counts of the instrument's units look like, if those are the venue's own precision.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        self.checksum_of((0, 0))
    }

    /// The same of numbers with more decimals, or with fewer.
    fn checksum_of(&self, (price, quantity): (i8, i8)) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        let sides = [&self.asks, &self.bids];
        for level in sides.iter().flat_map(|side| side.best_first().take(10)) {
            for (count, finer) in [(level.price.0, price), (level.quantity.0, quantity)] {
                let mut digits = [0_u8; 20];
                let mut at = digits.len();
                let fewer = 10_u64.saturating_pow(u32::from(finer.min(0).unsigned_abs()));
                let mut rest = count.unsigned_abs() / fewer;
                while rest > 0 {
                    at -= 1;
                    digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
                    rest /= 10;
                }
                hasher.update(digits.get(at..).unwrap_or_default());
                for _ in 0..finer {
                    hasher.update(b"0");
                }
            }
        }
        hasher.finalize()
    }

    /// Replaces everything by what the venue says the book is at `step`.
    pub fn snapshot(&mut self, step: Step, levels: &Levels) -> Outcome {
        self.bids.replace(&levels.bids);
        self.asks.replace(&levels.asks);
        self.recent.clear();
        self.last = Some(step);
        self.generation += 1;
        self.judge()
    }

    /// Takes in a change, if it follows.
    pub fn update(&mut self, step: Step, levels: &Levels) -> Outcome {
        let Some(last) = self.last else {
            return Outcome::Waiting;
        };
        match self.relation(last, step) {
            Relation::Follows => {}
            Relation::Repeats => return Outcome::Repeated,
            Relation::Breaks if is_on(Mutation::GapIgnored) => {}
            Relation::Breaks => return self.lose(Loss::Gap),
        }
        self.last = Some(step);
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(step);
        levels.bids.iter().for_each(|level| self.bids.set(*level));
        levels.asks.iter().for_each(|level| self.asks.set(*level));
        self.judge()
    }

    /// Empties it: something is wrong with it that only the caller knows.
    pub fn lose(&mut self, why: Loss) -> Outcome {
        self.bids.clear();
        self.asks.clear();
        self.shown.clear();
        match self.last.take() {
            Some(_) => Outcome::Lost(why),
            None => Outcome::Waiting,
        }
    }

    /// Whether the update of this number is in it, where updates are numbered one by one.
    pub(crate) fn has(&self, update: u64) -> bool {
        matches!(self.last, Some(Step::Span { last, .. }) if last >= update)
    }

    /// Whether it has a snapshot and every change since.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.last.is_some()
    }

    /// How many snapshots it was built from: levels of two generations never mix.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The best bid and the best ask.
    #[must_use]
    pub fn best(&self) -> (Option<Level>, Option<Level>) {
        (self.bids.best_first().next(), self.asks.best_first().next())
    }

    /// The bids, highest first.
    pub fn bids(&self) -> impl ExactSizeIterator<Item = Level> + '_ {
        self.bids.best_first()
    }

    /// The asks, lowest first.
    pub fn asks(&self) -> impl ExactSizeIterator<Item = Level> + '_ {
        self.asks.best_first()
    }

    /// Its top, if it is whole.
    #[must_use]
    pub fn top(&self, received_at: Timestamp) -> Option<Depth> {
        self.is_whole().then(|| Depth {
            instrument: self.instrument,
            bids: self.shown.bids.clone(),
            asks: self.shown.asks.clone(),
            received_at,
        })
    }

    fn relation(&self, last: Step, step: Step) -> Relation {
        let step_differs = last != step;
        let follows = match (last, step) {
            (Step::Span { last, .. }, Step::Span { last: this, .. }) if this <= last => {
                return Relation::Repeats;
            }
            (Step::Span { last, .. }, Step::Span { first, .. }) => first <= last.saturating_add(1),
            (Step::After { this, .. }, Step::After { previous, .. }) => previous == this,
            // A message may have several changes of a book; one that comes again is recognised by its connection.
            (Step::Sent { number: last }, Step::Sent { number }) => number >= last,
            // A repetition may well fit: it brings back what was.
            (Step::Checked { at: last, .. }, Step::Checked { at, .. }) => {
                at.is_none() || at > last || (at == last && step_differs)
            }
            (Step::Next { number, .. }, Step::Next { number: next, .. }) => {
                number.checked_add(1) == Some(next)
            }
            _ => false,
        };
        if follows {
            Relation::Follows
        } else if last == step
            || self.recent.contains(&step)
            || matches!(step, Step::Checked { .. })
        {
            Relation::Repeats
        } else {
            Relation::Breaks
        }
    }

    /// What has become of it after a message.
    fn judge(&mut self) -> Outcome {
        if let Some(depth) = self.depth {
            self.bids.keep_best(depth);
            self.asks.keep_best(depth);
        }
        if let Some(Step::Checked {
            checksum, finer, ..
        }) = self.last
            && checksum != self.checksum_of(finer)
        {
            return self.lose(Loss::Checksum);
        }
        if self.bids.is_thin() || self.asks.is_thin() {
            return self.lose(Loss::Thin);
        }
        if let (Some(bid), Some(ask)) = self.best()
            && bid.price >= ask.price
        {
            return self.lose(Loss::Crossed);
        }
        let bids = refresh(&mut self.shown.bids, &self.bids);
        let asks = refresh(&mut self.shown.asks, &self.asks);
        if bids || asks {
            Outcome::Changed
        } else {
            Outcome::Same
        }
    }
}

enum Relation {
    Follows,
    Repeats,
    Breaks,
}

/// Brings what is shown up to date; whether anything had to be changed.
fn refresh(shown: &mut Vec<Level>, side: &Side) -> bool {
    let top = || side.best_first().take(SHOWN);
    if top().eq(shown.iter().copied()) {
        return false;
    }
    shown.clear();
    shown.extend(top());
    true
}

#[cfg(test)]
mod tests;
