//! A recorded book put together from its diffs, so that its levels can be shown.
//!
//! Follows the venue's procedure: a snapshot, then every diff that continues it. The touch comes from another stream and
//! can be ahead of the diffs; then it wins, since it is newer.

use std::collections::BTreeMap;

use tradewind_model::{Depth, InstrumentId, Level, Price, Quantity, Quote, Timestamp};

/// Levels shown of each side.
const SHOWN: usize = 50;

/// One instrument's book.
#[derive(Clone, Debug, Default)]
pub(super) struct LocalBook {
    bids: BTreeMap<Price, Quantity>,
    asks: BTreeMap<Price, Quantity>,
    /// The last update in it; `None` before the snapshot.
    last: Option<u64>,
    touch: Option<(u64, Quote)>,
    /// Diffs that came before the snapshot.
    early: Vec<Diff>,
}

/// What changed between two updates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Diff {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) bids: Vec<Level>,
    pub(super) asks: Vec<Level>,
}

impl LocalBook {
    /// Takes the whole book as it was at an update, and the diffs that came before it was known.
    pub(super) fn snapshot(&mut self, last: u64, bids: &[Level], asks: &[Level]) {
        let side = |levels: &[Level]| {
            levels
                .iter()
                .map(|level| (level.price, level.quantity))
                .collect()
        };
        (self.bids, self.asks, self.last) = (side(bids), side(asks), Some(last));
        for diff in std::mem::take(&mut self.early) {
            self.diff(diff);
        }
    }

    /// Takes a diff; one that does not continue the book makes it unknown until the next snapshot.
    pub(super) fn diff(&mut self, diff: Diff) {
        match self.last {
            None => self.early.push(diff),
            Some(last) if diff.last <= last => {}
            Some(last) if diff.first > last + 1 => {
                self.last = None;
                self.early.clear();
            }
            Some(_) => {
                change(&mut self.bids, &diff.bids);
                change(&mut self.asks, &diff.asks);
                self.last = Some(diff.last);
            }
        }
    }

    /// Takes the touch as of an update.
    pub(super) const fn touch(&mut self, update: u64, quote: Quote) {
        self.touch = Some((update, quote));
    }

    /// The levels to show, if the book is known and not crossed.
    pub(super) fn levels(&self, instrument: InstrumentId, at: Timestamp) -> Option<Depth> {
        let last = self.last?;
        let newer = self
            .touch
            .filter(|(update, _)| *update > last)
            .map(|(_, quote)| quote);
        let mut depth = Depth {
            instrument,
            bids: side(
                self.bids.iter().rev(),
                newer.map(|touch| (touch.bid, touch.bid_quantity)),
                |price, best| price < best,
            ),
            asks: side(
                self.asks.iter(),
                newer.map(|touch| (touch.ask, touch.ask_quantity)),
                |price, best| price > best,
            ),
            received_at: at,
        };
        let crossed = depth
            .bids
            .first()
            .zip(depth.asks.first())
            .is_none_or(|(bid, ask)| bid.price >= ask.price);
        depth.bids.truncate(SHOWN);
        depth.asks.truncate(SHOWN);
        (!crossed).then_some(depth)
    }
}

fn change(book: &mut BTreeMap<Price, Quantity>, levels: &[Level]) {
    for level in levels {
        if level.quantity.is_zero() {
            book.remove(&level.price);
        } else {
            book.insert(level.price, level.quantity);
        }
    }
}

/// Levels from the best on; with a newer best, that one and what lies behind it.
fn side<'a>(
    levels: impl Iterator<Item = (&'a Price, &'a Quantity)>,
    newer: Option<(Price, Quantity)>,
    behind: impl Fn(Price, Price) -> bool,
) -> Vec<Level> {
    let best = newer.map(|(price, quantity)| Level { price, quantity });
    let rest = levels.map(|(price, quantity)| Level {
        price: *price,
        quantity: *quantity,
    });
    let rest = rest.filter(|level| best.is_none_or(|best| behind(level.price, best.price)));
    best.into_iter().chain(rest).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(price: i64, quantity: i64) -> Level {
        Level {
            price: Price(price),
            quantity: Quantity(quantity),
        }
    }

    fn quote(bid: i64, ask: i64) -> Quote {
        Quote {
            instrument: InstrumentId(0),
            bid: Price(bid),
            ask: Price(ask),
            bid_quantity: Quantity(7),
            ask_quantity: Quantity(8),
            event_time: None,
            received_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn diffs_continue_the_snapshot_and_a_gap_hides_the_book() {
        let mut book = LocalBook::default();
        let diff = |first, last, bids: &[Level]| Diff {
            first,
            last,
            bids: bids.to_vec(),
            asks: vec![],
        };
        book.diff(diff(1, 3, &[level(9, 1)]));
        book.diff(diff(4, 6, &[level(8, 5)]));
        assert_eq!(book.levels(InstrumentId(0), Timestamp::EPOCH), None);
        book.snapshot(4, &[level(10, 2)], &[level(12, 3)]);
        let shown = book.levels(InstrumentId(0), Timestamp::EPOCH).unwrap();
        assert_eq!(shown.bids, [level(10, 2), level(8, 5)]);
        book.diff(diff(8, 9, &[level(7, 1)]));
        assert_eq!(book.levels(InstrumentId(0), Timestamp::EPOCH), None);
    }

    #[test]
    fn a_newer_touch_hides_levels_that_are_gone() {
        let mut book = LocalBook::default();
        book.snapshot(
            4,
            &[level(10, 2), level(9, 1)],
            &[level(12, 3), level(13, 4)],
        );
        book.touch(3, quote(8, 9));
        assert_eq!(
            book.levels(InstrumentId(0), Timestamp::EPOCH).unwrap().bids[0],
            level(10, 2)
        );
        book.touch(5, quote(9, 12));
        let shown = book.levels(InstrumentId(0), Timestamp::EPOCH).unwrap();
        assert_eq!(
            (shown.bids, shown.asks),
            (vec![level(9, 7)], vec![level(12, 8), level(13, 4)])
        );
    }
}
