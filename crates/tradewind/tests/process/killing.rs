//! The kill switch from the command line, with a desk and without one.

use std::time::Duration;

use tempfile::TempDir;

use crate::desk::{Desk, command, pause, within};
use crate::lines::listen;

#[test]
fn a_kill_without_a_desk_holds_for_the_next_one() {
    let folder = TempDir::new().unwrap();
    let killed = command(folder.path(), &["kill", "--reason", "before it starts"]);
    assert_eq!(killed.status.code(), Some(0), "{killed:?}");
    let desk = Desk::start_with(
        folder.path(),
        &["--config", &crate::fast_bots::fast_bots(folder.path())],
    );
    assert_eq!(desk.get("status")["state"], "KILLED");
    pause(Duration::from_secs(8));
    let counters = desk.get("status")["counters"].clone();
    assert_eq!(counters["orders"], 0, "{counters}");
    assert_eq!(desk.all("fills").len(), 0);
    let reset = command(folder.path(), &["reset", "--reason", "it may start"]);
    assert_eq!(reset.status.code(), Some(0), "{reset:?}");
    assert_eq!(desk.get("status")["state"], "ACTIVE");
    within(Duration::from_secs(20), "an order after the reset", || {
        (desk.get("status")["counters"]["orders"].as_u64() > Some(0)).then_some(())
    });
}

#[test]
fn a_kill_stops_a_trading_desk_at_once() {
    let folder = TempDir::new().unwrap();
    let desk = Desk::start_with(
        folder.path(),
        &["--config", &crate::fast_bots::fast_bots(folder.path())],
    );
    within(Duration::from_secs(20), "a desk that trades", || {
        (desk.get("status")["counters"]["orders"].as_u64() > Some(5)).then_some(())
    });
    let killed = command(folder.path(), &["kill", "--reason", "drill"]);
    assert_eq!(killed.status.code(), Some(0), "{killed:?}");
    assert_eq!(desk.get("status")["state"], "KILLED");
    let events = listen(desk.stream("?types=order_placed").unwrap());
    pause(Duration::from_secs(10));
    let placed: Vec<_> = events
        .try_iter()
        .filter(|arrived| arrived.kind() == "order_placed")
        .collect();
    assert!(placed.is_empty(), "{placed:?}");
    let reset = command(folder.path(), &["reset", "--reason", "drill over"]);
    assert_eq!(reset.status.code(), Some(0), "{reset:?}");
    assert_eq!(desk.get("status")["state"], "ACTIVE");
}

#[test]
fn a_kill_that_flattens_closes_every_position_and_leaves_the_desk_killed() {
    let folder = TempDir::new().unwrap();
    let desk = Desk::start_with(
        folder.path(),
        &["--config", &crate::fast_bots::fast_bots(folder.path())],
    );
    let positions = || desk.get("positions")["items"].as_array().unwrap().len();
    within(Duration::from_secs(20), "a position", || {
        (positions() > 0).then_some(())
    });
    let killed = command(folder.path(), &["kill", "--flatten", "--reason", "drill"]);
    assert_eq!(killed.status.code(), Some(0), "{killed:?}");
    let told = String::from_utf8(killed.stdout).unwrap();
    assert!(
        told.starts_with("killed: every position is closed"),
        "{told}"
    );
    assert_eq!(desk.get("status")["state"], "KILLED");
    assert_eq!(positions(), 0);
    let again = command(folder.path(), &["kill", "--flatten", "--reason", "drill"]);
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    let reset = command(folder.path(), &["reset", "--reason", "drill over"]);
    assert_eq!(reset.status.code(), Some(0), "{reset:?}");
    assert_eq!(desk.get("status")["state"], "ACTIVE");
}
