//! The body of TABLE: decisions by row of a history. Pure.

use tradewind_model::{ExitPlan, Instrument, Ppm, Price};

use crate::answer::{exposure, plan, state, stop_price};
use crate::frame::{FrameError, Reader};

const ENTER: u8 = 1;
const EXIT: u8 = 2;
const ENTER_TAG: u8 = 4;
const EXIT_TAG: u8 = 8;
const STOP: u8 = 16;
const TARGET: u8 = 32;
const ALL: u8 = ENTER | EXIT | ENTER_TAG | EXIT_TAG | STOP | TARGET;

/// Decisions by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    rows: usize,
    calls: u8,
    plan: Option<ExitPlan>,
    tags: Vec<String>,
    enter: Option<Vec<Ppm>>,
    exit: Option<Vec<bool>>,
    enter_tag: Option<Vec<u16>>,
    exit_tag: Option<Vec<u16>>,
    stop: Option<Vec<Option<Price>>>,
    target: Option<Vec<Option<Ppm>>>,
    /// What the process noted while it computed, such as a look-ahead.
    pub warnings: Vec<String>,
    /// The strategy's state, if it changed.
    pub state: Option<Vec<u8>>,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The exposure of an entry; zero for none.
    pub enter: Ppm,
    /// Whether a position is left.
    pub exit: bool,
    /// The entry's tag.
    pub enter_tag: &'a str,
    /// The exit's tag.
    pub exit_tag: &'a str,
    /// Where an entry's stop lies.
    pub stop: Option<Price>,
    /// The exposure to hold from this row on, whatever is held.
    pub target: Option<Ppm>,
}

impl Table {
    /// Reads the body of a TABLE for an instrument.
    ///
    /// # Errors
    /// Bytes that are no table; numbers out of range.
    pub fn decode(body: &[u8], instrument: &Instrument) -> Result<Self, FrameError> {
        let mut from = Reader::new(body);
        let rows = from.u32()? as usize;
        let mask = from.u8()?;
        if mask & !ALL != 0 {
            return Err(FrameError(format!("unknown columns in {mask:#b}")));
        }
        let calls = from.u8()?;
        let plan = plan(&mut from, instrument)?;
        let tags = texts(&mut from)?;
        let has = |bit| mask & bit != 0;
        let mut table = Self {
            rows,
            calls,
            plan,
            tags,
            enter: None,
            exit: None,
            enter_tag: None,
            exit_tag: None,
            stop: None,
            target: None,
            warnings: Vec::new(),
            state: None,
        };
        if has(ENTER) {
            table.enter = Some(column(&mut from, rows, exposure)?);
        }
        if has(EXIT) {
            let flags = from.take(rows)?;
            table.exit = Some(flags.iter().map(|flag| *flag != 0).collect());
        }
        for (bit, place) in [
            (ENTER_TAG, &mut table.enter_tag),
            (EXIT_TAG, &mut table.exit_tag),
        ] {
            if has(bit) {
                *place = Some(indices(&mut from, rows, table.tags.len())?);
            }
        }
        if has(STOP) {
            let price = |value| Ok((value > 0).then(|| stop_price(value, instrument)));
            table.stop = Some(column(&mut from, rows, price)?);
        }
        if has(TARGET) {
            let wanted = |value| match value {
                i64::MIN => Ok(None),
                value => exposure(value).map(Some),
            };
            table.target = Some(column(&mut from, rows, wanted)?);
        }
        table.warnings = texts(&mut from)?;
        table.state = state(&mut from)?;
        from.end()?;
        Ok(table)
    }

    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Row `index`; `None` beyond the last.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Row<'_>> {
        if index >= self.rows {
            return None;
        }
        let at =
            |column: &Option<Vec<u16>>| column.as_ref().and_then(|all| all.get(index).copied());
        let tag = |column| {
            let place = at(column).map(usize::from);
            place
                .and_then(|place| self.tags.get(place))
                .map_or("", String::as_str)
        };
        Some(Row {
            enter: value(self.enter.as_ref(), index).unwrap_or_default(),
            exit: value(self.exit.as_ref(), index).unwrap_or_default(),
            enter_tag: tag(&self.enter_tag),
            exit_tag: tag(&self.exit_tag),
            stop: value(self.stop.as_ref(), index).flatten(),
            target: value(self.target.as_ref(), index).flatten(),
        })
    }

    /// The exit plan of its entries, in place of the bot's own.
    #[must_use]
    pub const fn plan(&self) -> Option<&ExitPlan> {
        self.plan.as_ref()
    }

    /// Whether the process decides while there is a position.
    #[must_use]
    pub const fn calls_on_position(&self) -> bool {
        self.calls & 1 != 0
    }

    /// Whether the process confirms entries.
    #[must_use]
    pub const fn calls_on_entry(&self) -> bool {
        self.calls & 2 != 0
    }

    /// Whether the process confirms exits.
    #[must_use]
    pub const fn calls_on_exit(&self) -> bool {
        self.calls & 4 != 0
    }
}

fn value<T: Copy>(column: Option<&Vec<T>>, index: usize) -> Option<T> {
    column.and_then(|column| column.get(index).copied())
}

/// A column of numbers. Its bytes are taken first, so that a false count allocates nothing.
fn column<T>(
    from: &mut Reader<'_>,
    rows: usize,
    read: impl Fn(i64) -> Result<T, FrameError>,
) -> Result<Vec<T>, FrameError> {
    let bytes = from.take(rows.saturating_mul(8))?;
    let (numbers, _) = bytes.as_chunks::<8>();
    numbers
        .iter()
        .map(|one| read(i64::from_le_bytes(*one)))
        .collect()
}

fn indices(from: &mut Reader<'_>, rows: usize, known: usize) -> Result<Vec<u16>, FrameError> {
    let bytes = from.take(rows.saturating_mul(2))?;
    let (numbers, _) = bytes.as_chunks::<2>();
    let read = numbers.iter().map(|one| {
        let place = u16::from_le_bytes(*one);
        let unknown = || FrameError(format!("tag {place} of {known}"));
        Some(place)
            .filter(|_| usize::from(place) < known)
            .ok_or_else(unknown)
    });
    read.collect()
}

/// A list of short texts.
pub(crate) fn texts(from: &mut Reader<'_>) -> Result<Vec<String>, FrameError> {
    let count = from.u16()?;
    (0..count).map(|_| from.text().map(str::to_owned)).collect()
}
