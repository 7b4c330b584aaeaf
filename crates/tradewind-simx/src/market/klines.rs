//! Candles with everything a venue tells about them, folded from prints.

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, Instrument, InstrumentId, Interval, Price, Quantity, Timestamp, Trade};

/// A candle as a venue publishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kline {
    /// Start of the interval.
    pub open_time: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Base quantity traded.
    pub volume: Quantity,
    /// Its worth in the quote asset.
    pub quote_volume: Amount,
    /// Number of prints.
    pub trades: u32,
    /// Part of the volume whose taker bought.
    pub taker_volume: Quantity,
    /// Its worth in the quote asset.
    pub taker_quote_volume: Amount,
}

/// Every instrument's minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KlineStore {
    instruments: Vec<Instrument>,
}

impl KlineStore {
    /// A store without history.
    #[must_use]
    pub fn new(instruments: &[Instrument]) -> Self {
        Self { instruments: instruments.to_vec() }
    }

    /// Counts one print; prints come in order of time.
    pub fn record(&mut self, _at: Timestamp, _print: &Trade) {}

    /// The newest `limit` candles that start at or after `from` (if given, then the oldest from there) and at or before
    /// `to`, oldest first, the open one included. Intervals without a print are flat.
    #[must_use]
    pub fn klines(
        &mut self,
        _instrument: InstrumentId,
        _interval: Interval,
        _from: Option<Timestamp>,
        _to: Option<Timestamp>,
        _limit: usize,
    ) -> Vec<Kline> {
        Vec::new()
    }
}
