//! Each check on a few events: it finds what is wrong, and nothing where that is missing. Whole runs are in the mutations.

use super::*;
use crate::checks::is_quiet;
use tradewind_events::OrderView;
use tradewind_model::{AccountId, BotId, EventId, InstrumentId, OrderKind, OrderTerms, Quantity};
use tradewind_risk::{Cause, Clearing};

fn terms(id: u128) -> OrderTerms {
    OrderTerms {
        account: AccountId(0),
        instrument: InstrumentId(0),
        client_id: ClientOrderId(id),
        side: Side::Buy,
        kind: OrderKind::Market,
        quantity: Quantity(1),
    }
}

fn placed(id: u128, purpose: PositionEffect) -> EventKind {
    EventKind::OrderPlaced {
        terms: terms(id),
        bot: Some(BotId(0)),
        purpose,
    }
}

fn unknown(id: u128) -> EventKind {
    EventKind::OrderUnknown {
        terms: terms(id),
        bot: Some(BotId(0)),
    }
}

#[test]
fn i13_an_order_that_ended_in_another_way_is_found() {
    let cancelled = EventKind::OrderCancelled {
        terms: terms(1),
        bot: None,
        cumulative: Quantity(0),
    };
    let at = |status| BTreeMap::from([(ClientOrderId(1).to_string(), status)]);
    let events = [cancelled];
    assert_eq!(orders_end_alike(&events, &at(OrderStatus::Filled)).len(), 1);
    assert!(orders_end_alike(&events, &at(OrderStatus::Cancelled)).is_empty());
}

#[test]
fn i16_an_exit_beside_an_unknown_stop_is_found() {
    let stop = [
        placed(1, PositionEffect::Protect),
        unknown(1),
        placed(2, PositionEffect::Exit),
    ];
    let dated = |seconds: [i64; 3]| -> Vec<(Timestamp, EventKind)> {
        let times = seconds.map(Timestamp::from_secs);
        times.into_iter().zip(stop.clone()).collect()
    };
    assert!(exits_wait(&dated([0; 3])).is_some() && exits_wait(&dated([0; 3])[..2]).is_none());
    assert!(exits_wait(&dated([0, 1, 9])).is_some(), "placed 9 s ago");
    assert!(exits_wait(&dated([0, 6, 10])).is_none(), "placed 10 s ago");
    let confirmed = |exit| {
        let mut dated = dated([0, 60, exit]);
        let accepted = EventKind::OrderAccepted {
            terms: terms(1),
            bot: Some(BotId(0)),
        };
        dated.insert(1, (Timestamp::from_secs(1), accepted));
        exits_wait(&dated)
    };
    assert!(confirmed(64).is_some() && confirmed(65).is_none());
}

#[test]
fn i14_and_i15_two_probes_and_many_connections_are_found() {
    let scope = Scope::Bot(BotId(0));
    let waits = EventKind::TradingStateChanged {
        scope,
        state: TradingState::Active,
        cause: Some(Cause {
            scope,
            state: TradingState::Active,
            reason: CauseKind::BreakerOpen,
            since: Timestamp::EPOCH,
            clearing: Clearing::Itself,
        }),
        closed: None,
    };
    let events = [
        waits,
        placed(1, PositionEffect::Entry),
        placed(2, PositionEffect::Entry),
    ];
    assert!(one_probe_at_a_time(&events).is_some());
    assert!(one_probe_at_a_time(&events[..2]).is_none());
    assert!(connections_are_bounded(CONNECTIONS_MAX + 1).is_some());
    assert!(connections_are_bounded(CONNECTIONS_MAX).is_none());
}

#[test]
fn i20_an_order_of_unknown_fate_and_too_much_traffic_are_found() {
    let order = |status| OrderView {
        terms: terms(1),
        venue_order_id: None,
        bot: None,
        purpose: PositionEffect::Entry,
        status,
        filled: Quantity(0),
        placed_at: Timestamp::EPOCH,
        placed_by: EventId { seq: 1, index: 0 },
    };
    let (open, stuck) = (order(OrderStatus::Accepted), order(OrderStatus::Unknown));
    assert_eq!(is_quiet((3, 3), std::slice::from_ref(&open)), None);
    assert!(is_quiet((4, 3), &[]).is_some());
    assert!(is_quiet((0, 3), &[open, stuck]).is_some());
}

#[test]
fn i23_a_position_that_nothing_covers_is_found_while_things_go_wrong() {
    let five = Amount(5);
    let desk = DeskBooks {
        to_guard: BTreeMap::from([("ADAUSDT".to_owned(), five)]),
        ..DeskBooks::default()
    };
    let bare = |known: &[(&str, Amount)]| {
        let known = known
            .iter()
            .map(|(symbol, amount)| ((*symbol).to_owned(), *amount));
        covered_by_nothing(&desk, &VenueBooks::default(), &known.collect()).len()
    };
    assert_eq!(bare(&[]), 1);
    assert_eq!(bare(&[("ADAUSDT", Amount(4))]), 1, "less than it needs");
    assert_eq!(bare(&[("XRPUSDT", five)]), 1, "somewhere else");
    assert_eq!(bare(&[("ADAUSDT", five)]), 0);
}
