//! The book as differences: what changed since the last frame.
//!
//! A frame's ids follow on from the last frame's without a gap, so a reader who starts from `/depth` can tell that it
//! missed nothing. Such a reader may have read the book between two frames: what it saw then is told in the next.

use std::cmp::Ordering;

use tradewind_model::{Depth, InstrumentId, Level, Quantity, Timestamp};
use tradewind_simx::Exchange;

use super::frames::Subject;

/// Levels of each side that are compared: as many as `/depth` can show.
const LEVELS: usize = 5_000;

/// The book as it was told last.
#[derive(Debug)]
pub(crate) struct DepthState {
    told: Depth,
    current: Depth,
    update_id: u64,
    /// Prices that somebody has read in between as other than they were told last: the next frame tells them again, even
    /// if they have changed back by then, because that reader builds on what it read.
    owed: Depth,
}

impl DepthState {
    /// The book as it is now: the first frame tells what changes from here on.
    pub(crate) fn new(exchange: &Exchange, instrument: InstrumentId) -> Self {
        let empty = Depth {
            instrument,
            bids: vec![],
            asks: vec![],
            received_at: Timestamp::EPOCH,
        };
        let mut told = empty.clone();
        exchange.depth(instrument, LEVELS, &mut told);
        Self {
            told,
            owed: empty.clone(),
            current: empty,
            update_id: exchange.update_id(instrument),
        }
    }

    /// Somebody reads the whole book as it is now.
    pub(crate) fn read(&mut self, exchange: &Exchange) {
        let instrument = self.told.instrument;
        if exchange.update_id(instrument) != self.update_id {
            exchange.depth(instrument, LEVELS, &mut self.current);
            let bids = changes(&self.told.bids, &self.current.bids, highest_first);
            let asks = changes(&self.told.asks, &self.current.asks, lowest_first);
            self.owed.bids.extend(bids);
            self.owed.asks.extend(asks);
        }
    }

    /// The next frame, if the book changed.
    pub(crate) fn update(&mut self, subject: Subject<'_>, exchange: &Exchange) -> Option<String> {
        let instrument = subject.instrument.id;
        let update_id = exchange.update_id(instrument);
        if update_id == self.update_id {
            return None;
        }
        exchange.depth(instrument, LEVELS, &mut self.current);
        let mut bids = changes(&self.told.bids, &self.current.bids, highest_first);
        let mut asks = changes(&self.told.asks, &self.current.asks, lowest_first);
        pay(
            &mut self.owed.bids,
            &self.current.bids,
            &mut bids,
            highest_first,
        );
        pay(
            &mut self.owed.asks,
            &self.current.asks,
            &mut asks,
            lowest_first,
        );
        let first = self.update_id + 1;
        std::mem::swap(&mut self.told, &mut self.current);
        self.update_id = update_id;
        Some(subject.depth_update(first, update_id, &bids, &asks))
    }
}

fn highest_first(one: &Level, other: &Level) -> Ordering {
    other.price.cmp(&one.price)
}

fn lowest_first(one: &Level, other: &Level) -> Ordering {
    one.price.cmp(&other.price)
}

/// Adds what the owed prices are in `book` to the sorted `changed`, unless it is told there anyway.
fn pay(
    owed: &mut Vec<Level>,
    book: &[Level],
    changed: &mut Vec<Level>,
    order: fn(&Level, &Level) -> Ordering,
) {
    for level in owed.drain(..) {
        if let Err(place) = changed.binary_search_by(|told| order(told, &level)) {
            let now = book.binary_search_by(|known| order(known, &level));
            let quantity = now.map_or(Quantity::ZERO, |place| book[place].quantity);
            changed.insert(place, Level { quantity, ..level });
        }
    }
}

/// Levels of `new` that are not so in `old`, and those that are gone with a quantity of zero. Both are sorted by `order`.
fn changes(old: &[Level], new: &[Level], order: impl Fn(&Level, &Level) -> Ordering) -> Vec<Level> {
    let gone = |level: &Level| Level {
        price: level.price,
        quantity: Quantity::ZERO,
    };
    let mut changed = Vec::new();
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    loop {
        match (old.peek(), new.peek()) {
            (None, None) => return changed,
            (Some(_), None) => changed.extend(old.by_ref().map(gone)),
            (None, Some(_)) => changed.extend(new.by_ref().copied()),
            (Some(before), Some(after)) => match order(before, after) {
                Ordering::Less => changed.extend(old.next().map(gone)),
                Ordering::Greater => changed.extend(new.next().copied()),
                Ordering::Equal => {
                    let after = new.next().copied();
                    let before = old.next();
                    changed.extend(after.filter(|after| Some(after) != before));
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use tradewind_model::Price;

    fn levels(book: &BTreeMap<i64, i64>) -> Vec<Level> {
        book.iter()
            .map(|(price, quantity)| Level {
                price: Price(*price),
                quantity: Quantity(*quantity),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn changes_turn_the_old_book_into_the_new(
            old in prop::collection::btree_map(0_i64..30, 1_i64..4, 0..20),
            new in prop::collection::btree_map(0_i64..30, 1_i64..4, 0..20),
        ) {
            let mut book = old.clone();
            let changes = changes(&levels(&old), &levels(&new), |one, other| one.price.cmp(&other.price));
            for level in &changes {
                if level.quantity.is_zero() {
                    prop_assert!(book.remove(&level.price.0).is_some(), "only what is there is taken away");
                } else {
                    prop_assert_ne!(book.insert(level.price.0, level.quantity.0), Some(level.quantity.0));
                }
            }
            prop_assert_eq!(book, new);
        }
    }
}
