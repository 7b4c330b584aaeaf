//! Each check passes the books of a real exchange and fails on every kind of change to them.

use std::sync::Arc;

use super::*;
use crate::simulation::SentOrder;
use crate::virtual_server::{ConnectionNumber, OrderRequest, VirtualServer};
use crate::{Command, Conduct, Limits, MarketChoice, ServerOptions};
use tradewind_model::{Amount, ManualClock};
use tradewind_simx::FillModel;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// An account with an execution, an open order and several assets, and a desk that shows the same.
fn books() -> (DeskBooks, VenueBooks) {
    let options = ServerOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        data_dir: None,
        accounts: vec!["key:secret:USDT=100000,BTC=2".parse().unwrap()],
        market: MarketChoice::Generated { seed: 7 },
        limits: Limits::Off,
        fill: FillModel::Book,
        history: crate::HISTORY,
        clock: Arc::new(ManualClock::new(START)),
    };
    let mut server = VirtualServer::new(&options, Conduct::default()).unwrap();
    let now = START + Duration::from_secs(1);
    for order in [
        r#""type":"MARKET","quantity":"0.01","newClientOrderId":"a""#,
        r#""type":"LIMIT","timeInForce":"GTC","quantity":"0.02","price":"20000","newClientOrderId":"b""#,
    ] {
        let order = format!(r#"{{"account":"key","symbol":"BTCUSDT","side":"BUY",{order}}}"#);
        server
            .command(now, &Command::from_json("trade", &order).unwrap())
            .unwrap();
    }
    let venue = VenueBooks::of(&server, "key").unwrap();
    assert_eq!(VenueBooks::of(&server, "other"), None);
    let open = venue.orders.iter().filter(|order| order.is_open);
    let open_orders: Vec<OpenOrder> = open
        .map(|order| OpenOrder {
            client_id: order.client_id.clone(),
            filled: order.filled,
        })
        .collect();
    let owners = venue.balances.iter().flat_map(|(asset, held)| {
        let whole = held.free + held.locked;
        let bot = Amount(i128::from(asset == "BTC"));
        [("bot", bot), ("EXTERNAL", whole - bot)]
            .map(|(owner, amount)| ((asset.clone(), owner.to_owned()), amount))
    });
    let desk = DeskBooks {
        owners: owners.collect(),
        open_orders,
        fills: venue.fills.clone(),
        balances: venue.balances.clone(),
        ..DeskBooks::default()
    };
    assert_eq!(
        (desk.open_orders.len(), desk.fills.len(), venue.orders.len()),
        (1, 1, 2)
    );
    assert!(!venue.balances["USDT"].locked.is_zero());
    (desk, venue)
}

/// A change to the desk's books and to the venue's.
type Change = fn(&mut DeskBooks, &mut VenueBooks);

fn check(
    invariant: &str,
    checked: fn(&DeskBooks, &VenueBooks) -> Vec<Violation>,
    changes: &[(&str, Change)],
) {
    let (desk, venue) = books();
    assert_eq!(checked(&desk, &venue), []);
    for (said, change) in changes {
        let (mut desk, mut venue) = (desk.clone(), venue.clone());
        change(&mut desk, &mut venue);
        let found = checked(&desk, &venue);
        assert!(!found.is_empty(), "{said} was not found");
        assert!(
            found
                .iter()
                .all(|violation| violation.invariant == invariant)
        );
        assert!(
            found
                .iter()
                .any(|violation| violation.to_string().contains(said)),
            "{said}: {found:?}"
        );
    }
}

/// I02
#[test]
fn a_fill_that_is_lost_doubled_changed_or_invented_is_found() {
    check(
        "I02",
        fills_booked_once,
        &[
            ("is not in the ledger", |desk, _| desk.fills.clear()),
            ("booked more than once", |desk, _| {
                desk.fills.extend(desk.fills.clone())
            }),
            ("is booked as", |desk, _| desk.fills[0].fee += Amount(1)),
            ("which the venue has not", |desk, _| {
                desk.fills[0].trade_id += 1
            }),
            // The two sides of a self-trade share a trade id: one of them missing is a fill missing.
            ("is not in the ledger", |_, venue| {
                let mut other = venue.fills[0].clone();
                other.order_id += 1;
                venue.fills.push(other);
            }),
            ("add up to", |_, venue| venue.orders[0].filled += Amount(1)),
        ],
    );
}

/// I03
#[test]
fn books_that_differ_in_one_digit_are_found() {
    check(
        "I03",
        books_equal,
        &[
            ("open at the venue, not at the desk", |desk, _| {
                desk.open_orders.clear()
            }),
            ("open at the desk, not at the venue", |_, venue| {
                venue
                    .orders
                    .iter_mut()
                    .for_each(|order| order.is_open = false)
            }),
            ("open at the desk", |desk, _| {
                desk.open_orders[0].filled += Amount(1)
            }),
            ("twice", |desk, _| {
                desk.open_orders.extend(desk.open_orders.clone())
            }),
            ("USDT: the desk shows", |desk, _| {
                let held = desk.balances.get_mut("USDT").unwrap();
                (held.free, held.locked) = (held.free + held.locked, Amount::ZERO);
            }),
            ("BTC: the desk shows", |desk, _| {
                desk.balances.remove("BTC");
            }),
            ("XYZ: the desk shows", |desk, _| {
                let free = Amount(1);
                desk.balances.insert(
                    "XYZ".to_owned(),
                    Holding {
                        free,
                        ..Holding::default()
                    },
                );
            }),
        ],
    );
}

/// I22
#[test]
fn an_amount_without_owner_or_with_two_is_found() {
    check(
        "I22",
        owners_add_up,
        &[
            ("BTC: owners have", |desk, _| {
                desk.owners.remove(&("BTC".to_owned(), "bot".to_owned()));
            }),
            ("BTC: owners have", |desk, _| {
                desk.owners
                    .insert(("BTC".to_owned(), "other bot".to_owned()), Amount(1));
            }),
            ("XYZ: owners have", |desk, _| {
                desk.owners
                    .insert(("XYZ".to_owned(), "bot".to_owned()), Amount(1));
            }),
        ],
    );
}

fn sent(id: Option<&str>, mark: u64) -> SentOrder {
    let params = id.map(|id| ("newClientOrderId".to_owned(), id.to_owned()));
    SentOrder {
        request: OrderRequest {
            at: START,
            connection: ConnectionNumber::new(1),
            call: "POST /api/v3/order".to_owned(),
            params: params.into_iter().collect(),
        },
        first_byte_at: START,
        mark,
    }
}

fn intent(id: &str, ends: u64) -> Intent {
    let client_id = id.to_owned();
    Intent { client_id, ends }
}

/// I01
#[test]
fn an_id_that_is_used_twice_is_found_wherever_it_is() {
    let (_, venue) = books();
    let (orders, intents) = (
        [sent(Some("a"), 9), sent(Some("b"), 9)],
        [intent("a", 1), intent("b", 2)],
    );
    assert_eq!(orders_placed_once(&orders, &intents, &venue), []);
    let found = |sent: &[SentOrder], intents: &[Intent], venue: &VenueBooks| {
        let found = orders_placed_once(sent, intents, venue);
        found.iter().map(Violation::to_string).collect::<Vec<_>>()
    };
    let again = [sent(Some("a"), 9), sent(Some("a"), 9)];
    assert_eq!(
        found(&again, &intents, &venue),
        ["I01: the client id a was sent more than once"]
    );
    let two = [intent("a", 1), intent("a", 5)];
    assert_eq!(
        found(&orders, &two, &venue),
        ["I01: the client id a is in the journal more than once"]
    );
    let mut doubled = venue;
    doubled.orders.extend(doubled.orders.clone());
    assert_eq!(found(&orders, &intents, &doubled).len(), 2);
}

/// I05
#[test]
fn a_byte_before_its_intent_is_durable_is_found() {
    let intents = [intent("a", 10)];
    assert_eq!(intents_durable_first(&[sent(Some("a"), 10)], &intents), []);
    let early = intents_durable_first(&[sent(Some("a"), 9)], &intents);
    assert!(
        early[0]
            .found
            .contains("when 9 of the journal were durable; its intent ends at 10")
    );
    let unknown = intents_durable_first(&[sent(Some("x"), 99)], &intents);
    assert!(unknown[0].found.contains("has no intent"));
    let nameless = intents_durable_first(&[sent(None, 99)], &intents);
    assert!(nameless[0].found.contains("without a client id"));
}

/// I11
#[test]
fn a_recovery_that_is_late_or_never_comes_is_found() {
    let goal = Duration::from_secs(2);
    let after = |seconds| Some(START + Duration::from_secs(seconds));
    assert_eq!(recovered_in_time(START, after(2), goal), None);
    assert!(
        recovered_in_time(START, after(3), goal)
            .unwrap()
            .found
            .contains("3s after the restart")
    );
    assert!(recovered_in_time(START, None, goal).is_some());
}

/// I23: a stop that waits guards its quantity, one that ended or works guards nothing.
#[test]
fn a_position_without_its_stop_is_found() {
    let (mut desk, mut venue) = books();
    let stop = VenueOrder {
        client_id: "stop".to_owned(),
        is_open: true,
        guards: Amount::ONE,
        ..venue.orders[0].clone()
    };
    desk.to_guard.insert(stop.symbol.clone(), Amount::ONE);
    assert_eq!(stops_cover(&desk, &venue).len(), 1);
    venue.orders.push(stop.clone());
    assert_eq!(stops_cover(&desk, &venue), []);
    desk.to_guard.insert(stop.symbol, Amount(Amount::ONE.0 + 1));
    let found = stops_cover(&desk, &venue);
    assert_eq!((found.len(), found[0].invariant), (1, "I23"));
}
