//! Orders that are open, each in a slot that keeps its number as long as the order stays where it is: on the book, behind
//! its trigger, or pending in its list.
//!
//! Slots are reused, so an exchange that trades for a year holds no more of them than once waited at the same time.
//! Their links make the queues of [`Book`](crate::book::Book); only `book.rs` touches those.

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, Quantity};

use crate::order::Order;

/// Number of a slot.
pub(crate) type SlotId = u32;

/// No slot.
pub(crate) const NONE: SlotId = SlotId::MAX;

/// An open order and its place in its queue, if it is on the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) order: Order,
    /// Whether the order is still here; a slot that is free keeps the last one it held.
    is_taken: bool,
    /// What is locked for it, in the asset it pays. Of a pair, one order holds what both need.
    pub(crate) held: Amount,
    /// Liquidity of the market model that came to this price first and is still there, in quantity counts.
    ///
    /// `i64::MAX` until the level has been seen.
    pub(crate) ahead: i64,
    pub(crate) before: SlotId,
    pub(crate) after: SlotId,
}

/// All slots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    slots: Vec<Slot>,
    free: Vec<SlotId>,
}

impl Waiting {
    /// No slots yet.
    pub(crate) const EMPTY: Self = Self {
        slots: Vec::new(),
        free: Vec::new(),
    };

    /// Puts an order into a slot; it is in no queue yet and holds nothing.
    pub(crate) fn insert(&mut self, order: &Order) -> SlotId {
        let slot = Slot {
            order: *order,
            is_taken: true,
            held: Amount::ZERO,
            ahead: 0,
            before: NONE,
            after: NONE,
        };
        if let Some(id) = self.free.pop() {
            self.slots[id as usize] = slot;
            return id;
        }
        self.slots.push(slot);
        SlotId::try_from(self.slots.len() - 1).expect("memory ends before 2^32 orders wait")
    }

    /// Gives the slot back. The order must have left its queue.
    pub(crate) fn remove(&mut self, id: SlotId) -> Order {
        self.free.push(id);
        let slot = &mut self.slots[id as usize];
        slot.is_taken = false;
        slot.order
    }

    /// `quantity` of the market's was served at this queue's price: everybody in it moves up.
    pub(crate) fn pass(&mut self, first: SlotId, quantity: Quantity) {
        self.for_each(first, |slot| {
            if slot.ahead != i64::MAX {
                slot.ahead = (slot.ahead - quantity.0).max(0);
            }
        });
    }

    /// No more than `shown` of the market's stands before anybody in this queue.
    pub(crate) fn shorten(&mut self, first: SlotId, shown: i64) {
        self.for_each(first, |slot| slot.ahead = slot.ahead.min(shown));
    }

    fn for_each(&mut self, first: SlotId, change: impl Fn(&mut Slot)) {
        let mut id = first;
        while id != NONE {
            let slot = self.get_mut(id);
            change(slot);
            id = slot.after;
        }
    }

    /// Every slot that holds an order, and the order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SlotId, Order)> + '_ {
        (0..)
            .zip(&self.slots)
            .filter(|(_, slot)| slot.is_taken)
            .map(|(id, slot)| (id, slot.order))
    }

    /// The orders, in no order.
    pub(crate) fn orders(&self) -> impl Iterator<Item = &Order> {
        let taken = self.slots.iter().filter(|slot| slot.is_taken);
        taken.map(|slot| &slot.order)
    }

    pub(crate) fn get(&self, id: SlotId) -> &Slot {
        &self.slots[id as usize]
    }

    pub(crate) fn get_mut(&mut self, id: SlotId) -> &mut Slot {
        &mut self.slots[id as usize]
    }
}
