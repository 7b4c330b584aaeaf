//! Rows in order of time: newest first is turned round, rows that stand twice are dropped, ticks that came a little late
//! are put in their place.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tradewind_model::Timestamp;

use crate::error::DataError;
use crate::raw::{Counters, Met, RawRows, Shape};
use crate::row::{CandleRow, Kind, Row, TradeRow};

/// Rows that a page of a venue's answer may repeat.
const RECENT: usize = 1_024;
/// A tick later than this is no late one: the file is out of order.
const LATE: Duration = Duration::from_secs(5);
/// A file that begins with its newest row is held in memory to be turned round.
const TURNED_MAX: usize = 5_000_000;

/// The rows of a file, oldest first.
pub(crate) struct FileRows {
    path: PathBuf,
    raw: RawRows,
    turned: Option<std::vec::IntoIter<(Row, u64)>>,
    order: Order,
}

impl std::fmt::Debug for FileRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileRows")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

enum Order {
    Candles { recent: VecDeque<(CandleRow, u64)> },
    Ticks(Ticks),
}

#[derive(Default)]
struct Ticks {
    held: BTreeMap<(Timestamp, u64), (Row, u64)>,
    recent: VecDeque<(TradeRow, u64)>,
    id_max: u64,
    arrivals: u64,
    newest: Option<(Timestamp, u64)>,
    ended: bool,
}

/// What was put in order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mended {
    pub(crate) twins: Met,
    pub(crate) late: Met,
}

impl FileRows {
    pub(crate) fn open(path: &Path, shape: &Shape, newest_first: bool) -> Result<Self, DataError> {
        let mut raw = RawRows::open(path, shape)?;
        let turned = if newest_first {
            Some(turned(path, &mut raw)?)
        } else {
            None
        };
        let order = match shape.layout.kind {
            Kind::Candles => Order::Candles {
                recent: VecDeque::new(),
            },
            _ => Order::Ticks(Ticks::default()),
        };
        Ok(Self {
            path: path.to_owned(),
            raw,
            turned,
            order,
        })
    }

    pub(crate) const fn counters(&self) -> &Counters {
        &self.raw.counters
    }

    /// The next row and the line it stands in.
    pub(crate) fn next_row(
        &mut self,
        mended: &mut Mended,
    ) -> Result<Option<(Row, u64)>, DataError> {
        loop {
            if let Order::Ticks(ticks) = &mut self.order
                && let Some(row) = ticks.ready()
            {
                return Ok(Some(row));
            }
            let next = match &mut self.turned {
                Some(rows) => rows.next(),
                None => self.raw.next()?,
            };
            let judged = match (&mut self.order, next) {
                (Order::Candles { .. }, None) => return Ok(None),
                (Order::Ticks(ticks), None) => {
                    ticks.ended = true;
                    match ticks.ready() {
                        Some(row) => return Ok(Some(row)),
                        None => return Ok(None),
                    }
                }
                (Order::Candles { recent }, Some((Row::Candle(row), line))) => {
                    match candle(recent, row, line) {
                        Ok(true) => return Ok(Some((Row::Candle(row), line))),
                        Ok(false) => {
                            mended.twins.at(line);
                            Ok(())
                        }
                        Err(reason) => Err((line, reason)),
                    }
                }
                (Order::Candles { .. }, Some(_)) => Ok(()),
                (Order::Ticks(ticks), Some((row, line))) => ticks
                    .take(row, line, mended)
                    .map_err(|reason| (line, reason)),
            };
            judged.map_err(|(line, reason)| DataError::line(&self.path, line, reason))?;
        }
    }
}

fn turned(path: &Path, raw: &mut RawRows) -> Result<std::vec::IntoIter<(Row, u64)>, DataError> {
    let mut rows = Vec::new();
    while let Some(row) = raw.next()? {
        if rows.len() == TURNED_MAX {
            return Err(DataError::file(
                path,
                "it begins with its newest row and is too long to be turned round; turn it first: tac FILE > OUT.csv",
            ));
        }
        rows.push(row);
    }
    rows.reverse();
    Ok(rows.into_iter())
}

/// Whether a candle is the next one; false if it stands there already, in the same words.
fn candle(
    recent: &mut VecDeque<(CandleRow, u64)>,
    row: CandleRow,
    line: u64,
) -> Result<bool, String> {
    if recent
        .back()
        .is_some_and(|(last, _)| last.open_time >= row.open_time)
    {
        let known = recent
            .iter()
            .rev()
            .find(|(known, _)| known.open_time == row.open_time);
        return match known {
            Some((known, _)) if *known == row => Ok(false),
            Some((_, other)) => Err(format!(
                "the candle is not later than the one before it: line {other} has the same time and other values; delete the wrong one"
            )),
            None => Err("the candle is not later than the one before it; sort the lines by time, or split the file here".to_owned()),
        };
    }
    if recent.len() == RECENT {
        recent.pop_front();
    }
    recent.push_back((row, line));
    Ok(true)
}

impl Ticks {
    fn take(&mut self, row: Row, line: u64, mended: &mut Mended) -> Result<(), String> {
        if let Row::Trade(trade) = row
            && trade.id != 0
            && !self.is_new(trade, line)?
        {
            mended.twins.at(line);
            return Ok(());
        }
        let at = row.at();
        if let Some((newest, other)) = self.newest {
            if at + LATE < newest {
                return Err(format!(
                    "the row is more than five seconds earlier than line {other} before it; sort the lines by time, or split the file here"
                ));
            }
            if at < newest {
                mended.late.at(line);
            } else {
                self.newest = Some((at, line));
            }
        } else {
            self.newest = Some((at, line));
        }
        self.arrivals += 1;
        self.held.insert((at, self.arrivals), (row, line));
        Ok(())
    }

    fn is_new(&mut self, trade: TradeRow, line: u64) -> Result<bool, String> {
        if trade.id <= self.id_max
            && let Some((known, other)) = self
                .recent
                .iter()
                .rev()
                .find(|(known, _)| known.id == trade.id)
        {
            return if *known == trade {
                Ok(false)
            } else {
                Err(format!(
                    "line {other} has the same trade id and other values; delete the wrong one"
                ))
            };
        }
        self.id_max = self.id_max.max(trade.id);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((trade, line));
        Ok(true)
    }

    /// The earliest row, once nothing earlier can come.
    fn ready(&mut self) -> Option<(Row, u64)> {
        let first = self.held.first_entry()?;
        let (newest, _) = self.newest?;
        (self.ended || first.key().0 + LATE < newest).then(|| first.remove())
    }
}
