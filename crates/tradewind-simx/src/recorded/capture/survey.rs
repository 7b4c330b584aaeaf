//! The first reading of a capture: what there is in it, and how far its recorder's clock was behind the venue's.

use std::collections::BTreeMap;

use tradewind_model::Timestamp;

use super::super::LineError;
use super::{Kind, Line, PLACES, raw_levels, read};

/// What a first reading of a capture tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureSurvey {
    /// What there is of each symbol.
    pub symbols: BTreeMap<String, SymbolSurvey>,
    /// When the first line was received.
    pub first: Option<Timestamp>,
    /// When the last line was received.
    pub last: Option<Timestamp>,
    /// How far the venue's clock was ahead of the recorder's, in nanoseconds, less the shortest way between them.
    pub ahead_nanos: Option<i64>,
}

/// What there is of one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SymbolSurvey {
    /// Digits after the point that its prices need.
    pub price_decimals: u8,
    /// Digits after the point that its quantities need.
    pub quantity_decimals: u8,
    /// Best bids and asks.
    pub quotes: u64,
    /// Trades.
    pub trades: u64,
    /// Diffs of the book.
    pub diffs: u64,
    /// Best levels of the book, whole.
    pub tops: u64,
}

impl CaptureSurvey {
    /// Reads one line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&mut self, line: &str) -> Result<(), LineError> {
        let line = read(line)?;
        self.first = self.first.or(Some(line.received_at));
        self.last = self.last.max(Some(line.received_at));
        if line.kind == Kind::Snapshot {
            raw_levels(&line.data, "bids")?;
            raw_levels(&line.data, "asks")?;
        }
        let Some(symbol) = &line.symbol else {
            return Ok(());
        };
        let survey = match self.symbols.get_mut(&**symbol) {
            Some(survey) => survey,
            None => self.symbols.entry(symbol.clone().into_owned()).or_default(),
        };
        survey.read(&line)?;
        if matches!(line.kind, Kind::Trade | Kind::Diff) {
            let stamp = Timestamp::from_millis(line.data.integer("E")?);
            let ahead = stamp.as_nanos().saturating_sub(line.received_at.as_nanos());
            self.ahead_nanos = self.ahead_nanos.max(Some(ahead));
        }
        Ok(())
    }
}

impl SymbolSurvey {
    fn read(&mut self, line: &Line<'_>) -> Result<(), LineError> {
        let (prices, quantities): (&[&str], &[&str]) = match line.kind {
            Kind::BookTicker => (&["b", "a"], &["B", "A"]),
            Kind::Trade => (&["p"], &["q"]),
            Kind::Diff | Kind::Top | Kind::Snapshot | Kind::Other => (&[], &[]),
        };
        for name in prices {
            self.price_decimals = self.price_decimals.max(decimals(line.data.text(name)?)?);
        }
        for name in quantities {
            self.quantity_decimals = self.quantity_decimals.max(decimals(line.data.text(name)?)?);
        }
        match line.kind {
            Kind::BookTicker => self.quotes += 1,
            Kind::Trade => self.trades += 1,
            Kind::Diff => {
                raw_levels(&line.data, "b")?;
                raw_levels(&line.data, "a")?;
                self.diffs += 1;
            }
            Kind::Top => {
                for side in ["bids", "asks"] {
                    for (price, quantity) in raw_levels(&line.data, side)? {
                        self.price_decimals = self.price_decimals.max(places(price)?);
                        self.quantity_decimals = self.quantity_decimals.max(places(quantity)?);
                    }
                }
                self.tops += 1;
            }
            Kind::Snapshot | Kind::Other => {}
        }
        Ok(())
    }
}

/// Digits after the point, zeros at the end apart.
fn decimals(text: &str) -> Result<u8, LineError> {
    let fraction = text
        .split_once('.')
        .map_or("", |(_, fraction)| fraction)
        .trim_end_matches('0');
    u8::try_from(fraction.len())
        .ok()
        .filter(|places| *places <= 9)
        .ok_or_else(|| LineError::new(format!("{text:?} has too many decimals")))
}

/// Digits after the point of a count of 10^-18.
fn places(mut count: i128) -> Result<u8, LineError> {
    let mut places = PLACES;
    while places > 0 && count % 10 == 0 {
        (count, places) = (count / 10, places - 1);
    }
    let few = Some(places).filter(|places| *places <= 9);
    few.ok_or_else(|| LineError::new("a level has too many decimals"))
}
