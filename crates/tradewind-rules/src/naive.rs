//! Incremental evaluation against the definition: every expression is computed anew over whole series, by recursion over its tree.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tradewind_indicators::{CATALOGUE, InputKind, Ohlcv, Pair, Sample, find};
use tradewind_model::{
    Amount, AssetId, Candle, Instrument, InstrumentId, Interval, Price, Timestamp,
};

use crate::lower::{At, Lowering};
use crate::parse::parse;
use crate::program::{Function, Program};
use crate::state::State;
use crate::syntax::{Expression, Kind, Operator};
use crate::text::RuleText;

const BASE: Interval = Interval::Minute5;
const LONG: Interval = Interval::Minute15;

/// Candles of the own instrument and of another one, and those of the own one put together.
struct Market {
    own: Vec<Candle>,
    long: Vec<Candle>,
    other: Vec<Candle>,
}

fn instrument(id: u32, name: &str) -> Instrument {
    Instrument {
        price_decimals: 2,
        ..Instrument::spot(InstrumentId(id), name, AssetId(0), AssetId(1))
    }
}

impl Market {
    fn new(seed: u64, candles: usize) -> Self {
        let own = walk(seed, 0, candles);
        let long = own.chunks_exact(3).map(fold).collect();
        let other = walk(seed ^ 0xABCD, 1, candles);
        Self { own, long, other }
    }

    fn series(&self, is_other: bool, interval: Interval) -> Vec<Candle> {
        match (is_other, interval == BASE) {
            (false, true) => self.own.clone(),
            (false, false) => self.long.clone(),
            (true, true) => self.other.clone(),
            (true, false) => self.other.chunks_exact(3).map(fold).collect(),
        }
    }
}

fn walk(seed: u64, id: u32, candles: usize) -> Vec<Candle> {
    let mut state = seed | 1;
    let mut draw = move |below: i64| {
        state = state
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        i64::try_from((state >> 33) % u64::try_from(below).unwrap()).unwrap()
    };
    let mut price = 10_000;
    let candle = |index: usize| {
        let open = price;
        let close = (open + draw(201) - 100).max(100);
        let (high, low) = (
            open.max(close) + draw(50),
            open.min(close) - draw(50).min(50),
        );
        price = close;
        Candle {
            instrument: InstrumentId(id),
            interval: BASE,
            complete: true,
            open_time: Timestamp::EPOCH + BASE.duration() * u32::try_from(index).unwrap(),
            open: Price(open),
            high: Price(high),
            low: Price(low),
            close: Price(close),
            volume: Amount::whole(1 + draw(100)),
        }
    };
    (0..candles).map(candle).collect()
}

fn fold(part: &[Candle]) -> Candle {
    Candle {
        interval: LONG,
        close: part[part.len() - 1].close,
        high: part.iter().map(|one| one.high).max().unwrap(),
        low: part.iter().map(|one| one.low).min().unwrap(),
        volume: part.iter().map(|one| one.volume).sum(),
        ..part[0]
    }
}

fn rules() -> RuleText {
    RuleText {
        timeframe: Some(BASE),
        lets: BTreeMap::from([("twice".to_owned(), "close + close".to_owned())]),
        ..RuleText::default()
    }
}

/// The values of an expression after each of the own candles, as the lanes compute them, and how many come before the first known.
fn incremental(text: &str, market: &Market, order: u64) -> Option<(Vec<f64>, u32)> {
    let rules = rules();
    let mut lowering = Lowering::new(&rules);
    let (_, value) = lowering.read("enter", text)?;
    let need = lowering.need(value).total();
    let At::Node(lane, node) = value.at else {
        return None;
    };
    let program: Program = lowering.program;
    let mut state = State::new(&program, 1, 0);
    let (own, other) = (instrument(0, "x:ETH/USDT"), instrument(1, "x:BTC/USDT"));
    let mut values = Vec::new();
    for (index, candle) in market.own.iter().enumerate() {
        let close = candle.close_time();
        let mut now = vec![(0, true, candle), (1, false, &market.other[index])];
        let of_other = fold_at(&market.other, index);
        now.extend(of_other.iter().map(|candle| (1, false, candle)));
        let long = market.long.iter().find(|long| long.close_time() == close);
        now.extend(long.map(|candle| (0, true, candle)));
        let shift = usize::try_from((order >> (index % 60)) & 3).unwrap() % now.len();
        now.rotate_left(shift);
        for (slot, is_traded, candle) in now {
            let instrument = if slot == 0 { &own } else { &other };
            state.feed(&program, candle, (slot, is_traded), instrument, true);
        }
        let held = crate::program::Held { lane, node, need };
        values.push(state.slots[0].value(&held, Some(close)));
    }
    Some((values, need))
}

fn fold_at(other: &[Candle], index: usize) -> Option<Candle> {
    let is_end = (index + 1).is_multiple_of(3);
    is_end.then(|| fold(&other[index - 2..=index]))
}

/// The same by the definition.
fn definition(of: &Expression, market: &Market, scope: (bool, Interval)) -> Vec<f64> {
    let candles = market.series(scope.0, scope.1);
    let count = candles.len();
    let bars: Vec<Ohlcv> = candles
        .iter()
        .map(|candle| crate::lane::bar(candle, &instrument(0, "x")))
        .collect();
    let at = |part: &Expression| definition(part, market, scope);
    let pairs = |function: Function, a: Vec<f64>, b: Vec<f64>| -> Vec<f64> {
        a.iter()
            .zip(&b)
            .map(|(a, b)| function.apply(*a, *b))
            .collect()
    };
    let past = |values: &[f64], ago: usize| -> Vec<f64> {
        let value = |index: usize| {
            index
                .checked_sub(ago)
                .map_or(f64::NAN, |index| values[index])
        };
        (0..values.len()).map(value).collect()
    };
    match &of.kind {
        Kind::Number(number) | Kind::Share(number) => vec![*number; count],
        Kind::Name(name) if name == "twice" => {
            let close = bars.iter().map(|bar| bar.close);
            close.map(|close| close + close).collect()
        }
        Kind::Name(name) => bars
            .iter()
            .map(|bar| match name.as_str() {
                "open" => bar.open,
                "high" => bar.high,
                "low" => bar.low,
                "volume" => bar.volume,
                _ => bar.close,
            })
            .collect(),
        Kind::Negative(inner) => at(inner).iter().map(|value| -value).collect(),
        Kind::Binary(operator, left, right) => {
            let (a, b) = (at(left), at(right));
            match operator {
                Operator::Add => pairs(Function::Add, a, b),
                Operator::Subtract => pairs(Function::Subtract, a, b),
                Operator::Multiply => pairs(Function::Multiply, a, b),
                Operator::Divide => pairs(Function::Divide, a, b),
                Operator::Greater => pairs(Function::Less, b, a),
                Operator::And => pairs(Function::And, a, b),
                _ => unreachable!("the generator writes no other"),
            }
        }
        Kind::Ago(inner, ago) => {
            let Kind::Number(ago) = ago.kind else {
                unreachable!("the generator writes numbers")
            };
            past(&at(inner), format!("{ago}").parse().unwrap())
        }
        Kind::On(inner, interval) => brought(inner, market, (scope.0, *interval), &candles),
        Kind::Call(name, arguments) if name == "of" => {
            brought(&arguments[1].value, market, (true, scope.1), &candles)
        }
        Kind::Call(name, arguments) if name == "cross_above" => {
            let (a, b) = (at(&arguments[0].value), at(&arguments[1].value));
            let was = pairs(Function::LessEqual, past(&a, 1), past(&b, 1));
            pairs(Function::And, pairs(Function::Less, b, a), was)
        }
        Kind::Call(name, arguments) if name == "change" => {
            let values = at(&arguments[0].value);
            let before = past(&values, 1);
            pairs(Function::Subtract, values, before)
        }
        Kind::Call(name, arguments) if name == "max" => pairs(
            Function::Max,
            at(&arguments[0].value),
            at(&arguments[1].value),
        ),
        Kind::Line(inner, line) => {
            let Kind::Call(name, arguments) = &inner.kind else {
                unreachable!("the generator writes lines of calls")
            };
            let lines = find(name).unwrap().outputs;
            let place = lines.iter().position(|known| known == line).unwrap();
            let arguments: Vec<_> = arguments.iter().map(|one| &one.value).collect();
            indicator(name, &arguments, place, &bars, &at)
        }
        Kind::Call(name, arguments) => {
            let arguments: Vec<_> = arguments.iter().map(|one| &one.value).collect();
            indicator(name, &arguments, 0, &bars, &at)
        }
        other => unreachable!("the generator does not write {other:?}"),
    }
}

/// A series of other candles as of each of `candles`, unknown until it is settled.
fn brought(
    of: &Expression,
    market: &Market,
    scope: (bool, Interval),
    candles: &[Candle],
) -> Vec<f64> {
    let values = definition(of, market, scope);
    let closes = market.series(scope.0, scope.1);
    let inner = RuleText {
        timeframe: Some(scope.1),
        ..rules()
    };
    let mut lowering = Lowering::new(&inner);
    let value = lowering.lower(of, lowering.base());
    let need = lowering.need(value).total() as usize;
    let value = |candle: &Candle| {
        let wanted = scope.1.open_time(candle.close_time());
        let found = closes.iter().position(|close| close.close_time() == wanted);
        found
            .filter(|index| *index >= need)
            .map_or(f64::NAN, |index| values[index])
    };
    candles.iter().map(value).collect()
}

fn indicator(
    name: &str,
    arguments: &[&Expression],
    line: usize,
    bars: &[Ohlcv],
    at: &dyn Fn(&Expression) -> Vec<f64>,
) -> Vec<f64> {
    let entry = find(name).unwrap();
    let inputs = arguments.len() - entry.parameters.len();
    let parameters: Vec<f64> = arguments[inputs..]
        .iter()
        .map(|of| match of.kind {
            Kind::Number(number) => number,
            _ => unreachable!("the generator writes numbers"),
        })
        .collect();
    let series: Vec<Vec<f64>> = arguments[..inputs].iter().map(|of| at(of)).collect();
    let mut indicator = entry.build(&parameters).unwrap();
    let mut values = Vec::new();
    for (index, bar) in bars.iter().enumerate() {
        let sample = match (entry.input, series.as_slice()) {
            (InputKind::Value, []) => Sample::Value(bar.close),
            (InputKind::Value, [of]) => Sample::Value(of[index]),
            (InputKind::Pair, [x, y]) => Sample::Pair(Pair {
                x: x[index],
                y: y[index],
            }),
            (InputKind::Bar, _) => Sample::Bar(bar.bar()),
            _ => Sample::Ohlcv(*bar),
        };
        let is_unknown = series.iter().any(|of| of[index].is_nan());
        let lines = match is_unknown {
            true => None,
            false => indicator.update(sample).ok().flatten(),
        };
        let scale = if ["roc", "ppo", "natr", "trix"].contains(&name) {
            0.01
        } else {
            1.0
        };
        let value = lines.map_or(f64::NAN, |lines| lines.as_slice()[line]);
        values.push(if scale < 1.0 {
            Function::Multiply.apply(value, scale)
        } else {
            value
        });
    }
    values
}

/// Compares the two on one expression. False if it is refused.
fn agrees(text: &str, market: &Market, order: u64) -> bool {
    let Some((found, need)) = incremental(text, market, order) else {
        return false;
    };
    let wanted = definition(&parse(text).unwrap(), market, (false, BASE));
    let mut known = 0;
    for (index, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
        let is_due = index >= need as usize;
        let is_same = found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan();
        assert!(
            if is_due { is_same } else { found.is_nan() },
            "{text} on candle {index} of need {need}: {found}, by definition {wanted}"
        );
        known += usize::from(!found.is_nan());
    }
    known > 0
}

/// A call of each line of an indicator with short periods, with a series where it takes one.
fn calls(entry: &tradewind_indicators::Entry, with_series: bool) -> Vec<String> {
    let mut inputs = match entry.input {
        InputKind::Pair => vec!["close".to_owned(), "volume".to_owned()],
        InputKind::Value if with_series => vec!["high - low".to_owned()],
        _ => Vec::new(),
    };
    let short = |(place, one): (usize, &tradewind_indicators::Parameter)| match one.is_whole {
        true => format!(
            "{}",
            (one.min + 2.0).max(3.0) + f64::from(u8::try_from(place).unwrap())
        ),
        false => format!("{}", one.default),
    };
    inputs.extend(entry.parameters.iter().enumerate().map(short));
    let call = format!("{}({})", entry.name, inputs.join(", "));
    match entry.outputs {
        [_] => vec![call],
        lines => lines.iter().map(|line| format!("{call}.{line}")).collect(),
    }
}

#[test]
fn every_indicator_is_what_it_is_over_the_whole_series() {
    let market = Market::new(7, 400);
    let mut checked = 0;
    for entry in CATALOGUE {
        for with_series in [false, true] {
            for call in calls(entry, with_series) {
                let forms = [
                    call.clone(),
                    format!("({call})[2]"),
                    format!("change({call})"),
                    format!("({call})@15m"),
                    format!("of(\"BTC/USDT\", {call})"),
                    format!("sum(({call}) > ({call})[1], 5)"),
                ];
                for form in forms {
                    // Patterns and some cumulative ones may be constant, but never unknown for 400 candles.
                    assert!(
                        agrees(&form, &market, 0x1234_5678_9ABC),
                        "{form} is never known"
                    );
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 1_000, "{checked} forms");
}

fn number(depth: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("open".to_owned()),
        Just("high".to_owned()),
        Just("close".to_owned()),
        Just("volume".to_owned()),
        Just("twice".to_owned()),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = || number(depth - 1);
    let names = [
        "sma", "ema", "highest", "lowest", "zscore", "rsi", "wma", "stddev", "roc", "er",
    ];
    prop_oneof![
        leaf,
        (inner(), prop::sample::select(names.to_vec()), 2_u32..7)
            .prop_map(|(of, name, period)| format!("{name}({of}, {period})")),
        (2_u32..6).prop_map(|period| format!("atr({period})")),
        (inner(), 0_u32..5).prop_map(|(of, ago)| format!("({of})[{ago}]")),
        (inner(), inner()).prop_map(|(a, b)| format!("({a}) * ({b})")),
        (inner(), inner()).prop_map(|(a, b)| format!("({a}) / ({b})")),
        (inner(), 1_u32..4).prop_map(|(a, ago)| format!("({a} - ({a})[{ago}])")),
        (inner(), 1_u32..4).prop_map(|(a, ago)| format!("max({a}, ({a})[{ago}])")),
        (inner(), 1_u32..4).prop_map(|(a, ago)| format!("sum(cross_above({a}, ({a})[{ago}]), 9)")),
        inner().prop_map(|a| format!("({a})@15m")),
        inner().prop_map(|a| format!("of(\"BTC/USDT\", {a})")),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_incremental_is_what_the_whole_series_gives(
        text in number(4),
        seed in any::<u64>(),
        order in any::<u64>(),
    ) {
        let market = Market::new(seed, 120);
        agrees(&text, &market, order);
    }
}
