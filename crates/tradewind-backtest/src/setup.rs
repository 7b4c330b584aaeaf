//! What a backtest is run with, besides the history.

use std::time::Duration;

use tradewind_events::{Configuration, Lane};
use tradewind_model::{AccountId, Amount, AssetId, InstrumentKind};
use tradewind_simx::ExchangeConfig;

use crate::error::BacktestError;

/// The desk, the exchange, and the way between them.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The desk: accounts, instruments, bots and limits, exactly as it would trade.
    pub configuration: Configuration,
    /// What each account starts with.
    pub balances: Vec<(AccountId, AssetId, Amount)>,
    /// How orders are filled and what that costs.
    pub exchange: ExchangeConfig,
    /// How long messages take.
    pub latency: Latency,
    /// How many of the newest fills the report keeps.
    pub fills_kept: usize,
}

/// How long messages take between the desk and the exchange. Zero both ways by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// From the decision until the exchange has the order.
    pub request: Duration,
    /// From an event at the exchange until its report reaches the desk.
    pub report: Duration,
}

impl Latency {
    pub(crate) const fn is_zero(&self) -> bool {
        self.request.is_zero() && self.report.is_zero()
    }
}

impl Setup {
    /// Fills a report keeps by default.
    pub const FILLS_KEPT: usize = 1_000;

    /// Checks what can be checked before the first input, and puts every strategy into the engine's own lane: under a
    /// virtual clock no answer is late.
    pub(crate) fn checked(mut self) -> Result<Self, BacktestError> {
        for instrument in &self.configuration.instruments {
            if instrument.kind != InstrumentKind::Spot {
                return Err(BacktestError::NotSpot {
                    name: instrument.name.clone(),
                    kind: instrument.kind,
                });
            }
        }
        for bot in &mut self.configuration.bots {
            bot.lane = Lane::Inline;
        }
        Ok(self)
    }
}
