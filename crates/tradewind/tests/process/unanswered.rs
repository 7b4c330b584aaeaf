//! N01: desks whose venue does not answer, at a start and while they run.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::desk::{Desk, command, reset, unused_address, within};
use crate::exchange::Exchange;
use crate::live::{come_to_rest, compare, configuration, live};

const SOON: Duration = Duration::from_secs(60);
/// Back-off of up to a minute, and a minute without entries.
const LATER: Duration = Duration::from_secs(180);

const SILENT: &str = "no order can leave: binance does not answer: ";

fn exchange(folder: &Path, address: &str) -> Exchange {
    Exchange::begun(folder, &["--listen", address])
}

fn spawned(folder: &Path, config: &str) -> Desk {
    Desk::spawn(folder, live(folder, config))
}

fn fills(desk: &Desk) -> u64 {
    let status = desk.get("status");
    status["counters"]["fills"].as_u64().unwrap()
}

/// Whether a cause holds the account in this state whose text begins so.
fn has_cause(desk: &Desk, state: &str, begin: &str) -> bool {
    let status = desk.get("status");
    let mut causes = status["causes"].as_array().unwrap().iter();
    causes.any(|cause| {
        let is_meant = cause["reason"].as_str().unwrap().starts_with(begin);
        is_meant && cause["state"] == state && cause["scope"]["kind"] == "account"
    })
}

#[track_caller]
fn until_ready(desk: &mut Desk) {
    within(LATER, "a desk that is ready", || {
        desk.is_ready().then_some(())
    });
}

#[track_caller]
fn trades_on(desk: &Desk) {
    let before = fills(desk);
    within(LATER, "new fills", || {
        (fills(desk) >= before + 5).then_some(())
    });
}

/// N01: a first start waits for its venue; a signal ends it in order. A later start runs on what it knows, halted, with API and kill.
#[test]
fn a_desk_that_is_started_before_its_venue_trades_once_it_answers() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (at_venue, folder) = (at_venue.path(), folder.path());
    let address = unused_address();
    let config = configuration(folder, &address);

    let mut desk = spawned(folder, &config);
    waits(&mut desk, "binance does not answer");
    desk.signal("TERM");
    assert!(desk.ended(SOON).success(), "{}", desk.said());

    std::fs::remove_file(folder.join("stderr")).unwrap();
    let mut desk = spawned(folder, &config);
    waits(&mut desk, "binance does not answer");
    let first = exchange(at_venue, &address);
    until_ready(&mut desk);
    trades_on(&desk);
    desk.signal("TERM");
    assert!(desk.ended(SOON).success());
    drop(first);

    let mut desk = spawned(folder, &config);
    within(SOON, "an API", || {
        assert!(!desk.is_ready());
        (!desk.address.is_empty()).then_some(())
    });
    let status = desk.get("status");
    assert!(has_cause(&desk, "HALTED", SILENT), "{status}");
    let killed = command(folder, &["kill", "--reason", "a drill"]);
    assert!(killed.status.success(), "{killed:?}");
    assert_eq!(desk.get("status")["state"], "KILLED");

    let second = exchange(at_venue, &address);
    until_ready(&mut desk);
    within(LATER, "the end of the cause", || {
        (!has_cause(&desk, "HALTED", SILENT)).then_some(())
    });
    reset(folder, &[]);
    trades_on(&desk);
    come_to_rest(folder, &desk);
    within(SOON, "a comparison with the account", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
    compare(&desk, &second);
}

/// Waits until a desk that starts says that it waits for its venue, and why.
#[track_caller]
pub(crate) fn waits(desk: &mut Desk, why: &str) {
    within(SOON, "a start that waits", || {
        let said = desk.said();
        assert_eq!(desk.end(), None, "{said}");
        let mut lines = said.lines();
        let is_meant =
            |line: &str| line.contains("The start waits for the venue") && line.contains(why);
        lines.any(is_meant).then_some(())
    });
}

/// While the venue does not answer, a cause says that no exit can leave; it ends by itself, and entries follow a minute later.
#[test]
fn a_venue_that_stops_answering_halts_its_account_until_it_answers() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (at_venue, folder) = (at_venue.path(), folder.path());
    let address = unused_address();
    let config = configuration(folder, &address);
    let first = exchange(at_venue, &address);
    let desk = Desk::start_from(folder, live(folder, &config));
    trades_on(&desk);
    drop(first);
    within(SOON, "a cause", || {
        has_cause(&desk, "HALTED", SILENT).then_some(())
    });
    let _second = exchange(at_venue, &address);
    within(LATER, "the end of the cause", || {
        (!has_cause(&desk, "HALTED", SILENT)).then_some(())
    });
    let is_reducing = || has_cause(&desk, "REDUCING", "orders can leave again");
    assert!(is_reducing());
    within(LATER, "entries", || (!is_reducing()).then_some(()));
    trades_on(&desk);
}
