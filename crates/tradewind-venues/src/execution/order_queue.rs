//! Orders that wait for their account's rate: two queues, exits first (R16).
//!
//! It sends nothing and has no clock: the executor says what time it is and carries out what is said here.

use std::collections::VecDeque;

use tradewind_model::{ClientOrderId, Timestamp};
use tradewind_risk::{ApprovedOrder, Rate, TokenBucket};

/// What is to become of the order in front.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes now; its share of the rate was taken.
    Send(ApprovedOrder),
    /// It waited longer than it is good for, and costs nothing.
    TooOld(ApprovedOrder),
    /// It waits on: the rate has no room.
    Later,
}

/// The queues of one account.
#[derive(Debug, Default)]
pub struct OrderQueue {
    exits: VecDeque<ApprovedOrder>,
    entries: VecDeque<ApprovedOrder>,
    bucket: TokenBucket,
    rate: Option<Rate>,
}

impl OrderQueue {
    /// Empty queues held to `rate`; none lets everything go at once.
    pub fn new(rate: Option<Rate>) -> Self {
        Self {
            rate,
            ..Self::default()
        }
    }

    /// Puts an order behind those of its kind.
    pub fn push(&mut self, order: ApprovedOrder) {
        let queue = if order.is_exit() {
            &mut self.exits
        } else {
            &mut self.entries
        };
        queue.push_back(order);
    }

    /// Takes an order back that has not gone yet.
    pub fn remove(&mut self, id: ClientOrderId) -> Option<ApprovedOrder> {
        [&mut self.exits, &mut self.entries]
            .into_iter()
            .find_map(|queue| {
                let place = queue
                    .iter()
                    .position(|order| order.terms().client_id == id)?;
                queue.remove(place)
            })
    }

    /// What becomes of the order in front at `now`; `None` when nothing waits.
    pub fn next(&mut self, now: Timestamp) -> Option<Next> {
        let queue = if self.exits.is_empty() {
            &mut self.entries
        } else {
            &mut self.exits
        };
        let order = *queue.front()?;
        if order.expires_at().is_some_and(|end| now >= end) {
            queue.pop_front();
            return Some(Next::TooOld(order));
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

    /// Whether this order has not gone yet.
    pub fn contains(&self, id: ClientOrderId) -> bool {
        let mut all = self.exits.iter().chain(&self.entries);
        all.any(|order| order.terms().client_id == id)
    }

    /// Whether anything waits.
    pub fn is_empty(&self) -> bool {
        self.exits.is_empty() && self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests;
