//! What a wake of the crossover costs, beside a bare loop that computes the same two averages and compares them.
//!
//! Both run over the same 100,000 quotes; the figure per quote is the throughput's inverse.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tradewind_model::{
    Amount, AssetId, CarriedOut, Decision, Instrument, InstrumentId, Price, Quantity, Quote,
    Timestamp,
};
use tradewind_strategy::{View, build};

const QUOTES: u64 = 100_000;
/// Passes over the series; the fastest counts.
const PASSES: u32 = 50;

fn main() {
    let quotes = series();
    report("baseline: two averages and a compare", || bare(&quotes));
    report("on_quote", || signals(&quotes));
}

/// Prints the cost of a quote in the fastest pass.
#[expect(clippy::cast_precision_loss, reason = "for printing")]
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the crate under test does not"
)]
fn report(name: &str, pass: impl Fn() -> u32) {
    let timed = |_| {
        let started = Instant::now();
        black_box(pass());
        started.elapsed()
    };
    let fastest = (0..PASSES).map(timed).min().unwrap_or(Duration::MAX);
    let each = fastest.as_nanos() as f64 / QUOTES as f64;
    println!("{name:<40} {each:>7.2} ns a quote");
}

/// Crossings, by hand: averages started at the first middle, so the first few differ from the strategy's.
#[expect(
    clippy::cast_precision_loss,
    reason = "the prices of the series are far below 2^53"
)]
fn bare(quotes: &[Quote]) -> u32 {
    let first = quotes[0].mid_twice() as f64;
    let (mut fast, mut slow, mut above, mut crossings) = (first, first, false, 0);
    for quote in quotes {
        let mid = quote.mid_twice() as f64;
        fast += (mid - fast) * (2.0 / 11.0);
        slow += (mid - slow) * (2.0 / 21.0);
        if (fast > slow) != above {
            above = !above;
            crossings += 1;
        }
    }
    crossings
}

/// Targets the strategy asks for, starting cold.
fn signals(quotes: &[Quote]) -> u32 {
    let instrument = instrument();
    let mut strategy = build("ma_cross", &BTreeMap::new(), 1).expect("defaults are in range");
    let mut signals = 0;
    for quote in quotes {
        let view = View {
            quote: Some(quote),
            budget: Amount::whole(1_000),
            carried_out: CarriedOut::All,
            ..View::bare(quote.received_at, &instrument)
        };
        let decision = strategy.on_quote(&view, quote);
        signals += u32::from(matches!(black_box(decision), Ok(Decision::Target(_))));
    }
    signals
}

/// The series of the crossover's known answers.
fn series() -> Vec<Quote> {
    let mut bid = 5_000_000;
    let step = |step: u64| {
        let mut z = 0x9E37_79B9_7F4A_7C15_u64
            .wrapping_mul(step + 1)
            .wrapping_add(42);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bid += i64::try_from((z ^ (z >> 31)) % 101).expect("it is at most 100") - 50;
        quote(bid)
    };
    (0..QUOTES).map(step).collect()
}

fn quote(bid: i64) -> Quote {
    Quote {
        instrument: InstrumentId(0),
        bid: Price(bid),
        ask: Price(bid + 1),
        bid_quantity: Quantity(1),
        ask_quantity: Quantity(1),
        event_time: None,
        received_at: Timestamp::EPOCH,
    }
}

fn instrument() -> Instrument {
    Instrument::spot(InstrumentId(0), "simx:BTC/USDT", AssetId(0), AssetId(1))
}
