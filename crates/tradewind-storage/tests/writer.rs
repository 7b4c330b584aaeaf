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
use tradewind_storage::{FillsQuery, HistoryItem, OrdersQuery, Readers, Writer, WriterOptions};

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

/// Every row of every table, as text, but for numbers that only show in which order rows were added.
fn rows(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut tables = connection.prepare(tables).unwrap();
    let names = tables.query_map([], |row| row.get(0)).unwrap();
    let names: Vec<String> = names.map(Result::unwrap).collect();
    assert!(names.len() > 9, "{names:?}");
    let mut text = Vec::new();
    for name in names {
        let all = format!("SELECT * FROM {name}");
        let mut statement = connection.prepare(&all).unwrap();
        let columns: Vec<String> = statement.column_names().map(Into::into).collect();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let compared = columns.iter().filter(|column| *column != "id");
            let values = compared.map(|column| {
                let value: rusqlite::types::Value = row.get(column.as_str()).unwrap();
                format!("{column}={value:?}")
            });
            text.push(format!("{name} {}", values.collect::<Vec<_>>().join(" ")));
        }
    }
    text.sort();
    text
}

/// A log of two runs between which the bots changed places, with a fill that has no event; and the database that its
/// writer made of it.
fn lived(path: &Path) -> (Log, EventId) {
    let log = Log::default();
    let mut changed = configuration();
    changed.bots.reverse();
    (changed.bots[0].id, changed.bots[1].id) = (changed.bots[1].id, changed.bots[0].id);
    let found = vec![(fill(500, 1), Some(tradewind_model::BotId(0)))];
    *log.history.lock().unwrap() = vec![
        HistoryItem::Configured(0, Box::new(configuration())),
        HistoryItem::Fills(35, found.clone()),
        HistoryItem::Configured(100, Box::new(changed.clone())),
    ];
    let writer = start(path, &log);
    assert!(writer.wait_for(grow(&log, 9), PATIENCE));
    assert!(writer.upsert_fills(&found));
    writer.configure(100, Arc::new(changed));
    writer.stop();
    let writer = Writer::start(path, Box::new(log.clone()), WriterOptions::default()).unwrap();
    let last = grow(&log, 20);
    writer.nudge();
    assert!(writer.wait_for(last, PATIENCE));
    writer.stop();
    (log, last)
}

/// S08: deleted, written over, or with the tables of something else.
#[test]
fn a_database_that_is_lost_is_rebuilt_row_for_row() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tradewind.db");
    let (log, last) = lived(&path);
    let before = rows(&path);
    let found = |what: &str| before.iter().any(|row| row.contains(what));
    assert!(found("reversion") && found("event_seq=Null"));
    let delete = |path: &Path| std::fs::remove_file(path).unwrap();
    let write_over = |path: &Path| std::fs::write(path, [7; 9_000]).unwrap();
    let other_tables = |path: &Path| {
        std::fs::remove_file(path).unwrap();
        let other = rusqlite::Connection::open(path).unwrap();
        other.execute_batch("CREATE TABLE fills (x)").unwrap();
    };
    let losses: [&dyn Fn(&Path); 3] = [&delete, &write_over, &other_tables];
    for (number, lose) in losses.into_iter().enumerate() {
        lose(&path);
        let writer = Writer::start(&path, Box::new(log.clone()), WriterOptions::default()).unwrap();
        assert!(writer.wait_for(last, PATIENCE));
        writer.stop();
        assert!(rows(&path) == before, "loss {number}");
        drop(std::fs::remove_file(
            dir.path().join("tradewind.db.damaged"),
        ));
    }
}

/// S08: a page that is damaged while the desk runs.
#[test]
fn a_database_that_is_damaged_while_it_is_written_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tradewind.db");
    let (log, _) = lived(&path);
    // The header is sound, every page behind it is not.
    let mut bytes = std::fs::read(&path).unwrap();
    let page = 4_096;
    assert!(bytes.len() > 8 * page);
    let cursor_is_read = bytes.len() / page - 1;
    for page_number in 2..=cursor_is_read {
        bytes[page_number * page..][..100].fill(0xA5);
    }
    std::fs::write(&path, bytes).unwrap();
    let writer = Writer::start(&path, Box::new(log.clone()), WriterOptions::default()).unwrap();
    let last = grow(&log, 40);
    writer.nudge();
    assert!(writer.wait_for(last, PATIENCE));
    writer.stop();
    assert_eq!(orders(&Readers::new(&path)), 40);
}

/// A log whose first readings panic.
#[derive(Clone, Debug)]
struct Mistaken {
    log: Log,
    panics: Arc<std::sync::atomic::AtomicU32>,
}

impl tradewind_storage::EventSource for Mistaken {
    fn read_after(
        &self,
        after: EventId,
        limit: usize,
    ) -> std::io::Result<Vec<Arc<tradewind_events::Event>>> {
        use std::sync::atomic::Ordering::SeqCst;
        let left = self.panics.load(SeqCst);
        if left > 0 {
            self.panics.store(left - 1, SeqCst);
            panic!("a mistake");
        }
        self.log.read_after(after, limit)
    }

    fn history(&self, take: &mut dyn FnMut(HistoryItem)) -> std::io::Result<()> {
        self.log.history(take)
    }
}

/// P04: a panic is one failed attempt.
#[test]
fn a_writer_that_panics_is_started_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tradewind.db");
    let log = Log::default();
    let last = grow(&log, 3);
    let source = Mistaken {
        log,
        panics: Arc::new(1.into()),
    };
    let writer = Writer::start(&path, Box::new(source), WriterOptions::default()).unwrap();
    writer.configure(0, Arc::new(configuration()));
    assert!(writer.wait_for(last, PATIENCE));
    assert_eq!(orders(&Readers::new(&path)), 3);
}
