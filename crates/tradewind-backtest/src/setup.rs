//! What a backtest is run with, besides the history.

use std::time::Duration;

use tradewind_events::{BotConfig, Configuration, Lane};
use tradewind_model::{
    AccountId, Amount, AssetId, Candle, InstrumentKind, Ppm, StopOrders, TakeProfitBy,
};
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
    /// Closed candles from before the first event, oldest first: for bots that request past ones.
    pub past: Vec<Candle>,
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

/// Lets take profits rest as pairs with stops where a bot wants them to, since the matching core keeps such pairs. The stops lie as far
/// beyond the bots' own as a desk's do by default.
pub fn rest_take_profits(configuration: &mut Configuration) {
    let wants = |bot: &BotConfig| bot.exit.take_profit_by == TakeProfitBy::Limit;
    if !configuration.bots.iter().any(wants) {
        return;
    }
    configuration.venue_stop_distance = Some(Ppm(1_250_000));
    for instrument in &mut configuration.instruments {
        instrument.stop_orders = StopOrders::Market;
        instrument.takes_pairs = true;
    }
}
