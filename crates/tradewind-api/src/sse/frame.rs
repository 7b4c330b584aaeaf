//! An event as the bytes of one SSE message, with what a client needs to know to skip or to miss it.

use axum::body::Bytes;
use tokio::time::Instant;
use tradewind_events::{Delivery, Event, EventType};
use tradewind_model::EventId;

use crate::wire::{self, Names};

/// How many event types there are.
const TYPES: usize = EventType::ALL.len();

/// A set of event types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Types([bool; TYPES]);

/// How many events of each type were published up to a point of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    of: [u64; TYPES],
    /// Events of unknown types that were dropped before they came here.
    dropped: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            of: [0; TYPES],
            dropped: 0,
        }
    }
}

/// One event, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) id: EventId,
    pub(crate) event_type: EventType,
    /// Events published up to and with this one.
    pub(crate) counts: Counts,
    /// When it came here.
    pub(crate) taken: Instant,
    pub(crate) text: Bytes,
}

impl Types {
    pub(crate) const ALL: Self = Self([true; TYPES]);

    /// The types of these names; the first name that is none otherwise.
    pub(crate) fn named(names: &str) -> Result<Self, String> {
        let mut types = Self([false; TYPES]);
        for name in names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            let known = EventType::from_name(name).ok_or_else(|| name.to_owned())?;
            types.0[known as usize] = true;
        }
        Ok(types)
    }

    pub(crate) const fn has(&self, event_type: EventType) -> bool {
        self.0[event_type as usize]
    }

    /// Whether it is one of them and comes only as long as there is room.
    pub(crate) fn may_drop(&self, event_type: EventType) -> bool {
        self.has(event_type) && event_type.delivery() == Delivery::Drop
    }

    /// Whether it is one of them and is never lost.
    pub(crate) fn must_have(&self, event_type: EventType) -> bool {
        self.has(event_type) && event_type.delivery() == Delivery::Lossless
    }

    /// Whether one of them may be dropped.
    pub(crate) fn may_miss(&self) -> bool {
        EventType::ALL.iter().any(|one| self.may_drop(*one))
    }

    /// Whether there is one of them besides prices.
    pub(crate) fn has_events(&self) -> bool {
        EventType::ALL
            .iter()
            .any(|one| self.may_drop(*one) || self.must_have(*one))
    }
}

impl Counts {
    pub(crate) const fn add(&mut self, event_type: EventType) {
        self.of[event_type as usize] += 1;
    }

    /// The counts before one event of this type.
    pub(crate) const fn without(mut self, event_type: EventType) -> Self {
        self.of[event_type as usize] -= 1;
        self
    }

    pub(crate) const fn add_dropped(&mut self, count: u64) {
        self.dropped += count;
    }

    /// How many of `types` that may be dropped lie between `earlier` and here, here included.
    pub(crate) fn droppable_since(&self, earlier: &Self, types: &Types) -> u64 {
        if !types.may_miss() {
            return 0;
        }
        let wanted = EventType::ALL.iter().filter(|one| types.may_drop(**one));
        let published = wanted.map(|one| self.of[*one as usize] - earlier.of[*one as usize]);
        published.sum::<u64>() + self.dropped - earlier.dropped
    }
}

/// The message of an event; prices have no id, so that a reader resumes after the last event that the log has.
pub(crate) fn message(event: &Event, names: &Names) -> Bytes {
    let name = event.kind.event_type().name();
    let data = json(&wire::Event::new(event, names));
    let resumable = event.kind.event_type().delivery() != Delivery::Latest;
    Bytes::from(if resumable {
        format!("id: {}\nevent: {name}\ndata: {data}\n\n", event.id)
    } else {
        format!("event: {name}\ndata: {data}\n\n")
    })
}

/// The `gap` message: how many events are missing, if known.
pub(crate) fn gap(missing: Option<u64>, at: wire::Instant, id: EventId) -> Bytes {
    let event = wire::Event {
        v: wire::Event::VERSION,
        id: id.to_string(),
        at,
        cause: None,
        body: wire::EventBody::Gap(wire::Gap {
            from: None,
            to: None,
            instrument: None,
            missing,
        }),
    };
    // Without an id: a stream cannot resume after it.
    Bytes::from(format!("event: gap\ndata: {}\n\n", json(&event)))
}

fn json(event: &wire::Event) -> String {
    serde_json::to_string(event).expect("an event is text, numbers and string keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_in_a_list_and_a_stranger_is_named_back() {
        let types = Types::named("order_filled, price_update,").unwrap();
        assert!(types.has(EventType::OrderFilled) && types.has(EventType::PriceUpdate));
        assert!(!types.has(EventType::Gap) && !types.may_miss());
        assert_eq!(Types::named("order_filed"), Err("order_filed".into()));
        assert!(Types::ALL.may_miss());
    }

    #[test]
    fn what_is_missed_is_counted_by_type() {
        let types = Types::named("candle_closed,order_filled").unwrap();
        let before = Counts::default();
        let mut now = before;
        for event_type in [
            EventType::CandleClosed,
            EventType::OrderFilled,
            EventType::SignalGenerated,
            EventType::CandleClosed,
        ] {
            now.add(event_type);
        }
        assert_eq!(now.droppable_since(&before, &types), 2);
        assert_eq!(now.droppable_since(&now, &types), 0);
        let earlier = now;
        now.add_dropped(3);
        assert_eq!(now.droppable_since(&earlier, &types), 3);
        let lossless = Types::named("order_filled").unwrap();
        assert_eq!(now.droppable_since(&before, &lossless), 0);
    }
}
