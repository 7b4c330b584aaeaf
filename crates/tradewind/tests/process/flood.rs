//! L04: a hundred thousand quotes a second of one instrument, more than the machine can read: orders are made and answered
//! meanwhile, and memory stays what it was.

use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::desk::{Desk, pause, unused_address, within};
use crate::exchange::Exchange;
use crate::live::{come_to_rest, compare, configuration, live};
use crate::meters::{processor, resident};

const FLOOD: &str = "[[fault]]\ndo = \"flood\"\nframe = \"bookTicker\"\nsymbol = \"BTCUSDT\"\nrate = 100000\nfor = \"20s\"\n";
const LASTS: Duration = Duration::from_secs(20);
/// Messages a second that the desk received, at least: what is left for it on a machine that the exchange has to share.
const RECEIVED_MIN: u64 = 5_000;
/// Growth of the resident memory, at most: buffers of connections and what the desk learns meanwhile.
const GROWTH_MAX: u64 = 32 << 20;

/// Messages that the desk's feeds received so far.
fn messages(desk: &Desk) -> u64 {
    let metrics = desk.ask("GET /metrics", "").unwrap().body;
    let lines = metrics.lines();
    let of_feeds = lines.filter_map(|line| line.strip_prefix("tradewind_feed_messages_total{"));
    of_feeds
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
        .sum()
}

#[test]
fn a_flood_of_quotes_keeps_no_order_back_and_takes_no_memory() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let (address, control) = (unused_address(), unused_address());
    let arguments = ["--listen", &address, "--control", &control];
    let exchange = Exchange::begun(at_venue.path(), &arguments);
    let config = configuration(folder, &exchange.address);
    let desk = Desk::start_from(folder, live(folder, &config));
    within(Duration::from_secs(60), "fills", || {
        (desk.all("fills").len() >= 10).then_some(())
    });
    let fills = || {
        let status = desk.get("status");
        status["counters"]["fills"].as_u64().unwrap()
    };
    let (memory, used, filled) = (resident(desk.pid()), processor(desk.pid()), fills());
    let received = messages(&desk);
    let mut most = memory;
    exchange.operate("POST /faults", FLOOD);
    let begun = Instant::now();
    while begun.elapsed() < LASTS {
        most = most.max(resident(desk.pid()));
        pause(Duration::from_millis(200));
    }
    let (during, took) = (fills() - filled, processor(desk.pid()) - used);
    let received = (messages(&desk) - received) / LASTS.as_secs();
    eprintln!(
        "{received} messages a second for {LASTS:?}: {during} fills, {took:?} of processor time, {} KiB more memory",
        (most - memory) / 1024,
    );
    assert!(received >= RECEIVED_MIN, "no flood: {received} a second");
    assert!(during >= 3, "no orders were made and filled meanwhile");
    assert!(most - memory < GROWTH_MAX, "{memory} grew to {most}");
    exchange.operate("DELETE /faults", "");
    come_to_rest(folder, &desk);
    within(Duration::from_secs(75), "equal books", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
    compare(&desk, &exchange);
}
