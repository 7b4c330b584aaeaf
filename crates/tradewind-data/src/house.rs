//! Numbers of a named series and targets of an outside process, as files have them: what a house source sends, for backtests.
//!
//! A file has names on top. The file is held in memory whole: such series are short.

use std::path::Path;
use std::time::Duration;

use tradewind_model::{Decimal, Timestamp};

use crate::cells::{Cells, separator};
use crate::error::DataError;
use crate::layout::plain;
use crate::lines::Lines;
use crate::table::UtcOffset;
use crate::time;

/// Most rows that are held in memory.
const ROWS_MAX: usize = 5_000_000;
/// Names of the columns, each the first of these that is there.
const TIME: [&str; 5] = ["time", "timestamp", "event_time", "datetime", "date"];
const RECEIVED: [&str; 2] = ["received_at", "received"];
const VALUE: [&str; 2] = ["value", "number"];

/// A number of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRow {
    /// When it was so, by its source.
    pub event_time: Timestamp,
    /// When it was received; as early as it was so where the file does not say. A day without a time of day says neither.
    pub received_at: Timestamp,
    /// The number.
    pub value: Decimal,
    /// Age from which on it is of no use; `None` where the file does not say.
    pub max_age: Option<Duration>,
}

/// A target of a bot in an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRow {
    /// When it was decided, by its source.
    pub event_time: Timestamp,
    /// When it was received; when it was decided where the file does not say.
    pub received_at: Timestamp,
    /// Full name of the instrument or its product; `None` where the file has one instrument, and in the catalogue.
    pub instrument: Option<String>,
    /// Signed share of the bot's budget; 1 is all of it long.
    pub exposure: Decimal,
    /// From then on it counts no more.
    pub expires: Timestamp,
}

/// Reads the numbers of one series: columns `time` and `value`, `received_at` and `max_age` (in seconds) if they are there.
///
/// # Errors
/// The first line that is wrong, or the file as a whole.
pub fn numbers(path: &Path, offset: Option<UtcOffset>) -> Result<Vec<NumberRow>, DataError> {
    let mut table = Table::open(path, offset, "time,value")?;
    let value = table.column(&VALUE, "value")?;
    let max_age = table.find(&["max_age", "max_age_s"]);
    let mut rows: Vec<NumberRow> = Vec::new();
    while let Some((event_time, received_at)) =
        table.next(rows.last().map(|row| row.received_at))?
    {
        let max_age = max_age.filter(|column| !table.text(*column).is_empty());
        let max_age = max_age.map(|column| table.seconds(column)).transpose()?;
        rows.push(NumberRow {
            event_time,
            received_at,
            value: table.decimal(value)?,
            max_age,
        });
        table.check_length(rows.len())?;
    }
    Ok(rows)
}

/// Reads targets: columns `time`, `exposure` and `expires`, `received_at` and `instrument` if they are there.
///
/// # Errors
/// The first line that is wrong, or the file as a whole.
pub fn targets(path: &Path, offset: Option<UtcOffset>) -> Result<Vec<TargetRow>, DataError> {
    let mut table = Table::open(path, offset, "time,instrument,exposure,expires")?;
    let exposure = table.column(&["exposure", "target"], "exposure")?;
    let expires = table.column(&["expires", "expires_at"], "expires")?;
    let instrument = table.find(&["instrument", "symbol"]);
    let mut rows: Vec<TargetRow> = Vec::new();
    while let Some((event_time, received_at)) =
        table.next(rows.last().map(|row| row.received_at))?
    {
        let instrument = instrument.map(|column| table.text(column).to_owned());
        rows.push(TargetRow {
            event_time,
            received_at,
            instrument: instrument.filter(|name| !name.is_empty()),
            exposure: table.decimal(exposure)?,
            expires: table.time(expires)?,
        });
        table.check_length(rows.len())?;
    }
    Ok(rows)
}

/// A file with names on top, line by line.
struct Table {
    lines: Lines,
    cells: Cells,
    separator: u8,
    names: Vec<String>,
    time: usize,
    received: Option<usize>,
    offset: i64,
    example: &'static str,
}

impl Table {
    fn open(
        path: &Path,
        offset: Option<UtcOffset>,
        example: &'static str,
    ) -> Result<Self, DataError> {
        let mut lines = Lines::open(path)?;
        if !lines.advance()? {
            return Err(DataError::file(path, "it is empty; fetch it again"));
        }
        let head = lines.text().trim_start_matches('\u{feff}');
        // Two columns are enough here.
        let known = [b'\t', b';', b'|', b','];
        let two = known.into_iter().find(|one| head.as_bytes().contains(one));
        let separator = separator(head).or(two).unwrap_or(b',');
        let mut cells = Cells::default();
        cells.cut(head, separator);
        let names: Vec<String> = cells.iter().map(plain).collect();
        let mut table = Self {
            lines,
            cells,
            separator,
            names,
            time: 0,
            received: None,
            offset: offset.map_or(0, |offset| offset.0),
            example,
        };
        table.time = table.column(&TIME, "time")?;
        table.received = table.find(&RECEIVED);
        Ok(table)
    }

    fn find(&self, names: &[&str]) -> Option<usize> {
        let place = |wanted: &&str| self.names.iter().position(|name| name == wanted);
        names.iter().find_map(place)
    }

    fn column(&self, names: &[&str], wanted: &str) -> Result<usize, DataError> {
        self.find(names).ok_or_else(|| {
            let example = self.example;
            if self.find(&["open"]).is_some() && self.find(&["close"]).is_some() {
                let reason = format!(
                    "these are candles, and a close is known at the end of its candle only; write a table of {example} whose time is that end"
                );
                return self.lines.error(&reason);
            }
            let reason =
                format!("there is no column {wanted:?}; put names on top, such as {example}");
            self.lines.error(&reason)
        })
    }

    /// The times of the next row; `None` at the end. Rows are in order of their receipt.
    fn next(
        &mut self,
        before: Option<Timestamp>,
    ) -> Result<Option<(Timestamp, Timestamp)>, DataError> {
        if !self.lines.advance()? {
            return Ok(None);
        }
        self.cells.cut(self.lines.text(), self.separator);
        if self.cells.len() != self.names.len() {
            let (found, wanted) = (self.cells.len(), self.names.len());
            let reason =
                format!("it has {found} columns and the names are {wanted}; mend or delete it");
            return Err(self.lines.error(&reason));
        }
        let event_time = self.time(self.time)?;
        let received = self
            .received
            .filter(|column| !self.text(*column).is_empty());
        let received = received.map(|column| self.time(column)).transpose()?;
        let known_by = match (received, self.received) {
            (Some(_), Some(column)) => column,
            _ => self.time,
        };
        if time::is_day(self.text(known_by)) {
            let reason = "a day does not say when it was known; write the time of day, or add a column received_at";
            return Err(self.wrong(known_by, reason));
        }
        let received_at = received.unwrap_or(event_time);
        if before.is_some_and(|before| received_at < before) {
            let reason = "it is earlier than the line before it; sort the lines by time";
            return Err(self.lines.error(reason));
        }
        Ok(Some((event_time, received_at)))
    }

    fn text(&self, column: usize) -> &str {
        self.cells.get(column).unwrap_or_default().trim()
    }

    fn time(&self, column: usize) -> Result<Timestamp, DataError> {
        let read = time::parse(self.text(column), self.offset);
        read.map(|(at, _)| at)
            .map_err(|reason| self.wrong(column, &reason))
    }

    fn decimal(&self, column: usize) -> Result<Decimal, DataError> {
        let text = self.text(column);
        text.parse().map_err(|_| {
            let reason =
                format!("{text:?} is no number; write digits and one point, at most 18 decimals");
            self.wrong(column, &reason)
        })
    }

    fn seconds(&self, column: usize) -> Result<Duration, DataError> {
        let text = self.text(column);
        let nanos = text.parse::<Decimal>().ok().and_then(|age| age.scaled(9));
        let nanos = nanos.and_then(|nanos| u64::try_from(nanos).ok());
        let age = nanos.filter(|nanos| *nanos > 0).map(Duration::from_nanos);
        age.ok_or_else(|| {
            let reason = format!("{text:?} is no age; write seconds above 0, at most 9 decimals");
            self.wrong(column, &reason)
        })
    }

    fn wrong(&self, column: usize, reason: &str) -> DataError {
        let name = self.names.get(column).map_or("", String::as_str);
        self.lines.error(&format!("column {name}: {reason}"))
    }

    fn check_length(&self, rows: usize) -> Result<(), DataError> {
        if rows > ROWS_MAX {
            return Err(self
                .lines
                .error("these are more than 5,000,000 rows; split the file"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fear.csv");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn numbers_are_read_with_both_of_their_times() {
        let (_folder, path) = file("date,value,received_at\n2024-01-05,1,2024-01-06 00:00\n");
        assert_eq!(
            numbers(&path, None).unwrap()[0].received_at,
            Timestamp::from_secs(1_704_499_200)
        );
        let (_folder, path) = file(
            "Time;Value;Received_At;max_age\n2024-01-01 00:00;-12.50;2024-01-01 00:05;3600\n1704153600;3;;\n",
        );
        let rows = numbers(&path, None).unwrap();
        let at = |second| Timestamp::from_secs(second);
        let row = |event, received, value: &str, age| NumberRow {
            event_time: at(event),
            received_at: at(received),
            value: value.parse().unwrap(),
            max_age: age,
        };
        let hour = Some(Duration::from_secs(3_600));
        let wanted = [
            row(1_704_067_200, 1_704_067_500, "-12.50", hour),
            row(1_704_153_600, 1_704_153_600, "3", None),
        ];
        assert_eq!(rows, wanted);
    }

    #[test]
    fn targets_are_read_for_one_instrument_or_many() {
        let (_folder, path) = file("time,exposure,expires\n1704067200,-0.5,2024-01-01T01:00:00Z\n");
        let rows = targets(&path, None).unwrap();
        assert_eq!(rows[0].exposure, "-0.5".parse().unwrap());
        assert_eq!(
            (rows[0].instrument.clone(), rows[0].expires),
            (None, Timestamp::from_secs(1_704_070_800))
        );
        let (_folder, path) =
            file("time,instrument,exposure,expires\n1704067200,BTC/USDT,1,1704070800\n");
        assert_eq!(
            targets(&path, None).unwrap()[0].instrument.as_deref(),
            Some("BTC/USDT")
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_a_cure() {
        for (text, wanted) in [
            ("", "it is empty"),
            (
                "when,value\n1704067200,1\n",
                "no column \"time\"; put names on top, such as time,value",
            ),
            ("time,values\n1704067200,1\n", "no column \"value\""),
            (
                "date,open,high,low,close,volume\n2024-01-05,1,1,1,1,1\n",
                "a close is known at the end of its candle only; write a table of time,value whose time is that end",
            ),
            ("time,close\n1704067200,1\n", "no column \"value\""),
            (
                "date,value\n2024-01-05,1\n",
                "line 2: column date: a day does not say when it was known; write the time of day, or add a column received_at",
            ),
            ("time,value\n20240105,1\n", "a day does not say"),
            (
                "time,value,received_at\n2024-01-05,1,2024-01-06\n",
                "column received_at: a day",
            ),
            ("time,value\n1704067200,1,2\n", "line 2"),
            (
                "time,value\n1704067200,1e5\n",
                "column value: \"1e5\" is no number",
            ),
            ("time,value\nyesterday,1\n", "column time"),
            (
                "time,value\n1704067200,1\n1704067100,1\n",
                "line 3: it is earlier",
            ),
            (
                "time,value,max_age\n1704067200,1,soon\n",
                "write seconds above 0",
            ),
        ] {
            let (_folder, path) = file(text);
            let error = numbers(&path, None).unwrap_err().to_string();
            assert!(
                error.contains(wanted),
                "{text:?}: {error:?} lacks {wanted:?}"
            );
        }
    }
}
