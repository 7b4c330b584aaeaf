//! What a start costs a desk with a long past: it must depend on what is open and on what came since the last snapshot, not
//! on how long the desk has traded.
//!
//! `make restart RECORDS=1000000 FILLS=400000` takes a past of that size. `TRADEWIND_PAST` names a folder that it is kept in,
//! for the next run; `TRADEWIND_BINARY` another build to start.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::desk::{Desk, pause, tradewind, unused_address, within};
use crate::live::configuration;
use crate::past::{Wanted, make, rich};
use crate::round_trips::RoundTrips;
use crate::simx::Simx;

/// The account that the past was made with.
const ACCOUNT: &str = "key:secret:USDT=1";
/// Of every test run.
const SMALL: Wanted = Wanted {
    records: 50_000,
    fills: 5_000,
};
/// A start is ready in this time and what the venue takes to answer.
const READY_WITHIN: Duration = Duration::from_secs(2);
/// A build with its checks on takes longer.
const READY_WITHIN_CHECKED: Duration = Duration::from_secs(6);
/// Most that is resident.
const RESIDENT_MAX: u64 = 200 << 20;
/// How long a desk is watched after it is ready.
const WATCHED: Duration = Duration::from_secs(2);
/// Longest until the database has everything.
const REBUILT_WITHIN: Duration = Duration::from_secs(1_800);

/// What a start took.
#[derive(Debug)]
struct Start {
    ready: Duration,
    /// Time within it with a request on its way to the venue.
    at_venue: Duration,
    resident: u64,
}

struct Trial {
    desk: PathBuf,
    config: String,
    trips: RoundTrips,
    _simx: Simx,
    _scratch: TempDir,
}

fn wanted() -> Wanted {
    let number = |name: &str, default: u64| {
        let set = env::var(name).ok().filter(|set| !set.is_empty());
        set.map_or(default, |set| set.parse().unwrap())
    };
    Wanted {
        records: number("TRADEWIND_RECORDS", SMALL.records),
        fills: number("TRADEWIND_FILLS", SMALL.fills),
    }
}

/// S10: a start with a long past, with its database and without it.
#[test]
fn a_start_does_not_depend_on_the_length_of_the_past() {
    let wanted = wanted();
    let trial = Trial::begin(wanted);
    // Nothing of the past is in a database: the first start makes it, and the second goes on with that.
    let rebuilds = ["with a part of it", "with it"];
    let mut starts = Vec::new();
    for name in [
        "without its database",
        rebuilds[0],
        rebuilds[1],
        "without it again",
    ] {
        if name == "without it again" {
            trial.lose_database();
        }
        starts.push(trial.start(name, rebuilds.contains(&name)));
    }
    let limit = if cfg!(debug_assertions) && env::var_os("TRADEWIND_BINARY").is_none() {
        READY_WITHIN_CHECKED
    } else {
        READY_WITHIN
    };
    for start in starts {
        assert!(start.ready < limit + start.at_venue, "{start:?}");
        assert!(start.resident < RESIDENT_MAX, "{start:?}");
    }
}

#[expect(clippy::cast_precision_loss, reason = "to show it")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

impl Trial {
    fn begin(wanted: Wanted) -> Self {
        let scratch = TempDir::new().unwrap();
        let root = env::var_os("TRADEWIND_PAST").filter(|path| !path.is_empty());
        let root = root.map_or_else(|| scratch.path().to_owned(), PathBuf::from);
        let (desk, venue) = (root.join("desk"), root.join("venue"));
        if !venue.exists() {
            let began = Instant::now();
            fs::create_dir_all(&desk).unwrap();
            let made = make(wanted, &desk, &venue);
            eprintln!(
                "restart: a past of {} records and {} fills in {} files of {:.1} MiB, {} orders open; made in {:?}",
                made.records,
                made.fills,
                made.files,
                mebibytes(made.bytes),
                made.open,
                began.elapsed(),
            );
        }
        let address = unused_address();
        let simx = Simx::start(&venue, &["--listen", &address, "--account", ACCOUNT]);
        let trips = RoundTrips::to(&simx.address);
        // A kept folder belongs to the address of its last run.
        drop(fs::remove_file(desk.join("live.json")));
        let config = configuration(&desk, &trips.address);
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, rich(&text)).unwrap();
        Self {
            desk,
            config,
            trips,
            _simx: simx,
            _scratch: scratch,
        }
    }

    fn lose_database(&self) {
        for suffix in ["", "-wal", "-shm"] {
            drop(fs::remove_file(
                self.desk.join(format!("tradewind.db{suffix}")),
            ));
        }
    }

    fn command(&self) -> Command {
        let mut command = tradewind(&self.desk, &["run", "--venue", "binance", "--live"]);
        command
            .args(["--config", &self.config])
            .env("BINANCE_API_KEY", "key")
            .env("BINANCE_API_SECRET", "secret");
        command
    }

    /// Starts the desk, watches it for a while, and kills it; before that it waits for the database, if it `rebuilds` it.
    fn start(&self, name: &str, rebuilds: bool) -> Start {
        self.trips.forget();
        let mut desk = Desk::spawn(&self.desk, self.command());
        let ready = desk.until_ready();
        let (at_venue, requests) = self.trips.sum();
        let read = read_so_far(desk.pid());
        pause(WATCHED);
        if rebuilds {
            within(REBUILT_WITHIN, "a database that has everything", || {
                desk.is_stored().then_some(())
            });
        }
        let resident = resident_most(desk.pid());
        eprintln!(
            "restart: {name}: ready after {ready:?}, of which {at_venue:?} in {requests} round trips, with {:.1} MiB read; \
             {:.1} MiB resident at most in {:.0?}",
            mebibytes(read),
            mebibytes(resident),
            desk.started.elapsed(),
        );
        desk.crash();
        Start {
            ready,
            at_venue,
            resident,
        }
    }
}

/// Bytes that a process has read, of files and sockets.
fn read_so_far(pid: u32) -> u64 {
    field(Path::new(&format!("/proc/{pid}/io")), "rchar:")
}

/// The most that was resident in a process at any time, in bytes.
fn resident_most(pid: u32) -> u64 {
    field(Path::new(&format!("/proc/{pid}/status")), "VmHWM:") * 1024
}

#[track_caller]
fn field(path: &Path, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
