//! Where a backtest's market comes from.

use tradewind_events::{ExternalTarget, SeriesPoint};
use tradewind_model::{Candle, MarketEvent, Ppm, Timestamp};

use crate::error::BacktestError;

/// One event of a history.
#[derive(Clone, Debug, PartialEq)]
pub enum HistoryEvent {
    /// Something the market did.
    Market(MarketEvent),
    /// A candle begins, in a market that has only candles.
    CandleStart(CandleStart),
    /// A new number of a named series.
    Number(Box<SeriesPoint>),
    /// An outside process wants a bot to hold something.
    Target(Box<ExternalTarget>),
}

/// A candle that begins now. The backtest plays its course as quotes; the closed candle is an event of its own, at its
/// end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleStart {
    /// The candle, as it will close.
    pub candle: Candle,
    /// How much worse than the candle's price a market order or a stop is filled, as a share of the price.
    pub half_spread: Ppm,
}

impl From<MarketEvent> for HistoryEvent {
    #[inline]
    fn from(event: MarketEvent) -> Self {
        Self::Market(event)
    }
}

/// A history: events in order of time, one at a time.
///
/// Times must not decrease; one that lies before its predecessor counts as the same time.
pub trait Source {
    /// The next event and when it reached the desk; `None` at the end.
    ///
    /// # Errors
    /// What is wrong with the data, with its place. The run ends there.
    fn next_event(&mut self) -> Result<Option<(Timestamp, HistoryEvent)>, BacktestError>;
}

/// Events that are there already: for tests and small histories.
impl<I, E> Source for I
where
    I: Iterator<Item = (Timestamp, E)>,
    E: Into<HistoryEvent>,
{
    #[inline]
    fn next_event(&mut self) -> Result<Option<(Timestamp, HistoryEvent)>, BacktestError> {
        Ok(self.next().map(|(at, event)| (at, event.into())))
    }
}
