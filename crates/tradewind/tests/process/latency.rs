//! From the engine to a subscriber's socket, while a hundred others do not read.

use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, UNIX_EPOCH};

use jiff::Timestamp;
use tempfile::TempDir;

use crate::desk::{Desk, pause};
use crate::fast_bots::fast_bots_beside_others;
use crate::lines::{Arrived, listen};

const SLOW_READERS: usize = 100;
const MEASURED: Duration = Duration::from_secs(20);
const P99_MAX: Duration = Duration::from_millis(10);

#[test]
fn events_reach_a_reader_in_ten_milliseconds_whatever_others_do() {
    let folder = TempDir::new().unwrap();
    // The desk of 45 bots, and some that trade all the time: a percentile needs events.
    let config = fast_bots_beside_others(folder.path());
    let desk = Desk::start_with(folder.path(), &["--config", &config]);
    let reader = listen(desk.stream("").unwrap());
    let slow: Vec<_> = (0..SLOW_READERS).map(|_| stalled(&desk)).collect();
    pause(MEASURED);
    // What is told at the start of a stream is as old as it is; what follows is timed.
    let mut delays: Vec<Duration> = reader
        .try_iter()
        .filter(|arrived| arrived.kind() != "price_update" && arrived.kind() != "gap")
        .map(|arrived| delay(&arrived))
        .collect();
    delays.sort_unstable();
    let at = |share: usize| delays[(delays.len() * share / 100).min(delays.len() - 1)];
    let (middle, tail) = (at(50), at(99));
    eprintln!(
        "{} events: p50 {middle:?}, p99 {tail:?}, most {:?}",
        delays.len(),
        at(100)
    );
    assert!(delays.len() > 1_000, "only {} events", delays.len());
    assert!(tail < P99_MAX, "p99 is {tail:?}");
    drop(slow);
}

/// A reader that was let in and does not read on.
#[track_caller]
fn stalled(desk: &Desk) -> TcpStream {
    let mut stream = desk.stream("").unwrap();
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.0 200");
    stream
}

/// The desk and this test read the same clock.
fn delay(arrived: &Arrived) -> Duration {
    let told: Timestamp = arrived.event["at"].as_str().unwrap().parse().unwrap();
    let told = Duration::from_nanos(u64::try_from(told.as_nanosecond()).unwrap());
    let came = arrived.at.duration_since(UNIX_EPOCH).unwrap();
    came.saturating_sub(told)
}
