//! Recorded data as a market: files found, read once to the end so that a bad line is known before anything starts, and
//! then played line by line.
//!
//! `tradewind_data` reads tables of candles and `tradewind_simx::recorded` captures; here is which files there are. An instrument is listed if there is data of it and not otherwise; its rules are the universe's where
//! the data fits them, else as fine as the data needs.

mod files;
mod player;
mod rules;

use std::path::{Path, PathBuf};

use tradewind_data::{CandleRow, DataError, Digits, Product, counts, volume_counts};
use tradewind_model::{AssetTable, Instrument, InstrumentId, Interval, Price, Quantity, Timestamp};
use tradewind_simx::recorded::{CandleRow as PlayedCandle, CaptureSurvey};
use tradewind_simx::{Kline, KlineStore};

pub(crate) use player::RecordedSource;

/// Candles that become history instead of being played: half of them, at most this many.
const HISTORY_MAX: usize = 1_000;

/// Recorded data, read and found sound.
#[derive(Debug)]
pub struct Recording {
    captures: Vec<Capture>,
    candles: Vec<CandleSeries>,
    instruments: Vec<Instrument>,
    assets: AssetTable,
    starts_at: Timestamp,
    ends_at: Timestamp,
    notes: Vec<String>,
}

/// A capture file.
#[derive(Debug)]
struct Capture {
    path: PathBuf,
    survey: CaptureSurvey,
}

/// Candles of one instrument.
#[derive(Debug)]
struct CandleSeries {
    product: Product,
    interval: Interval,
    digits: Digits,
    rows: Vec<CandleRow>,
}

/// Why recorded data cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file system said no.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its reason.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A table that is read, but is nothing the simulated exchange plays.
    #[error("{}: it is a table of {kind}, and candles and captures are played here; `tradewind backtest --data` runs over {kind}", path.display())]
    NotPlayed {
        /// The file.
        path: PathBuf,
        /// What its rows are.
        kind: &'static str,
    },
    /// A number that its instrument cannot count.
    #[error(
        "a candle of {name} at {at} has a number too large for 64 bits with the decimals that all files of it need; play fewer of them at once, or round them to its tick and step"
    )]
    Number {
        /// The instrument.
        name: String,
        /// When the candle begins.
        at: Timestamp,
    },
    /// There is nothing to play.
    #[error("{}: no capture and no table of candles with anything to play", path.display())]
    Empty {
        /// The file or folder.
        path: PathBuf,
    },
}

impl Recording {
    /// Reads a file, or all captures and tables of candles in a folder, to the end.
    ///
    /// # Errors
    /// The first thing that is wrong, with file and line.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let mut found = files::Found::default();
        for file in files::list(path)? {
            found.read(&file)?;
        }
        let empty = || RecordingError::Empty {
            path: path.to_owned(),
        };
        let (captures, candles, notes) = found.finish();
        let (instruments, assets) = rules::instruments(&captures, &candles);
        let starts = captures
            .iter()
            .filter_map(Capture::starts_at)
            .chain(candles.iter().filter_map(CandleSeries::starts_at));
        let ends = captures
            .iter()
            .filter_map(Capture::ends_at)
            .chain(candles.iter().filter_map(CandleSeries::ends_at));
        let (starts_at, ends_at) = (
            starts.min().ok_or_else(empty)?,
            ends.max().ok_or_else(empty)?,
        );
        let found = Self {
            captures,
            candles,
            instruments,
            assets,
            starts_at,
            ends_at,
            notes,
        };
        found.check_numbers()?;
        Ok(found)
    }

    /// Whether each candle can be counted; those that are played were checked here.
    fn check_numbers(&self) -> Result<(), RecordingError> {
        for series in &self.candles {
            let Some(instrument) = self.find(&series.product.symbol()) else {
                continue;
            };
            let mut rows = series.rows.iter();
            if let Some(row) = rows.find(|row| counted(instrument, row).is_none()) {
                return Err(RecordingError::Number {
                    name: instrument.name.clone(),
                    at: row.open_time,
                });
            }
        }
        Ok(())
    }

    /// The first moment that is played: what the clock should show at the start.
    #[must_use]
    pub const fn starts_at(&self) -> Timestamp {
        self.starts_at
    }

    /// The last moment that is played. After it the market stands still.
    #[must_use]
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// The instruments there is data of.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// What was found and is not played, and why.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// A name that tells this recording from others.
    pub(crate) fn name(&self) -> String {
        let names: Vec<&str> = self
            .instruments
            .iter()
            .map(|instrument| instrument.name.as_str())
            .collect();
        format!("{} from {}", names.join(", "), self.starts_at)
    }

    pub(crate) const fn assets(&self) -> &AssetTable {
        &self.assets
    }

    /// Candles from before the start.
    pub(crate) fn kline_store(&self) -> KlineStore {
        let mut past = vec![Vec::new(); self.instruments.len()];
        for series in &self.candles {
            let Some(instrument) = self.find(&series.product.symbol()) else {
                continue;
            };
            let before = series
                .rows
                .iter()
                .take_while(|row| row.open_time < self.starts_at);
            if let Some(past) = past.get_mut(instrument.id.index()) {
                past.extend(before.filter_map(|row| kline(instrument, row)));
            }
        }
        KlineStore::with_recorded(&self.instruments, past)
    }

    /// The instrument the venue spells `symbol`.
    fn find(&self, symbol: &str) -> Option<&Instrument> {
        self.instruments.iter().find(|instrument| {
            let (base, quote) = (
                self.assets.name(instrument.base),
                self.assets.name(instrument.quote),
            );
            symbol.strip_prefix(base) == Some(quote)
        })
    }
}

impl Capture {
    fn starts_at(&self) -> Option<Timestamp> {
        self.survey
            .first
            .map(|first| player::shifted(first, self.survey.ahead_nanos))
    }

    fn ends_at(&self) -> Option<Timestamp> {
        self.survey
            .last
            .map(|last| player::shifted(last, self.survey.ahead_nanos))
    }
}

impl CandleSeries {
    fn starts_at(&self) -> Option<Timestamp> {
        let history = (self.rows.len() / 2).min(HISTORY_MAX);
        self.rows.get(history).map(|row| row.open_time)
    }

    fn ends_at(&self) -> Option<Timestamp> {
        self.rows
            .last()
            .map(|row| row.open_time + self.interval.duration())
    }
}

/// A recorded candle as a venue tells it. Its quote volume is its volume at its close; who took is not known.
fn kline(instrument: &Instrument, row: &CandleRow) -> Option<Kline> {
    let row = counted(instrument, row)?;
    let volume = row.volume.unwrap_or_default();
    Some(Kline {
        open_time: row.open_time,
        open: row.open,
        high: row.high,
        low: row.low,
        close: row.close,
        volume,
        quote_volume: instrument.notional(row.close, volume).unwrap_or_default(),
        trades: u32::from(!volume.is_zero()),
        taker_volume: Quantity::ZERO,
        taker_quote_volume: tradewind_model::Amount::ZERO,
    })
}

/// A candle in counts of its instrument. What a volume has beyond the step of quantities is cut off.
/// `None` for numbers that do not fit, which opening the recording refuses.
fn counted(instrument: &Instrument, row: &CandleRow) -> Option<PlayedCandle> {
    let price = |value| counts(value, instrument.price_decimals).map(Price);
    let volume = match row.volume {
        Some(volume) => Some(Quantity(volume_counts(
            volume,
            instrument.quantity_decimals,
        )?)),
        None => None,
    };
    Some(PlayedCandle {
        open_time: row.open_time,
        open: price(row.open)?,
        high: price(row.high)?,
        low: price(row.low)?,
        close: price(row.close)?,
        volume,
    })
}

/// Whose data it is, in a table of an exchange's instruments.
fn id(place: usize) -> InstrumentId {
    InstrumentId(u32::try_from(place).unwrap_or(u32::MAX))
}
