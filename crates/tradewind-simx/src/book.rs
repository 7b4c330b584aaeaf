//! One side of an instrument's book of waiting orders: price levels, and at each a queue in order of arrival.
//!
//! Only the accounts' orders are here. What the market model offers is the [`Ladder`](crate::ladder::Ladder); how the
//! two stand in line together is told by each order's `ahead`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_model::{Price, Quantity, Side};

use crate::waiting::{NONE, SlotId, Waiting};

/// The waiting orders of one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Book {
    side: Side,
    /// Best first for both sides: the key of a sell is its price, that of a buy its negative.
    levels: BTreeMap<i64, Queue>,
    /// Key of the best level, `i64::MAX` without one: what every quote is compared with.
    best: i64,
}

/// Orders at one price, first come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Queue {
    pub(crate) price: Price,
    pub(crate) first: SlotId,
    last: SlotId,
    /// Sum of what remains of them.
    pub(crate) quantity: Quantity,
}

impl Book {
    pub(crate) const fn new(side: Side) -> Self {
        Self {
            side,
            levels: BTreeMap::new(),
            best: i64::MAX,
        }
    }

    /// Puts an order at the end of its price's queue.
    pub(crate) fn push(&mut self, waiting: &mut Waiting, id: SlotId, price: Price) {
        let key = self.key(price);
        let quantity = waiting.get(id).order.remaining();
        let empty = Queue {
            price,
            first: id,
            last: NONE,
            quantity: Quantity::ZERO,
        };
        let queue = self.levels.entry(key).or_insert(empty);
        queue.quantity += quantity;
        let last = std::mem::replace(&mut queue.last, id);
        if last != NONE {
            waiting.get_mut(last).after = id;
        }
        waiting.get_mut(id).before = last;
        self.best = self.best.min(key);
    }

    /// Takes an order out of its queue, wherever it stands.
    pub(crate) fn unlink(&mut self, waiting: &mut Waiting, id: SlotId, price: Price) {
        let key = self.key(price);
        let (before, after) = (waiting.get(id).before, waiting.get(id).after);
        let queue = self.level_mut(key);
        queue.quantity -= waiting.get(id).order.remaining();
        if before == NONE {
            queue.first = after
        } else {
            waiting.get_mut(before).after = after
        }
        if after == NONE {
            queue.last = before
        } else {
            waiting.get_mut(after).before = before
        }
        if queue.first == NONE {
            self.levels.remove(&key);
            self.best = self
                .levels
                .first_key_value()
                .map_or(i64::MAX, |(key, _)| *key);
        }
    }

    /// Notes that an order at `price` was filled by this much and waits on.
    pub(crate) fn reduce(&mut self, price: Price, quantity: Quantity) {
        let key = self.key(price);
        self.level_mut(key).quantity -= quantity;
    }

    /// Whether some order's price is `price` or better for whoever would trade with it.
    pub(crate) const fn reaches(&self, price: Price) -> bool {
        self.best <= self.key(price) && self.best != i64::MAX
    }

    /// The best level.
    pub(crate) fn best(&self) -> Option<&Queue> {
        self.levels.first_key_value().map(|(_, queue)| queue)
    }

    /// The level at exactly this price.
    pub(crate) fn at(&self, price: Price) -> Option<&Queue> {
        self.levels.get(&self.key(price))
    }

    /// All levels, best first.
    pub(crate) fn levels(&self) -> impl Iterator<Item = &Queue> {
        self.levels.values()
    }

    /// Whether nobody waits.
    pub(crate) const fn is_empty(&self) -> bool {
        self.best == i64::MAX
    }

    fn level_mut(&mut self, key: i64) -> &mut Queue {
        self.levels
            .get_mut(&key)
            .expect("an order that waits has a level")
    }

    const fn key(&self, price: Price) -> i64 {
        match self.side {
            Side::Buy => -price.0,
            Side::Sell => price.0,
        }
    }
}

/// The orders of a queue, first come first.
pub(crate) fn queue(waiting: &Waiting, first: SlotId) -> impl Iterator<Item = SlotId> + '_ {
    std::iter::successors(Some(first), |id| {
        Some(waiting.get(*id).after).filter(|after| *after != NONE)
    })
}
