//! The last orders of an owner, to detect duplicates.

use serde::{Deserialize, Serialize};
use tradewind_model::{ClientOrderId, OrderKind, OrderTerms, Timestamp};

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
