//! Orders that wait for their account's rate: two queues, exits first, in each of them the bots in turn (R16).
//!
//! It sends nothing and has no clock: the executor gives it the time and carries out what it returns.

use std::collections::{BTreeMap, VecDeque};

use tradewind_model::{BotId, ClientOrderId, Timestamp};
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
    exits: Turns,
    entries: Turns,
    bucket: TokenBucket,
    rate: Option<Rate>,
}

/// Orders of one kind. Bots are served in turn, one order each, so that none waits for all that another one wants; a person's orders
/// are served like a bot's.
#[derive(Debug, Default)]
struct Turns {
    /// Kept when they are empty, so that an order that need not wait allocates nothing: as many as there are bots.
    orders: BTreeMap<Option<BotId>, VecDeque<ApprovedOrder>>,
    /// Whose turn is next; each of those with orders once.
    turns: VecDeque<Option<BotId>>,
    len: usize,
}

impl OrderQueue {
    /// Empty queues held to `rate`; without one every order goes at once.
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self {
            rate,
            ..Self::default()
        }
    }

    /// Puts an order behind those of its kind and bot; false if [`QUEUED_MAX`] wait already.
    pub(super) fn push(&mut self, order: ApprovedOrder, bot: Option<BotId>) -> bool {
        if self.len() >= QUEUED_MAX {
            return false;
        }
        let queue = if order.is_exit() {
            &mut self.exits
        } else {
            &mut self.entries
        };
        queue.push(order, bot);
        true
    }

    /// Removes an order that was not sent yet.
    pub(super) fn remove(&mut self, id: ClientOrderId) -> Option<ApprovedOrder> {
        self.exits.remove(id).or_else(|| self.entries.remove(id))
    }

    /// Removes every order, exits first.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = ApprovedOrder> {
        let (exits, entries) = (&mut self.exits, &mut self.entries);
        std::iter::from_fn(|| exits.take_turn().or_else(|| entries.take_turn()))
    }

    /// What to do with the order in front at `now`; `None` when nothing waits.
    pub(super) fn next(&mut self, now: Timestamp, room: Room) -> Option<Next> {
        let (queue, has_room) = if self.exits.len == 0 {
            (&mut self.entries, room.entry)
        } else {
            (&mut self.exits, room.exit)
        };
        let order = queue.front()?;
        if order.expires_at().is_some_and(|end| now >= end) {
            queue.remove(order.terms().client_id);
            return Some(Next::TooOld(order));
        }
        if !has_room {
            return Some(Next::Later);
        }
        if let Some(rate) = &self.rate {
            if !self.bucket.has_room(now, rate) {
                return Some(Next::Later);
            }
            // A pair counts as two orders.
            for _ in order.client_ids() {
                self.bucket.take(now, rate);
            }
        }
        queue.take_turn().map(Next::Send)
    }

    /// Whether this order waits.
    pub(super) fn contains(&self, id: ClientOrderId) -> bool {
        let queues = [&self.exits, &self.entries].into_iter();
        let mut all = queues.flat_map(|queue| queue.orders.values()).flatten();
        all.any(|order| order.client_ids().any(|sent| sent == id))
    }

    /// Orders that wait.
    pub(super) const fn len(&self) -> usize {
        self.exits.len + self.entries.len
    }
}

impl Turns {
    fn push(&mut self, order: ApprovedOrder, bot: Option<BotId>) {
        let own = self.orders.entry(bot).or_default();
        if own.is_empty() {
            self.turns.push_back(bot);
        }
        own.push_back(order);
        self.len += 1;
    }

    fn front(&self) -> Option<ApprovedOrder> {
        let own = self.orders.get(self.turns.front()?)?;
        own.front().copied()
    }

    /// Takes the order in front. Its bot's next one waits for all others' turns.
    fn take_turn(&mut self) -> Option<ApprovedOrder> {
        let bot = self.turns.pop_front()?;
        let own = self.orders.get_mut(&bot)?;
        let order = own.pop_front();
        self.len -= usize::from(order.is_some());
        if !own.is_empty() {
            self.turns.push_back(bot);
        }
        order
    }

    /// Takes one order out. Its bot keeps its place in the turns if it has more orders.
    fn remove(&mut self, id: ClientOrderId) -> Option<ApprovedOrder> {
        let place = |own: &VecDeque<ApprovedOrder>| {
            own.iter()
                .position(|order| order.client_ids().any(|sent| sent == id))
        };
        let mut all = self.orders.iter();
        let (bot, place) = all.find_map(|(bot, own)| Some((*bot, place(own)?)))?;
        let own = self.orders.get_mut(&bot)?;
        let order = own.remove(place);
        self.len -= usize::from(order.is_some());
        if own.is_empty() {
            self.turns.retain(|waiting| *waiting != bot);
        }
        order
    }
}

#[cfg(test)]
mod tests;
