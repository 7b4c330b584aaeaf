//! Inputs on their way from the queues to the engine.

use std::collections::VecDeque;

use tradewind_events::Input;
use tradewind_model::{Depth, Quote};

/// Inputs that were taken out of the queues together, in the order in which they are handled.
///
/// One turn handles all of `control` and a slice of `market`; books and quotes follow once `market` is empty. The rest
/// stays for the next turn.
#[derive(Debug, Default)]
pub struct Batch {
    /// Reports, accounts, commands, evaluations and rare inputs of the desk itself, oldest first.
    pub control: VecDeque<Input>,
    /// Trades and candles that a full queue has dropped; they came after those in `market`.
    pub market_lost: u64,
    /// Trades, closed candles and feed health in the order in which they came.
    pub market: VecDeque<Input>,
    /// At most one book per instrument: the latest.
    pub depths: Vec<Box<Depth>>,
    /// At most one quote per instrument: the latest.
    pub quotes: Vec<Quote>,
}

impl Batch {
    /// Whether nothing is left in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.control.is_empty() && self.is_market_empty()
    }

    /// Whether no market data is left in it.
    #[must_use]
    pub fn is_market_empty(&self) -> bool {
        self.market.is_empty()
            && self.market_lost == 0
            && self.depths.is_empty()
            && self.quotes.is_empty()
    }
}
