//! What a strategy answers, and how the answer is to be carried out.
//!
//! A strategy names a target; a [`Sizer`] turns it into a quantity, an [`OrderPolicy`] into orders, and an [`ExitPlan`]
//! guards the position that results. All three are run by the engine, the same in a backtest as live.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::{Amount, Ppm, Price};
use crate::resting::RestingOrders;

/// The result of one evaluation of a strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Decision {
    /// Hold this much from now on.
    Target(Target),
    /// Have these orders resting in the instrument, and no others of the bot.
    Orders(Box<RestingOrders>),
    /// Leave things as they are.
    Hold {
        /// Why, with the numbers that decided.
        reason: Reason,
    },
    /// Leave things as they are, because something is unknown that would close the position. The desk raises a cause.
    Wait {
        /// What it waits on.
        reason: Reason,
    },
    /// Keep the position, and take its loss at this price from now on. A stop only tightens: one that is farther away than the
    /// position's own changes nothing.
    MoveStop {
        /// Where the loss is taken, on a tick.
        stop: Price,
        /// Why, with the numbers that decided.
        reason: Reason,
    },
}

/// Which decisions of an evaluation are carried out. A strategy that remembers what it requested may remember these only: on what
/// is dropped it would wait for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CarriedOut {
    /// All of them.
    #[default]
    All,
    /// Those that leave a position: the close is older than an entry's time to live, and was missed while the desk was down.
    Exits,
    /// None: the strategy is fed with the past.
    Nothing,
}

/// What became of the last entry that a strategy decided. One that waits for a denied entry would wait until its rule turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LastEntry {
    /// It works, waits for another order, was filled, or was at the venue and found no counterpart in its time. Or there was none.
    #[default]
    Standing,
    /// It never was on the book: the desk denied it or did not send it, or the venue refused it. Nothing will come of it.
    ///
    /// Also a reduction that had to wait and, where an outside process steers the bot, every order that ended without a fill.
    Denied,
}

/// The target position of a strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Share of the bot's budget, signed: 1,000,000 is all of it long, 0 is flat, negative is short.
    pub exposure: Ppm,
    /// A price not to trade beyond; the order policy decides when absent.
    pub limit: Option<Price>,
    /// A plan for this position in place of the bot's own. Boxed, because it is rare and a decision is made at each evaluation.
    pub exit: Option<Box<ExitPlan>>,
    /// Why, with the numbers that decided.
    pub reason: Reason,
    /// Whether it adds to the position that is held, and is nothing without one. It buys, for each part of exposure, what the parts
    /// that are held have cost, and loosens no stop. Else the whole is sized by the prices of now, and its plan replaces the one before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adds: bool,
}

/// Why a strategy decided as it did: a template with `{}` for each number, rendered only when it is read.
///
/// Building one costs no allocation, because a strategy returns one at each evaluation.
#[derive(Clone, PartialEq)]
pub enum Reason {
    /// Template and its numbers; unused numbers are ignored.
    Numbers(&'static str, [f64; 3]),
    /// Words, from a lane outside the process or from a journal.
    Text(Arc<str>),
}

impl Reason {
    /// A reason without numbers.
    #[must_use]
    pub const fn plain(text: &'static str) -> Self {
        Self::Numbers(text, [0.0; 3])
    }
}

impl Default for Reason {
    fn default() -> Self {
        Self::plain("")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (template, numbers) = match self {
            Self::Numbers(template, numbers) => (*template, numbers),
            Self::Text(text) => return f.write_str(text),
        };
        let mut numbers = numbers.iter();
        let mut pieces = template.split("{}").peekable();
        while let Some(piece) = pieces.next() {
            f.write_str(piece)?;
            if pieces.peek().is_some() {
                write_number(f, numbers.next().copied().unwrap_or(f64::NAN))?;
            }
        }
        Ok(())
    }
}

/// Five significant digits or so: enough to compare with the threshold beside it.
fn write_number(f: &mut fmt::Formatter<'_>, number: f64) -> fmt::Result {
    let magnitude = number.abs();
    let places = match magnitude {
        m if m >= 10.0 => 2,
        m if m >= 1.0 => 4,
        m if m >= 0.1 => 5,
        m if m >= 0.001 => 6,
        _ => 8,
    };
    let text = format!("{number:.places$}");
    let short = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    f.write_str(short)
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::Text(text.into()))
    }
}

/// How a target becomes a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sizer {
    /// Always this quantity (base units) for a full target.
    Fixed(Amount),
    /// So much that it is worth this (quote units) for a full target; the bot's budget at most.
    Value(Amount),
    /// This share of the bot's budget for a full target.
    Share(Ppm),
    /// So much that being stopped out loses this share of the budget; needs a stop in the exit plan.
    RiskToStop(Ppm),
    /// So much that the expected move of one candle (its average true range) is this share of the budget.
    VolatilityTarget(Ppm),
}

/// How a position is guarded. Run by the engine on each quote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitPlan {
    /// Where a loss is taken.
    pub stop: Stop,
    /// Gain, as a share of the entry price, at which the position is closed.
    pub take_profit: Option<Ppm>,
    /// What takes that gain.
    #[serde(default)]
    pub take_profit_by: TakeProfitBy,
    /// Distance, as a share of the best price since entry, at which a fall closes the position.
    pub trailing: Option<Ppm>,
    /// Age at which the position is closed.
    pub time: Option<Duration>,
    /// From each age on, the gain at which the position is closed; ages ascend.
    pub profit_by_age: Vec<(Duration, Ppm)>,
}

/// What takes the gain at which a position is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TakeProfitBy {
    /// The desk, by an order at market once a quote reaches it.
    #[default]
    Market,
    /// A limit order that rests at the venue beside the protective stop, where the venue keeps such pairs.
    Limit,
}

/// Where a loss is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stop {
    /// Nowhere; written `stop = "none"`.
    #[default]
    None,
    /// At this distance from the entry, as a share of the entry price.
    Distance(Ppm),
    /// At this price.
    At(Price),
}

/// How an intent is turned into orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderPolicy {
    /// One market order.
    #[default]
    Market,
    /// A limit order at the touch moved by an offset.
    Limit(LimitPolicy),
}

/// A limit order's placing and patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitPolicy {
    /// Distance from the touch on our own side, away from the market; negative goes into the spread and beyond.
    pub offset: Ppm,
    /// Whether the order may only be maker.
    pub post_only: bool,
    /// How long it may wait; for ever when absent.
    pub timeout: Option<Duration>,
    /// How often it follows the touch before it gives up.
    pub chases: u32,
    /// What happens when it has waited long enough.
    pub then: OnTimeout,
    /// Whether each target names the price itself, as its limit; `offset` is then not used, and a target without a limit places no
    /// order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_price: bool,
}

/// What follows a limit order that waited too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnTimeout {
    /// The rest is cancelled.
    Cancel,
    /// The rest is cancelled and bought or sold at market.
    Cross,
}

/// What a strategy is evaluated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Wake {
    /// A quote.
    Quote,
    /// The close of a candle.
    Candle(crate::Interval),
    /// An interval of its own.
    Timer,
    /// A quote of an instrument that its bot only reads.
    ReadQuote(crate::InstrumentId),
    /// The close of a candle of an instrument that its bot only reads.
    ReadCandle(crate::InstrumentId, crate::Interval),
    /// A target of an outside process came or expired, or its source changed.
    Target,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_rendered_with_its_numbers() {
        let check = |reason: Reason, wanted: &str| assert_eq!(reason.to_string(), wanted);
        check(
            Reason::Numbers("RSI {}, needs < {}", [44.0, 30.0, 0.0]),
            "RSI 44, needs < 30",
        );
        check(
            Reason::Numbers("close {} below {}", [61837.634, 0.000_012_34, 0.0]),
            "close 61837.63 below 0.00001234",
        );
        check(
            Reason::Numbers("{} {} {}", [29.876, 1.234_56, 0.123_456]),
            "29.88 1.2346 0.12346",
        );
        check(Reason::plain("warming up"), "warming up");
        check(Reason::Numbers("{} {} {} {}", [1.0, 2.0, 3.0]), "1 2 3 NaN");
        check(Reason::Text("from outside".into()), "from outside");
    }
}
