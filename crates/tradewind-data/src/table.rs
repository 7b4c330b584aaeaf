//! A file of market data, read once to its end: what it is, that every line of it is sound, and what a person should know.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tradewind_model::{Amount, Interval, Timestamp};

use crate::catalogue::{CatalogueRows, CatalogueSource, Span};
use crate::error::DataError;
use crate::interval;
use crate::names;
use crate::order::{FileRows, Mended};
use crate::product::Product;
use crate::raw::{Counters, Shape};
use crate::row::{Kind, Row};
use crate::sample;
use crate::time::Unit;

/// What is known of a file besides its name and content.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// What it is of; wins over its name.
    pub product: Option<Product>,
    /// How long its candles are; wins over its name.
    pub interval: Option<Interval>,
    /// How far its times without a zone are ahead of UTC, as `+02:00`; UTC if it is not given.
    pub utc_offset: Option<UtcOffset>,
    /// Which of its rows are wanted. All of them are checked.
    pub span: Span,
}

/// How far a clock is ahead of UTC, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UtcOffset(pub i64);

impl std::str::FromStr for UtcOffset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        crate::time::offset(text)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no offset such as +02:00 or -05:00"))
    }
}

/// What a file is.
#[derive(Debug)]
pub enum Content {
    /// There is nothing in it.
    Empty,
    /// Frames of a venue as they were received; the caller reads its [`Lines`](crate::Lines).
    Capture,
    /// Candles, trades or quotes.
    Table(Box<Table>),
}

/// Digits after the point that prices and quantities need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digits {
    /// Of prices.
    pub price: u8,
    /// Of volumes, quantities and sizes.
    pub quantity: u8,
}

/// Candles that are not there between the first and the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holes {
    /// How many candles are missing.
    pub candles: u64,
    /// In how many places.
    pub places: u64,
    /// The first one that is missing.
    pub first: Option<Timestamp>,
}

/// A table of candles, trades or quotes, every line of it sound.
#[derive(Clone, Debug)]
pub struct Table {
    /// The file.
    pub path: PathBuf,
    /// What its rows are.
    pub kind: Kind,
    /// What it is of.
    pub product: Product,
    /// How long its candles are.
    pub interval: Option<Interval>,
    /// How far its candles begin after the interval does; not zero for days only, as some markets' do.
    pub offset: Duration,
    /// How many rows are read.
    pub rows: u64,
    /// When the first row is.
    pub first: Timestamp,
    /// When the last one is; a candle's start.
    pub last: Timestamp,
    /// Decimals that it needs.
    pub digits: Digits,
    /// The largest price in it.
    pub price_max: Amount,
    /// What is missing.
    pub holes: Holes,
    /// What a person should know: what was passed over, put in order, or supposed.
    pub notes: Vec<String>,
    pub(crate) source: Source,
    pub(crate) span: Span,
}

/// Where the rows of a table are.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    File {
        shape: Box<Shape>,
        newest_first: bool,
    },
    Catalogue(CatalogueSource),
}

impl Holes {
    /// Counts what is missing between two candles.
    pub(crate) fn step(&mut self, before: Timestamp, at: Timestamp, length: Interval) {
        let nanos = i64::try_from(length.duration().as_nanos()).unwrap_or(i64::MAX);
        let missing = (at.as_nanos() - before.as_nanos()) / nanos - 1;
        if missing > 0 {
            self.places += 1;
            self.candles += u64::try_from(missing).unwrap_or(0);
            self.first.get_or_insert(before + length.duration());
        }
    }

    /// In words, if there are any.
    pub(crate) fn note(&self) -> Option<String> {
        let first = self.first?;
        let Self {
            candles, places, ..
        } = self;
        Some(format!(
            "candles missing: {candles}, in {places} holes, the first at {first}; nothing is put in their place"
        ))
    }
}

/// Reads a file to its end.
///
/// # Errors
/// The first thing that is wrong with it, with line, column and cure.
pub fn open(path: &Path, hints: &Hints) -> Result<Content, DataError> {
    let name = names::parse(path);
    let found = match sample::take(path, hints, &name)? {
        sample::Found::Empty => return Ok(Content::Empty),
        sample::Found::Capture => return Ok(Content::Capture),
        sample::Found::Table(found) => found,
    };
    let mut rows = FileRows::open(path, &found.shape, found.newest_first)?;
    let mut mended = Mended::default();
    let mut steps = interval::Steps::default();
    let mut grid = hints.interval.or(name.interval).map(interval::Grid::new);
    let mut span: Option<(Timestamp, Timestamp)> = None;
    let (mut count, mut price_max) = (0, Amount::ZERO);
    while let Some((row, line)) = rows.next_row(&mut mended)? {
        let at = row.at();
        if hints.span.holds(at) {
            count += 1;
            span = Some((span.map_or(at, |(first, _)| first), at));
        }
        if let Row::Candle(_) = row {
            steps.add(at, line);
            if let Some(grid) = &mut grid {
                grid.add(at, line);
            }
        }
        price_max = price_max.max(row.largest());
    }
    let (first, last) = span.ok_or_else(|| {
        let when = if hints.span == Span::ALL {
            ""
        } else {
            " in that time"
        };
        DataError::file(path, format!("there is no row in it{when}"))
    })?;
    let kind = found.shape.layout.kind;
    let counters = rows.counters();
    let mut notes = notes(counters, &mended, found.newest_first, &found.shape);
    let product = product(path, hints, &name, counters, &mut notes)?;
    let digits = Digits {
        price: counters.price_places,
        quantity: counters.quantity_places,
    };
    check_digits(path, kind, digits, price_max)?;
    let mut table = Table {
        path: path.to_owned(),
        kind,
        product,
        interval: None,
        offset: Duration::ZERO,
        rows: count,
        first,
        last,
        digits,
        price_max,
        holes: Holes::default(),
        notes,
        source: Source::File {
            shape: Box::new(found.shape),
            newest_first: found.newest_first,
        },
        span: hints.span,
    };
    if kind == Kind::Candles {
        let length = interval::decide(path, &steps, hints.interval, &name)?;
        table.interval = Some(length);
        let grid = match grid.filter(|grid| grid.length == length) {
            Some(grid) => grid,
            None => interval::Grid::of(table.file_rows()?, length)?,
        };
        (table.holes, table.offset) = grid.judge(path)?;
        table.notes.extend(table.holes.note());
        if !table.offset.is_zero() {
            table.notes.push(format!(
                "the candles begin {} s after midnight UTC",
                table.offset.as_secs()
            ));
        }
    }
    Ok(Content::Table(Box::new(table)))
}

impl Table {
    /// Its rows, oldest first, read as they are needed.
    ///
    /// # Errors
    /// It cannot be opened again.
    pub fn rows(&self) -> Result<Rows, DataError> {
        let rows = match &self.source {
            Source::File {
                shape,
                newest_first,
            } => Inner::File(Box::new(FileRows::open(&self.path, shape, *newest_first)?)),
            Source::Catalogue(source) => Inner::Catalogue(Box::new(source.rows())),
        };
        Ok(Rows {
            rows,
            span: self.span,
            ended: false,
        })
    }

    fn file_rows(&self) -> Result<FileRows, DataError> {
        match &self.source {
            Source::File {
                shape,
                newest_first,
            } => FileRows::open(&self.path, shape, *newest_first),
            Source::Catalogue(_) => Err(DataError::file(&self.path, "it is no file")),
        }
    }

    /// A table of the catalogue, if its numbers can be counted.
    pub(crate) fn of_catalogue(self) -> Result<Self, DataError> {
        check_digits(&self.path, self.kind, self.digits, self.price_max)?;
        Ok(self)
    }

    /// The end of the last candle, or when the last row is.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.last + self.interval.map_or(Duration::ZERO, Interval::duration)
    }
}

/// The rows of a table, oldest first.
#[derive(Debug)]
pub struct Rows {
    rows: Inner,
    span: Span,
    ended: bool,
}

#[derive(Debug)]
enum Inner {
    File(Box<FileRows>),
    Catalogue(Box<CatalogueRows>),
}

impl Rows {
    /// The next row, and its line where it stands in one.
    pub(crate) fn next_row(
        &mut self,
        mended: &mut Mended,
    ) -> Result<Option<(Row, u64)>, DataError> {
        loop {
            let next = match &mut self.rows {
                Inner::File(rows) => rows.next_row(mended)?,
                Inner::Catalogue(rows) => rows.next().transpose()?.map(|row| (row, 0)),
            };
            match next {
                Some((row, _)) if row.at() < self.span.from => {}
                Some((row, _)) if row.at() >= self.span.to => return Ok(None),
                next => return Ok(next),
            }
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_row(&mut Mended::default());
        self.ended = !matches!(next, Ok(Some(_)));
        next.map(|found| found.map(|(row, _)| row)).transpose()
    }
}

/// Prices and quantities are counts of 64 bits, and 10^-18 is the smallest unit of their product.
fn check_digits(
    path: &Path,
    kind: Kind,
    digits: Digits,
    price_max: Amount,
) -> Result<(), DataError> {
    let Digits { price, quantity } = digits;
    let unit = 10_i128.pow(u32::from(Amount::DECIMALS.saturating_sub(price)));
    if price_max.0 / unit > i128::from(i64::MAX) / 1_000 {
        return Err(DataError::file(
            path,
            format!(
                "a price as large as {price_max} with {price} decimals in the same file cannot be held exactly; round the file's prices to the market's tick"
            ),
        ));
    }
    // A candle's volume may be finer than the step of orders; a trade's quantity and a quote's size may not.
    let quantity = if kind == Kind::Candles { 0 } else { quantity };
    if price + quantity > Amount::DECIMALS {
        return Err(DataError::file(
            path,
            format!(
                "prices with {price} decimals and quantities with {quantity} are together finer than 18 decimals, which cannot be held exactly; round the file to the market's tick and step"
            ),
        ));
    }
    Ok(())
}

/// What a file is of: what is given, else its name, else its rows.
fn product(
    path: &Path,
    hints: &Hints,
    name: &names::FileName,
    counters: &Counters,
    notes: &mut Vec<String>,
) -> Result<Product, DataError> {
    let symbol = counters.symbol.as_deref().and_then(names::product);
    let known = hints.product.clone().or_else(|| name.product.clone());
    if let (Some(known), Some(symbol)) = (&known, &symbol)
        && known != symbol
    {
        notes.push(format!(
            "its rows say {} and it is read as {}/{}",
            symbol.symbol(),
            known.base(),
            known.quote()
        ));
    }
    known.or(symbol).ok_or_else(|| {
        DataError::file(path, "neither its name nor a column tells what it is of; call it BTC_USDT-1m.csv, or say --product BTC/USDT where a command has it")
    })
}

fn notes(counters: &Counters, mended: &Mended, newest_first: bool, shape: &Shape) -> Vec<String> {
    let mut notes: Vec<String> = shape.layout.notes.clone();
    if newest_first {
        notes.push("the newest row is the first; the rows are turned round".to_owned());
    }
    let counted = [
        (counters.headers, "lines with the names again, passed over"),
        (
            counters.nothing,
            "rows without prices, passed over as holes",
        ),
        (
            mended.twins,
            "rows that stand twice, word for word, and count once",
        ),
        (
            mended.late,
            "rows up to five seconds late, put in their place",
        ),
        (
            counters.floats,
            "numbers with the noise of a float, read with 15 significant digits",
        ),
        (
            counters.spreadsheet,
            "volumes or sizes with an exponent as spreadsheets write it, which hides digits they had",
        ),
        (counters.crossed, "rows whose ask is below the bid, kept"),
    ];
    for (met, what) in counted {
        if met.count > 0 {
            notes.push(format!(
                "{what}: {}, the first in line {}",
                met.count, met.line
            ));
        }
    }
    if let Some(((before, _), (after, line))) = counters.units.first().zip(counters.units.get(1)) {
        notes.push(format!(
            "times are {} and from line {line} on {}",
            before.name(),
            after.name()
        ));
    }
    if counters.open_end.count > 0 {
        notes.push(format!(
            "the last line, {}, does not end; if the file was cut off there, its last number is wrong",
            counters.open_end.line
        ));
    }
    let is_naive = counters.units.iter().any(|(unit, _)| *unit == Unit::Naive);
    if shape.offset == 0 && is_naive && !shape.says_utc() {
        notes.push("times have no zone and are taken as UTC; --utc-offset changes it".to_owned());
    }
    if shape.offset != 0 {
        let (sign, seconds) = (if shape.offset < 0 { '-' } else { '+' }, shape.offset.abs());
        notes.push(format!(
            "times have no zone and are taken as UTC{sign}{:02}:{:02}",
            seconds / 3_600,
            seconds / 60 % 60
        ));
    }
    notes
}
