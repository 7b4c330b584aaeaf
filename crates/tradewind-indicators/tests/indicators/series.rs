//! Made-up series: a price walk that is the same on every machine, and helpers to compare numbers.

use tradewind_indicators::{Bar, InputKind, Ohlcv, Pair, Sample};

/// Bars of a walk in cents around 30,000, from a 64-bit linear congruential generator (Knuth's MMIX).
pub(crate) fn walk(seed: u64) -> impl Iterator<Item = Bar> {
    let mut state = seed;
    let mut draw = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((state >> 33) % below).expect("a small remainder fits")
    };
    let mut cents: u32 = 3_000_000;
    std::iter::repeat_with(move || {
        cents = (cents + draw(2_001))
            .saturating_sub(1_000)
            .clamp(1_000_000, 9_000_000);
        let price = |cents: u32| f64::from(cents) / 100.0;
        Bar {
            high: price(cents + draw(500)),
            low: price(cents - draw(500)),
            close: price(cents),
        }
    })
}

/// The same walk with opens and volumes; every seventh candle has no volume, every eleventh no body.
pub(crate) fn candles(seed: u64) -> impl Iterator<Item = Ohlcv> {
    walk(seed).zip(0_u32..).map(|(bar, i)| {
        let share = f64::from(i * 37 % 101) / 100.0;
        let open = (bar.low + (bar.high - bar.low) * share).clamp(bar.low, bar.high);
        Ohlcv {
            open: if i % 11 == 0 { bar.close } else { open },
            high: bar.high,
            low: bar.low,
            close: bar.close,
            volume: if i % 7 == 0 {
                0.0
            } else {
                f64::from(i * 53 % 997) / 8.0
            },
        }
    })
}

/// What an indicator of that kind reads of a candle; a pair is its high and its low.
pub(crate) fn sample(kind: InputKind, candle: Ohlcv) -> Sample {
    match kind {
        InputKind::Value => Sample::Value(candle.close),
        InputKind::Bar => Sample::Bar(candle.bar()),
        InputKind::Ohlcv => Sample::Ohlcv(candle),
        InputKind::Pair => Sample::Pair(Pair {
            x: candle.high,
            y: candle.low,
        }),
    }
}

/// A candle at one price.
pub(crate) fn standing(price: f64, volume: f64) -> Ohlcv {
    Ohlcv {
        open: price,
        high: price,
        low: price,
        close: price,
        volume,
    }
}

/// A bar without a range.
pub(crate) fn flat(price: f64) -> Bar {
    Bar {
        high: price,
        low: price,
        close: price,
    }
}

/// Whether `left` is within `tolerance` of `right`, relative to `right`; two zeros are.
pub(crate) fn is_close(left: f64, right: f64, tolerance: f64) -> bool {
    (left - right).abs() <= tolerance * right.abs()
}

/// The mean, summed naively.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values)
}

/// The population standard deviation, in two passes.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values
        .iter()
        .map(|value| (value - mean) * (value - mean))
        .sum();
    (squares / count(values)).sqrt()
}

fn count(values: &[f64]) -> f64 {
    f64::from(u32::try_from(values.len()).expect("a short series"))
}
