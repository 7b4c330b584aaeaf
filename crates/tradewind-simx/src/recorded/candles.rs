//! Tables of candles: comma-separated lines, one candle each, oldest first.
//!
//! A first line of names says where the columns are: a time (`open_time`, `open_time_s`, `open_time_ms`, `timestamp`,
//! `time` or `date`), `open`, `high`, `low`, `close` and, if there is one, `volume`; more columns are passed over.
//! Without names the order is the venue's own: time, open, high, low, close, volume. Times are whole seconds,
//! milliseconds, microseconds or nanoseconds since 1970 (their size tells), or `YYYY-MM-DD HH:MM:SS` in UTC. Prices and
//! volumes may have an exponent, as other programs print them, and are rounded half to even to eight decimals; times
//! may not, since a rounded time is a lost one.

use tradewind_model::{Amount, Timestamp};

use super::LineError;

/// Decimals prices and volumes are kept with.
const PLACES: i32 = 8;

/// One candle, prices and volume as counts of 10^-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleRow {
    /// Start of its interval.
    pub open_time: Timestamp,
    /// First price.
    pub open: i64,
    /// Highest price.
    pub high: i64,
    /// Lowest price.
    pub low: i64,
    /// Last price.
    pub close: i64,
    /// Volume; `None` where the table has none.
    pub volume: Option<i64>,
}

/// Where a table's columns are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleTable {
    time: usize,
    open: usize,
    high: usize,
    low: usize,
    close: usize,
    volume: Option<usize>,
}

const TIMES: [&str; 6] = [
    "open_time",
    "open_time_s",
    "open_time_ms",
    "timestamp",
    "time",
    "date",
];

impl CandleTable {
    /// The venue's own order.
    const PLAIN: Self = Self {
        time: 0,
        open: 1,
        high: 2,
        low: 3,
        close: 4,
        volume: Some(5),
    };

    /// Reads a table's first line; the flag says whether it is a candle already, to be read with [`row`](Self::row).
    ///
    /// # Errors
    /// A column is missing.
    pub fn first_line(line: &str) -> Result<(Self, bool), LineError> {
        if line.starts_with(|first: char| first.is_ascii_digit()) {
            return Ok((Self::PLAIN, true));
        }
        let names: Vec<String> = line
            .split(',')
            .map(|name| name.trim().trim_matches('"').to_ascii_lowercase())
            .collect();
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        let needed = |wanted: &str| {
            place(wanted).ok_or_else(|| LineError::new(format!("there is no column {wanted:?}")))
        };
        let time = TIMES.iter().find_map(|name| place(name));
        let table = Self {
            time: time.ok_or_else(|| {
                LineError::new(format!(
                    "there is no column of times; known are {}",
                    TIMES.join(", ")
                ))
            })?,
            open: needed("open")?,
            high: needed("high")?,
            low: needed("low")?,
            close: needed("close")?,
            volume: place("volume"),
        };
        Ok((table, false))
    }

    /// Reads one candle.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn row(&self, line: &str) -> Result<CandleRow, LineError> {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let cell = |place: usize| {
            cells
                .get(place)
                .copied()
                .ok_or_else(|| LineError::new(format!("there is no column {}", place + 1)))
        };
        let price = |name: &str, place: usize| number(name, cell(place)?);
        let row = CandleRow {
            open_time: time(cell(self.time)?)?,
            open: price("open", self.open)?,
            high: price("high", self.high)?,
            low: price("low", self.low)?,
            close: price("close", self.close)?,
            volume: self
                .volume
                .map(|place| price("volume", place))
                .transpose()?,
        };
        row.check()?;
        Ok(row)
    }
}

impl CandleRow {
    fn check(&self) -> Result<(), LineError> {
        if self.low <= 0 {
            return Err(LineError::new("a price is not above zero"));
        }
        if self.low > self.open.min(self.close) || self.high < self.open.max(self.close) {
            return Err(LineError::new("high and low do not enclose open and close"));
        }
        if self.volume.is_some_and(|volume| volume < 0) {
            return Err(LineError::new("the volume is negative"));
        }
        Ok(())
    }
}

pub(super) fn time(text: &str) -> Result<Timestamp, LineError> {
    let error = || {
        let kinds = "whole seconds, milliseconds, microseconds or nanoseconds since 1970, or YYYY-MM-DD HH:MM:SS";
        LineError::new(format!("{text:?} is no time; known are {kinds}"))
    };
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let value: i64 = text.parse().map_err(|_| error())?;
        return Ok(match value {
            ..100_000_000_000 => Timestamp::from_secs(value),
            100_000_000_000..100_000_000_000_000 => Timestamp::from_millis(value),
            100_000_000_000_000..100_000_000_000_000_000 => {
                Timestamp::from_nanos(value.saturating_mul(1_000))
            }
            _ => Timestamp::from_nanos(value),
        });
    }
    let zoned = text.ends_with('Z') || text.contains('+');
    let text = text.replacen(' ', "T", 1);
    if zoned {
        text.parse()
    } else {
        format!("{text}Z").parse()
    }
    .map_err(|_| error())
}

/// A number, with or without an exponent, as a count of 10^-8.
pub(super) fn number(name: &str, text: &str) -> Result<i64, LineError> {
    parse_number(text).ok_or_else(|| LineError::new(format!("the {name} {text:?} is no number")))
}

fn parse_number(text: &str) -> Option<i64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if unsigned.is_empty() || !plain(unsigned) || !plain(fraction) {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let places = exponent
        .checked_sub(i32::try_from(fraction.len()).ok()?)?
        .checked_add(PLACES)?;
    let power = 10_i128.checked_pow(places.unsigned_abs())?;
    let (up, down) = if places < 0 { (1, power) } else { (power, 1) };
    i64::try_from(Amount(digits).mul_div(up, down)?.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tables_are_read_by_their_names_or_by_their_order() {
        let check = |first: &str, line: &str, wanted: (i64, i64, Option<i64>)| {
            let (table, is_row) = CandleTable::first_line(first).unwrap();
            let row = table.row(if is_row { first } else { line }).unwrap();
            assert_eq!(
                (row.open_time.as_millis(), row.close, row.volume),
                wanted,
                "{first}"
            );
        };
        let names = "open_time_s,open,high,low,close,volume";
        check(
            names,
            "1524880320,9094.18,9098.0,9090.0,9097.12,29.20769",
            (1_524_880_320_000, 909_712_000_000, Some(2_920_769_000)),
        );
        check(
            "time,open,high,low,close",
            "1705104000,1,2,1,1.5",
            (1_705_104_000_000, 150_000_000, None),
        );
        check(
            "timestamp,open,high,low,close,volume",
            "2021-12-31 23:01:00.000000,5,5,5,5,1",
            (1_640_991_660_000, 500_000_000, Some(100_000_000)),
        );
        check(
            names,
            "1515560100000,5.330000000000001e-05,5.4E-5,5e-05,5.29e-05,1",
            (1_515_560_100_000, 5_290, Some(100_000_000)),
        );
        check(
            "1700265600000,1,2,1,2,3,1700269199999,4,5,6,7,0",
            "",
            (1_700_265_600_000, 200_000_000, Some(300_000_000)),
        );
    }

    #[test]
    fn bad_lines_say_what_is_wrong() {
        let (table, _) = CandleTable::first_line("open_time,open,high,low,close,volume").unwrap();
        let check = |line: &str, wanted: &str| {
            let error = table.row(line).unwrap_err().to_string();
            assert!(error.starts_with(wanted), "{line}: {error}");
        };
        check("1.70027E+12,1,1,1,1,1", "\"1.70027E+12\" is no time");
        check("1700265600000,1,1,1", "there is no column 5");
        check("1700265600000,1,x,1,1,1", "the high \"x\" is no number");
        check(
            "1700265600000,1,1,2,1,1",
            "high and low do not enclose open and close",
        );
        check("1700265600000,0,1,0,1,1", "a price is not above zero");
        check("1700265600000,1,1,1,1,-1", "the volume is negative");
        assert_eq!(
            CandleTable::first_line("a,b")
                .unwrap_err()
                .to_string()
                .split(';')
                .next(),
            Some("there is no column of times")
        );
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "\\PC{0,60}", numbers in "[-0-9.eE+,: ]{0,60}") {
            drop(CandleTable::PLAIN.row(&line));
            drop(CandleTable::PLAIN.row(&numbers));
            drop(CandleTable::first_line(&line));
        }
    }
}
