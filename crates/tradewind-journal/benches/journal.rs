//! What the journal costs, beside the bare disk in the same run: `cargo bench -p tradewind-journal`.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run says so")]

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tradewind_events::Input;
use tradewind_journal::{Disk, Journal, Options, Reader, Storage as _};
use tradewind_model::{InstrumentId, Price, Quantity, Quote, Timestamp};

const INPUTS: u64 = 1_000_000;
const BATCH: u64 = 64;
const SYNCS: u64 = 500;

fn main() {
    let dir = tempfile::tempdir_in(".").unwrap();
    let options = Options::default();
    let storage = Arc::new(Disk);
    let (mut journal, _) = Journal::open(storage, dir.path(), &options, Timestamp::EPOCH).unwrap();
    let mut seq = 0;
    let started = Instant::now();
    while seq < INPUTS {
        for _ in 0..BATCH {
            seq += 1;
            append(&mut journal, seq, &Input::Quote(quote()));
        }
        journal.flush().unwrap();
    }
    report("append, flushed each 64", seq, started.elapsed());

    let started = Instant::now();
    let reader = Reader::new(Arc::new(Disk), dir.path());
    let read = reader.inputs().unwrap().filter(Result::is_ok).count() as u64;
    report("read back and checked", read, started.elapsed());

    let mut taken = Vec::new();
    for _ in 0..SYNCS {
        seq += 1;
        append(&mut journal, seq, &Input::TradesLost { count: seq });
        let started = Instant::now();
        journal.sync().unwrap();
        taken.push(started.elapsed());
    }
    percentiles("append one record and sync", taken);
    bare(dir.path());
}

/// The least work there is: 256 bytes at the end of a file, and a sync.
fn bare(dir: &Path) {
    let path = dir.join("bare");
    let file = File::create(&path).unwrap();
    let mut taken = Vec::new();
    for number in 0..SYNCS {
        let started = Instant::now();
        file.write_all_at(&[1; 256], number * 256).unwrap();
        file.sync_data().unwrap();
        taken.push(started.elapsed());
    }
    percentiles("bare write and fdatasync", taken);
    Disk.remove(&path).unwrap();
}

fn append(journal: &mut Journal, seq: u64, input: &Input) {
    let at = Timestamp::from_nanos(i64::try_from(seq).unwrap());
    journal.append_input(seq, at, input).unwrap();
}

fn quote() -> Quote {
    Quote {
        instrument: InstrumentId(3),
        bid: Price(6_183_763),
        ask: Price(6_183_764),
        bid_quantity: Quantity(150_000),
        ask_quantity: Quantity(75_000),
        event_time: None,
        received_at: Timestamp::EPOCH,
    }
}

fn report(what: &str, count: u64, taken: Duration) {
    let each = taken.as_secs_f64() / count as f64;
    println!("{what}: {:.0} ns each, {:.2} M/s", each * 1e9, 1e-6 / each);
}

fn percentiles(what: &str, mut taken: Vec<Duration>) {
    taken.sort_unstable();
    let at = |share: usize| taken[taken.len() * share / 100];
    println!("{what}: p50 {:?}, p99 {:?}", at(50), at(99));
}
