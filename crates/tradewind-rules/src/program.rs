//! Compiled rules: what is computed on each candle, what at each evaluation, in the order of dependence.
//!
//! Values are `f64`: a truth is 1 or 0, and what is unknown is not a number. Each distinct value is computed once.

use tradewind_indicators::Entry;
use tradewind_model::Interval;

/// All of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    /// The length of the bot's own candles; none where no expression reads candles.
    pub(crate) base: Option<Interval>,
    /// What is computed on closed candles.
    pub(crate) lanes: Vec<Lane>,
    /// Products of other instruments, such as `BTC/USDT`; a lane's source is 0 for the own instrument, else one more than its
    /// place here.
    pub(crate) others: Vec<String>,
    /// What is computed at each evaluation.
    pub(crate) live: Vec<LiveOp>,
    /// Full names of the series of numbers that it reads, and how old a number may be, in nanoseconds.
    pub(crate) series: Vec<(String, Option<u64>)>,
    /// Values of candles that are kept from the entry of a position on.
    pub(crate) at_entry: Vec<Held>,
    /// Whether something at evaluations needs the values of the one before.
    pub(crate) keeps_previous: bool,
}

/// A value of a lane, and how many candles come before the first that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) lane: usize,
    pub(crate) node: usize,
    pub(crate) need: u32,
}

/// What is computed on the closed candles of one length of one instrument.
///
/// What needs values of other lanes is in a *late* lane beside the other one: it waits until those have the candles that closed by
/// then.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) source: usize,
    pub(crate) interval: Interval,
    pub(crate) is_late: bool,
    pub(crate) ops: Vec<Op>,
    /// Candles that come before the first one whose value is known, by node.
    pub(crate) needs: Vec<Need>,
    pub(crate) indicators: Vec<IndicatorPlan>,
    /// How far back values are kept, by the number of a delay.
    pub(crate) delays: Vec<u32>,
    /// Values that other lanes read, in order.
    pub(crate) exports: Vec<Export>,
    /// Lanes that it reads.
    pub(crate) reads: Vec<usize>,
}

/// How many candles come before the first one whose value is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// Until there is a value.
    pub(crate) filled: u32,
    /// Until it no longer depends on where the history began.
    pub(crate) settled: u32,
}

impl Need {
    pub(crate) fn total(self) -> u32 {
        self.filled.max(self.settled)
    }

    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            filled: self.filled.max(other.filled),
            settled: self.settled.max(other.settled),
        }
    }
}

/// A value that another lane reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Export {
    pub(crate) node: usize,
    /// Whether it is unknown to the other lane until it is settled. The lane beside it waits by itself.
    pub(crate) is_settled: bool,
}

/// An indicator at work in a lane.
#[derive(Clone, Debug)]
pub(crate) struct IndicatorPlan {
    pub(crate) entry: &'static Entry,
    pub(crate) parameters: Vec<f64>,
    /// Values it is fed with; empty where it reads the candle.
    pub(crate) inputs: Vec<usize>,
}

/// A number of a candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Open,
    High,
    Low,
    Close,
    Volume,
}

/// A step on a candle. Operands are places of earlier steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    Constant(f64),
    Field(Field),
    /// Feeds an indicator, and takes its first line.
    Feed(usize),
    /// Another line of an indicator that was fed.
    Line(usize, usize),
    /// A value so many candles ago.
    Ago(usize, usize),
    /// A value of another lane, as of this candle's close: the lane and the place among its exports.
    Sample(usize, usize),
    Apply(Function, usize, usize),
}

/// A step at an evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LiveOp {
    Constant(f64),
    /// A value of a lane.
    Read(Held),
    Market(MarketValue),
    Position(PositionValue),
    /// A number of the calendar, in UTC.
    Clock(ClockValue),
    /// The latest number of a series.
    Series(usize),
    /// The place of a value among those of all instruments of the bot, from 1, the largest first.
    Rank(Held),
    /// A value as it was when the position was entered.
    AtEntry(usize),
    /// The value of a step at the evaluation before.
    Previous(usize),
    Apply(Function, usize, usize),
}

/// What the market is at an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarketValue {
    Bid,
    Ask,
    Mid,
    /// The distance of the two as a share of the mid.
    Spread,
    /// The smallest step of prices.
    Tick,
    /// Bids less asks over both, of so many levels.
    Imbalance(u8),
    /// The quantity of so many levels of bids.
    Bids(u8),
    /// The same of asks.
    Asks(u8),
}

/// What the bot's position in the instrument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PositionValue {
    /// Gain at the price at which it could be sold now, as a share of the entry price.
    Profit,
    /// The average entry price; while none is held, the price at which it would be bought.
    Entry,
    /// Candles that have closed since it was opened.
    Bars,
    /// Time since it was opened, in seconds.
    Age,
    /// The quantity, in units of the base asset.
    Quantity,
}

/// A number of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockValue {
    /// 0 to 23.
    Hour,
    /// 0 to 59.
    Minute,
    /// 1 for Monday to 7 for Sunday.
    Weekday,
}

/// Arithmetic and logic of one or two values. Those of one value have it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    And,
    Or,
    Not,
    Less,
    LessEqual,
    Equal,
    Unequal,
    Add,
    Subtract,
    Multiply,
    Divide,
    Min,
    Max,
    Negative,
    Absolute,
    Root,
    Logarithm,
}

impl Function {
    /// The result; not a number where an operand decides it and is unknown.
    #[inline]
    pub(crate) fn apply(self, a: f64, b: f64) -> f64 {
        let known = |result: bool| {
            if a.is_nan() || b.is_nan() {
                f64::NAN
            } else {
                f64::from(u8::from(result))
            }
        };
        match self {
            Self::And if is_false(a) || is_false(b) => 0.0,
            Self::And => known(true),
            Self::Or if is_true(a) || is_true(b) => 1.0,
            Self::Or => known(false),
            Self::Not => 1.0 - a,
            Self::Less => known(a < b),
            Self::LessEqual => known(a <= b),
            Self::Equal => known(a.total_cmp(&b).is_eq() || is_zero(a) && is_zero(b)),
            Self::Unequal => known(!(a.total_cmp(&b).is_eq() || is_zero(a) && is_zero(b))),
            Self::Add => finite(a + b),
            Self::Subtract => finite(a - b),
            Self::Multiply => finite(a * b),
            Self::Divide => finite(a / b),
            Self::Min if a.is_nan() || b.is_nan() => f64::NAN,
            Self::Min => a.min(b),
            Self::Max if a.is_nan() || b.is_nan() => f64::NAN,
            Self::Max => a.max(b),
            Self::Negative => -a,
            Self::Absolute => a.abs(),
            Self::Root => a.sqrt(),
            Self::Logarithm => finite(libm::log(a)),
        }
    }
}

/// Whether it is zero, of either sign.
fn is_zero(value: f64) -> bool {
    value.abs() <= 0.0
}

/// What is beyond every number is unknown, such as x/0.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

/// Whether a truth is known to hold.
pub(crate) fn is_true(value: f64) -> bool {
    value > 0.5
}

/// Whether a truth is known not to hold.
pub(crate) fn is_false(value: f64) -> bool {
    value < 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    const U: f64 = f64::NAN;

    fn check(function: Function, table: [(f64, f64, f64); 9]) {
        for (a, b, wanted) in table {
            let found = function.apply(a, b);
            let is_same = found.total_cmp(&wanted).is_eq() || found.is_nan() && wanted.is_nan();
            assert!(is_same, "{function:?} of {a} and {b} is {found}");
        }
    }

    #[test]
    fn logic_is_of_three_values() {
        #[rustfmt::skip]
        check(Function::And, [
            (1.0, 1.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0),
            (U, 1.0, U), (1.0, U, U), (U, 0.0, 0.0), (0.0, U, 0.0), (U, U, U),
        ]);
        #[rustfmt::skip]
        check(Function::Or, [
            (1.0, 1.0, 1.0), (1.0, 0.0, 1.0), (0.0, 1.0, 1.0), (0.0, 0.0, 0.0),
            (U, 1.0, 1.0), (1.0, U, 1.0), (U, 0.0, U), (0.0, U, U), (U, U, U),
        ]);
        assert!(Function::Not.apply(U, U).is_nan());
        assert!(Function::Less.apply(U, 1.0).is_nan() && Function::Equal.apply(1.0, U).is_nan());
        assert!(Function::Divide.apply(1.0, 0.0).is_nan());
        assert!(Function::Divide.apply(0.0, 0.0).is_nan());
        assert!(Function::Min.apply(U, 1.0).is_nan() && Function::Max.apply(1.0, U).is_nan());
    }
}
