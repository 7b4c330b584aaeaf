//! Quote numbers that start over.

use std::collections::BTreeMap;

use tradewind_model::{InstrumentId, MarketEvent};

use crate::protocol::{Incoming, Sequence, Topic};

/// The order of one connection's quotes.
///
/// On one connection their numbers arrive in order, so one that falls means that the venue counts anew. From then on they say
/// nothing about order, and must not make the new quotes look like old ones. A venue that counts anew between two connections,
/// one of which replaces the other, is recognised by [`HealthBook`](crate::HealthBook), which knows the numbers of both.
#[derive(Debug, Default)]
pub(crate) struct QuoteOrder {
    /// The last number of each instrument; `None` once it has fallen.
    last: BTreeMap<InstrumentId, Option<u64>>,
}

impl QuoteOrder {
    /// A quote without its number, if the number says nothing; anything else as it is.
    pub(crate) fn checked(&mut self, incoming: Incoming<MarketEvent>) -> Incoming<MarketEvent> {
        let Incoming::Event {
            topic: topic @ Topic::Quotes(instrument),
            sequence: Some(Sequence::Increasing(number)),
            event,
        } = incoming
        else {
            return incoming;
        };
        let last = self.last.entry(instrument).or_insert(Some(number));
        *last = last.filter(|last| *last <= number).map(|_| number);
        Incoming::Event {
            topic,
            sequence: last.map(Sequence::Increasing),
            event,
        }
    }
}
