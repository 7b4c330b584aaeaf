//! How long the candles of a file are, whether they stand on that grid, and which of them are missing.

use std::path::Path;
use std::time::Duration;

use tradewind_model::{Interval, Timestamp};

use crate::error::DataError;
use crate::names::FileName;
use crate::order::{FileRows, Mended};
use crate::table::Holes;

/// Steps between candles.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Steps {
    before: Option<Timestamp>,
    count: u64,
    shortest: Option<(i64, u64)>,
}

impl Steps {
    pub(crate) fn add(&mut self, at: Timestamp, line: u64) {
        if let Some(before) = self.before.replace(at) {
            let step = at.as_nanos() - before.as_nanos();
            self.count += 1;
            if self.shortest.is_none_or(|(known, _)| step < known) {
                self.shortest = Some((step, line));
            }
        }
    }

    fn as_interval(&self) -> Option<Interval> {
        let (shortest, _) = self.shortest?;
        Interval::all().find(|interval| nanos(*interval) == shortest)
    }
}

fn nanos(interval: Interval) -> i64 {
    i64::try_from(interval.duration().as_nanos()).unwrap_or(i64::MAX)
}

/// The length: what is given, else what the name says, else the shortest step of the rows.
pub(crate) fn decide(
    path: &Path,
    steps: &Steps,
    given: Option<Interval>,
    name: &FileName,
) -> Result<Interval, DataError> {
    let by_rows = steps.as_interval();
    if name.months && given.is_none() {
        return Err(DataError::file(
            path,
            "candles of months are not read; the longest are of a week (1w)",
        ));
    }
    let minutes = name
        .minutes
        .filter(|minutes| by_rows.is_none_or(|rows| rows == *minutes));
    let said = given.or(name.interval);
    let Some(length) = said.or(minutes).or(by_rows) else {
        let step = steps.shortest.map_or(String::new(), |(step, _)| {
            format!(" (the shortest step is {} s)", step / 1_000_000_000)
        });
        return Err(DataError::file(
            path,
            format!(
                "neither its name nor its rows tell how long its candles are{step}; call it BTC_USDT-1m.csv, or say --interval 1m where a command has it"
            ),
        ));
    };
    if let Some((step, line)) = steps.shortest {
        let who = if given.is_some() {
            "what was given"
        } else {
            "its name"
        };
        let others = by_rows.map_or(String::new(), |rows| {
            format!("; if they are {rows}, name it so")
        });
        if step < nanos(length) && said.is_some() && line > 0 && by_rows.is_some() {
            return Err(DataError::line(
                path,
                line,
                format!(
                    "the candle begins {} s after the one before it, and {who} says {length}{others}",
                    step / 1_000_000_000
                ),
            ));
        }
        if step > nanos(length) && steps.count >= 10 {
            return Err(DataError::file(
                path,
                format!(
                    "no two candles are closer than {} s, and {who} says {length}{others}",
                    step / 1_000_000_000
                ),
            ));
        }
    }
    Ok(length)
}

/// Candles on the grid of one length: what is missing, and what stands beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) length: Interval,
    holes: Holes,
    before: Option<Timestamp>,
    /// How far the candles begin after the interval does; the first one tells.
    offset: Option<i64>,
    off: Option<Off>,
}

#[derive(Clone, Copy, Debug)]
struct Off {
    first: u64,
    last: u64,
    count: u64,
    nanos: i64,
}

impl Grid {
    pub(crate) fn new(length: Interval) -> Self {
        Self {
            length,
            holes: Holes::default(),
            before: None,
            offset: None,
            off: None,
        }
    }

    pub(crate) fn add(&mut self, at: Timestamp, line: u64) {
        let length = self.length;
        let after = at.as_nanos() - length.open_time(at).as_nanos();
        // Days and weeks begin at other times in some markets, which is sound as long as all of them do.
        let wanted = if length >= Interval::Day1 {
            *self.offset.get_or_insert(after)
        } else {
            0
        };
        if after != wanted {
            let off = self.off.get_or_insert(Off {
                first: line,
                last: line,
                count: 0,
                nanos: after,
            });
            (off.first, off.last) = (off.first.min(line), off.last.max(line));
            off.count += 1;
        }
        if let Some(before) = self.before.replace(at) {
            self.holes.step(before, at, length);
        }
    }

    /// The same for all rows of a file.
    pub(crate) fn of(mut rows: FileRows, length: Interval) -> Result<Self, DataError> {
        let mut mended = Mended::default();
        let mut grid = Self::new(length);
        while let Some((row, line)) = rows.next_row(&mut mended)? {
            grid.add(row.at(), line);
        }
        Ok(grid)
    }

    pub(crate) fn judge(self, path: &Path) -> Result<(Holes, Duration), DataError> {
        let Some(off) = self.off else {
            let offset = u64::try_from(self.offset.unwrap_or(0)).unwrap_or(0);
            // 23:59:59.999 is when a day ends.
            if !offset.is_multiple_of(60_000_000_000) {
                return Err(DataError::file(
                    path,
                    format!(
                        "the candles of {} have times {} s after midnight UTC, at which none begins; if these are the times at which they end, name the column of their starts open_time",
                        self.length,
                        offset / 1_000_000_000
                    ),
                ));
            }
            return Ok((self.holes, Duration::from_nanos(offset)));
        };
        let these = match off.count {
            1 => "delete it".to_owned(),
            count => format!(
                "{count} lines, to line {}, are off the interval: delete them",
                off.last
            ),
        };
        if self.length >= Interval::Day1 {
            let reason = format!(
                "the candle of {} begins at another hour than the first one; export the times in UTC",
                self.length
            );
            return Err(DataError::line(path, off.first, reason));
        }
        Err(DataError::line(
            path,
            off.first,
            format!(
                "the candle begins {} s after an interval of {} does; {these} (what is missing is known as a hole), or fetch the file again",
                off.nanos / 1_000_000_000,
                self.length
            ),
        ))
    }
}
