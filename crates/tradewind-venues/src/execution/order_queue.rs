//! Orders that wait for their account's rate: two queues, exits first (R16).
//!
//! It sends nothing and has no clock: the executor gives it the time and carries out what it returns.

use std::collections::VecDeque;

use tradewind_model::{ClientOrderId, Timestamp};
use tradewind_risk::{ApprovedOrder, Rate, TokenBucket};

/// Orders that may wait in one account's queues together.
pub const QUEUED_MAX: usize = 10_000;

/// What is to be done with the order in front.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send it; its share of the rate is taken.
    Send(ApprovedOrder),
    /// Do not send it: its time to live is over. It costs none of the rate.
    TooOld(ApprovedOrder),
    /// Keep it: the rate or the orders in flight leave no room.
    Later,
}

/// Room for one more order in flight, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) entry: bool,
    pub(super) exit: bool,
}

/// The queues of one account.
#[derive(Debug, Default)]
pub(super) struct OrderQueue {
    exits: VecDeque<ApprovedOrder>,
    entries: VecDeque<ApprovedOrder>,
    bucket: TokenBucket,
    rate: Option<Rate>,
}

impl OrderQueue {
    /// Empty queues held to `rate`; without one every order goes at once.
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self {
            rate,
            ..Self::default()
        }
    }

    /// Puts an order behind those of its kind; false if [`QUEUED_MAX`] wait already.
    pub(super) fn push(&mut self, order: ApprovedOrder) -> bool {
        if self.exits.len() + self.entries.len() >= QUEUED_MAX {
            return false;
        }
        let queue = if order.is_exit() {
            &mut self.exits
        } else {
            &mut self.entries
        };
        queue.push_back(order);
        true
    }

    /// Removes an order that was not sent yet.
    pub(super) fn remove(&mut self, id: ClientOrderId) -> Option<ApprovedOrder> {
        [&mut self.exits, &mut self.entries]
            .into_iter()
            .find_map(|queue| {
                let place = queue
                    .iter()
                    .position(|order| order.terms().client_id == id)?;
                queue.remove(place)
            })
    }

    /// Removes every order, exits first.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = ApprovedOrder> {
        self.exits.drain(..).chain(self.entries.drain(..))
    }

    /// What to do with the order in front at `now`; `None` when nothing waits.
    pub(super) fn next(&mut self, now: Timestamp, room: Room) -> Option<Next> {
        let (queue, has_room) = if self.exits.is_empty() {
            (&mut self.entries, room.entry)
        } else {
            (&mut self.exits, room.exit)
        };
        let order = *queue.front()?;
        if order.expires_at().is_some_and(|end| now >= end) {
            queue.pop_front();
            return Some(Next::TooOld(order));
        }
        if !has_room {
            return Some(Next::Later);
        }
        if let Some(rate) = &self.rate {
            if !self.bucket.has_room(now, rate) {
                return Some(Next::Later);
            }
            self.bucket.take(now, rate);
        }
        queue.pop_front();
        Some(Next::Send(order))
    }

    /// Whether this order waits.
    pub(super) fn contains(&self, id: ClientOrderId) -> bool {
        let mut all = self.exits.iter().chain(&self.entries);
        all.any(|order| order.terms().client_id == id)
    }

    /// Orders that wait.
    pub(super) fn len(&self) -> usize {
        self.exits.len() + self.entries.len()
    }
}

#[cfg(test)]
mod tests;
