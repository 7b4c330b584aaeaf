//! Quote sent → order received, with the desk's own binary:
//! `cargo bench -p tradewind --bench desk_quote_to_order -- [--samples N] [--runs N]`.
//!
//! `tradewind run --venue binance --live` runs the 45 bots of the default configuration and one that orders on each quote,
//! with SQLite, a client of the event stream and one that does not read. Its venue is `tradewind simx` behind a relay in this
//! process. The relay writes the quotes of one instrument and stamps that instrument's orders; everything else passes
//! through. The desk is a process of its own, and so is the exchange.
//!
//! A live account syncs each intent before its order leaves. On a file system in memory a sync costs next to nothing:
//! there the figure is that of intents which are only written. The same run also times the least possible work and bare
//! syncs, as the benchmark `quote_to_order` does.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run panics")]

#[path = "../../tests/process/desk.rs"]
#[allow(dead_code, reason = "the tests of the process use all of it")]
mod desk;
#[path = "../quote_to_order/figures.rs"]
mod figures;
#[path = "../quote_to_order/floor.rs"]
mod floor;
#[path = "../../tests/process/http.rs"]
#[allow(dead_code, reason = "the tests of the process use all of it")]
mod http;
mod live_desk;
mod relay;
#[path = "../../tests/process/simx.rs"]
#[allow(dead_code, reason = "the tests of the process use all of it")]
mod simx;
#[path = "../quote_to_order/venue.rs"]
mod venue;
#[path = "../quote_to_order/wire.rs"]
mod wire;

use figures::Figures;
use live_desk::{Case, Folder, LiveDesk};
use venue::Venue;
use wire::Security::{Plain, Tls};

/// Quotes that are measured in a run.
const SAMPLES: usize = 1_000;
/// Runs, whose medians are printed.
const RUNS: usize = 3;

/// What is measured: a name, and how the desk runs.
const CASES: [(&str, Case); 6] = [
    ("plain, written", Case::new(Plain, Folder::Memory, "park")),
    ("plain, synced", Case::new(Plain, Folder::Disk, "park")),
    (
        "plain, written, the engine spins",
        Case::new(Plain, Folder::Memory, "spin"),
    ),
    (
        "plain, synced, the engine spins",
        Case::new(Plain, Folder::Disk, "spin"),
    ),
    ("TLS, written", Case::new(Tls, Folder::Memory, "park")),
    ("TLS, synced", Case::new(Tls, Folder::Disk, "park")),
];

fn main() {
    let (samples, runs) = (argument("--samples", SAMPLES), argument("--runs", RUNS));
    println!(
        "quote → order of the binary, {samples} quotes, one each 10 ms, medians of {runs} runs taken in turn"
    );
    let mut floors = [Plain, Tls].map(|security| (security, Vec::new()));
    let mut syncs = Vec::new();
    let mut cases = CASES.map(|(name, case)| (name, case, Vec::new(), String::new()));
    for _ in 0..runs {
        for (security, figures) in &mut floors {
            figures.push(Figures::of(floor::measure(&Venue::open(*security))));
        }
        syncs.push(Figures::of(floor::sync()));
        for (_, case, figures, stages) in &mut cases {
            let mut desk = LiveDesk::start(case);
            figures.push(Figures::of(desk.measure(samples)));
            *stages = desk.stages();
        }
    }
    let floors = floors.map(|(_, figures)| Figures::median(&figures));
    floors[0].print("blocking floor, plain", &floors[0]);
    floors[1].print("blocking floor, TLS", &floors[1]);
    Figures::median(&syncs).print("bare fdatasync", &floors[0]);
    for (name, case, figures, stages) in &cases {
        let floor = &floors[usize::from(case.security == Tls)];
        Figures::median(figures).print(name, floor);
        println!("    stages of the last run, in us: {stages}");
    }
}

/// The number behind `name`.
fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    let count = arguments.nth(1).map(|count| count.parse().unwrap());
    count.unwrap_or(default)
}
