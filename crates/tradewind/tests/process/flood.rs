//! L04: a hundred thousand quotes a second of one instrument, more than the machine can read: orders are made and answered
//! meanwhile, and memory stays what it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::desk::{Desk, pause, unused_address, within};
use crate::exchange::Exchange;
use crate::live::{come_to_rest, compare, configuration, live};
use crate::meters::{processor, resident};
use crate::relay::relay;

const FLOOD: &str = "[[fault]]\ndo = \"flood\"\nframe = \"bookTicker\"\nsymbol = \"BTCUSDT\"\nrate = 100000\nfor = \"20s\"\n";
/// What each quote on the wire has once.
const QUOTE: &[u8] = b"btcusdt@bookTicker";
const LASTS: Duration = Duration::from_secs(20);
/// Quotes a second that the desk took, at least: the machine is shared with the exchange and with other tests.
const RECEIVED_MIN: u64 = 5_000;
/// Growth of the resident memory, at most: buffers of connections and what the desk learns meanwhile.
const GROWTH_MAX: u64 = 32 << 20;

#[test]
fn a_flood_of_quotes_keeps_no_order_back_and_takes_no_memory() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let (address, control) = (unused_address(), unused_address());
    let arguments = ["--listen", &address, "--control", &control];
    let exchange = Exchange::begun(at_venue.path(), &arguments);
    // The way to the desk, on which quotes are counted: those in two pieces are missed.
    let received = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&received);
    let way = relay(&exchange.address, move || {
        let count = Arc::clone(&count);
        let answers = move |piece: &[u8]| {
            let quotes = piece.windows(QUOTE.len()).filter(|text| *text == QUOTE);
            count.fetch_add(quotes.count() as u64, Ordering::Relaxed);
        };
        (|_: &[u8]| {}, answers)
    });
    let config = configuration(folder, &way);
    let desk = Desk::start_from(folder, live(folder, &config));
    within(Duration::from_secs(60), "fills", || {
        (desk.all("fills").len() >= 10).then_some(())
    });
    let fills = || {
        let status = desk.get("status");
        status["counters"]["fills"].as_u64().unwrap()
    };
    // How fast orders are filled without it.
    let calm = fills();
    pause(LASTS / 2);
    let calm = fills() - calm;
    let (memory, used, filled) = (resident(desk.pid()), processor(desk.pid()), fills());
    let before = received.load(Ordering::Relaxed);
    let mut most = memory;
    exchange.operate("POST /faults", FLOOD);
    let begun = Instant::now();
    while begun.elapsed() < LASTS {
        most = most.max(resident(desk.pid()));
        pause(Duration::from_millis(200));
    }
    let (during, took) = (fills() - filled, processor(desk.pid()) - used);
    let received = (received.load(Ordering::Relaxed) - before) / LASTS.as_secs();
    eprintln!(
        "{received} quotes a second for {LASTS:?}: {during} fills, {calm} in half the time before, {took:?} of processor time, {} KiB more memory",
        (most - memory) / 1024,
    );
    assert!(received >= RECEIVED_MIN, "no flood: {received} a second");
    assert!(calm > 0, "nothing was traded before");
    assert!(
        during >= calm.div_ceil(2),
        "{during} fills, before it {calm} in half the time"
    );
    assert!(most - memory < GROWTH_MAX, "{memory} grew to {most}");
    exchange.operate("DELETE /faults", "");
    come_to_rest(folder, &desk);
    within(Duration::from_secs(75), "equal books", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
    compare(&desk, &exchange);
}
