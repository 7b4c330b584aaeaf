//! Our ids of orders by the venue's. The venue's list of trades has only its own, and to look ours up costs as much
//! weight as the trades do. Most are known: from the answer to the order, to its query, or from an earlier list.

use std::collections::BTreeMap;

use tradewind_model::{ClientOrderId, InstrumentId, VenueOrderId};

/// Orders of an instrument that are remembered. The oldest is forgotten first.
const REMEMBERED_MAX: usize = 1_000;

/// What is known of an account's orders.
#[derive(Debug, Default)]
pub(super) struct ClientIds {
    ids: BTreeMap<InstrumentId, BTreeMap<VenueOrderId, ClientOrderId>>,
}

impl ClientIds {
    pub(super) fn note(&mut self, instrument: InstrumentId, id: VenueOrderId, ours: ClientOrderId) {
        let ids = self.ids.entry(instrument).or_default();
        ids.insert(id, ours);
        if ids.len() > REMEMBERED_MAX {
            ids.pop_first();
        }
    }

    pub(super) fn of(&self, instrument: InstrumentId, id: VenueOrderId) -> Option<ClientOrderId> {
        self.ids.get(&instrument)?.get(&id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_orders_of_an_instrument_are_forgotten() {
        let (one, other) = (InstrumentId(0), InstrumentId(1));
        let mut ids = ClientIds::default();
        ids.note(other, VenueOrderId(0), ClientOrderId(7));
        for id in 0..=1_000 {
            ids.note(one, VenueOrderId(id), ClientOrderId(id.into()));
        }
        let ours = |instrument, id| ids.of(instrument, VenueOrderId(id));
        assert_eq!((ours(one, 0), ours(one, 1)), (None, Some(ClientOrderId(1))));
        assert_eq!(ours(other, 0), Some(ClientOrderId(7)));
    }
}
