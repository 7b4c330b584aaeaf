//! One quote through the driver and the engine of the default desk: `cargo bench -p tradewind --bench handle`.
//!
//! The configuration is the default one with 45 bots on 25 instruments. The market is the generated one in virtual
//! time. Every bot is started, warmed up and trading, and its orders are filled at once. Only quotes are timed: alone,
//! and with each input written to a journal first. The same run also times the least that can be done with a quote:
//! keeping it.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run panics")]

#[path = "handle/desk.rs"]
#[expect(dead_code, reason = "the benchmark `replay` journals all")]
mod desk;
#[path = "handle/world.rs"]
mod world;

use std::hint::black_box;
use std::time::{Duration, Instant};

use desk::Desk;
use tradewind_events::Input;
use tradewind_model::{Quote, Timestamp};
use world::World;

/// All bots are started within 90 s.
const WARM_UP_SECS: u32 = 120;
const TIMED_SECS: u32 = 180;
const RUNS: usize = 3;

fn main() {
    println!("ns a quote, median of {RUNS} runs of {TIMED_SECS} s of the default desk's market");
    let passes = [
        ("turn", None),
        ("journaled, written out each 64, and turn", Some(64)),
        ("journaled, written out each time, and turn", Some(1)),
    ];
    for (name, written_each) in passes {
        let mut runs: Vec<Figures> = (0..RUNS).map(|_| run(written_each)).collect();
        runs.sort_by(|one, other| one.handle.total_cmp(&other.handle));
        let Figures {
            handle,
            keep,
            counts,
        } = &runs[RUNS / 2];
        println!("{name:<46} {handle:>8.1}  keeping it {keep:>5.1}  {counts}");
    }
}

struct Figures {
    handle: f64,
    keep: f64,
    counts: String,
}

fn run(written_each: Option<usize>) -> Figures {
    let (world, configuration) = World::new();
    let mut desk = Desk::start(configuration, written_each, world);
    let mut slots = vec![None; 25];
    let (mut handling, mut keeping, mut count) = (Duration::ZERO, Duration::ZERO, 0);
    for second in 0..WARM_UP_SECS + TIMED_SECS {
        let news = desk.next_second();
        let kept = keep(&mut slots, &news.quotes);
        let handled = desk.quotes(&news.quotes);
        desk.ring(news.until);
        for candle in news.candles {
            desk.input(&Input::Candle(candle));
        }
        if second >= WARM_UP_SECS {
            handling += handled;
            keeping += kept;
            count += news.quotes.len();
        }
    }
    let each = |spent: Duration| spent.as_secs_f64() * 1e9 / count as f64;
    let (running, orders) = (desk.running(), desk.orders());
    Figures {
        handle: each(handling),
        keep: each(keeping),
        counts: format!("({count} quotes, {running} bots running, {orders} orders)"),
    }
}

fn keep(slots: &mut [Option<Quote>], quotes: &[(Timestamp, Quote)]) -> Duration {
    let started = Instant::now();
    for (_, quote) in quotes {
        slots[quote.instrument.index()] = Some(*black_box(quote));
    }
    black_box(&slots);
    started.elapsed()
}
