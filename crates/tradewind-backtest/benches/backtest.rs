//! The benchmark series through the whole desk, beside the least work there is: a bare loop over the same quotes with two
//! averages and a compare. Prints medians of five runs, the ratio, and peak memory after 1 M and 10 M quotes.
//!
//! `cargo bench -p tradewind-backtest`; `-- --only N` runs the desk once over N quotes, for `valgrind --tool=callgrind`.

#![expect(
    clippy::print_stdout,
    reason = "a benchmark's output is what it is run for"
)]

#[path = "shared/measure.rs"]
mod measure;

use std::hint::black_box;

use tradewind_backtest::{BenchmarkSeries, benchmark_setup, run};
use tradewind_model::MarketEvent;

use measure::{RUNS, line, median, peak_kib, timed};

const QUOTES: u64 = 1_000_000;

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    if let Some(quotes) = only() {
        println!("{} orders", desk(quotes));
        return;
    }
    let bare = median(|| {
        black_box(crossings(QUOTES));
    });
    let mut orders = 0;
    let desk = median(|| orders = desk(QUOTES));
    let start = median(|| {
        black_box(self::desk(1));
    });
    let memory = peak_kib();
    let long = timed(|| {
        black_box(self::desk(10 * QUOTES));
    });
    let memory_long = peak_kib();
    println!("backtest of {QUOTES} quotes, {orders} orders, median of {RUNS} runs");
    line("desk", desk, QUOTES);
    line("bare loop", bare, QUOTES);
    println!("ratio       {:.1}", desk.as_secs_f64() / bare.as_secs_f64());
    println!("start-up    {:.3} ms", start.as_secs_f64() * 1e3);
    line("10 M quotes", long, 10 * QUOTES);
    println!("peak memory {memory} KiB after 1 M, {memory_long} KiB after 10 M quotes");
}

/// The count behind `--only`.
fn only() -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--only");
    arguments.nth(1)?.parse().ok()
}

fn desk(quotes: u64) -> u64 {
    run(benchmark_setup(), &mut BenchmarkSeries::new(quotes))
        .map(|report| report.orders)
        .unwrap_or_default()
}

/// What the strategy comes to, without a desk: how often the averages cross.
fn crossings(quotes: u64) -> u64 {
    let (fast_share, slow_share) = (2.0 / 11.0, 2.0 / 21.0);
    let (mut fast, mut slow, mut above, mut crossed) = (0.0_f64, 0.0_f64, false, 0);
    for (_, event) in BenchmarkSeries::new(quotes) {
        let MarketEvent::Quote(quote) = event else {
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let mid = quote.mid_twice() as f64;
        fast += (mid - fast) * fast_share;
        slow += (mid - slow) * slow_share;
        crossed += u64::from((fast > slow) != above);
        above = fast > slow;
    }
    crossed
}
