//! The last orders of an owner, to detect duplicates and repeated entries.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{ClientOrderId, OrderKind, OrderTerms, Side, Timestamp};

/// How many are remembered: more than any bot may send within the window.
const KEPT: usize = 8;

/// A ring of the last few orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentOrders {
    ring: [Option<(Timestamp, OrderTerms)>; KEPT],
    next: usize,
}

impl RecentOrders {
    /// Remembers an order that was let through.
    pub fn note(&mut self, now: Timestamp, terms: &OrderTerms) {
        self.ring[self.next] = Some((now, *terms));
        self.next = (self.next + 1) % KEPT;
    }

    /// An order since `after` with the same instrument, side, quantity and price.
    pub(crate) fn equal_since(
        &self,
        after: Timestamp,
        terms: &OrderTerms,
    ) -> Option<ClientOrderId> {
        self.ring
            .iter()
            .flatten()
            .find(|(at, known)| *at > after && is_equal(known, terms))
            .map(|(_, known)| known.client_id)
    }
}

fn is_equal(one: &OrderTerms, other: &OrderTerms) -> bool {
    let key = |terms: &OrderTerms| {
        (
            terms.account,
            terms.instrument,
            terms.side,
            terms.quantity,
            limit(terms.kind),
        )
    };
    key(one) == key(other)
}

fn limit(kind: OrderKind) -> Option<tradewind_model::Price> {
    kind.limit()
}

/// How many entries of a side are remembered, whatever the window.
const ENTRIES_KEPT: usize = 1_024;

/// When an owner lately entered, by side (R19).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideEntries {
    buys: VecDeque<Timestamp>,
    sells: VecDeque<Timestamp>,
}

impl SideEntries {
    /// Notes an entry, and forgets those that lie before the window.
    pub fn note(&mut self, side: Side, now: Timestamp, window: Duration) {
        let entries = match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        };
        while entries.front().is_some_and(|at| now.since(*at) >= window)
            || entries.len() == ENTRIES_KEPT
        {
            entries.pop_front();
        }
        entries.push_back(now);
    }

    /// Entries of a side within the window before `now`.
    #[must_use]
    pub fn count(&self, side: Side, now: Timestamp, window: Duration) -> u32 {
        let entries = match side {
            Side::Buy => &self.buys,
            Side::Sell => &self.sells,
        };
        let before = entries.partition_point(|at| now.since(*at) >= window);
        u32::try_from(entries.len() - before).unwrap_or(u32::MAX)
    }

    /// Forgets all of them, because a person starts the bot again.
    pub fn clear(&mut self) {
        self.buys.clear();
        self.sells.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R19
    #[test]
    fn entries_of_one_side_count_within_the_window() {
        let mut entries = SideEntries::default();
        let minute = Duration::from_secs(60);
        for second in 0..90 {
            let side = if second % 3 == 0 {
                Side::Sell
            } else {
                Side::Buy
            };
            entries.note(side, Timestamp::from_secs(second), minute);
        }
        let now = Timestamp::from_secs(90);
        assert_eq!(entries.count(Side::Sell, now, minute), 19);
        assert_eq!(entries.count(Side::Buy, now, minute), 40);
        let later = Timestamp::from_secs(149);
        assert_eq!(entries.count(Side::Buy, later, minute), 0);
        assert_eq!(entries.count(Side::Buy, later, minute * 2), 40);
    }
}
