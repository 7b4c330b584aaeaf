//! The first rows of a file: what cuts it, what its columns are, which mark its decimals have, which end is the newest.

use std::io::BufRead as _;
use std::path::Path;

use crate::cells::{self, Cells};
use crate::contract;
use crate::error::{DataError, Fault};
use crate::input;
use crate::json::JsonRows;
use crate::layout::{self, Layout};
use crate::lines::Lines;
use crate::names::FileName;
use crate::number::Mark;
use crate::raw::{RawRows, Shape, Source};
use crate::row::Kind;
use crate::table::Hints;

const ROWS: usize = 200;
/// Lines before the names.
const PREAMBLE: usize = 12;
/// HistData writes Eastern Standard Time, the whole year.
const EASTERN: i64 = -5 * 3_600;

pub(crate) enum Found {
    Empty,
    Capture,
    Table(Box<Sample>),
}

/// What the first rows tell.
pub(crate) struct Sample {
    pub(crate) shape: Shape,
    pub(crate) newest_first: bool,
}

/// Reads the first rows.
pub(crate) fn take(path: &Path, hints: &Hints, name: &FileName) -> Result<Found, DataError> {
    let mut reader = input::open(path)?;
    let head = reader
        .fill_buf()
        .map_err(|error| input::packing(path, 1, error))?;
    let first = head
        .iter()
        .copied()
        .find(|byte| !byte.is_ascii_whitespace());
    let found = match first {
        Some(b'[') => json(path, JsonRows::new(reader), hints, name)?,
        _ => match text(path, Lines::over(path, reader), hints, name)? {
            Some(found) => found,
            None => return Ok(Found::Empty),
        },
    };
    let Some((mut shape, candidates)) = found else {
        return Ok(Found::Capture);
    };
    if name.liquidations {
        return Err(DataError::file(
            path,
            "these are liquidations, which are no trades of the market; use the trades of the same source",
        ));
    }
    let product = hints.product.as_ref().or(name.product.as_ref());
    contract::settle(&mut shape.layout, &name.words, product, candidates.first())
        .map_err(|reason| DataError::file(path, reason))?;
    shape.mark = mark(&shape.layout, &candidates);
    shape.offset = hints
        .utc_offset
        .map_or_else(|| offset(&shape, &candidates, name), |offset| offset.0);
    let newest_first = newest_first(path, &shape)?;
    Ok(Found::Table(Box::new(Sample {
        shape,
        newest_first,
    })))
}

type Started = Option<(Shape, Vec<Cells>)>;

fn json(path: &Path, rows: JsonRows, hints: &Hints, name: &FileName) -> Result<Started, DataError> {
    let mut source = Source::Json {
        path: path.to_owned(),
        rows: Box::new(rows),
    };
    let mut first = Vec::new();
    let mut cells = Cells::default();
    while first.len() < ROWS && source.next(&mut cells)? {
        first.push(cells.clone());
    }
    let Some(row) = first.first() else {
        return Err(DataError::file(path, "there is no row in it"));
    };
    let names = match &source {
        Source::Json { rows, .. } => rows.names().to_vec(),
        Source::Text { .. } => Vec::new(),
    };
    let product = hints.product.as_ref().or(name.product.as_ref());
    let layout = if names.is_empty() {
        layout::from_row(row).unwrap_or_else(|| Err(Fault::new("its rows are neither candles nor trades; write it as CSV with a line of names on top")))
    } else {
        layout::from_names(&names, product)
    };
    let layout = layout.map_err(|fault| fault.at(path, 1))?;
    Ok(Some((
        Shape {
            separator: None,
            mark: Mark::Point,
            layout,
            offset: 0,
            preamble: Vec::new(),
        },
        first,
    )))
}

/// `None` for an empty file, and inside that `None` for a capture.
fn text(
    path: &Path,
    mut lines: Lines,
    hints: &Hints,
    name: &FileName,
) -> Result<Option<Started>, DataError> {
    let mut preamble = Vec::new();
    let mut cells = Cells::default();
    let (separator, layout, number) = loop {
        if !lines.advance()? {
            if preamble.is_empty() {
                return Ok(None);
            }
            return Err(DataError::line(path, 1, UNKNOWN));
        }
        let line = lines.text();
        if is_frame(line) {
            return Ok(Some(None));
        }
        if line.starts_with('{') || line.starts_with('<') && !line.contains("DATE") {
            return Err(lines.error("this is no table; read are CSV, a JSON array of rows ([[time,open,high,low,close,volume],...]; jq -s . FILE > OUT.json makes one of single objects, and jq .results FILE > OUT.json takes out what an object calls results) and captures"));
        }
        if let Some(separator) = cells::separator(line) {
            cells.cut(line, separator);
            if layout::is_header(&cells) {
                let names: Vec<String> = cells.iter().map(str::to_owned).collect();
                let product = hints.product.clone().or_else(|| name.product.clone());
                let product = product.or_else(|| symbol(path, separator, &names, lines.number()));
                let layout = layout::from_names(&names, product.as_ref());
                break (separator, layout, lines.number());
            }
            if let Some(layout) = layout::from_row(&cells) {
                break (separator, layout, lines.number());
            }
        }
        let is_aside = cells::separator(line).is_none() || line.starts_with('#');
        if !is_aside || preamble.len() == PREAMBLE {
            let names =
                cells::separator(line).is_some() && !line.starts_with(|c: char| c.is_ascii_digit());
            let names = names
                .then(|| {
                    layout::from_names(&cells.iter().map(str::to_owned).collect::<Vec<_>>(), None)
                        .err()
                })
                .flatten();
            return Err(match names {
                Some(fault) => fault.at(path, lines.number()),
                None => DataError::line(path, preamble_line(&preamble, &lines), UNKNOWN),
            });
        }
        preamble.push(line.to_owned());
    };
    let layout = layout.map_err(|fault| fault.at(path, number))?;
    let mut first = Vec::new();
    if layout.names.is_empty() {
        first.push(cells.clone());
    }
    while first.len() < ROWS && lines.advance()? {
        cells.cut(lines.text(), separator);
        // yfinance has two more lines of names: the symbol in every column, and what the index is called.
        let is_name = matches!(cells.get(0), Some("Ticker" | "Date" | "Datetime"));
        if first.is_empty() && is_name && !layout.names.is_empty() && !layout::is_header(&cells) {
            preamble.push(lines.text().to_owned());
            continue;
        }
        first.push(cells.clone());
    }
    if layout.names.is_empty() && may_be_quotes(&layout, &first) {
        return Err(DataError::line(path, number, QUOTES));
    }
    let shape = Shape {
        separator: Some(separator),
        mark: Mark::Point,
        layout,
        offset: 0,
        preamble,
    };
    Ok(Some(Some((shape, first))))
}

const UNKNOWN: &str = "neither names nor a row of numbers is known here; put a line of names on top: time,open,high,low,close,volume for candles, time,price,quantity,side for trades, time,bid,ask for quotes";

const QUOTES: &str = "three columns without names are time, price and quantity, and here the third is close to the second as an ask is to its bid; put a line of names on top: time,price,quantity or time,bid,ask";

/// Whether trades of three columns without names look like quotes: everywhere the third is within 10 % of the second.
fn may_be_quotes(layout: &Layout, rows: &[Cells]) -> bool {
    let close = |row: &Cells| {
        let read = |place| {
            let text: &str = row.get(place)?;
            crate::number::parse(text, Mark::Point)
                .ok()
                .map(|number| number.amount.0)
        };
        read(1)
            .zip(read(2))
            .is_some_and(|(price, other)| (price - other).abs() <= price.abs() / 10)
    };
    layout.kind == Kind::Trades && layout.width == 3 && !rows.is_empty() && rows.iter().all(close)
}

fn preamble_line(preamble: &[String], lines: &Lines) -> u64 {
    if preamble.is_empty() {
        lines.number()
    } else {
        1
    }
}

/// A line of a capture: nanoseconds, a space, a frame.
fn is_frame(line: &str) -> bool {
    let Some((nanos, frame)) = line.split_once(' ') else {
        return false;
    };
    nanos.bytes().all(|byte| byte.is_ascii_digit()) && frame.trim_start().starts_with('{')
}

/// What the first row says it is of, where only that tells which column of volumes is meant.
fn symbol(
    path: &Path,
    separator: u8,
    names: &[String],
    header: u64,
) -> Option<crate::product::Product> {
    let layout = layout::from_names(names, None).ok()?;
    let mut lines = Lines::open(path).ok()?;
    while lines.number() <= header {
        lines.advance().ok().filter(|more| *more)?;
    }
    let mut cells = Cells::default();
    cells.cut(lines.text(), separator);
    crate::names::product(cells.get(layout.symbol?)?)
}

/// A comma before the decimals shows where a number has one comma and not three digits after it.
fn mark(layout: &Layout, rows: &[Cells]) -> Mark {
    let is_decimal = |text: &str| {
        let mut parts = text.split(',');
        let (Some(whole), Some(after), None) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits(whole.trim_start_matches('-')) && digits(after) && (after.len() != 3 || whole == "0")
    };
    let cells = || {
        rows.iter().flat_map(|row| {
            layout
                .numbers
                .iter()
                .flatten()
                .filter_map(|place| row.get(*place))
        })
    };
    let has_point = cells().any(|cell| cell.contains('.'));
    if !has_point && cells().any(is_decimal) {
        Mark::Comma
    } else {
        Mark::Point
    }
}

/// HistData's tables have no zone and are known by their form: `20241001 000000` without names.
fn offset(shape: &Shape, rows: &[Cells], name: &FileName) -> i64 {
    let form = shape.layout.names.is_empty()
        && rows
            .first()
            .and_then(|row| row.get(shape.layout.time))
            .is_some_and(crate::time::is_compact)
        && (shape.separator == Some(b';') || shape.layout.kind == Kind::Quotes);
    if form || name.histdata { EASTERN } else { 0 }
}

fn newest_first(path: &Path, shape: &Shape) -> Result<bool, DataError> {
    let mut rows = RawRows::open(path, shape)?;
    let mut before = None;
    for _ in 0..ROWS {
        let Some((row, _)) = rows.next()? else { break };
        if let Some(before) = before.replace(row.at())
            && before != row.at()
        {
            // Ticks that come a little late are no order.
            let apart = before.since(row.at());
            return Ok(before > row.at()
                && (shape.layout.kind == Kind::Candles
                    || apart.as_secs() >= 5
                    || all_fall(path, shape)?));
        }
    }
    Ok(false)
}

/// Whether the first rows never go forward.
fn all_fall(path: &Path, shape: &Shape) -> Result<bool, DataError> {
    let mut rows = RawRows::open(path, shape)?;
    let mut before = None;
    for _ in 0..ROWS {
        let Some((row, _)) = rows.next()? else { break };
        if before.is_some_and(|before| before < row.at()) {
            return Ok(false);
        }
        before = Some(row.at());
    }
    Ok(true)
}
