//! Rows of a file as they stand there: cut, read and checked one by one.

use std::path::{Path, PathBuf};

use tradewind_model::{Amount, Side};

use crate::cells::Cells;
use crate::error::{DataError, Fault};
use crate::input;
use crate::json::{JsonFault, JsonRows};
use crate::layout::{self, Layout, Taker};
use crate::lines::Lines;
use crate::number::{self, Mark, NoNumber, Written};
use crate::row::{CandleRow, Kind, QuoteRow, Row, TradeRow};
use crate::time::{self, Unit};

/// How a file is cut into rows, and what the cells are.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// `None` for JSON.
    pub(crate) separator: Option<u8>,
    pub(crate) mark: Mark,
    pub(crate) layout: Layout,
    /// Seconds that times without a zone are ahead of UTC.
    pub(crate) offset: i64,
    /// Lines before the names, which are passed over wherever they are.
    pub(crate) preamble: Vec<String>,
}

impl Shape {
    /// Whether the column of times is called one of times in UTC.
    pub(crate) fn says_utc(&self) -> bool {
        let name = self.layout.label(self.layout.time, "").to_ascii_lowercase();
        name.contains("utc") || name.contains("gmt")
    }
}

/// Cells, wherever they come from.
pub(crate) enum Source {
    Text { lines: Box<Lines>, separator: u8 },
    Json { path: PathBuf, rows: Box<JsonRows> },
}

impl Source {
    pub(crate) fn open(path: &Path, separator: Option<u8>) -> Result<Self, DataError> {
        Ok(match separator {
            Some(separator) => Self::Text {
                lines: Box::new(Lines::open(path)?),
                separator,
            },
            None => Self::Json {
                path: path.to_owned(),
                rows: Box::new(JsonRows::new(input::open(path)?)),
            },
        })
    }

    pub(crate) fn next(&mut self, cells: &mut Cells) -> Result<bool, DataError> {
        match self {
            Self::Text { lines, separator } => {
                let more = lines.advance()?;
                if more {
                    cells.cut(lines.text(), *separator);
                }
                Ok(more)
            }
            Self::Json { path, rows } => rows.next(cells).map_err(|fault| match fault {
                JsonFault::Io(error) => input::packing(path, rows.row(), error),
                JsonFault::Shape(reason) => DataError::line(path, rows.row().max(1), reason),
            }),
        }
    }

    pub(crate) fn line(&self) -> u64 {
        match self {
            Self::Text { lines, .. } => lines.number(),
            Self::Json { rows, .. } => rows.row(),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Text { lines, .. } => lines.text(),
            Self::Json { .. } => "",
        }
    }

    fn is_whole(&self) -> bool {
        match self {
            Self::Text { lines, .. } => lines.is_whole(),
            Self::Json { .. } => true,
        }
    }
}

/// How often something was met, and where first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    pub(crate) count: u64,
    pub(crate) line: u64,
}

impl Met {
    pub(crate) const fn at(&mut self, line: u64) {
        if self.count == 0 {
            self.line = line;
        }
        self.count += 1;
    }
}

/// What was met while reading that a person should know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) headers: Met,
    pub(crate) nothing: Met,
    pub(crate) floats: Met,
    pub(crate) spreadsheet: Met,
    /// The last line does not end as lines do.
    pub(crate) open_end: Met,
    pub(crate) crossed: Met,
    pub(crate) units: Vec<(Unit, u64)>,
    pub(crate) price_places: u8,
    pub(crate) quantity_places: u8,
    pub(crate) symbol: Option<String>,
}

/// The rows of a file in its own order.
pub(crate) struct RawRows {
    path: PathBuf,
    source: Source,
    pub(crate) shape: Shape,
    cells: Cells,
    pub(crate) counters: Counters,
    started: bool,
}

impl RawRows {
    pub(crate) fn open(path: &Path, shape: &Shape) -> Result<Self, DataError> {
        Ok(Self {
            path: path.to_owned(),
            source: Source::open(path, shape.separator)?,
            shape: shape.clone(),
            cells: Cells::default(),
            counters: Counters::default(),
            started: false,
        })
    }

    /// The next row and its line.
    pub(crate) fn next(&mut self) -> Result<Option<(Row, u64)>, DataError> {
        loop {
            if !self.source.next(&mut self.cells)? {
                return Ok(None);
            }
            let line = self.source.line();
            if self.is_passed_over() {
                continue;
            }
            match self.read(line) {
                Ok(Some(row)) => {
                    if !self.source.is_whole() {
                        self.counters.open_end.at(line);
                    }
                    return Ok(Some((row, line)));
                }
                Ok(None) => self.counters.nothing.at(line),
                Err(fault) if self.is_same_header() => drop(fault),
                Err(fault) => return Err(self.explained(fault).at(&self.path, line)),
            }
        }
    }

    /// A line before the names, or the names again.
    fn is_passed_over(&mut self) -> bool {
        if !self.shape.preamble.is_empty()
            && self
                .shape
                .preamble
                .iter()
                .any(|line| line == self.source.text())
        {
            return true;
        }
        // Spreadsheets leave lines of nothing but separators.
        if self.shape.separator.is_some() && self.cells.iter().all(|cell| cell.trim().is_empty()) {
            return true;
        }
        let names = &self.shape.layout.names;
        if names.is_empty() || self.shape.separator.is_none() {
            return false;
        }
        // Names begin alike only where the line is the names again, so this costs one comparison a row.
        let first = names.iter().position(|name| !name.is_empty()).unwrap_or(0);
        if self.cells.get(first) != names.get(first).map(String::as_str)
            || !self.cells.iter().eq(names.iter().map(String::as_str))
        {
            return false;
        }
        if std::mem::replace(&mut self.started, true) {
            self.counters.headers.at(self.source.line());
        }
        true
    }

    /// Names in the middle of a file that had none: passed over if they mean the columns that are read.
    fn is_same_header(&mut self) -> bool {
        if !layout::is_header(&self.cells) || self.cells.len() != self.shape.layout.width {
            return false;
        }
        let names: Vec<String> = self.cells.iter().map(str::to_owned).collect();
        let Ok(found) = layout::from_names(&names, None) else {
            return false;
        };
        let known = &self.shape.layout;
        let same = found.kind == known.kind
            && found.time == known.time
            && found.numbers.get(..4) == known.numbers.get(..4);
        if same {
            self.counters.headers.at(self.source.line());
        }
        same
    }

    fn explained(&self, fault: Fault) -> Fault {
        if !self.source.is_whole() {
            return Fault {
                reason: format!(
                    "the last line is cut off: {}, or fetch the file again",
                    fault.reason
                ),
                ..fault
            };
        }
        if layout::is_header(&self.cells) {
            return Fault::new(
                "here are names again, and they are not those the file began with; split the file here",
            );
        }
        fault
    }

    fn read(&mut self, line: u64) -> Result<Option<Row>, Fault> {
        let width = self.shape.layout.width;
        self.cells.shorten(width);
        if self.cells.len() < width {
            let missing = self.cells.len() + 1;
            return Err(Fault::new(format!(
                "there is no column {missing} of {width}; mend the line or delete it"
            )));
        }
        if self.cells.len() > width {
            let found = self.cells.len();
            return Err(Fault::new(format!(
                "there are {found} cells and {width} columns; where decimals are written with a comma, separate the cells with semicolons"
            )));
        }
        self.check_symbol()?;
        match self.shape.layout.kind {
            Kind::Candles => self.candle(line),
            Kind::Trades => self.trade(line).map(Some),
            Kind::Quotes => self.quote(line).map(Some),
            Kind::Books => Err(Fault::new(
                "books are read from recordings and the catalogue, not from tables",
            )),
            Kind::Numbers | Kind::Targets => Err(Fault::new(
                "numbers and targets are read by --series, --numbers and --targets",
            )),
        }
    }

    fn check_symbol(&mut self) -> Result<(), Fault> {
        let Some(place) = self.shape.layout.symbol else {
            return Ok(());
        };
        let found = self.cells.get(place).unwrap_or_default();
        match &self.counters.symbol {
            Some(known) if known == found => Ok(()),
            Some(known) => Err(Fault {
                column: Some(self.shape.layout.label(place, "symbol")),
                reason: format!(
                    "{found:?} comes after {known:?}; one file holds one instrument: split it"
                ),
            }),
            None => {
                self.counters.symbol = Some(found.to_owned());
                Ok(())
            }
        }
    }

    fn candle(&mut self, line: u64) -> Result<Option<Row>, Fault> {
        let [open, high, low, close, volume] = self.shape.layout.numbers;
        let is_nothing = |place: Option<usize>| {
            place
                .and_then(|place| self.cells.get(place))
                .is_none_or(number::is_nothing)
        };
        if [open, high, low, close].into_iter().all(is_nothing) {
            self.time(line)?;
            return Ok(None);
        }
        let row = CandleRow {
            open_time: self.time(line)?,
            open: self.price(line, open, "open")?,
            high: self.price(line, high, "high")?,
            low: self.price(line, low, "low")?,
            close: self.price(line, close, "close")?,
            volume: volume
                .map(|place| self.quantity(line, place, "volume"))
                .transpose()?,
        };
        if row.low > row.open.min(row.close) || row.high < row.open.max(row.close) {
            return Err(Fault::new(
                "high and low do not enclose open and close; the columns are in another order, or the line is damaged: name the columns on top, or delete it",
            ));
        }
        if row.volume.is_some_and(|volume| volume < Amount::ZERO) {
            return Err(self.fault(
                volume,
                "volume",
                "the volume is negative; delete the line, or mend it",
            ));
        }
        Ok(Some(Row::Candle(row)))
    }

    fn trade(&mut self, line: u64) -> Result<Row, Fault> {
        let [price, quantity, ..] = self.shape.layout.numbers;
        let row = TradeRow {
            at: self.time(line)?,
            price: self.price(line, price, "price")?,
            quantity: self.quantity(line, quantity.unwrap_or(usize::MAX), "quantity")?,
            id: self
                .shape
                .layout
                .id
                .and_then(|place| self.cells.get(place)?.parse().ok())
                .unwrap_or(0),
            taker: self.taker()?,
        };
        if row.quantity <= Amount::ZERO {
            return Err(self.fault(
                quantity,
                "quantity",
                "the quantity is not above zero; delete the line",
            ));
        }
        Ok(Row::Trade(row))
    }

    fn taker(&self) -> Result<Option<Side>, Fault> {
        let Some((place, kind)) = self.shape.layout.taker else {
            return Ok(None);
        };
        let text = self.cells.get(place).unwrap_or_default();
        let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        match kind {
            Taker::BuyerMaker if is(&["false", "0"]) => Ok(Some(Side::Buy)),
            Taker::BuyerMaker if is(&["true", "1"]) => Ok(Some(Side::Sell)),
            Taker::Side if is(&["buy", "b", "bid"]) => Ok(Some(Side::Buy)),
            Taker::Side if is(&["sell", "s", "ask"]) => Ok(Some(Side::Sell)),
            Taker::Side if is(&["unknown", ""]) => Ok(None),
            _ => Err(self.fault(
                Some(place),
                "side",
                &format!("{text:?} does not tell who took; known are buy and sell, true and false"),
            )),
        }
    }

    fn quote(&mut self, line: u64) -> Result<Row, Fault> {
        let [bid, ask, bid_size, ask_size, _] = self.shape.layout.numbers;
        let row = QuoteRow {
            at: self.time(line)?,
            bid: self.price(line, bid, "bid")?,
            ask: self.price(line, ask, "ask")?,
            bid_size: bid_size
                .map(|place| self.quantity(line, place, "bid size"))
                .transpose()?,
            ask_size: ask_size
                .map(|place| self.quantity(line, place, "ask size"))
                .transpose()?,
        };
        for (size, place, name) in [
            (row.bid_size, bid_size, "bid size"),
            (row.ask_size, ask_size, "ask size"),
        ] {
            if size.is_some_and(|size| size < Amount::ZERO) {
                return Err(self.fault(
                    place,
                    name,
                    "the size is negative; delete the line, or mend it",
                ));
            }
        }
        let apart = (row.ask.0 - row.bid.0).abs();
        if apart > row.bid.0 / 10 {
            return Err(self.fault(
                ask,
                "ask",
                &format!("the ask {} is more than 10 % away from the bid {}; if these are no quotes, put a line of names on top, else delete the line", row.ask, row.bid),
            ));
        }
        if row.ask < row.bid {
            self.counters.crossed.at(line);
        }
        Ok(Row::Quote(row))
    }

    fn time(&mut self, line: u64) -> Result<tradewind_model::Timestamp, Fault> {
        let layout = &self.shape.layout;
        let text = self.cells.get(layout.time).unwrap_or_default();
        let read = match layout.clock.and_then(|clock| self.cells.get(clock)) {
            Some(clock) => time::parse_two(text, clock, self.shape.offset),
            None => time::parse(text, self.shape.offset),
        };
        let (at, unit) = read.map_err(|reason| self.fault(Some(layout.time), "time", &reason))?;
        if self
            .counters
            .units
            .last()
            .is_none_or(|(last, _)| *last != unit)
            && self.counters.units.len() < 8
        {
            self.counters.units.push((unit, line));
        }
        Ok(at)
    }

    fn price(&mut self, line: u64, place: Option<usize>, name: &str) -> Result<Amount, Fault> {
        let place = place.unwrap_or(usize::MAX);
        let number = self.number(line, place, name)?;
        if number.written == Written::Spreadsheet {
            let text = self.cells.get(place).unwrap_or_default();
            return Err(self.fault(
                Some(place),
                name,
                &format!(
                    "{text:?} was rounded, as spreadsheets do; export it again with plain numbers"
                ),
            ));
        }
        if number.amount <= Amount::ZERO {
            let what = if number.amount.is_zero() {
                "the price is 0"
            } else {
                "the price is negative"
            };
            return Err(self.fault(
                Some(place),
                name,
                &format!("{what}; delete the line: a missing one is known as a hole"),
            ));
        }
        self.counters.price_places = self.counters.price_places.max(number.places);
        Ok(number.amount)
    }

    fn quantity(&mut self, line: u64, place: usize, name: &str) -> Result<Amount, Fault> {
        let number = self.number(line, place, name)?;
        self.counters.quantity_places = self.counters.quantity_places.max(number.places);
        Ok(number.amount)
    }

    fn number(&mut self, line: u64, place: usize, name: &str) -> Result<number::Number, Fault> {
        let text = self.cells.get(place).unwrap_or_default();
        let number = number::parse(text, self.shape.mark).map_err(|wrong| match wrong {
            NoNumber::Bad(reason) => self.fault(Some(place), name, &reason),
            NoNumber::Nothing => {
                let shown = if text.is_empty() { "nothing" } else { text };
                self.fault(Some(place), name, &format!("there is {shown} where a number should be; delete the line: a missing one is known as a hole"))
            }
        })?;
        match number.written {
            Written::Exact => {}
            Written::Float => self.counters.floats.at(line),
            Written::Spreadsheet => self.counters.spreadsheet.at(line),
        }
        Ok(number)
    }

    fn fault(&self, place: Option<usize>, name: &str, reason: &str) -> Fault {
        Fault {
            column: Some(place.map_or_else(
                || name.to_owned(),
                |place| self.shape.layout.label(place, name),
            )),
            reason: reason.to_owned(),
        }
    }
}
