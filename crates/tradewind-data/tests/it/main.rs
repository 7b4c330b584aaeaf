//! Files as people have them: the reports' own examples, their siblings, and the laws that hold for all of them.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod cases;
mod catalogue;
mod doubtful;
mod laws;
mod packed;
mod refused;
mod siblings;

use std::path::{Path, PathBuf};

use tradewind_data::{Content, DataError, Hints, Row, Table, open};

/// A file of this name and content in a folder of its own.
struct Input {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Input {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("the folder was made for it");
        Self {
            _folder: folder,
            path,
        }
    }

    fn table(&self) -> Table {
        table(&self.path, &Hints::default()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What is wrong with it, without the folder.
    fn refusal(&self) -> String {
        let error = table(&self.path, &Hints::default())
            .expect_err("it is refused")
            .to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        let folder = format!(
            "{}/",
            self.path.parent().expect("it is in a folder").display()
        );
        assert!(error.starts_with(&folder), "{error}");
        error.replacen(&folder, "", 1)
    }
}

fn table(path: &Path, hints: &Hints) -> Result<Table, DataError> {
    match open(path, hints)? {
        Content::Table(table) => Ok(*table),
        other => panic!("{} is {other:?}", path.display()),
    }
}

fn rows(table: &Table) -> Vec<Row> {
    let rows: Result<Vec<Row>, DataError> = table.rows().expect("it was just read").collect();
    rows.expect("every line was sound")
}

/// A row in words: time, prices, sizes.
fn shown(row: &Row) -> String {
    let or_none = |amount: Option<tradewind_model::Amount>| {
        amount.map_or("-".to_owned(), |amount| amount.to_string())
    };
    match row {
        Row::Candle(row) => format!(
            "{} {} {} {} {} {}",
            row.open_time,
            row.open,
            row.high,
            row.low,
            row.close,
            or_none(row.volume)
        ),
        Row::Trade(row) => format!(
            "{} {} {} {} {:?}",
            row.at, row.price, row.quantity, row.id, row.taker
        ),
        Row::Quote(row) => format!(
            "{} {} {} {} {}",
            row.at,
            row.bid,
            row.ask,
            or_none(row.bid_size),
            or_none(row.ask_size)
        ),
        Row::Book(row) => format!("{} {:?} {:?}", row.at, row.bids, row.asks),
        Row::Number(row) => format!("{row:?}"),
        Row::Target(row) => format!("{row:?}"),
    }
}

/// A file or folder of the test data. `None`, with a message on stderr, if `TRADEWIND_TEST_DATA` is not set.
///
/// # Panics
/// If `CI=true` and the variable is not set: CI must have the data.
fn test_data(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("TRADEWIND_TEST_DATA") else {
        let message = format!("SKIPPED: TRADEWIND_TEST_DATA is not set, {name} was not read");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
        eprintln!("{message}");
        return None;
    };
    Some(PathBuf::from(folder).join(name))
}
