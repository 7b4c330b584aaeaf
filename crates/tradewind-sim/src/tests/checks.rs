//! Each check of the wire and the journal passes what a desk left that traded, and fails on a change to it.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_events::EventKind;
use tradewind_model::{ClientOrderId, FeedHealth, Quantity, Timestamp};
use tradewind_simx_server::simulation::{Ban, SentOrder};

use crate::checks::{
    Killed, Passed, enters_on_live_data, keeps_to_bans, killed_sends_nothing, sent_as_passed,
    states_move_forward, unknown_blocks_entries,
};
use crate::evidence::JournalEvidence;
use crate::world::{Choices, World};

struct Left {
    sent: Vec<SentOrder>,
    passed: BTreeMap<String, Passed>,
    events: Vec<EventKind>,
    requests: Vec<(Timestamp, String)>,
}

/// What a minute of trading leaves, in which all checks find nothing.
fn left() -> Left {
    let mut world = World::new(Choices::busy(3));
    world.start_desk();
    world.run(Duration::from_secs(60));
    let journal = JournalEvidence::read(&world.storage);
    let left = Left {
        sent: world
            .network
            .with(|network, _| network.sent_orders().to_vec()),
        passed: journal.passed,
        events: journal.events,
        requests: world.network.with(|network, _| network.requests().to_vec()),
    };
    assert!(left.sent.len() > 10);
    assert_eq!(sent_as_passed(&left.sent, &left.passed), []);
    assert_eq!(killed_sends_nothing(&left.sent, &[]), []);
    assert_eq!(states_move_forward(&left.events), []);
    assert_eq!(unknown_blocks_entries(&left.events), []);
    assert_eq!(enters_on_live_data(&left.events), []);
    assert_eq!(keeps_to_bans(&left.requests, &[]), []);
    left
}

#[test]
fn an_order_that_leaves_while_the_desk_is_killed_is_found() {
    let left = left();
    let at = left.sent[3].first_byte_at;
    let killed = |from, until, flattens| {
        let kills = [Killed {
            from,
            until,
            flattens,
            is_durable: true,
        }];
        killed_sends_nothing(&left.sent, &kills).len()
    };
    let (before, behind) = (at - Duration::from_nanos(1), at + Duration::from_nanos(1));
    assert!(killed(before, Some(behind), false) > 0);
    assert_eq!(
        killed(at, Some(behind), false),
        0,
        "what left at that moment left before"
    );
    let is_bought = |order: &&SentOrder| {
        order
            .request
            .params
            .contains(&("side".to_owned(), "BUY".to_owned()))
    };
    let bought = left.sent.iter().filter(is_bought).count();
    let first = left.sent[0].first_byte_at - Duration::from_nanos(1);
    assert_eq!(
        killed(first, None, true),
        bought,
        "only what is sold may flatten"
    );
}

#[test]
fn an_order_with_other_fields_than_were_passed_is_found() {
    let left = left();
    let place = |name: &str| {
        let has = |order: &SentOrder| order.request.params.iter().any(|(found, _)| found == name);
        left.sent.iter().position(has).unwrap()
    };
    for name in ["symbol", "side", "quantity", "price", "stopPrice"] {
        let mut sent = left.sent.clone();
        let params = sent[place(name)].request.params.iter_mut();
        for (found, value) in params {
            if found == name {
                value.push('1');
            }
        }
        assert_eq!(sent_as_passed(&sent, &left.passed).len(), 1, "{name}");
    }
    assert!(!sent_as_passed(&left.sent, &BTreeMap::new()).is_empty());
}

#[test]
fn what_is_filled_of_an_order_and_falls_is_found() {
    let mut events = left().events;
    let is_fill = |event: &EventKind| matches!(event, EventKind::OrderFilled { .. });
    let at = events.iter().position(is_fill).unwrap();
    let mut again = events[at].clone();
    if let EventKind::OrderFilled { cumulative, .. } = &mut again {
        *cumulative = Quantity(cumulative.0 - 1);
    }
    events.insert(at + 1, again);
    assert_eq!(states_move_forward(&events).len(), 1);
}

#[test]
fn an_order_that_opens_after_its_end_is_found() {
    let mut events = left().events;
    let cancelled = events.iter().find_map(|event| match event {
        EventKind::OrderCancelled { terms, bot, .. } => Some((*terms, *bot)),
        _ => None,
    });
    let (terms, bot) = cancelled.unwrap();
    events.push(EventKind::OrderAccepted { terms, bot });
    assert_eq!(states_move_forward(&events).len(), 1);
}

#[test]
fn an_entry_beside_an_order_of_unknown_fate_is_found() {
    let mut events = left().events;
    let placed = events.iter().position(
        |event| matches!(event, EventKind::OrderPlaced { purpose, .. } if !purpose.reduces()),
    );
    let at = placed.unwrap();
    let EventKind::OrderPlaced { terms, bot, .. } = events[at].clone() else {
        unreachable!();
    };
    let mut other = terms;
    other.client_id = ClientOrderId(terms.client_id.0 | 0xffff_ffff_ffff);
    events.insert(at, EventKind::OrderUnknown { terms: other, bot });
    assert!(!unknown_blocks_entries(&events).is_empty());
}

#[test]
fn an_entry_on_stale_data_is_found() {
    let mut events = left().events;
    let placed = events.iter().position(
        |event| matches!(event, EventKind::OrderPlaced { purpose, .. } if !purpose.reduces()),
    );
    let at = placed.unwrap();
    let EventKind::OrderPlaced { terms, .. } = &events[at] else {
        unreachable!();
    };
    let stale = EventKind::FeedHealthChanged {
        instrument: terms.instrument,
        health: FeedHealth::Stale,
    };
    events.insert(at, stale);
    assert!(!enters_on_live_data(&events).is_empty());
}

#[test]
fn a_request_before_the_end_of_a_ban_is_found() {
    let requests = left().requests;
    let at = requests[2].0;
    let ban = |from, until| keeps_to_bans(&requests, &[Ban { from, until }]).len();
    let nano = Duration::from_nanos(1);
    assert_eq!(ban(at - nano, at + nano), 1);
    assert_eq!(ban(at - nano, at), 0);
}
