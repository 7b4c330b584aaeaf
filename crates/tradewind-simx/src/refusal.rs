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
    /// The trigger's price is reached already.
    #[error("Order would trigger immediately.")]
    WouldTrigger,
    /// The orders of a pair do not lie on both sides of the market.
    #[error("The relationship of the prices for the orders is not correct.")]
    PriceRelation,
    /// The orders cannot be in one list, or a trigger does not go with this kind of order.
    #[error("Unsupported order combination")]
    Combination,
    /// An amendment that makes an order larger.
    #[error("Order amend (quantity increase) is not supported.")]
    AmendIncreases,
    /// An amendment that changes nothing, or leaves nothing.
    #[error("The requested action would change no state; rejecting.")]
    AmendChangesNothing,
    /// The order shares its lock with another and cannot be made smaller alone.
    #[error("Order amend is not supported for this symbol.")]
    AmendNotSupported,
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
            Self::AmendIncreases | Self::AmendChangesNothing | Self::AmendNotSupported => -2038,
            Self::MarketClosed
            | Self::InsufficientBalance
            | Self::DuplicateClientId
            | Self::WouldTake
            | Self::WouldTrigger
            | Self::PriceRelation
            | Self::Combination => -2010,
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
    /// Price too far from the average.
    PercentPrice,
    /// Least or largest value.
    Notional,
    /// How closely a trigger may trail.
    TrailingDelta,
    /// Most orders open at once.
    OrderCount,
    /// Most orders open at once that wait, or waited, for a trigger.
    AlgoOrderCount,
    /// Most lists open at once.
    OrderListCount,
    /// Most amendments of one order.
    AmendCount,
}

impl Filter {
    /// The venue's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Price => "PRICE_FILTER",
            Self::LotSize => "LOT_SIZE",
            Self::MarketLotSize => "MARKET_LOT_SIZE",
            Self::PercentPrice => "PERCENT_PRICE_BY_SIDE",
            Self::Notional => "NOTIONAL",
            Self::TrailingDelta => "TRAILING_DELTA",
            Self::OrderCount => "MAX_NUM_ORDERS",
            Self::AlgoOrderCount => "MAX_NUM_ALGO_ORDERS",
            Self::OrderListCount => "MAX_NUM_ORDER_LISTS",
            Self::AmendCount => "MAX_NUM_ORDER_AMENDS",
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
