//! The writer thread: it follows the log, lags while it must, and never holds anybody up (S07, S08).

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::{Log, configuration, fill, life};
use tradewind_model::EventId;
use tradewind_storage::{FillsQuery, OrdersQuery, Readers, Writer, WriterOptions};

/// Longer than any of this takes; what is waited for comes earlier.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(path: &Path, log: &Log) -> Writer {
    let options = WriterOptions {
        batch: 7,
        patience: Duration::from_millis(5),
        ..WriterOptions::default()
    };
    let writer = Writer::start(path, Box::new(log.clone()), options).unwrap();
    writer.configure(0, Arc::new(configuration()));
    writer
}

fn grow(log: &Log, orders: u64) -> EventId {
    let mut events = log.events.lock().unwrap();
    *events = life(orders);
    events.last().unwrap().id
}

fn orders(readers: &Readers) -> usize {
    let query = OrdersQuery {
        limit: 1_000,
        ..OrdersQuery::default()
    };
    readers.orders(&query).unwrap().items.len()
}

#[test]
fn it_follows_the_log_and_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tradewind.db");
    let log = Log::default();
    let readers = Readers::new(&path);
    for count in [3, 9] {
        let writer = start(&path, &log);
        let last = grow(&log, count);
        writer.nudge();
        assert!(writer.wait_for(last, PATIENCE));
        assert_eq!(orders(&readers) as u64, count);
        writer.stop();
    }
    let writer = start(&path, &log);
    let last = grow(&log, 12);
    assert!(writer.upsert_fills(&[(fill(500, 1), None)]));
    writer.stop();
    assert_eq!(
        start(&path, &log).lag().applied,
        last,
        "a stop takes in what is there"
    );
    let query = FillsQuery {
        client_id: Some(common::client_id(500).to_string()),
        limit: 10,
        ..FillsQuery::default()
    };
    assert_eq!(readers.fills(&query).unwrap().items.len(), 1);
}

#[test]
fn a_lock_held_by_somebody_else_makes_it_lag_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tradewind.db");
    let log = Log::default();
    let writer = start(&path, &log);
    assert!(writer.wait_for(grow(&log, 1), PATIENCE));
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let last = grow(&log, 40);
    writer.nudge();
    // It fails and tries again; nobody waits for it meanwhile.
    while writer.lag().failures < 3 {
        std::thread::yield_now();
    }
    assert!(writer.lag().behind > Duration::ZERO && writer.lag().applied < last);
    other.execute_batch("ROLLBACK").unwrap();
    assert!(writer.wait_for(last, PATIENCE));
    assert_eq!(orders(&Readers::new(&path)), 40);
}

#[test]
fn a_damaged_database_is_set_aside_and_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tradewind.db");
    std::fs::write(
        &path,
        "this is no database, and is longer than a header would be".repeat(40),
    )
    .unwrap();
    let log = Log::default();
    let last = grow(&log, 5);
    let writer = start(&path, &log);
    assert!(writer.wait_for(last, PATIENCE));
    assert_eq!(orders(&Readers::new(&path)), 5);
    assert!(dir.path().join("tradewind.db.damaged").exists());
}
