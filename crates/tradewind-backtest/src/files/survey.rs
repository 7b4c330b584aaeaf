//! The first reading of a file: its kind, its product and the decimals it needs. Every line is checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tradewind_data::{
    Catalogue, Content as Data, Digits, Hints, Kind, Lines, Product, Series, SeriesError, Span,
    Table,
};
use tradewind_model::{Interval, Timestamp};
use tradewind_simx::recorded::CaptureSurvey;

use super::FileOptions;
use crate::error::BacktestError;

/// What a file holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// A venue's streams as they were received; the recorder's clock was this far behind the venue's.
    Capture { ahead_nanos: i64 },
    /// Candles, quotes or trades.
    Table(Box<Table>),
}

/// A file, read once.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    pub(super) path: PathBuf,
    /// The venue of a file that is only read; `None` for one of what is traded.
    pub(super) venue: Option<String>,
    pub(super) product: Product,
    pub(super) content: Content,
    pub(super) digits: Digits,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) has_quotes: bool,
    pub(super) has_trades: bool,
}

impl Survey {
    /// How long its candles are, if it holds candles.
    pub(super) fn candles(&self) -> Option<Interval> {
        match &self.content {
            Content::Table(table) => table.interval,
            Content::Capture { .. } => None,
        }
    }

    /// Whether its candles begin later than the intervals do.
    pub(super) fn is_shifted(&self) -> bool {
        matches!(&self.content, Content::Table(table) if table.offset > Duration::ZERO)
    }

    /// What a person should know of it.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let table = match &self.content {
            Content::Table(table) => Some(table),
            Content::Capture { .. } => None,
        };
        let notes = table.into_iter().flat_map(|table| &table.notes);
        notes.map(|note| format!("{}: {note}", self.path.display()))
    }
}

/// Reads a file to its end.
pub(super) fn survey(path: &Path, options: &FileOptions) -> Result<Survey, BacktestError> {
    if let Some(name) = path
        .to_str()
        .and_then(|path| path.strip_prefix("catalogue:"))
    {
        return series(name, options);
    }
    let product = match options.product.as_deref() {
        None => None,
        Some(given) => {
            let unknown =
                || BacktestError::Options(format!("{given:?} is no product; name it as BTC/USDT"));
            Some(tradewind_data::product(given).ok_or_else(unknown)?)
        }
    };
    let hints = Hints {
        product,
        interval: options.interval,
        utc_offset: options.utc_offset,
        span: options.span,
    };
    match tradewind_data::open(path, &hints)? {
        Data::Empty => Err(file_error(path, "the file is empty; fetch it again")),
        Data::Capture => capture(path, options),
        Data::Table(table) => Ok(of_table(*table)),
    }
}

/// A series of the catalogue.
fn series(name: &str, options: &FileOptions) -> Result<Survey, BacktestError> {
    let refused = |reason: String| BacktestError::Options(reason);
    let series: Series = name
        .parse()
        .map_err(|error: SeriesError| refused(error.to_string()))?;
    if series.kind == Kind::Books {
        return Err(refused(format!(
            "{series} are books, which are not played; use the series @quotes and @trades"
        )));
    }
    if series.subject.product().is_none() {
        let (of, option) = (series.kind.name(), series.kind.name());
        return Err(refused(format!(
            "{series} are {of} and no prices; write --{option} for them"
        )));
    }
    let root = options.catalogue.clone();
    let root = root.ok_or_else(|| refused("there is no folder of a catalogue".to_owned()))?;
    Ok(of_table(Catalogue::new(root).table(&series, options.span)?))
}

fn of_table(table: Table) -> Survey {
    Survey {
        path: table.path.clone(),
        venue: None,
        product: table.product.clone(),
        digits: table.digits,
        first: table.first,
        last: table.ends_at(),
        has_quotes: table.kind != Kind::Trades,
        has_trades: table.kind == Kind::Trades,
        content: Content::Table(Box::new(table)),
    }
}

fn capture(path: &Path, options: &FileOptions) -> Result<Survey, BacktestError> {
    if options.span != Span::ALL {
        return Err(file_error(
            path,
            "a capture is played as a whole; leave --from and --to out",
        ));
    }
    let mut lines = Lines::open(path)?;
    let mut found = CaptureSurvey::default();
    while lines.advance()? {
        let read = found.read(lines.text());
        read.map_err(|error| lines.error(&error.to_string()))?;
    }
    let mut symbols = found.symbols.iter();
    let (Some((symbol, of)), None) = (symbols.next(), symbols.next()) else {
        return Err(file_error(
            path,
            "a capture of exactly one symbol can be played",
        ));
    };
    let product = tradewind_data::product(symbol).ok_or_else(|| {
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
        venue: None,
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

pub(super) fn file_error(path: &Path, reason: &str) -> BacktestError {
    BacktestError::File {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
