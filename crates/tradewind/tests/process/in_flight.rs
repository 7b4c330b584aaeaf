//! Which orders were in flight at a moment: those whose intent was durable and that the exchange had not answered, by
//! the desk's own events of all its lives.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;

use jiff::Timestamp;
use serde_json::Value;

use crate::lines::Arrived;

/// What answers a new order. `order_unknown` does not: it says that nothing did.
const ANSWERS: [&str; 5] = [
    "order_accepted",
    "order_filled",
    "order_cancelled",
    "order_rejected",
    "order_expired",
];

/// Every order that was placed, with the time of its first answer.
#[derive(Debug, Default)]
pub(crate) struct OrderTimes {
    orders: BTreeMap<String, (Timestamp, Option<Timestamp>)>,
    /// The last event that was read.
    last: (u64, u64),
}

impl OrderTimes {
    /// Takes in what has arrived of a stream of events. The stream of a dead desk ends by itself.
    ///
    /// # Panics
    /// A client id was placed twice, or a sequence number does not rise.
    #[track_caller]
    pub(crate) fn read(&mut self, events: &Receiver<Arrived>) {
        for arrived in events.iter() {
            self.note(&arrived.event);
        }
    }

    #[track_caller]
    fn note(&mut self, event: &Value) {
        let kind = event["type"].as_str().unwrap_or_default();
        let Some(at) = event["at"].as_str().and_then(|at| at.parse().ok()) else {
            return;
        };
        let Some(place) = event["id"].as_str().and_then(place_of) else {
            return;
        };
        // Prices come late, with older ids.
        if place <= self.last && kind != "price_update" {
            return;
        }
        self.last = self.last.max(place);
        let id = || {
            let data = &event["data"];
            let id = data["order"]["client_id"].as_str();
            id.or(data["fill"]["client_id"].as_str())
                .unwrap_or_else(|| panic!("{event} names no order"))
                .to_owned()
        };
        if kind == "order_placed" {
            let before = self.orders.insert(id(), (at, None));
            assert!(before.is_none(), "a client id was used before: {event}");
        } else if ANSWERS.contains(&kind)
            && let Some((_, answered)) = self.orders.get_mut(&id())
        {
            let _ = answered.get_or_insert(at);
        }
    }

    /// Where a stream is continued.
    pub(crate) fn last(&self) -> String {
        format!("{}.{}", self.last.0, self.last.1)
    }

    /// How many orders were placed.
    pub(crate) fn len(&self) -> usize {
        self.orders.len()
    }

    /// How many of them were on their way at `moment`.
    pub(crate) fn in_flight(&self, moment: Timestamp) -> usize {
        let is_flying = |(placed, answered): &&(Timestamp, Option<Timestamp>)| {
            *placed <= moment && answered.is_none_or(|answered| answered > moment)
        };
        self.orders.values().filter(is_flying).count()
    }
}

/// An event's id in parts.
fn place_of(id: &str) -> Option<(u64, u64)> {
    let (seq, index) = id.split_once('.')?;
    Some((seq.parse().ok()?, index.parse().ok()?))
}

#[test]
fn an_order_flies_from_its_intent_to_its_first_answer() {
    let mut times = OrderTimes::default();
    let event = |kind: &str, second: u32| {
        serde_json::json!({
            "id": format!("{second}.0"), "at": format!("2026-01-01T00:00:{second:02}Z"), "type": kind,
            "data": {"order": {"client_id": "a"}},
        })
    };
    for (kind, second) in [
        ("order_placed", 2),
        ("order_unknown", 3),
        ("order_accepted", 5),
        ("order_cancelled", 7),
    ] {
        times.note(&event(kind, second));
    }
    let at = |second: u32| format!("2026-01-01T00:00:{second:02}Z").parse().unwrap();
    let flying = [1, 2, 4, 5, 8].map(|second| times.in_flight(at(second)));
    assert_eq!(
        (flying, times.last(), times.len()),
        ([0, 1, 1, 0, 0], "7.0".to_owned(), 1)
    );
}
