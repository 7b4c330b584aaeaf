//! One connection into the engine, for each transport: `cargo bench -p tradewind --bench feeds [-- NAME]`. With `-- wide` a thousand
//! instruments at a steady rate.
//!
//! A thread sends what was encoded beforehand as fast as it is taken. The desk's source, queues, driver, journal and engine take it, with
//! one bot that is evaluated on every quote the engine gets. The clock stops when the last quote is in the queues; they keep the newest
//! quote of an instrument, so the engine gets fewer than were read, and how many is printed. Connecting is timed, too. Beside it, in the same run, the least there is: a blocking read that steps from message to
//! message, and what a client's
//! library makes of the same bytes: tungstenite, the parser of `redis`, httparse with quick-xml. Each drops what it has read.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run panics")]

mod bare;
mod desk;
mod feed;
mod wide;

use std::sync::Arc;
use std::time::Duration;

use feed::{Feed, Kind};

const RUNS: usize = 3;

fn main() {
    let wanted = std::env::args().skip(1).find(|one| !one.starts_with('-'));
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!(
        "quotes/s of one connection over loopback into the queues of an engine that runs, medians of {RUNS} runs taken in turn"
    );
    if wanted.as_deref().is_none_or(|wanted| wanted == wide::NAME) {
        wide::run();
    }
    let mut of_binance = None;
    for kind in [
        Kind::Binance,
        Kind::Snapshots,
        Kind::Json,
        Kind::Tcp,
        Kind::Redis,
        Kind::Http,
    ] {
        if wanted.as_ref().is_some_and(|wanted| wanted != kind.name()) {
            continue;
        }
        let feed = Arc::new(Feed::of(kind));
        let (mut bare, mut library, mut desk) = (Vec::new(), Vec::new(), Vec::new());
        let mut engine = 0;
        for _ in 0..RUNS {
            bare.push(rate(&feed, bare::read(&feed)));
            if let Some(taken) = bare::library(&feed) {
                library.push(rate(&feed, taken));
            }
            let (taken, handled) = desk::measure(&feed);
            desk.push(rate(&feed, taken));
            engine = handled;
        }
        let (bare, desk) = (median(bare), median(desk));
        let size = feed.bytes.len() as u64 / feed.quotes;
        print!(
            "{:<10} {size:>4} bytes a quote  bare {bare:>6.2} M/s  desk {desk:>5.2} M/s, {:.2} x",
            kind.name(),
            desk / bare
        );
        if !library.is_empty() {
            let library = median(library);
            print!("  library {library:>5.2} M/s, {:.2} x", desk / library);
        }
        let binance = *of_binance.get_or_insert(desk);
        println!(
            "  {:.2} x binance  ({engine} quotes reached the engine)",
            desk / binance
        );
    }
}

fn rate(feed: &Feed, taken: Duration) -> f64 {
    feed.quotes as f64 / taken.as_secs_f64() / 1e6
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
