//! The first reading of a file: its kind, its product and the decimals it needs. Every line is checked.

use std::path::{Path, PathBuf};

use tradewind_model::{Interval, Timestamp};
use tradewind_simx::recorded::{CandleTable, CaptureSurvey, Product, QuoteTable, TradeTable};

use super::FileOptions;
use super::lines::Lines;
use super::names;
use crate::error::BacktestError;

/// Digits after the point that prices and quantities need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digits {
    pub(super) price: u8,
    pub(super) quantity: u8,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A venue's streams as they were received; the recorder's clock was this far behind the venue's.
    Capture { ahead_nanos: i64 },
    /// Candles of one length; the flag says whether the first line is one.
    Candles {
        table: CandleTable,
        interval: Interval,
        headless: bool,
    },
    /// Quotes.
    Quotes(QuoteTable),
    /// Trades.
    Trades(TradeTable),
}

/// A file, read once.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    pub(super) path: PathBuf,
    pub(super) product: Product,
    pub(super) content: Content,
    pub(super) digits: Digits,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) has_quotes: bool,
    pub(super) has_trades: bool,
}

/// Reads a file to its end.
pub(super) fn survey(path: &Path, options: &FileOptions) -> Result<Survey, BacktestError> {
    let mut lines = Lines::open(path)?;
    if !lines.advance()? {
        return Err(file_error(path, "the file is empty"));
    }
    let first = lines.text().to_owned();
    if first.contains('{') {
        return capture(path, lines);
    }
    let (named, length) = names::parse(path);
    let given = options.product.as_deref().map(names::product);
    let product = given.unwrap_or(named).ok_or_else(|| {
        file_error(
            path,
            "its name does not tell what it is of; name it, as BTC/USDT",
        )
    })?;
    let span = Span::default();
    if let Some(table) = QuoteTable::first_line(&first) {
        let content = Content::Quotes(table);
        return rest(path, lines, product, content, span, |lines, span| {
            let row = lines.judge(table.row(lines.text()))?;
            span.add(row.at, &[row.bid, row.ask], &[row.bid_size, row.ask_size]);
            Ok(())
        });
    }
    if let Some(table) = TradeTable::first_line(&first) {
        let content = Content::Trades(table);
        return rest(path, lines, product, content, span, |lines, span| {
            let row = lines.judge(table.row(lines.text()))?;
            span.add(row.at, &[row.price], &[Some(row.quantity)]);
            Ok(())
        });
    }
    candles(path, lines, product, options.interval.or(length))
}

/// Reads what is left of a table.
fn rest(
    path: &Path,
    mut lines: Lines,
    product: Product,
    content: Content,
    mut span: Span,
    mut read: impl FnMut(&Lines, &mut Span) -> Result<(), BacktestError>,
) -> Result<Survey, BacktestError> {
    while lines.advance()? {
        read(&lines, &mut span)?;
    }
    let (first, last) = span
        .times
        .ok_or_else(|| file_error(path, "there is no row in it"))?;
    Ok(Survey {
        path: path.to_owned(),
        product,
        content,
        digits: span.digits,
        first,
        last,
        has_quotes: !matches!(content, Content::Trades(_)),
        has_trades: matches!(content, Content::Trades(_)),
    })
}

fn candles(
    path: &Path,
    lines: Lines,
    product: Product,
    interval: Option<Interval>,
) -> Result<Survey, BacktestError> {
    let (table, headless) = lines.judge(CandleTable::first_line(lines.text()))?;
    let mut span = Span::default();
    let mut before: Option<Timestamp> = None;
    let mut shortest: Option<i64> = None;
    let mut read = |lines: &Lines, span: &mut Span| {
        let row = lines.judge(table.row(lines.text()))?;
        if let Some(before) = before.replace(row.open_time) {
            if before >= row.open_time {
                return Err(lines.error("the candle is not later than the one before it"));
            }
            let step = row.open_time.as_nanos() - before.as_nanos();
            shortest = Some(shortest.map_or(step, |known| known.min(step)));
        }
        let prices = [row.open, row.high, row.low, row.close];
        span.add(row.open_time, &prices, &[row.volume]);
        Ok(())
    };
    if headless {
        read(&lines, &mut span)?;
    }
    // The interval follows from the rows only once all of them are read.
    let content = Content::Candles {
        table,
        interval: Interval::Minute1,
        headless,
    };
    let mut survey = rest(path, lines, product, content, span, read)?;
    let by_rows = Interval::all()
        .find(|interval| shortest == i64::try_from(interval.duration().as_nanos()).ok());
    let interval = interval.or(by_rows).ok_or_else(|| {
        file_error(
            path,
            "neither its name nor its rows tell how long its candles are",
        )
    })?;
    survey.content = Content::Candles {
        table,
        interval,
        headless,
    };
    survey.last = survey.last + interval.duration();
    Ok(survey)
}

fn capture(path: &Path, mut lines: Lines) -> Result<Survey, BacktestError> {
    let mut found = CaptureSurvey::default();
    loop {
        lines.judge(found.read(lines.text()))?;
        if !lines.advance()? {
            break;
        }
    }
    let mut symbols = found.symbols.iter();
    let (Some((symbol, of)), None) = (symbols.next(), symbols.next()) else {
        return Err(file_error(
            path,
            "a capture of exactly one symbol can be played",
        ));
    };
    let product = names::product(symbol).ok_or_else(|| {
        file_error(
            path,
            &format!("{symbol:?} is no symbol of two known assets"),
        )
    })?;
    let (Some(first), Some(last)) = (found.first, found.last) else {
        return Err(file_error(path, "there is nothing in it"));
    };
    let digits = Digits {
        price: of.price_decimals,
        quantity: of.quantity_decimals,
    };
    Ok(Survey {
        path: path.to_owned(),
        product,
        content: Content::Capture {
            ahead_nanos: found.ahead_nanos.unwrap_or(0),
        },
        digits,
        first,
        last,
        has_quotes: of.quotes > 0,
        has_trades: of.trades > 0,
    })
}

/// Times and digits of the rows so far.
#[derive(Debug, Default)]
struct Span {
    times: Option<(Timestamp, Timestamp)>,
    digits: Digits,
}

impl Span {
    fn add(&mut self, at: Timestamp, prices: &[i64], quantities: &[Option<i64>]) {
        let (first, last) = self.times.unwrap_or((at, at));
        self.times = Some((first.min(at), last.max(at)));
        let most = |known: u8, value: i64| known.max(places(value));
        let digits = &mut self.digits;
        digits.price = prices.iter().copied().fold(digits.price, most);
        let quantities = quantities.iter().flatten().copied();
        digits.quantity = quantities.fold(digits.quantity, most);
    }
}

/// Digits after the point of a count of 10^-8, zeros at the end apart.
fn places(value: i64) -> u8 {
    let (mut rest, mut places) = (value, 8);
    while places > 0 && rest % 10 == 0 {
        rest /= 10;
        places -= 1;
    }
    places
}

pub(super) fn file_error(path: &Path, reason: &str) -> BacktestError {
    BacktestError::File {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// A count of 10^-8 as a count of 10^-`decimals`.
pub(super) const fn counts(value: i64, decimals: u8) -> i64 {
    value / 10_i64.pow(8_u32.saturating_sub(decimals as u32))
}
