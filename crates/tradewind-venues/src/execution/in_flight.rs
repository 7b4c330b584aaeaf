//! Which orders of an account are in flight, and when the others had been sent.
//!
//! An order is in flight from its request to the answer. This module decides whether one more may be sent, whether a
//! cancel would overtake its order, and from when on the venue's "no such order" counts.

use std::collections::BTreeMap;

use tradewind_model::{ClientOrderId, Timestamp, TradeId};

use super::order_queue::Room;

/// Orders in flight at once. At the venue's 8 orders a second and 30 s for an answer no more than 240 can be.
pub const IN_FLIGHT_MAX: usize = 512;
/// Of these, how many only exits may use: entries that get no answer must not keep an exit from being sent.
pub const RESERVED_FOR_EXITS: usize = 128;
/// Orders remembered, those in flight included. The oldest answered order is forgotten first.
pub const REMEMBERED_MAX: usize = 10_000;

/// The orders of one account that this executor was given.
#[derive(Debug, Default)]
pub(super) struct InFlightOrders {
    orders: BTreeMap<ClientOrderId, Progress>,
    /// The last trade of its instrument that was listed before each was sent.
    listed_before: BTreeMap<ClientOrderId, TradeId>,
    in_flight: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    InFlight,
    /// No answer came in time; it may still be on its way.
    Overdue,
    /// It had been sent by then.
    SentBefore(Timestamp),
    /// It was never sent.
    NotSent,
}

impl InFlightOrders {
    /// Notes that an order is being sent, and the last trade of its instrument that was listed: its own come after it.
    pub(super) fn sent(&mut self, id: ClientOrderId, listed_to: TradeId) {
        self.note(id, Progress::InFlight);
        self.listed_before.insert(id, listed_to);
    }

    /// Notes that an order was answered; it had been sent by `now`.
    pub(super) fn answered(&mut self, id: ClientOrderId, now: Timestamp) {
        self.note(id, Progress::SentBefore(now));
    }

    /// Notes that an order's answer is overdue. It makes room for another one.
    pub(super) fn overdue(&mut self, id: ClientOrderId) {
        self.note(id, Progress::Overdue);
    }

    /// Notes that an order will never be sent.
    pub(super) fn not_sent(&mut self, id: ClientOrderId) {
        self.note(id, Progress::NotSent);
    }

    fn note(&mut self, id: ClientOrderId, progress: Progress) {
        let before = self.orders.insert(id, progress);
        self.in_flight -= usize::from(before == Some(Progress::InFlight));
        self.in_flight += usize::from(progress == Progress::InFlight);
        if self.orders.len() > REMEMBERED_MAX {
            let answered = |(_, progress): &(&ClientOrderId, &Progress)| {
                matches!(progress, Progress::SentBefore(_) | Progress::NotSent)
            };
            let oldest = self.orders.iter().find(answered).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                self.orders.remove(&oldest);
                self.listed_before.remove(&oldest);
            }
        }
    }

    /// Whether one more order may be sent.
    pub(super) const fn room(&self) -> Room {
        Room {
            entry: self.in_flight < IN_FLIGHT_MAX - RESERVED_FOR_EXITS,
            exit: self.in_flight < IN_FLIGHT_MAX,
        }
    }

    /// Orders in flight.
    pub(super) const fn len(&self) -> usize {
        self.in_flight
    }

    /// Whether a cancel sent now could overtake this order.
    pub(super) fn is_in_flight(&self, id: ClientOrderId) -> bool {
        self.orders.get(&id) == Some(&Progress::InFlight)
    }

    /// Whether this executor has a record that it got the order before.
    pub(super) fn knows(&self, id: ClientOrderId) -> bool {
        self.orders.contains_key(&id)
    }

    /// The last trade that was listed before an order was sent; `None` for an order of an earlier run.
    pub(super) fn listed_before(&self, id: ClientOrderId) -> Option<TradeId> {
        self.listed_before.get(&id).copied()
    }

    /// By when an order had been sent: `None` without an answer, `asked_at` for an order of an earlier run.
    pub(super) fn sent_before(&self, id: ClientOrderId, asked_at: Timestamp) -> Option<Timestamp> {
        match self.orders.get(&id) {
            Some(Progress::InFlight | Progress::Overdue) => None,
            Some(Progress::SentBefore(at)) => Some(*at),
            Some(Progress::NotSent) | None => Some(asked_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ClientOrderId = ClientOrderId(1);

    #[test]
    fn an_absence_counts_from_the_sending_and_not_from_the_query() {
        let (sent, queried) = (Timestamp::from_secs(100), Timestamp::from_secs(500));
        let mut orders = InFlightOrders::default();
        assert_eq!(orders.sent_before(ID, queried), Some(queried));
        orders.sent(ID, TradeId(0));
        assert_eq!(
            (orders.sent_before(ID, queried), orders.is_in_flight(ID)),
            (None, true)
        );
        orders.overdue(ID);
        assert_eq!(
            (orders.sent_before(ID, queried), orders.is_in_flight(ID)),
            (None, false)
        );
        orders.answered(ID, sent);
        assert_eq!(orders.sent_before(ID, queried), Some(sent));
    }

    #[test]
    fn hung_entries_leave_room_for_exits_and_give_theirs_back_when_overdue() {
        let mut orders = InFlightOrders::default();
        let ids = |count: usize| (0..count as u128).map(ClientOrderId);
        let entries = IN_FLIGHT_MAX - RESERVED_FOR_EXITS;
        ids(entries - 1).for_each(|id| orders.sent(id, TradeId(0)));
        assert!(orders.room().entry);
        ids(entries).for_each(|id| orders.sent(id, TradeId(0)));
        assert_eq!((orders.room().entry, orders.room().exit), (false, true));
        ids(IN_FLIGHT_MAX).for_each(|id| orders.sent(id, TradeId(0)));
        assert_eq!((orders.room().exit, orders.len()), (false, IN_FLIGHT_MAX));
        ids(IN_FLIGHT_MAX).for_each(|id| orders.overdue(id));
        assert_eq!((orders.room().entry, orders.len()), (true, 0));
    }

    #[test]
    fn only_answered_orders_are_forgotten() {
        let mut orders = InFlightOrders::default();
        orders.sent(ID, TradeId(0));
        for id in 2..=REMEMBERED_MAX as u128 + 1 {
            orders.answered(ClientOrderId(id), Timestamp::EPOCH);
        }
        assert!(orders.knows(ID) && !orders.knows(ClientOrderId(2)));
        assert_eq!(orders.orders.len(), REMEMBERED_MAX);
    }
}
