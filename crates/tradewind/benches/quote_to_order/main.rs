//! Quote sent → order received, both stamped at the venue, over loopback sockets:
//! `cargo bench -p tradewind --bench quote_to_order`.
//!
//! The venue is a thread that writes a book ticker each 10 ms and one that stamps each order's last byte. Between them
//! lies the desk's own path: market source, codec, queues, the engine's thread with journal and risk gate, the order gate
//! and the order connections. The interfaces (API, database, Telegram bot) are not attached. The same run also times
//! the least possible work: one thread, blocking reads, HMAC-SHA256, a POST on a connection kept open.
//!
//! Each order's limit price is its quote's ask, so that an order is matched to its quote by the price.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run panics")]

mod desk;
mod figures;
#[allow(dead_code, reason = "the benchmark of the binary uses all of it")]
mod floor;
mod venue;
mod wire;

use tradewind::driver::EngineWait;

use figures::Figures;
use venue::{QUOTES, Venue};
use wire::Security;

const RUNS: usize = 3;

fn main() {
    println!(
        "quote → order, {QUOTES} quotes, one each 10 ms, medians of {RUNS} runs taken in turn; the desk's intents are"
    );
    let (mut floor, mut tls, mut sync) = (Vec::new(), Vec::new(), Vec::new());
    let mut desks = [
        ("written before the order", EngineWait::Park, false),
        ("synced before the order", EngineWait::Park, true),
        ("written, the engine spins", EngineWait::Spin, false),
        ("synced, the engine spins", EngineWait::Spin, true),
    ]
    .map(|desk| (desk, Vec::new()));
    for _ in 0..RUNS {
        floor.push(Figures::of(floor::measure(&Venue::open(Security::Plain))));
        tls.push(Figures::of(floor::measure(&Venue::open(Security::Tls))));
        sync.push(Figures::of(floor::sync()));
        for ((_, wait, power_safe), runs) in &mut desks {
            let taken = desk::measure(&Venue::open(Security::Plain), *wait, *power_safe);
            runs.push(Figures::of(taken));
        }
    }
    let floor = Figures::median(&floor);
    floor.print("blocking floor", &floor);
    Figures::median(&tls).print("blocking floor, TLS", &floor);
    Figures::median(&sync).print("bare fdatasync", &floor);
    for ((name, _, _), runs) in &desks {
        Figures::median(runs).print(name, &floor);
    }
}
