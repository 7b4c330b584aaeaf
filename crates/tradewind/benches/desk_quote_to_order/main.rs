//! Quote sent → order received, with the desk's own binary:
//! `cargo bench -p tradewind --bench desk_quote_to_order -- [--samples N] [--runs N] [--case N]`.
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

/// As long as the frame of a quote.
const FRAME: [u8; 150] = [b' '; 150];

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
    let mut frames = [Plain, Tls].map(|security| (security, Vec::new()));
    let mut syncs = Vec::new();
    let only = argument("--case", 0);
    let mut cases: Vec<_> = CASES
        .iter()
        .enumerate()
        .filter(|(index, _)| only == 0 || index + 1 == only)
        .map(|(_, (name, case))| (name, case, [Vec::new(), Vec::new()], String::new()))
        .collect();
    for _ in 0..runs {
        for (security, figures) in &mut floors {
            figures.push(Figures::of(floor::measure(&Venue::open(*security))));
        }
        for (security, figures) in &mut frames {
            figures.push(Figures::of(floor::frames(&FRAME, *security)));
        }
        syncs.push(Figures::of(floor::sync()));
        for (_, case, [orders, frames], stages) in &mut cases {
            let mut desk = LiveDesk::start(case);
            let measured = desk.measure(samples);
            orders.push(Figures::of(measured.orders));
            frames.push(Figures::of(measured.frames));
            *stages = desk.stages();
        }
    }
    let medians = |floors: [(_, Vec<Figures>); 2]| floors.map(|(_, runs)| Figures::median(&runs));
    let (floors, frame_floors) = (medians(floors), medians(frames));
    floors[0].print("blocking floor, plain", &floors[0]);
    floors[1].print("blocking floor, TLS", &floors[1]);
    Figures::median(&syncs).print("bare fdatasync", &floors[0]);
    for (name, case, [orders, _], stages) in &cases {
        let floor = &floors[usize::from(case.security == Tls)];
        Figures::median(orders).print(name, floor);
        println!("    stages of the last run, in us: {stages}");
    }
    println!("\nframe → engine, of the same runs");
    frame_floors[0].print("blocking read, plain", &frame_floors[0]);
    frame_floors[1].print("blocking read, TLS", &frame_floors[1]);
    for (name, case, [_, frames], _) in &cases {
        let floor = &frame_floors[usize::from(case.security == Tls)];
        Figures::median(frames).print(name, floor);
    }
}

/// The number behind `name`.
fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    let count = arguments.nth(1).map(|count| count.parse().unwrap());
    count.unwrap_or(default)
}
