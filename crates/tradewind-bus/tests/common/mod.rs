//! Events to publish, and a log to fall back on.

#![allow(
    dead_code,
    reason = "each test file uses some of them; expect would fail where all are used"
)]

use std::io;
use std::sync::{Arc, Mutex};

use tradewind_bus::EventLog;
use tradewind_events::{Event, EventKind};
use tradewind_model::{EventId, InstrumentId, Price, Quantity, Quote, Timestamp};

/// A log in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryLog {
    events: Mutex<Vec<Arc<Event>>>,
    reads: Mutex<u64>,
}

impl MemoryLog {
    pub(crate) fn append(&self, event: &Arc<Event>) {
        self.events.lock().unwrap().push(Arc::clone(event));
    }

    pub(crate) fn reads(&self) -> u64 {
        *self.reads.lock().unwrap()
    }
}

impl EventLog for MemoryLog {
    fn read_after(&self, after: EventId, limit: usize) -> io::Result<Vec<Arc<Event>>> {
        *self.reads.lock().unwrap() += 1;
        let events = self.events.lock().unwrap();
        let start = events.partition_point(|event| event.id <= after);
        Ok(events[start..].iter().take(limit).cloned().collect())
    }
}

pub(crate) fn event(seq: u64, kind: EventKind) -> Arc<Event> {
    Arc::new(Event {
        id: EventId { seq, index: 0 },
        at: Timestamp::from_secs(i64::try_from(seq).unwrap()),
        cause: None,
        kind,
    })
}

pub(crate) fn price(seq: u64, instrument: u32) -> Arc<Event> {
    let quote = Quote {
        instrument: InstrumentId(instrument),
        bid: Price(1),
        ask: Price(2),
        bid_quantity: Quantity(1),
        ask_quantity: Quantity(1),
        event_time: None,
        received_at: Timestamp::EPOCH,
    };
    event(seq, EventKind::PriceUpdate(quote))
}

pub(crate) fn breaker(seq: u64) -> Arc<Event> {
    let name = "test".to_owned();
    event(seq, EventKind::CircuitBreakerFired { name, failures: 5 })
}

pub(crate) fn gap(seq: u64) -> Arc<Event> {
    let kind = EventKind::Gap {
        instrument: None,
        missing: None,
        from: None,
        to: None,
    };
    event(seq, kind)
}
