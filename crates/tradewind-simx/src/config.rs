//! What can be chosen about an exchange, once, when it is built.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, Ppm, Side};

use crate::fees::{FeeAsset, FeeSchedule};
use crate::trigger::Bips;

/// How liquidity of the market model meets orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FillModel {
    /// The quote-book model of backtests: whatever the displayed size, the touch takes the whole order at its price.
    ///
    /// A waiting order is filled whole when the opposite touch reaches its price.
    QuoteTouch,
    /// Orders walk the visible levels and use them up until the market shows them anew; what finds nothing expires.
    ///
    /// A waiting order fills as far as the liquidity that reaches its price goes, after what was in line before it: its
    /// place is estimated from the size shown when it came, and only shortened by what trades or vanishes there.
    #[default]
    Book,
    /// As [`Book`](Self::Book), but a waiting order believes that it stands behind everybody: a trade at its own price
    /// never reaches it, only one beyond it, or the opposite touch. The most careful guess for recorded data.
    TradeThrough,
}

impl FillModel {
    /// All models with the names they are chosen by.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("touch", Self::QuoteTouch),
        ("queue", Self::Book),
        ("trade-through", Self::TradeThrough),
    ];
}

impl fmt::Display for FillModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(_, model)| model == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

impl FromStr for FillModel {
    type Err = UnknownFillModel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::NAMES.iter().find(|(name, _)| *name == text);
        named.map(|(_, model)| *model).ok_or(UnknownFillModel)
    }
}

/// A text that names no fill model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are the fill models touch, queue and trade-through")]
pub struct UnknownFillModel;

/// Finished orders, and as many executions, that an account keeps unless another number is chosen.
pub const HISTORY: u32 = 100_000;

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

/// Prices a limit order may name, as shares of the average price; [`Ppm::ZERO`] is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBand {
    /// At most this many times the average.
    pub up: Ppm,
    /// At least this share of the average.
    pub down: Ppm,
}

/// What the venue limits beyond an [`Instrument`](tradewind_model::Instrument)'s own rules, the same for every instrument.
/// Zero is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// Open orders with a trigger, by account and instrument.
    pub algo_orders_max: u32,
    /// Open order lists, by account and instrument.
    pub order_lists_max: u32,
    /// Amendments of one order.
    pub amendments_max: u8,
    /// Prices of buys.
    pub buys: PriceBand,
    /// Prices of sells.
    pub sells: PriceBand,
    /// Minutes of trading that make the average price, 5 at most; 0 takes the last price for it.
    pub average_minutes: u8,
    /// Most an order with a limit may be worth, in the quote asset.
    pub notional_max: Amount,
    /// The closest a trigger may trail.
    pub trailing_min: Bips,
    /// The farthest a trigger may trail.
    pub trailing_max: Bips,
}

impl Caps {
    /// None at all.
    pub const NONE: Self = Self {
        algo_orders_max: 0,
        order_lists_max: 0,
        amendments_max: 0,
        buys: PriceBand {
            up: Ppm::ZERO,
            down: Ppm::ZERO,
        },
        sells: PriceBand {
            up: Ppm::ZERO,
            down: Ppm::ZERO,
        },
        average_minutes: 0,
        notional_max: Amount::ZERO,
        trailing_min: Bips(0),
        trailing_max: Bips(0),
    };

    /// Of the order of what Binance's spot market has for its large symbols (state of July 2026).
    pub const VENUE: Self = Self {
        algo_orders_max: 5,
        order_lists_max: 20,
        amendments_max: 10,
        buys: PriceBand {
            up: Ppm(5_000_000),
            down: Ppm(200_000),
        },
        sells: PriceBand {
            up: Ppm(5_000_000),
            down: Ppm(200_000),
        },
        average_minutes: 5,
        notional_max: Amount::whole(9_000_000),
        trailing_min: Bips(10),
        trailing_max: Bips(2_000),
    };

    /// The prices an order of this side may name.
    #[must_use]
    pub const fn band(&self, side: Side) -> PriceBand {
        match side {
            Side::Buy => self.buys,
            Side::Sell => self.sells,
        }
    }
}

/// An exchange's choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeConfig {
    /// How orders meet the market model.
    pub fill_model: FillModel,
    /// What trading costs.
    pub fees: FeeSchedule,
    /// The asset in which fees are cheaper, for accounts that choose so.
    pub fee_asset: Option<FeeAsset>,
    /// What is limited beyond the instruments' rules.
    pub caps: Caps,
    /// What is remembered.
    pub history: History,
    /// What is published.
    pub prints: Prints,
}

impl Default for ExchangeConfig {
    /// A venue to trade against: book model, 0.1 % fees, the venue's caps, 100,000 orders of history, prints.
    fn default() -> Self {
        Self {
            fill_model: FillModel::Book,
            fees: FeeSchedule::default(),
            fee_asset: None,
            caps: Caps::VENUE,
            history: History::Kept(HISTORY),
            prints: Prints::Reported,
        }
    }
}

impl ExchangeConfig {
    /// For a backtest: the quote-book model, no fees, no caps, nothing kept, no prints.
    #[must_use]
    pub fn backtest() -> Self {
        Self {
            fill_model: FillModel::QuoteTouch,
            fees: FeeSchedule::FREE,
            fee_asset: None,
            caps: Caps::NONE,
            history: History::Dropped,
            prints: Prints::Silent,
        }
    }
}
