//! The orders of one instrument that wait for their trigger.
//!
//! Fixed stops are sorted by price, so that a print looks at none that it does not fire; trailing ones are few (the venue
//! allows five a client) and are each shown every print. Among those that one print fires, the nearest stop goes first,
//! then the older order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_model::{Price, Timestamp, VenueOrderId};

use crate::order::Order;
use crate::trigger::{Direction, Trigger};
use crate::waiting::{SlotId, Waiting};

/// Waiting triggers by what fires them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Triggers {
    /// Fired by a price at or above the key's.
    rising: BTreeMap<(i64, VenueOrderId), SlotId>,
    /// Fired by a price at or below the negative of the key's.
    falling: BTreeMap<(i64, VenueOrderId), SlotId>,
    trailing: BTreeMap<VenueOrderId, SlotId>,
}

impl Triggers {
    /// Adds an order that has a trigger.
    pub(crate) fn insert(&mut self, order: &Order, trigger: &Trigger, slot: SlotId) {
        match key(order, trigger) {
            Some((Direction::Rising, key)) => self.rising.insert(key, slot),
            Some((Direction::Falling, key)) => self.falling.insert(key, slot),
            None => self.trailing.insert(order.id, slot),
        };
    }

    /// Takes an order out.
    pub(crate) fn remove(&mut self, order: &Order, trigger: &Trigger) {
        match key(order, trigger) {
            Some((Direction::Rising, key)) => self.rising.remove(&key),
            Some((Direction::Falling, key)) => self.falling.remove(&key),
            None => self.trailing.remove(&order.id),
        };
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.rising.is_empty() && self.falling.is_empty() && self.trailing.is_empty()
    }

    /// The order that `last` fires first, if it fires any; it stays until it is removed.
    pub(crate) fn fired(&self, last: Price) -> Option<SlotId> {
        let rising = self.rising.first_key_value();
        let falling = self.falling.first_key_value();
        rising
            .filter(|((stop, _), _)| *stop <= last.0)
            .or_else(|| falling.filter(|((stop, _), _)| *stop <= -last.0))
            .map(|(_, slot)| *slot)
    }

    /// Shows the price to every trailing trigger; the first that fires, if one does.
    pub(crate) fn observe(
        &self,
        waiting: &mut Waiting,
        now: Timestamp,
        last: Price,
    ) -> Option<SlotId> {
        let mut fired = None;
        for slot in self.trailing.values() {
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
}

/// Where a fixed stop is sorted; `None` for a trailing one.
fn key(order: &Order, trigger: &Trigger) -> Option<(Direction, (i64, VenueOrderId))> {
    let stop = trigger.price.filter(|_| trigger.trailing.is_none())?;
    Some(match trigger.direction(order.side) {
        Direction::Rising => (Direction::Rising, (stop.0, order.id)),
        Direction::Falling => (Direction::Falling, (-stop.0, order.id)),
    })
}
