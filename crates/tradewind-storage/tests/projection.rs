//! Events in, rows out: each once, however often and in whatever batches they come.

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::Path;

use common::{at, client_id, configuration, event, fill, life};
use proptest::prelude::*;
use tradewind_events::EventKind;
use tradewind_model::{EventId, Timestamp};
use tradewind_storage::{
    FillsQuery, OrdersQuery, Page, PageToken, Projection, Readers, StorageError,
};

const ALL: u32 = 1_000;

fn open(dir: &Path) -> (Projection, Readers) {
    let path = dir.join("tradewind.db");
    let mut projection = Projection::open(&path).unwrap();
    projection.configure(0, &configuration()).unwrap();
    (projection, Readers::new(&path))
}

fn with(events: u64) -> (tempfile::TempDir, Projection, Readers) {
    let dir = tempfile::tempdir().unwrap();
    let (mut projection, readers) = open(dir.path());
    projection.apply(&life(events)).unwrap();
    (dir, projection, readers)
}

fn orders(limit: u32) -> OrdersQuery {
    OrdersQuery {
        limit,
        ..OrdersQuery::default()
    }
}

fn fills(limit: u32) -> FillsQuery {
    FillsQuery {
        limit,
        ..FillsQuery::default()
    }
}

/// Everything that can be read, as text.
fn all(readers: &Readers) -> String {
    format!(
        "{:#?}",
        (
            readers.orders(&orders(ALL)).unwrap(),
            readers.fills(&fills(ALL)).unwrap(),
            readers.ledger(ALL, None).unwrap(),
            readers.equity("paper", Timestamp::EPOCH, ALL).unwrap(),
            readers.risk_events(ALL, None).unwrap(),
            readers.bot_errors(ALL, None).unwrap(),
            readers.bot_states().unwrap(),
            readers.audit(ALL, None).unwrap(),
            readers.events(None, ALL, None).unwrap(),
        )
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn batches_and_repetitions_change_nothing(
        cuts in proptest::collection::vec((0_usize..150, 0_usize..150), 0..8),
    ) {
        let (_kept, _, straight) = with(12);
        let dir = tempfile::tempdir().unwrap();
        let (mut projection, readers) = open(dir.path());
        let events = life(12);
        // It continues after the events that are applied: a batch may begin before the cursor but not after it.
        for (start, end) in cuts {
            let done = events.partition_point(|event| event.id <= projection.cursor());
            let start = start.min(done);
            projection.apply(&events[start..end.clamp(start, events.len())]).unwrap();
        }
        projection.apply(&events).unwrap();
        prop_assert_eq!(projection.apply(&events).unwrap(), 0);
        prop_assert_eq!(all(&readers), all(&straight));
    }
}

#[test]
fn a_cleared_database_is_rebuilt_row_for_row() {
    let (_dir, mut projection, readers) = with(20);
    let before = all(&readers);
    projection.clear().unwrap();
    assert!(readers.orders(&orders(ALL)).unwrap().items.is_empty());
    projection.configure(0, &configuration()).unwrap();
    projection.apply(&life(20)).unwrap();
    assert_eq!(all(&readers), before);
}

#[test]
fn orders_are_where_their_events_left_them() {
    let (_dir, _projection, readers) = with(5);
    let found = readers.orders(&orders(ALL)).unwrap().items;
    let stored: Vec<_> = found
        .iter()
        .map(|order| {
            (
                order.status.as_str(),
                order.filled.as_str(),
                order.bot.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        stored,
        [
            ("rejected", "0", Some("reversion")),
            ("filled", "1.5", Some("cross")),
            ("filled", "1.5", Some("reversion")),
            ("cancelled", "0.75", Some("cross")),
            ("accepted", "0", Some("reversion")),
        ]
    );
    let (rejected, first) = (&found[0], &found[4]);
    assert_eq!(
        rejected.reason.as_deref(),
        Some("insufficient balance (-2010)")
    );
    assert_eq!(
        (first.price.as_deref(), first.quantity.as_str()),
        (Some("61837.63"), "1.5")
    );
    assert_eq!(
        (first.kind.as_str(), first.time_in_force.as_deref()),
        ("limit", Some("gtc"))
    );
    assert_eq!((first.placed_at, first.updated_at), (at(10), at(11)));
    let count = |query| readers.orders(&query).unwrap().items.len();
    assert_eq!(
        count(OrdersQuery {
            open: Some(true),
            ..orders(ALL)
        }),
        1
    );
    assert_eq!(
        count(OrdersQuery {
            open: Some(false),
            ..orders(ALL)
        }),
        4
    );
    assert_eq!(
        count(OrdersQuery {
            bot: Some("cross".into()),
            ..orders(ALL)
        }),
        2
    );
    assert_eq!(
        count(OrdersQuery {
            instrument: Some("nowhere".into()),
            ..orders(ALL)
        }),
        0
    );
}

#[test]
fn fills_and_their_ledger_are_exact() {
    let (_dir, _projection, readers) = with(2);
    let fill = &readers.fills(&fills(ALL)).unwrap().items[0];
    assert_eq!(
        (
            fill.price.as_str(),
            fill.quantity.as_str(),
            fill.notional.as_deref()
        ),
        ("61837.63", "0.75", Some("46378.2225"))
    );
    assert_eq!(
        (fill.fee.as_str(), fill.fee_asset.as_str()),
        ("0.046378223", "USDT")
    );
    assert_eq!(fill.venue_order_id, u64::MAX - 2);
    assert_eq!(fill.event, Some(EventId { seq: 21, index: 1 }));
    let ledger: Vec<_> = readers
        .ledger(ALL, None)
        .unwrap()
        .items
        .into_iter()
        .map(|entry| (entry.kind, entry.asset, entry.owner, entry.amount))
        .collect();
    let entry = |kind: &str, asset: &str, amount: &str| {
        (
            kind.to_owned(),
            asset.to_owned(),
            "cross".to_owned(),
            amount.to_owned(),
        )
    };
    assert_eq!(
        ledger,
        [
            entry("trade", "USDT", "-46378.2225"),
            entry("trade", "BTC", "0.75"),
            entry("fee", "USDT", "-0.046378223"),
        ]
    );
}

#[test]
fn a_fill_found_at_a_reconciliation_fills_the_hole_once() {
    let (_dir, mut projection, readers) = with(3);
    let before = readers.fills(&fills(ALL)).unwrap().items.len();
    let found = [(fill(3, 1), None), (fill(9, 1), None)];
    assert_eq!(projection.upsert_fills(&found).unwrap(), 1);
    assert_eq!(projection.upsert_fills(&found).unwrap(), 0);
    let hole = |readers: &Readers| {
        let query = FillsQuery {
            client_id: Some(client_id(9).to_string()),
            ..fills(ALL)
        };
        readers.fills(&query).unwrap().items
    };
    assert_eq!((hole(&readers).len(), &hole(&readers)[0].event), (1, &None));
    // Its event comes later: the same row, which now knows the event and the bot.
    let stored = EventKind::OrderFilled {
        fill: fill(9, 1),
        bot: Some(tradewind_model::BotId(0)),
        status: tradewind_model::OrderStatus::Filled,
        cumulative: fill(9, 1).quantity,
    };
    projection.apply(&[event(900, 0, None, stored)]).unwrap();
    let stored = hole(&readers);
    assert_eq!((stored.len(), stored[0].bot.as_deref()), (1, Some("cross")));
    assert_eq!(stored[0].event, Some(EventId { seq: 900, index: 0 }));
    assert_eq!(readers.fills(&fills(ALL)).unwrap().items.len(), before + 1);
}

#[test]
fn a_chain_of_causes_ends_at_the_candle() {
    let (_dir, mut projection, readers) = with(30);
    let history = readers.order_history(client_id(13)).unwrap().unwrap();
    let types = |events: &[tradewind_events::Event]| {
        let names = events.iter().map(|event| event.kind.event_type().name());
        names.collect::<Vec<_>>().join(" ")
    };
    // The command that wanted it cancelled is part of its history too.
    assert_eq!(
        types(&history.events),
        "order_placed order_filled order_filled command"
    );
    assert_eq!(types(&history.causes), "signal_generated candle_closed");
    let filled = EventId { seq: 131, index: 1 };
    assert_eq!(
        types(&readers.chain(filled).unwrap()),
        "order_filled order_placed signal_generated candle_closed"
    );
    projection.prune_events(50).unwrap();
    assert!(readers.chain(filled).unwrap().is_empty());
    assert_eq!(
        readers.orders(&orders(ALL)).unwrap().items.len(),
        30,
        "orders stay"
    );
    assert!(
        !readers
            .events(Some("cross"), ALL, None)
            .unwrap()
            .items
            .is_empty()
    );
}

fn walk<T: std::fmt::Debug>(mut page: impl FnMut(Option<PageToken>) -> Page<T>) -> (String, usize) {
    let (mut items, mut pages, mut next) = (Vec::new(), 0, None);
    loop {
        let found = page(next);
        items.extend(found.items);
        pages += 1;
        // Through its text, as a client hands it back.
        next = found.next.map(|token| token.to_string().parse().unwrap());
        if next.is_none() {
            return (format!("{items:?}"), pages);
        }
    }
}

#[test]
fn pages_put_together_are_the_whole_list() {
    let (_dir, _projection, readers) = with(35);
    let check = |(paged, pages): (String, usize), (whole, _): (String, usize), wanted| {
        assert_eq!(paged, whole);
        assert_eq!(pages, wanted);
    };
    let by_orders = |limit| {
        walk(|before| {
            readers
                .orders(&OrdersQuery {
                    before,
                    ..orders(limit)
                })
                .unwrap()
        })
    };
    check(by_orders(10), by_orders(ALL), 4);
    let by_fills = |limit| {
        walk(|before| {
            readers
                .fills(&FillsQuery {
                    before,
                    ..fills(limit)
                })
                .unwrap()
        })
    };
    check(by_fills(7), by_fills(ALL), 5);
    let by_ledger = |limit| walk(|before| readers.ledger(limit, before).unwrap());
    check(by_ledger(7), by_ledger(ALL), 15);
    let by_risk = |limit| walk(|before| readers.risk_events(limit, before).unwrap());
    check(by_risk(35), by_risk(ALL), 2);
    let by_audit = |limit| walk(|before| readers.audit(limit, before).unwrap());
    check(by_audit(1), by_audit(ALL), 35);
    assert!("12".parse::<PageToken>().is_err());
}

#[test]
fn equity_is_thinned_to_the_last_of_each_stretch() {
    let (_dir, _projection, readers) = with(100);
    let points = |most| readers.equity("paper", Timestamp::EPOCH, most).unwrap();
    assert_eq!(points(1_000).len(), 100);
    let thinned = points(10);
    assert_eq!(thinned.len(), 10);
    assert_eq!(thinned[9].equity, "100.000000000000000001");
    assert_eq!(points(1).len(), 1);
    assert_eq!(readers.equity("paper", at(992), 100).unwrap().len(), 2);
    assert!(
        readers
            .equity("nobody", Timestamp::EPOCH, 5)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn names_are_those_of_the_configuration_in_force_when_the_event_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let (mut projection, readers) = open(dir.path());
    let mut changed = configuration();
    changed.bots.reverse();
    (changed.bots[0].id, changed.bots[1].id) = (changed.bots[1].id, changed.bots[0].id);
    projection.configure(20, &changed).unwrap();
    drop(projection);
    let mut projection = Projection::open(&dir.path().join("tradewind.db")).unwrap();
    projection.apply(&life(3)).unwrap();
    let bots: Vec<_> = readers
        .orders(&orders(ALL))
        .unwrap()
        .items
        .into_iter()
        .map(|order| order.bot.unwrap())
        .collect();
    assert_eq!(bots, ["cross", "reversion", "reversion"]);
}

#[test]
fn a_locked_database_refuses_and_loses_nothing() {
    let (dir, mut projection, readers) = with(2);
    projection.set_patience(std::time::Duration::ZERO).unwrap();
    let other = rusqlite::Connection::open(dir.path().join("tradewind.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = projection.apply(&life(4)).unwrap_err();
    assert!(matches!(refused, StorageError::Locked(_)), "{refused:?}");
    assert_eq!(
        readers.orders(&orders(ALL)).unwrap().items.len(),
        2,
        "readers read on"
    );
    other.execute_batch("ROLLBACK").unwrap();
    projection.apply(&life(4)).unwrap();
    assert_eq!(readers.orders(&orders(ALL)).unwrap().items.len(), 4);
}

/// S10: a reader that does not end keeps the log from being folded in. It stays within its bound, and what waits is applied afterwards.
#[test]
fn a_long_reader_does_not_let_the_log_grow_beyond_its_bound() {
    const MAX: u64 = 256 << 10;
    /// Bytes that one more batch may add.
    const BATCH: u64 = 512 << 10;
    let (dir, mut projection, readers) = with(1);
    projection.set_patience(std::time::Duration::ZERO).unwrap();
    projection.set_log_max(MAX);
    let path = dir.path().join("tradewind.db");
    let log = || std::fs::metadata(dir.path().join("tradewind.db-wal")).unwrap();
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM orders;")
        .unwrap();
    let events = life(2_000);
    let mut refused = None;
    for batch in events.chunks(100) {
        if let Err(error) = projection.apply(batch) {
            refused = Some(error);
            break;
        }
    }
    assert!(
        matches!(refused, Some(StorageError::LogFull(_))),
        "{refused:?}"
    );
    let shown = readers.orders(&orders(1)).unwrap();
    assert_eq!(shown.items.len(), 1, "others read on");
    for _ in 0..3 {
        projection.apply(&events).unwrap_err();
    }
    assert!(log().len() <= MAX + BATCH, "{} bytes", log().len());
    reader.execute_batch("COMMIT").unwrap();
    projection.apply(&events).unwrap();
    assert_eq!(projection.cursor(), events.last().unwrap().id);
}
