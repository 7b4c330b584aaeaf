//! Our names of orders by the venue's. The venue's list of trades has only its own, and to look a name up costs as much weight as the
//! trades do. Most are known: from the answer to the order, to its query, or from an earlier list.

use std::collections::BTreeMap;

use tradewind_model::{ClientOrderId, InstrumentId, VenueOrderId};

/// Orders of an instrument that are remembered. The oldest is forgotten first.
const REMEMBERED_MAX: usize = 1_000;

/// What is known of an account's orders.
#[derive(Debug, Default)]
pub(super) struct OrderNames {
    names: BTreeMap<InstrumentId, BTreeMap<VenueOrderId, ClientOrderId>>,
}

impl OrderNames {
    pub(super) fn note(&mut self, instrument: InstrumentId, id: VenueOrderId, name: ClientOrderId) {
        let names = self.names.entry(instrument).or_default();
        names.insert(id, name);
        if names.len() > REMEMBERED_MAX {
            names.pop_first();
        }
    }

    pub(super) fn of(&self, instrument: InstrumentId, id: VenueOrderId) -> Option<ClientOrderId> {
        self.names.get(&instrument)?.get(&id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_orders_of_an_instrument_are_forgotten() {
        let (one, other) = (InstrumentId(0), InstrumentId(1));
        let mut names = OrderNames::default();
        names.note(other, VenueOrderId(0), ClientOrderId(7));
        for id in 0..=1_000 {
            names.note(one, VenueOrderId(id), ClientOrderId(id.into()));
        }
        let name = |instrument, id| names.of(instrument, VenueOrderId(id));
        assert_eq!((name(one, 0), name(one, 1)), (None, Some(ClientOrderId(1))));
        assert_eq!(name(other, 0), Some(ClientOrderId(7)));
    }
}
