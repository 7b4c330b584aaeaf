//! The kill switch from the command line, with a desk and without one.

use std::time::Duration;

use tempfile::TempDir;

use crate::desk::{Desk, command, pause, reset, within};
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
    reset(folder.path(), &[]);
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
    let told = String::from_utf8(killed.stdout).unwrap();
    assert!(told.contains("; durable; "), "{told}");
    assert_eq!(desk.get("status")["state"], "KILLED");
    let events = listen(desk.stream("?types=order_placed").unwrap());
    pause(Duration::from_secs(10));
    let placed: Vec<_> = events
        .try_iter()
        .filter(|arrived| arrived.kind() == "order_placed")
        .collect();
    assert!(placed.is_empty(), "{placed:?}");
    reset(folder.path(), &[]);
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
    reset(folder.path(), &[]);
    assert_eq!(desk.get("status")["state"], "ACTIVE");
}

/// Only the part is killed, and it is listed; a restart keeps it, and its own reset ends it.
#[test]
fn a_kill_of_one_bot_leaves_the_others_trading_and_outlives_a_restart() {
    let folder = TempDir::new().unwrap();
    let config = crate::fast_bots::fast_bots(folder.path());
    let desk = Desk::start_with(folder.path(), &["--config", &config]);
    let orders = |desk: &Desk| desk.get("status")["counters"]["orders"].as_u64().unwrap();
    within(Duration::from_secs(20), "a desk that trades", || {
        (orders(&desk) > 5).then_some(())
    });
    let bot = desk.all("bots")[0]["name"].as_str().unwrap().to_owned();
    let killed = command(folder.path(), &["kill", "--bot", &bot, "--reason", "drill"]);
    assert_eq!(killed.status.code(), Some(0), "{killed:?}");
    let told = String::from_utf8(killed.stdout).unwrap();
    assert!(told.starts_with(&format!("killed bot {bot}")), "{told}");
    assert_eq!(desk.get("status")["state"], "ACTIVE");
    let before = orders(&desk);
    let others = if desk.all("bots").len() > 1 { 1 } else { 0 };
    within(Duration::from_secs(20), "orders of the other bots", || {
        (orders(&desk) >= before + others).then_some(())
    });
    let is_listed = |desk: &Desk| {
        let status = desk.get("status");
        let mut causes = status["causes"].as_array().unwrap().iter();
        causes.any(|cause| cause["scope"]["name"] == *bot && cause["state"] == "KILLED")
    };
    assert!(is_listed(&desk));
    drop(desk);
    let desk = Desk::start_with(folder.path(), &["--config", &config]);
    assert!(is_listed(&desk), "{}", desk.get("status"));
    reset(folder.path(), &["--bot", &bot]);
    assert!(!is_listed(&desk));
    drop(desk);
    let alone = command(folder.path(), &["kill", "--bot", &bot, "--reason", "drill"]);
    assert_eq!(
        alone.status.code(),
        Some(3),
        "only a desk knows its bots: {alone:?}"
    );
}
