//! Why the exchange says no. A refused action has changed nothing.
//!
//! Codes and texts are those that clients of Binance's spot interface expect (its error page, state of July 2026),
//! because this exchange speaks that interface: a desk linked directly must see what one on the wire sees.

use serde::{Deserialize, Serialize};
use tradewind_model::RuleBreach;

/// Why an action was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// There is no such account.
    #[error("Invalid API-key, IP, or permissions for action.")]
    UnknownAccount,
    /// There is no such instrument.
    #[error("Invalid symbol.")]
    UnknownInstrument,
    /// There is no such asset, or an instrument of a kind that is not traded here.
    #[error("Invalid asset.")]
    UnknownAsset,
    /// The instrument is halted, or takes cancels only.
    #[error("Market is closed.")]
    MarketClosed,
    /// The order breaks a filter of the instrument.
    #[error("Filter failure: {}", .0.name())]
    Filter(Filter),
    /// The free balance does not cover it.
    #[error("Account has insufficient balance for requested action.")]
    InsufficientBalance,
    /// An open order of the account has the same client id.
    #[error("Duplicate order sent.")]
    DuplicateClientId,
    /// A post-only order would take liquidity.
    #[error("Order would immediately match and take.")]
    WouldTake,
    /// A size in the quote asset is for market orders only.
    #[error("Parameter 'quoteOrderQty' sent when not required.")]
    QuoteSizeNotAllowed,
    /// Nothing to cancel: unknown, or finished already.
    #[error("Unknown order sent.")]
    UnknownOrder,
}

impl Refusal {
    /// The venue's number for it.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::UnknownAccount => -2015,
            Self::UnknownInstrument => -1121,
            Self::UnknownAsset => -1104,
            Self::Filter(_) => -1013,
            Self::QuoteSizeNotAllowed => -1106,
            Self::UnknownOrder => -2011,
            Self::MarketClosed
            | Self::InsufficientBalance
            | Self::DuplicateClientId
            | Self::WouldTake => -2010,
        }
    }
}

/// Which filter an order breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Filter {
    /// Price range or tick.
    Price,
    /// Quantity range or step.
    LotSize,
    /// Largest market order.
    MarketLotSize,
    /// Least value.
    Notional,
    /// Most orders open at once.
    OrderCount,
}

impl Filter {
    /// The venue's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Price => "PRICE_FILTER",
            Self::LotSize => "LOT_SIZE",
            Self::MarketLotSize => "MARKET_LOT_SIZE",
            Self::Notional => "NOTIONAL",
            Self::OrderCount => "MAX_NUM_ORDERS",
        }
    }
}

impl From<RuleBreach> for Filter {
    fn from(breach: RuleBreach) -> Self {
        match breach {
            RuleBreach::Tick | RuleBreach::PriceRange => Self::Price,
            RuleBreach::Step | RuleBreach::QuantityMin | RuleBreach::QuantityMax => Self::LotSize,
            RuleBreach::NotionalMin | RuleBreach::Overflow => Self::Notional,
        }
    }
}
