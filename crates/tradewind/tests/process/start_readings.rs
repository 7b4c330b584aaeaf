//! What a live desk reads in its first seconds after a SIGKILL that left orders on their way.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use tempfile::TempDir;

use crate::desk::{Desk, pause};
use crate::exchange::Exchange;
use crate::in_flight::OrderTimes;
use crate::lines::listen;
use crate::live::{configuration, live};
use crate::wiretap::Wiretap;

/// Orders in flight at a kill, at least.
const IN_FLIGHT_MIN: usize = 5;
/// How long a start is looked at.
const START: Duration = Duration::from_secs(20);
/// Request weight that the desk may use in that time, cancels included: less than half of the 6,000 that the venue grants a minute,
/// however slow the machine. It is some 1,000 on an idle one, and was 3,824 while each order in doubt read the lists for itself.
const WEIGHT_MAX: usize = 2_500;
/// Starts that are looked at.
const STARTS: usize = 2;
/// Orders take long, so that some are on their way all the time.
const LATENCY: &str = "match=uniform(300ms,1200ms),report=uniform(20ms,100ms)";

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// What signed requests of a path weigh at the venue, by its documentation.
fn weight_of(path: &str, query: &str) -> usize {
    match path {
        "GET /api/v3/openOrders" if query.contains("symbol=") => 6,
        "GET /api/v3/openOrders" => 80,
        "GET /api/v3/myTrades" if query.contains("orderId=") => 5,
        "GET /api/v3/myTrades" | "GET /api/v3/allOrders" | "GET /api/v3/account" => 20,
        "GET /api/v3/order" => 4,
        _ => 1,
    }
}

/// I20: orders of unknown fate do not use up the budget that exits need.
#[test]
fn a_start_with_orders_on_their_way_reads_little() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let arguments = ["--listen", "127.0.0.1:0", "--latency", LATENCY];
    let exchange = Exchange::begun(at_venue.path(), &arguments);
    let tap = Wiretap::on(&exchange.address);
    let config = configuration(folder.path(), &tap.address);
    let spawn = || Desk::spawn(folder.path(), live(folder.path(), &config));

    let mut times = OrderTimes::default();
    let mut looked_at = 0;
    let mut desk = spawn();
    let mut begun = None;
    for _ in 0..10 {
        desk.until_ready();
        let events = listen(desk.stream_after(&times.last()).unwrap());
        if let Some(begun) = begun {
            let passed = Duration::from_millis(now_ms() - begun);
            pause(START.saturating_sub(passed));
            let end = begun + u64::try_from(START.as_millis()).unwrap();
            let requests = tap.signed_between(begun, end);
            let weights: BTreeMap<_, _> = requests
                .iter()
                .map(|(path, queries)| {
                    let weights = queries.iter().map(|query| weight_of(path, query));
                    (path.as_str(), (queries.len(), weights.sum::<usize>()))
                })
                .collect();
            let weight: usize = weights.values().map(|(_, weight)| weight).sum();
            eprintln!("start: weight {weight}: {weights:?}");
            assert!(weight < WEIGHT_MAX, "{weight}: {weights:?}");
            looked_at += 1;
        }
        if looked_at == STARTS {
            return;
        }
        pause(Duration::from_secs(4));
        let at = Timestamp::now();
        desk.crash();
        times.read(&events);
        let flying = times.in_flight(at);
        eprintln!("start: {flying} orders in flight at the kill");
        begun = (flying >= IN_FLIGHT_MIN).then(now_ms);
        desk = spawn();
    }
    panic!("only {looked_at} starts with {IN_FLIGHT_MIN} orders on their way");
}
