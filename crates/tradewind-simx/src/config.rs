//! What can be chosen about an exchange, once, when it is built.

use serde::{Deserialize, Serialize};

use crate::fees::FeeSchedule;

/// How liquidity of the market model meets orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FillModel {
    /// The quote-book model of backtests: whatever the displayed size, the touch takes the whole order at its price.
    ///
    /// A waiting order is filled whole when the opposite touch reaches its price.
    QuoteTouch,
    /// Orders walk the visible levels and use them up until the market shows them anew; what finds nothing expires.
    ///
    /// A waiting order fills as far as the liquidity that reaches its price goes.
    #[default]
    Book,
}

/// Whether finished orders and executions can be asked for later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum History {
    /// The newest are kept: at most this many finished orders, and as many executions, for each account.
    Kept(u32),
    /// Nothing is kept: memory does not grow with the number of orders.
    Dropped,
}

/// Whether public prints are put into the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prints {
    /// Each trade, the market's and the accounts'.
    #[default]
    Reported,
    /// None; their ids are counted all the same.
    Silent,
}

/// An exchange's choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeConfig {
    /// How orders meet the market model.
    pub fill_model: FillModel,
    /// What trading costs.
    pub fees: FeeSchedule,
    /// What is remembered.
    pub history: History,
    /// What is published.
    pub prints: Prints,
}

impl Default for ExchangeConfig {
    /// A venue to trade against: book model, 0.1 % fees, 100,000 orders of history, prints.
    fn default() -> Self {
        Self {
            fill_model: FillModel::Book,
            fees: FeeSchedule::default(),
            history: History::Kept(100_000),
            prints: Prints::Reported,
        }
    }
}

impl ExchangeConfig {
    /// For a backtest: the quote-book model, no fees, nothing kept, no prints.
    #[must_use]
    pub fn backtest() -> Self {
        Self {
            fill_model: FillModel::QuoteTouch,
            fees: FeeSchedule::FREE,
            history: History::Dropped,
            prints: Prints::Silent,
        }
    }
}
