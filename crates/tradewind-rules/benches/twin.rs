//! What a candle costs rules, beside the built-in strategy that decides the same, and what a quote costs them.
//!
//! Both take the same 100,000 candles or quotes; the figure is that of the fastest pass. `ma_cross` averages quotes, which rules cannot:
//! theirs cross averages of candles, so that pair compares the cost of a wake and not what is decided.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tradewind_model::{
    Amount, AssetId, Candle, CarriedOut, Decision, Instrument, InstrumentId, Interval, Parameter,
    Price, Quantity, Quote, Timestamp,
};
use tradewind_rules::{ClauseText, RuleText, WakeText, build};
use tradewind_strategy::{Strategy, View};

const CANDLES: u32 = 100_000;
const PASSES: u32 = 15;

fn main() {
    let candles = series();
    let pairs = [
        ("rsi_reversion", "rsi(14) < 30", "rsi(14) > 55"),
        (
            "bollinger_reversion",
            "close < bbands(20, 2).lower",
            "close > bbands(20, 2).middle",
        ),
        (
            "macd",
            "cross_above(macd(12, 26, 9).histogram, 0)",
            "macd(12, 26, 9).histogram < 0",
        ),
        (
            "donchian_breakout",
            "close > highest(high, 20)[1]",
            "close < lowest(low, 10)[1]",
        ),
    ];
    for (name, enter, exit) in pairs {
        let built_in = cost(&candles, name, &BTreeMap::new());
        let rules = cost(&candles, "rules", &rules(enter, exit).to_parameters());
        let times = rules / built_in;
        println!("{name:<20} built-in {built_in:>7.1} ns   rules {rules:>7.1} ns   {times:>5.2} x");
    }
    let built_in = timed(
        || build("ma_cross", &BTreeMap::new(), 1),
        |one| quotes(one, &candles),
    );
    let own = RuleText {
        wake: WakeText::Quotes,
        ..rules(
            "cross_above(ema(10), ema(20))",
            "cross_below(ema(10), ema(20))",
        )
    };
    let own = own.to_parameters();
    let ruled = timed(|| build("rules", &own, 1), |one| quotes(one, &candles));
    let (name, times) = ("ma_cross, a quote", ruled / built_in);
    println!("{name:<20} built-in {built_in:>7.1} ns   rules {ruled:>7.1} ns   {times:>5.2} x");
}

fn rules(enter: &str, exit: &str) -> RuleText {
    let clause = |when: &str| ClauseText {
        tag: None,
        when: when.to_owned(),
    };
    RuleText {
        timeframe: Some(Interval::Minute1),
        enter: vec![clause(enter)],
        exit: vec![clause(exit)],
        stop: Some("none".to_owned()),
        ..RuleText::default()
    }
}

/// Nanoseconds a candle in the fastest pass.
fn cost(candles: &[Candle], name: &str, parameters: &BTreeMap<String, Parameter>) -> f64 {
    timed(|| build(name, parameters, 1), |one| pass(one, candles))
}

/// Nanoseconds a wake in the fastest pass.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the crate under test does not"
)]
fn timed<E: std::fmt::Debug>(
    built: impl Fn() -> Result<Box<dyn Strategy>, E>,
    pass: impl Fn(&mut dyn Strategy) -> u32,
) -> f64 {
    let timed = |_| {
        let mut strategy = built().expect("it builds");
        let started = Instant::now();
        black_box(pass(strategy.as_mut()));
        started.elapsed()
    };
    let fastest = (0..PASSES).map(timed).min().unwrap_or(Duration::MAX);
    fastest.as_secs_f64() * 1e9 / f64::from(CANDLES)
}

fn view<'a>(instrument: &'a Instrument, at: Timestamp, quote: Option<&'a Quote>) -> View<'a> {
    View {
        quote,
        budget: Amount::whole(1_000),
        carried_out: CarriedOut::Exits,
        ..View::bare(at, instrument)
    }
}

/// A quote at each close; every 100th is followed by its candle, which only rules take.
fn quotes(strategy: &mut dyn Strategy, candles: &[Candle]) -> u32 {
    let instrument = Instrument::spot(InstrumentId(0), "x:BTC/USDT", AssetId(0), AssetId(1));
    let mut signals = 0;
    for (index, candle) in candles.iter().enumerate() {
        let quote = Quote {
            instrument: InstrumentId(0),
            bid: candle.close,
            ask: Price(candle.close.0 + 1),
            bid_quantity: Quantity(1),
            ask_quantity: Quantity(1),
            event_time: None,
            received_at: candle.close_time(),
        };
        let view = view(&instrument, candle.close_time(), Some(&quote));
        let decision = strategy.on_quote(&view, &quote);
        signals += u32::from(matches!(black_box(decision), Ok(Decision::Target(_))));
        if index % 100 == 0 {
            strategy.on_candle(&view, candle).ok();
        }
    }
    signals
}

fn pass(strategy: &mut dyn Strategy, candles: &[Candle]) -> u32 {
    let instrument = Instrument::spot(InstrumentId(0), "x:BTC/USDT", AssetId(0), AssetId(1));
    let mut signals = 0;
    for candle in candles {
        let view = view(&instrument, candle.close_time(), None);
        let decision = strategy.on_candle(&view, candle);
        signals += u32::from(matches!(black_box(decision), Ok(Decision::Target(_))));
    }
    signals
}

fn series() -> Vec<Candle> {
    let mut price = 5_000_000;
    let candle = |index: u32| {
        let mut z = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(u64::from(index) + 43);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let open = price;
        price += i64::try_from((z >> 33) % 2_001).expect("it is at most 2,000") - 1_000;
        Candle {
            instrument: InstrumentId(0),
            interval: Interval::Minute1,
            complete: true,
            open_time: Timestamp::EPOCH + Interval::Minute1.duration() * index,
            open: Price(open),
            high: Price(open.max(price) + 100),
            low: Price(open.min(price) - 100),
            close: Price(price),
            volume: Amount::ONE,
        }
    };
    (0..CANDLES).map(candle).collect()
}
