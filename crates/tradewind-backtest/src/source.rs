//! Where a backtest's market comes from.

use tradewind_model::{MarketEvent, Timestamp};

use crate::error::BacktestError;

/// A history: market events in order of time, one at a time.
///
/// Times must not decrease; one that lies before its predecessor counts as the same time.
pub trait Source {
    /// The next event and when it reached the desk; `None` at the end.
    ///
    /// # Errors
    /// What is wrong with the data, with its place. The run ends there.
    fn next_event(&mut self) -> Result<Option<(Timestamp, MarketEvent)>, BacktestError>;
}

/// Events that are there already: for tests and small histories.
impl<I: Iterator<Item = (Timestamp, MarketEvent)>> Source for I {
    fn next_event(&mut self) -> Result<Option<(Timestamp, MarketEvent)>, BacktestError> {
        Ok(self.next())
    }
}
