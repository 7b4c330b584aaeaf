//! Why an order was denied.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{
    Amount, ClientOrderId, InstrumentStatus, Ppm, Protection, Quantity, RuleBreach, Timestamp,
};

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
    R02,
    R03,
    R04,
    R05,
    R06,
    R07,
    R08,
    R09,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    R16,
    R17,
    R18,
    R19,
    R20,
    R21,
    R22,
    R23,
    R24,
    R25,
}

impl Rule {
    /// What it checks, in the words shown to people: `order value`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::R01 => "trading state",
            Self::R02 => "start gate",
            Self::R03 => "unknown orders",
            Self::R04 => "intent age",
            Self::R05 => "instrument",
            Self::R06 => "price and quantity steps",
            Self::R07 => "order size",
            Self::R08 => "order value",
            Self::R09 => "liquidity",
            Self::R10 => "price collar",
            Self::R11 => "reference price",
            Self::R12 => "balance",
            Self::R13 => "position",
            Self::R14 => "exposure",
            Self::R15 => "open entries",
            Self::R16 => "order rate",
            Self::R17 => "messages per fill",
            Self::R18 => "duplicate order",
            Self::R19 => "repeated entries",
            Self::R20 => "self-match",
            Self::R21 => "exit size",
            Self::R22 => "daily loss",
            Self::R23 => "drawdown",
            Self::R24 => "clock and order stream",
            Self::R25 => "turnover",
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
    /// R01: a circuit breaker lets one entry through as a probe, and that one is on its way.
    ProbeOpen,
    /// R02: the account was not read from its venue since the start.
    NotReconciled,
    /// R03: as many orders have an unknown fate as may have.
    UnknownOrders {
        /// How many have.
        unknown: u32,
        /// With how many an entry still passes.
        limit: u32,
    },
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
    /// R09: takes more of what is visible than it may.
    Liquidity {
        /// How much may be taken.
        limit: Quantity,
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
    /// R11: the quote it would be measured by is too wide.
    Spread {
        /// How wide, as a share of the mid.
        spread: Ppm,
        /// How wide it may be.
        limit: Ppm,
    },
    /// R11: the second source of the price is not live.
    NoSecondSource,
    /// R11: the second source shows another price.
    SecondSource {
        /// How far the mids are apart, as a share of the second source's.
        deviation: Ppm,
        /// How far they may be.
        limit: Ppm,
    },
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
    /// R14: would make the gross exposure of the account or the bot larger than it may be.
    Exposure {
        /// Whether it is the bot's; else the account's.
        of_bot: bool,
        /// What it would become, in the report currency.
        value: Amount,
        /// What it may be.
        limit: Amount,
    },
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
    /// R19: the bot entered on this side as often as it may.
    RepeatedEntries {
        /// Entries it may make within the window.
        limit: u32,
    },
    /// R19: the bot's closed trades make it pause.
    Protection {
        /// Which of its protections.
        protection: Protection,
        /// Until when.
        until: Timestamp,
    },
    /// R20: could trade with a resting order of the desk's own.
    SelfMatch(ClientOrderId),
    /// R21: an exit larger than the position it is to close.
    ExitTooLarge,
    /// R21: another exit of the position is on its way.
    ExitInFlight,
    /// R24: the venue's clock is not known well enough.
    ClockUncertain {
        /// How far the offset may be wrong.
        uncertainty: Duration,
        /// How far it may.
        limit: Duration,
    },
    /// R24: the account's stream is not proved live.
    StreamNotProved,
    /// A limit this order needs is not configured.
    LimitMissing(LimitKey),
    /// A value has no price in the report currency, or overflows.
    Unpriced,
    /// R04: the price moved away from the one that the decision was made at.
    PriceMoved {
        /// How far, as a share of it.
        moved: Ppm,
        /// How far it may.
        limit: Ppm,
    },
    /// R07: what is left of it after the worst fee could not be sold at its stop.
    TooSmallToExit {
        /// What it would be worth then.
        value: Amount,
        /// What it must be worth.
        least: Amount,
    },
}

impl DenyReason {
    /// The check that refused.
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            Self::TradingState(_) | Self::ProbeOpen => Rule::R01,
            Self::NotReconciled => Rule::R02,
            Self::PriceMoved { .. } => Rule::R04,
            Self::TooSmallToExit { .. } => Rule::R07,
            Self::UnknownOrders { .. } => Rule::R03,
            Self::NotAllowed | Self::NotTrading(_) => Rule::R05,
            Self::Filter(
                RuleBreach::Tick | RuleBreach::Step | RuleBreach::PriceRange | RuleBreach::Overflow,
            ) => Rule::R06,
            Self::Filter(
                RuleBreach::QuantityMin | RuleBreach::QuantityMax | RuleBreach::NotionalMin,
            ) => Rule::R07,
            Self::OrderValue { .. } | Self::Unpriced => Rule::R08,
            Self::Liquidity { .. } => Rule::R09,
            Self::Collar { .. } => Rule::R10,
            Self::NoReference
            | Self::Spread { .. }
            | Self::NoSecondSource
            | Self::SecondSource { .. } => Rule::R11,
            Self::Balance { .. } => Rule::R12,
            Self::Position { .. } | Self::PositionsMax(_) => Rule::R13,
            Self::Exposure { .. } => Rule::R14,
            Self::OpenEntries { .. } => Rule::R15,
            Self::BotRate => Rule::R16,
            Self::Duplicate(_) => Rule::R18,
            Self::RepeatedEntries { .. } | Self::Protection { .. } => Rule::R19,
            Self::SelfMatch(_) => Rule::R20,
            Self::ExitTooLarge | Self::ExitInFlight => Rule::R21,
            Self::ClockUncertain { .. } | Self::StreamNotProved => Rule::R24,
            Self::LimitMissing(key) => key.rule(),
        }
    }
}

impl fmt::Display for DenyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TradingState(state) => write!(f, "the trading state is {state}"),
            Self::ProbeOpen => f.write_str("a circuit breaker waits for the outcome of one entry"),
            Self::NotReconciled => f.write_str("the account is not reconciled with its venue"),
            Self::UnknownOrders { unknown, limit } => write!(
                f,
                "{unknown} orders have an unknown fate, at most {limit} allowed"
            ),
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
            Self::Liquidity { .. } => {
                f.write_str("takes more of the visible quantity than is allowed")
            }
            Self::Spread { spread, limit } => {
                write!(f, "the spread is {spread}, at most {limit} allowed")
            }
            Self::Exposure {
                of_bot,
                value,
                limit,
            } => write!(
                f,
                "exposure of the {} would be {}, at most {} allowed",
                if *of_bot { "bot" } else { "account" },
                value.to_text(2),
                limit.to_text(2)
            ),
            Self::NoReference => f.write_str("no sound and live quote to measure it by"),
            Self::NoSecondSource => f.write_str("the second source of its price is not live"),
            Self::SecondSource { deviation, limit } => write!(
                f,
                "its price is {deviation} away from its second source, at most {limit} allowed"
            ),
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
            Self::RepeatedEntries { limit } => {
                write!(
                    f,
                    "the bot entered on this side {limit} times within the window"
                )
            }
            Self::Protection { protection, until } => {
                let name = protection.name();
                write!(f, "the bot's {name} opens no position before {until}")
            }
            Self::SelfMatch(id) => write!(f, "could trade with own resting order {id}"),
            Self::ExitInFlight => f.write_str("another exit of the position is on its way"),
            Self::ClockUncertain { uncertainty, limit } => write!(
                f,
                "the venue's clock is uncertain by {} ms, at most {} ms allowed",
                uncertainty.as_millis(),
                limit.as_millis()
            ),
            Self::StreamNotProved => f.write_str("the account's stream is not proved live"),
            Self::ExitTooLarge => f.write_str("larger than the position it is to close"),
            Self::LimitMissing(key) => write!(f, "limits.{} is not configured", key.name()),
            Self::Unpriced => f.write_str("its value in the report currency is unknown"),
            Self::PriceMoved { moved, limit } => write!(
                f,
                "the price moved {moved} since the decision, at most {limit} allowed"
            ),
            Self::TooSmallToExit { value, least } => write!(
                f,
                "after the fee and at its stop it is worth {}, and less than {} may not be sold",
                value.to_text(2),
                least.to_text(2)
            ),
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
