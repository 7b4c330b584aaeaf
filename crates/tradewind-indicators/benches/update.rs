//! What an update of each indicator costs with its customary parameters, beside that of a simple moving average
//! in the same run. With `TRADEWIND_UPDATE=1` the figures go to `docs/indicators.md`.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures time and writes a document; the crate under test does neither"
)]

use std::{
    collections::BTreeMap,
    env, fs,
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant},
};

use tradewind_indicators::{CATALOGUE, InputKind, Ohlcv, Pair, Sample, Sma, find};

const CANDLES: u32 = 20_000;
/// Passes over the series; the fastest counts.
const PASSES: u32 = 25;

fn main() {
    let candles = series();
    let bare = nanoseconds(|| {
        let mut sma = Sma::new(20).expect("a period in range");
        for candle in &candles {
            black_box(sma.update(candle.close).expect("a price in range"));
        }
    });
    println!(
        "{:<16} {bare:>7.1} ns an update, as the typed struct",
        "sma"
    );
    let sma = cost("sma", &candles);
    let mut cells = BTreeMap::new();
    for entry in CATALOGUE {
        let each = if entry.name == "sma" {
            sma
        } else {
            cost(entry.name, &candles)
        };
        println!(
            "{:<16} {each:>7.1} ns, {:>5.1} x sma",
            entry.name,
            each / sma
        );
        cells.insert(entry.name, format!("{each:.0} ns, {:.1} x", each / sma));
    }
    if env::var("TRADEWIND_UPDATE").is_ok_and(|value| value == "1") {
        write(&cells);
    }
}

/// Nanoseconds of an update by way of the catalogue.
fn cost(name: &str, candles: &[Ohlcv]) -> f64 {
    let entry = find(name).expect("it is in the catalogue");
    let sample = |candle: &Ohlcv| match entry.input {
        InputKind::Value => Sample::Value(candle.close),
        InputKind::Bar => Sample::Bar(candle.bar()),
        InputKind::Ohlcv => Sample::Ohlcv(*candle),
        InputKind::Pair => Sample::Pair(Pair {
            x: candle.high,
            y: candle.low,
        }),
    };
    let samples: Vec<_> = candles.iter().map(sample).collect();
    nanoseconds(|| {
        let mut indicator = entry
            .build(&entry.defaults())
            .expect("defaults are in range");
        for &sample in &samples {
            black_box(indicator.update(sample).expect("a candle in order"));
        }
    })
}

/// Of one update in the fastest pass.
fn nanoseconds(pass: impl Fn()) -> f64 {
    let timed = |_| {
        let started = Instant::now();
        pass();
        started.elapsed()
    };
    let fastest = (0..PASSES).map(timed).min().unwrap_or(Duration::MAX);
    fastest.as_secs_f64() * 1e9 / f64::from(CANDLES)
}

/// A walk in cents around 30,000, from a linear congruential generator.
fn series() -> Vec<Ohlcv> {
    let mut state = 1_u64;
    let mut draw = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((state >> 33) % below).expect("a small remainder fits")
    };
    let mut cents = 3_000_000;
    let candle = |_| {
        let open = cents;
        cents = (cents + draw(2_001) - 1_000).clamp(1_000_000, 9_000_000);
        let price = |cents: u32| f64::from(cents) / 100.0;
        Ohlcv {
            open: price(open),
            high: price(open.max(cents) + draw(500)),
            low: price(open.min(cents) - draw(500)),
            close: price(cents),
            volume: f64::from(draw(100_000)) / 8.0,
        }
    };
    (0..CANDLES).map(candle).collect()
}

/// Puts the costs in the last cells of the document's rows.
fn write(cells: &BTreeMap<&str, String>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/indicators.md");
    let document = fs::read_to_string(&path).expect("the document is in docs/");
    let row = |line: &str| -> Option<String> {
        let (name, _) = line.strip_prefix("| `")?.split_once('(')?;
        let (others, _) = line.strip_suffix(" |")?.rsplit_once("| ")?;
        Some(format!("{others}| {} |", cells.get(name)?))
    };
    let lines = document
        .lines()
        .map(|line| row(line).unwrap_or_else(|| line.to_owned()));
    let text: Vec<_> = lines.collect();
    fs::write(&path, text.join("\n") + "\n").expect("the document is written");
}
