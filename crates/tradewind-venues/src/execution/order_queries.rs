//! Which orders the venue is queried about: at most one query of an order at a time, with a pause before the next.
//!
//! A query for an order that is being queried already is repeated once afterwards: the answer on its way may be older
//! than the reason for the second query. A query without a definite answer is repeated until there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{ClientOrderId, InstrumentId, Timestamp};

/// Orders under query, those that wait for their turn included.
pub const QUERIES_MAX: usize = 10_000;
/// Queries sent and not answered at once.
pub const QUERIES_AT_ONCE: usize = 64;
/// After so many tries without a definite answer the pause is twice as long, and four times after one more.
const TRIES_BEFORE_LONGER: u32 = 2;
/// Above this many orders, those whose pause is over are removed.
const REMEMBERED: usize = 256;

/// One query that is to be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DueQuery {
    pub(super) instrument: InstrumentId,
    pub(super) client_id: ClientOrderId,
}

/// The queries of one account.
#[derive(Debug)]
pub(super) struct OrderQueries {
    /// Between two queries of one order.
    gap: Duration,
    orders: BTreeMap<ClientOrderId, Query>,
    due: BTreeSet<(Timestamp, ClientOrderId)>,
    sent: usize,
}

#[derive(Clone, Copy, Debug)]
struct Query {
    instrument: InstrumentId,
    stage: Stage,
    /// When the first try of this query was sent.
    asked_at: Option<Timestamp>,
    /// Tries without a definite answer.
    tries: u32,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Due,
    Sent { at: Timestamp, again: bool },
    Ended(Timestamp),
}

impl OrderQueries {
    pub(super) const fn new(gap: Duration) -> Self {
        Self {
            gap,
            orders: BTreeMap::new(),
            due: BTreeSet::new(),
            sent: 0,
        }
    }

    /// Queues a query of an order; false if too many are queued.
    pub(super) fn request(
        &mut self,
        instrument: InstrumentId,
        id: ClientOrderId,
        now: Timestamp,
    ) -> bool {
        self.forget(now);
        let is_full = self.orders.len() >= QUERIES_MAX;
        let due = match self.orders.get_mut(&id).map(|query| &mut query.stage) {
            Some(Stage::Sent { again, .. }) => {
                *again = true;
                return true;
            }
            Some(Stage::Due) => return true,
            Some(Stage::Ended(at)) => *at + self.gap,
            None if is_full => return false,
            None => now,
        };
        self.schedule(instrument, id, due, (None, 0));
        true
    }

    /// Queries an order at once that waits for its next query.
    pub(super) fn hasten(&mut self, id: ClientOrderId, now: Timestamp) {
        let Some(query) = self.orders.get(&id).copied() else {
            return;
        };
        let later = self.due.iter().find(|(at, due)| *due == id && *at > now);
        if let Some(later) = later.copied() {
            self.due.remove(&later);
            self.schedule(query.instrument, id, now, (query.asked_at, query.tries));
        }
    }

    fn schedule(
        &mut self,
        instrument: InstrumentId,
        id: ClientOrderId,
        due: Timestamp,
        (asked_at, tries): (Option<Timestamp>, u32),
    ) {
        let stage = Stage::Due;
        self.orders.insert(
            id,
            Query {
                instrument,
                stage,
                asked_at,
                tries,
            },
        );
        self.due.insert((due, id));
    }

    /// The next query to send at `now`; the caller sends it.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<DueQuery> {
        let (at, client_id) = *self.due.first()?;
        if at > now || self.sent >= QUERIES_AT_ONCE {
            return None;
        }
        self.due.pop_first();
        let query = self.orders.get_mut(&client_id)?;
        query.stage = Stage::Sent {
            at: now,
            again: false,
        };
        query.asked_at.get_or_insert(now);
        self.sent += 1;
        Some(DueQuery {
            instrument: query.instrument,
            client_id,
        })
    }

    /// When the first and the latest try of the query under way were sent.
    pub(super) fn asked_at(&self, id: ClientOrderId) -> Option<(Timestamp, Timestamp)> {
        let query = self.orders.get(&id)?;
        match query.stage {
            Stage::Sent { at, .. } => Some((query.asked_at?, at)),
            Stage::Due | Stage::Ended(_) => None,
        }
    }

    /// The query was answered at `now`. Without a definite answer it is repeated.
    pub(super) fn answered(&mut self, id: ClientOrderId, is_definite: bool, now: Timestamp) {
        let Some(Query {
            instrument,
            stage: Stage::Sent { again, .. },
            asked_at,
            tries,
        }) = self.orders.get(&id).copied()
        else {
            return;
        };
        self.sent -= 1;
        let is_definite = is_definite || is_on(Mutation::QueryGivenUp);
        let next = now + self.gap;
        match (is_definite, again) {
            (false, _) => {
                let tries = tries.saturating_add(1);
                let longer = tries.saturating_sub(TRIES_BEFORE_LONGER).min(2);
                let next = now + self.gap * 2_u32.pow(longer);
                self.schedule(instrument, id, next, (asked_at, tries));
            }
            (true, true) => self.schedule(instrument, id, next, (None, 0)),
            (true, false) => {
                let (stage, asked_at, tries) = (Stage::Ended(now), None, 0);
                self.orders.insert(
                    id,
                    Query {
                        instrument,
                        stage,
                        asked_at,
                        tries,
                    },
                );
            }
        }
    }

    /// When [`next`](Self::next) has something to send.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let (at, _) = self.due.first()?;
        (self.sent < QUERIES_AT_ONCE).then_some(*at)
    }

    fn forget(&mut self, now: Timestamp) {
        if self.orders.len() > REMEMBERED {
            let gap = self.gap;
            self.orders.retain(|_, query| match query.stage {
                Stage::Due | Stage::Sent { .. } => true,
                Stage::Ended(at) => now < at + gap,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ClientOrderId = ClientOrderId(1);
    const GAP: Duration = Duration::from_secs(2);
    const INSTRUMENT: InstrumentId = InstrumentId(0);
    const START: Timestamp = Timestamp::from_secs(1_000);

    fn due(id: ClientOrderId) -> Option<DueQuery> {
        Some(DueQuery {
            instrument: INSTRUMENT,
            client_id: id,
        })
    }

    #[test]
    fn a_query_is_sent_once_at_a_time_and_again_after_a_pause() {
        let mut queries = OrderQueries::new(GAP);
        assert!(queries.request(INSTRUMENT, ID, START) && queries.request(INSTRUMENT, ID, START));
        assert_eq!((queries.next(START), queries.next(START)), (due(ID), None));
        assert!(queries.request(INSTRUMENT, ID, START) && queries.request(INSTRUMENT, ID, START));
        assert!(queries.request(INSTRUMENT, ClientOrderId(2), START));
        assert_eq!(
            (queries.next(START), queries.next(START)),
            (due(ClientOrderId(2)), None)
        );
        // Requested while it was under way: once more, after the gap.
        queries.answered(ID, true, START);
        assert_eq!(queries.wake_at(), Some(START + GAP));
        assert_eq!(
            (queries.next(START), queries.next(START + GAP)),
            (None, due(ID))
        );
        queries.answered(ID, true, START + GAP);
        assert_eq!(queries.wake_at(), None);
        // Nothing was requested meanwhile; the next one keeps the gap all the same.
        assert!(queries.request(INSTRUMENT, ID, START + GAP));
        assert_eq!(queries.wake_at(), Some(START + GAP + GAP));
    }

    #[test]
    fn a_query_without_a_definite_answer_is_repeated_ever_later_and_keeps_its_first_time() {
        let mut queries = OrderQueries::new(GAP);
        assert!(queries.request(INSTRUMENT, ID, START));
        let mut now = START;
        for gaps in [1, 1, 2, 4, 4] {
            assert_eq!(queries.next(now), due(ID));
            assert_eq!(queries.asked_at(ID), Some((START, now)));
            queries.answered(ID, false, now);
            assert_eq!(queries.wake_at(), Some(now + GAP * gaps));
            now = now + GAP * gaps;
        }
        assert_eq!(queries.next(now), due(ID));
        queries.answered(ID, false, now);
        queries.hasten(ID, now);
        assert_eq!(
            queries.next(now),
            due(ID),
            "the lists say what it is to confirm"
        );
        queries.answered(ID, true, now);
        assert_eq!((queries.wake_at(), queries.asked_at(ID)), (None, None));
    }

    #[test]
    fn only_so_many_are_sent_at_once_and_remembered() {
        let mut queries = OrderQueries::new(GAP);
        let ids = || (0..QUERIES_MAX as u128).map(ClientOrderId);
        assert!(ids().all(|id| queries.request(INSTRUMENT, id, START)));
        assert!(!queries.request(INSTRUMENT, ClientOrderId(u128::MAX), START));
        let sent: Vec<_> = std::iter::from_fn(|| queries.next(START)).collect();
        assert_eq!((sent.len(), queries.wake_at()), (QUERIES_AT_ONCE, None));
        queries.answered(sent[0].client_id, true, START);
        assert!(queries.next(START).is_some());
        let last = START + GAP;
        for query in sent {
            queries.answered(query.client_id, true, START);
        }
        assert!(
            queries.request(INSTRUMENT, ClientOrderId(u128::MAX), last),
            "those that ended are forgotten"
        );
    }
}
