//! The orders of one instrument that wait for their trigger.
//!
//! Fixed stops are sorted by price, so that a print looks at none that it does not fire; trailing ones are few (the venue
//! allows five a client) and are each shown every print. Among those that one print fires, the nearest stop goes first,
//! then the older order.

use serde::{Deserialize, Serialize};
use tradewind_model::{Price, Timestamp, VenueOrderId};

use crate::order::Order;
use crate::trigger::{Direction, Trigger};
use crate::waiting::{SlotId, Waiting};

/// Waiting triggers by what fires them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Triggers {
    /// Fired by a price at or above the key's.
    rising: Sorted,
    /// Fired by a price at or below the negative of the key's.
    falling: Sorted,
    /// In order of their ids.
    trailing: Sorted,
}

/// Orders in the order of their keys; the first fires first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sorted(Vec<(Key, SlotId)>);

/// A price, counted so that the nearest comes first, and the order's id.
type Key = (i64, VenueOrderId);

impl Sorted {
    fn insert(&mut self, key: Key, slot: SlotId) {
        let place = self.place(key);
        self.0.insert(place, (key, slot));
    }

    fn remove(&mut self, key: Key) {
        let place = self.place(key);
        debug_assert!(self.0.get(place).is_some_and(|(found, _)| *found == key));
        self.0.remove(place);
    }

    fn place(&self, key: Key) -> usize {
        self.0.partition_point(|(before, _)| *before < key)
    }

    /// The first order, if a price of `at_most` fires it.
    fn first(&self, at_most: i64) -> Option<SlotId> {
        let ((price, _), slot) = *self.0.first()?;
        (price <= at_most).then_some(slot)
    }
}

impl Triggers {
    /// Adds an order that has a trigger.
    pub(crate) fn insert(&mut self, order: &Order, trigger: &Trigger, slot: SlotId) {
        let (sorted, key) = self.sorted(order, trigger);
        sorted.insert(key, slot);
    }

    /// Takes an order out.
    pub(crate) fn remove(&mut self, order: &Order, trigger: &Trigger) {
        let (sorted, key) = self.sorted(order, trigger);
        sorted.remove(key);
    }

    /// Whether nobody waits.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rising.0.is_empty() && self.falling.0.is_empty() && self.trailing.0.is_empty()
    }

    /// The order that `last` fires first, if it fires any; it stays until it is removed.
    pub(crate) fn fired(&self, last: Price) -> Option<SlotId> {
        let rising = self.rising.first(last.0);
        rising.or_else(|| self.falling.first(-last.0))
    }

    /// Shows the price to every trailing trigger; the first that fires, if one does.
    pub(crate) fn observe(
        &self,
        waiting: &mut Waiting,
        now: Timestamp,
        last: Price,
    ) -> Option<SlotId> {
        let mut fired = None;
        for (_, slot) in &self.trailing.0 {
            let order = &mut waiting.get_mut(*slot).order;
            let side = order.side;
            let fires = order
                .trigger
                .as_mut()
                .is_some_and(|trigger| trigger.observe(side, now, last));
            fired = fired.or(fires.then_some(*slot));
        }
        fired
    }

    /// Where an order is sorted.
    fn sorted(&mut self, order: &Order, trigger: &Trigger) -> (&mut Sorted, Key) {
        let stop = trigger.price.filter(|_| trigger.trailing.is_none());
        match (stop, trigger.direction(order.side)) {
            (Some(stop), Direction::Rising) => (&mut self.rising, (stop.0, order.id)),
            (Some(stop), Direction::Falling) => (&mut self.falling, (-stop.0, order.id)),
            (None, _) => (&mut self.trailing, (0, order.id)),
        }
    }
}
