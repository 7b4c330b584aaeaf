//! Why an order was denied.

use std::fmt;

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, ClientOrderId, InstrumentStatus, Ppm, RuleBreach};

use crate::limits::LimitKey;
use crate::state::TradingState;

/// The code of a risk check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each is described at the check of its name in `checks`"
)]
pub enum Rule {
    R01,
    R05,
    R06,
    R07,
    R08,
    R10,
    R11,
    R12,
    R13,
    R15,
    R16,
    R18,
    R21,
}

impl Rule {
    /// What it checks, in the words shown to people: `order value`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::R01 => "trading state",
            Self::R05 => "instrument",
            Self::R06 => "price and quantity steps",
            Self::R07 => "order size",
            Self::R08 => "order value",
            Self::R10 => "price collar",
            Self::R11 => "reference price",
            Self::R12 => "balance",
            Self::R13 => "position",
            Self::R15 => "open entries",
            Self::R16 => "order rate",
            Self::R18 => "duplicate order",
            Self::R21 => "exit size",
        }
    }
}

/// The code: `R08`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Why an order was denied, with the numbers that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DenyReason {
    /// R01: the trading state forbids this order.
    TradingState(TradingState),
    /// R05: the bot is not allowed this instrument.
    NotAllowed,
    /// R05: the venue does not trade the instrument now.
    NotTrading(InstrumentStatus),
    /// R06, R07: the order breaks a filter of the venue.
    Filter(RuleBreach),
    /// R08: worth more than an order may be.
    OrderValue {
        /// What it is worth, in the report currency.
        value: Amount,
        /// What it may be worth.
        limit: Amount,
    },
    /// R10: reaches further past the mid than it may.
    Collar {
        /// How far it reaches.
        distance: Ppm,
        /// How far it may.
        limit: Ppm,
    },
    /// R11: there is no live, uncrossed quote to compare it with.
    NoReference,
    /// R12: costs more than the usable part of the free balance.
    Balance {
        /// What it needs.
        needed: Amount,
        /// What may be used.
        usable: Amount,
    },
    /// R13: would make the position larger than it may be.
    Position {
        /// What the position could become, in the report currency.
        value: Amount,
        /// What it may be.
        limit: Amount,
    },
    /// R13: the bot holds as many positions as it may.
    PositionsMax(u32),
    /// R15: as many entries are open as may be.
    OpenEntries {
        /// How many are open.
        open: u32,
        /// How many may be.
        limit: u32,
    },
    /// R16: the bot sends orders faster than it may.
    BotRate,
    /// R18: an equal order was sent a moment ago.
    Duplicate(ClientOrderId),
    /// R21: an exit larger than the position it is to close.
    ExitTooLarge,
    /// A limit this order needs is not configured.
    LimitMissing(LimitKey),
    /// A value has no price in the report currency, or overflows.
    Unpriced,
}

impl DenyReason {
    /// The check that refused.
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            Self::TradingState(_) => Rule::R01,
            Self::NotAllowed | Self::NotTrading(_) => Rule::R05,
            Self::Filter(
                RuleBreach::Tick | RuleBreach::Step | RuleBreach::PriceRange | RuleBreach::Overflow,
            ) => Rule::R06,
            Self::Filter(
                RuleBreach::QuantityMin | RuleBreach::QuantityMax | RuleBreach::NotionalMin,
            ) => Rule::R07,
            Self::OrderValue { .. } | Self::Unpriced => Rule::R08,
            Self::Collar { .. } => Rule::R10,
            Self::NoReference => Rule::R11,
            Self::Balance { .. } => Rule::R12,
            Self::Position { .. } | Self::PositionsMax(_) => Rule::R13,
            Self::OpenEntries { .. } => Rule::R15,
            Self::BotRate => Rule::R16,
            Self::Duplicate(_) => Rule::R18,
            Self::ExitTooLarge => Rule::R21,
            Self::LimitMissing(key) => key.rule(),
        }
    }
}

impl LimitKey {
    const fn rule(self) -> Rule {
        match self {
            // R04 denies nothing itself. Without its limit, no order gets an expiry.
            Self::IntentTtlQuote | Self::IntentTtlCandle => Rule::R01,
            Self::OrderValueMax | Self::OrderEquityMax => Rule::R08,
            Self::Collar | Self::MarketSlippageMax => Rule::R10,
            Self::BalanceUseMax => Rule::R12,
            Self::PositionEquityMax => Rule::R13,
            Self::OpenEntriesInstrument | Self::OpenEntriesAccount => Rule::R15,
            Self::BotOrderRate | Self::AccountOrderRate => Rule::R16,
            Self::DuplicateWindow => Rule::R18,
        }
    }
}

impl fmt::Display for DenyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TradingState(state) => write!(f, "the trading state is {state}"),
            Self::NotAllowed => f.write_str("the instrument is not on the bot's list"),
            Self::NotTrading(status) => write!(f, "the venue does not trade it now ({status:?})"),
            Self::Filter(breach) => write!(f, "breaks the venue's {} rule", breach_name(*breach)),
            Self::OrderValue { value, limit } => write!(
                f,
                "worth {}, at most {} allowed",
                value.to_text(2),
                limit.to_text(2)
            ),
            Self::Collar { distance, limit } => write!(
                f,
                "reaches {distance} past the mid, at most {limit} allowed"
            ),
            Self::NoReference => f.write_str("no sound and live quote to measure it by"),
            Self::Balance { needed, usable } => write!(
                f,
                "needs {}, {} usable",
                needed.to_text(8),
                usable.to_text(8)
            ),
            Self::Position { value, limit } => {
                write!(
                    f,
                    "position could reach {}, at most {} allowed",
                    value.to_text(2),
                    limit.to_text(2)
                )
            }
            Self::PositionsMax(limit) => write!(f, "the bot already holds its {limit} positions"),
            Self::OpenEntries { open, limit } => {
                write!(f, "{open} entries are open, at most {limit} allowed")
            }
            Self::BotRate => f.write_str("the bot sends orders faster than it may"),
            Self::Duplicate(id) => write!(f, "equal to order {id} of a moment ago"),
            Self::ExitTooLarge => f.write_str("larger than the position it is to close"),
            Self::LimitMissing(key) => write!(f, "limits.{} is not configured", key.name()),
            Self::Unpriced => f.write_str("its value in the report currency is unknown"),
        }
    }
}

const fn breach_name(breach: RuleBreach) -> &'static str {
    match breach {
        RuleBreach::Tick => "tick",
        RuleBreach::PriceRange => "price range",
        RuleBreach::Step => "step",
        RuleBreach::QuantityMin => "minimum quantity",
        RuleBreach::QuantityMax => "maximum quantity",
        RuleBreach::NotionalMin => "minimum value",
        RuleBreach::Overflow => "number range",
    }
}
