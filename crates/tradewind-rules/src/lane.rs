//! A lane at work: takes closed candles one by one, and computes each step once.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tradewind_indicators::{AnyIndicator, InputKind, Ohlcv, Pair, Sample};
use tradewind_model::{Candle, Instrument, Timestamp};

use crate::program::{Export, Field, Held, IndicatorPlan, Lane, Op};

/// Most candles that wait for other lanes, and most values that are kept for those that wait.
const WAITING_MAX: usize = 5_000;
/// Values that are kept once the past has been fed.
const KEPT: usize = 64;

/// The state of a lane.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LaneState {
    /// Candles taken.
    count: u32,
    /// When the last one closed.
    close: Timestamp,
    /// The price at which it closed.
    price: f64,
    /// Values of the steps.
    values: Vec<f64>,
    indicators: Vec<AnyIndicator>,
    /// Lines of the indicators, unknown while warming up.
    delays: Vec<VecDeque<f64>>,
    /// What other lanes read, by close, oldest first.
    exported: VecDeque<(Timestamp, Vec<f64>)>,
    /// Candles that wait for other lanes, oldest first.
    waiting: VecDeque<(Timestamp, Ohlcv)>,
}

impl LaneState {
    pub(crate) fn new(plan: &Lane) -> Self {
        let indicator = |plan: &IndicatorPlan| {
            let built = plan.entry.build(&plan.parameters);
            built.expect("it was built when the rules were checked")
        };
        Self {
            count: 0,
            close: Timestamp::EPOCH,
            price: f64::NAN,
            values: vec![f64::NAN; plan.ops.len()],
            indicators: plan.indicators.iter().map(indicator).collect(),
            delays: plan.delays.iter().map(|_| VecDeque::new()).collect(),
            exported: VecDeque::new(),
            waiting: VecDeque::new(),
        }
    }

    /// When the last candle closed that it took; none before the first.
    #[inline]
    pub(crate) fn close(&self) -> Option<Timestamp> {
        (self.count > 0).then_some(self.close)
    }

    /// The price at which the last candle closed; unknown before the first.
    pub(crate) fn last_price(&self) -> f64 {
        if self.count > 0 { self.price } else { f64::NAN }
    }

    /// A value, once enough candles came before.
    #[inline]
    pub(crate) fn value(&self, held: &Held) -> f64 {
        if self.count > held.need {
            self.values[held.node]
        } else {
            f64::NAN
        }
    }

    /// Whether a candle that closed then is new to it.
    pub(crate) fn is_new(&self, close: Timestamp) -> bool {
        let last = self.waiting.back().map(|(close, _)| *close);
        last.or(self.close()).is_none_or(|last| close > last)
    }

    /// Lets a candle wait. False if there are too many: the oldest is then to be taken as it is.
    pub(crate) fn wait(&mut self, close: Timestamp, bar: Ohlcv) -> bool {
        self.waiting.push_back((close, bar));
        self.waiting.len() <= WAITING_MAX
    }

    /// The oldest candle that waits.
    pub(crate) fn first_waiting(&self) -> Option<(Timestamp, Ohlcv)> {
        self.waiting.front().copied()
    }

    /// Takes the oldest candle that waits.
    pub(crate) fn take_waiting(&mut self) {
        self.waiting.pop_front();
    }

    pub(crate) fn waits_for_more_than_one(&self) -> bool {
        self.waiting.len() > 1
    }

    /// What it exported when the candle closed that was the last one then.
    pub(crate) fn exported(&self, export: usize, close: Timestamp) -> f64 {
        let rows = self.exported.iter().rev();
        let row = rows.take_while(|(at, _)| *at >= close).last();
        let row = row.filter(|(at, _)| *at == close);
        row.map_or(f64::NAN, |(_, values)| values[export])
    }

    /// Takes a candle; `sampled` are the values of other lanes, in the order of the steps.
    pub(crate) fn take(
        &mut self,
        plan: &Lane,
        (close, bar): (Timestamp, Ohlcv),
        sampled: &[f64],
        is_live: bool,
    ) {
        self.count = self.count.saturating_add(1);
        self.close = close;
        self.price = bar.close;
        let mut sampled = sampled.iter();
        for (place, op) in plan.ops.iter().enumerate() {
            let value = match *op {
                Op::Constant(number) => number,
                Op::Field(field) => field.of(&bar),
                Op::Feed(indicator) => self.feed(plan, indicator, &bar),
                Op::Line(indicator, line) => self.line(plan, indicator, line),
                Op::Ago(of, delay) => self.ago(plan, of, delay),
                Op::Sample(..) => sampled.next().copied().unwrap_or(f64::NAN),
                Op::Apply(function, a, b) => function.apply(self.values[a], self.values[b]),
            };
            self.values[place] = value;
        }
        if !plan.exports.is_empty() {
            let value = |export: &Export| {
                let is_known = self.count > plan.needs[export.node].total();
                if is_known || !export.is_settled {
                    self.values[export.node]
                } else {
                    f64::NAN
                }
            };
            let row = (close, plan.exports.iter().map(value).collect());
            self.exported.push_back(row);
            let kept = if is_live { KEPT } else { WAITING_MAX };
            while self.exported.len() > kept {
                self.exported.pop_front();
            }
        }
    }

    /// Feeds an indicator. A candle with an unknown input is left out: the value is unknown on it.
    fn feed(&mut self, plan: &Lane, place: usize, bar: &Ohlcv) -> f64 {
        let of = &plan.indicators[place];
        if of.inputs.iter().any(|input| self.values[*input].is_nan()) {
            return f64::NAN;
        }
        let sample = match (of.entry.input, of.inputs.as_slice()) {
            (InputKind::Value, [input]) => Sample::Value(self.values[*input]),
            (InputKind::Pair, [x, y]) => Sample::Pair(Pair {
                x: self.values[*x],
                y: self.values[*y],
            }),
            (InputKind::Bar, _) => Sample::Bar(bar.bar()),
            _ => Sample::Ohlcv(*bar),
        };
        match self.indicators[place].update(sample) {
            Ok(Some(lines)) => lines.as_slice()[0],
            Ok(None) | Err(_) => f64::NAN,
        }
    }

    /// Another line of an indicator that was fed on this candle.
    fn line(&self, plan: &Lane, place: usize, line: usize) -> f64 {
        let inputs = &plan.indicators[place].inputs;
        if inputs.iter().any(|input| self.values[*input].is_nan()) {
            return f64::NAN;
        }
        let lines = self.indicators[place].value();
        lines.map_or(f64::NAN, |lines| lines.as_slice()[line])
    }

    fn ago(&mut self, plan: &Lane, of: usize, delay: usize) -> f64 {
        let past = &mut self.delays[delay];
        past.push_back(self.values[of]);
        if past.len() > plan.delays[delay] as usize {
            past.pop_front().unwrap_or(f64::NAN)
        } else {
            f64::NAN
        }
    }
}

impl Field {
    #[inline]
    fn of(self, bar: &Ohlcv) -> f64 {
        match self {
            Self::Open => bar.open,
            Self::High => bar.high,
            Self::Low => bar.low,
            Self::Close => bar.close,
            Self::Volume => bar.volume,
        }
    }
}

/// A candle in units of the quote and the base asset.
#[inline]
pub(crate) fn bar(candle: &Candle, instrument: &Instrument) -> Ohlcv {
    let price = |price| instrument.price_f64(price);
    Ohlcv {
        open: price(candle.open),
        high: price(candle.high),
        low: price(candle.low),
        close: price(candle.close),
        volume: candle.volume.to_f64(),
    }
}
