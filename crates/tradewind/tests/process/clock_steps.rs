//! The host's wall clock is set forward and back under a desk, and between two of its runs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::desk::{Desk, unused_address, within};
use crate::exchange::Exchange;
use crate::live::{come_to_rest, compare, configuration, live};
use crate::shim;

const SOON: Duration = Duration::from_secs(60);
const HOUR: i64 = 3_600;

/// A desk whose host's clock can be set.
struct Host {
    scratch: TempDir,
    folder: TempDir,
    exchange: Exchange,
    config: String,
}

impl Host {
    fn new() -> Self {
        let (scratch, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let address = unused_address();
        let exchange = Exchange::begun(scratch.path(), &["--listen", &address]);
        let config = configuration(folder.path(), &exchange.address);
        shim::compiled(scratch.path(), "clock_shim");
        Self {
            scratch,
            folder,
            exchange,
            config,
        }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sets the host's clock to so many seconds beside the exchange's.
    fn step_to(&self, seconds: i64) {
        let at = |name| self.scratch.path().join(name);
        fs::write(at("step.new"), seconds.to_string()).unwrap();
        fs::rename(at("step.new"), at("step")).unwrap();
    }

    #[track_caller]
    fn start(&self) -> Desk {
        let mut command = live(self.folder(), &self.config);
        command
            .env("LD_PRELOAD", self.scratch.path().join("clock_shim.so"))
            .env("CLOCK_STEP", self.scratch.path().join("step"));
        Desk::start_from(self.folder(), command)
    }
}

fn fills(desk: &Desk) -> u64 {
    let status = desk.get("status");
    status["counters"]["fills"].as_u64().unwrap()
}

#[track_caller]
fn trades_on(desk: &Desk) {
    let before = fills(desk);
    within(SOON, "new fills", || {
        (fills(desk) >= before + 10).then_some(())
    });
}

/// T02, I21: stamps of a running desk keep their distance to the exchange's clock, and no duration of it changes.
#[test]
fn steps_of_the_wall_clock_do_not_reach_a_desk_that_runs() {
    let host = Host::new();
    let desk = host.start();
    trades_on(&desk);
    for step in [HOUR, -HOUR, 0] {
        host.step_to(step);
        trades_on(&desk);
        let bots = desk.get("status")["bots"].clone();
        assert_eq!(bots["faulted"], 0, "{bots}");
    }
    let orders = desk.get("orders?status=closed&limit=1000");
    let rejected = orders["items"].as_array().unwrap().iter();
    let late: Vec<_> = rejected
        .filter(|order| order.to_string().contains("-1021"))
        .collect();
    assert!(late.is_empty(), "{late:?}");
    come_to_rest(host.folder(), &desk);
    compare(&desk, &host.exchange);
}

/// T02, S01: a start whose clock is behind the journal's last record, and behind the exchange, trades with equal books.
#[test]
fn a_clock_that_was_set_back_between_two_runs_loses_nothing() {
    let host = Host::new();
    host.step_to(HOUR);
    let mut desk = host.start();
    trades_on(&desk);
    desk.crash();
    host.step_to(-HOUR);
    let desk = host.start();
    assert!(desk.said().contains("is ahead of this host's clock"));
    trades_on(&desk);
    come_to_rest(host.folder(), &desk);
    within(SOON, "a comparison with the account", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
    compare(&desk, &host.exchange);
}
