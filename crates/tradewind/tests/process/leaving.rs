//! How a desk ends: with its positions closed, and in the midst of its start.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{AT_ONCE, Desk, pause, tradewind, within};
use crate::exchange::open_orders;
use crate::fast_bots::{BASES, fast_bots};

/// P02: `on_exit = "flatten"` closes every position before the end, and takes their stops away.
#[test]
fn a_desk_that_flattens_at_its_end_leaves_no_position_and_no_order() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = fast_bots(folder);
    let text = fs::read_to_string(&config).unwrap();
    let flatten = text.replace("[desk]\n", "[desk]\non_exit = \"flatten\"\n");
    assert_ne!(text, flatten);
    fs::write(&config, flatten).unwrap();
    let mut desk = Desk::start_with(folder, &["--config", &config]);
    within(Duration::from_secs(30), "three positions", || {
        (desk.items("positions").len() >= 3).then_some(())
    });
    desk.signal("INT");
    let status = desk.ended(Duration::from_secs(75));
    assert_eq!(status.code(), Some(0), "{}", desk.said());
    for base in BASES {
        let open = open_orders(folder, &format!("{base}USDT"));
        assert_eq!(open, [] as [Value; 0]);
    }

    let killed = crate::desk::command(folder, &["kill", "--reason", "only to be read"]);
    assert!(killed.status.success(), "{killed:?}");
    let desk = Desk::start_with(folder, &["--config", &config]);
    assert_eq!(desk.items("positions"), [] as [Value; 0]);
    within(Duration::from_secs(30), "equal books", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
}

/// P02: a second interrupt while positions are closed ends the desk at once. What is open stays protected, and the next start has it.
#[test]
fn a_second_interrupt_during_the_flattening_ends_at_once_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = fast_bots(folder);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replace("[desk]\n", "[desk]\non_exit = \"flatten\"\n"),
    )
    .unwrap();
    let mut desk = Desk::start_with(folder, &["--config", &config]);
    within(Duration::from_secs(30), "three positions", || {
        (desk.items("positions").len() >= 3).then_some(())
    });
    desk.signal("INT");
    within(Duration::from_secs(15), "the first word of the end", || {
        desk.said().contains("shutting down").then_some(())
    });
    desk.signal("INT");
    let status = desk.ended(AT_ONCE);
    assert!(status.signal().is_none(), "{status}");
    let killed = crate::desk::command(folder, &["kill", "--reason", "only to be read"]);
    assert!(killed.status.success(), "{killed:?}");
    let desk = Desk::start_with(folder, &["--config", &config]);
    within(Duration::from_secs(30), "equal books", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
    // A killed desk places no stop for what was bought at the very end: it is on the list, I23.
    within(
        Duration::from_secs(5),
        "stops, or places on the list",
        || {
            let listed = desk.get("risk")["unprotected"].clone();
            let is_listed = |position: &serde_json::Value| {
                listed.as_array().unwrap().iter().any(|one| {
                    one["bot"] == position["owner"]
                        && one["reason"] == "the trading state is KILLED"
                })
            };
            let mut positions = desk.items("positions").into_iter();
            let all = positions.all(|one| one["venue_stop_quantity"] != "0" || is_listed(&one));
            all.then_some(())
        },
    );
}

/// P02: an interrupt at any moment of a start ends it in time, and the next start is in order.
#[test]
fn an_interrupt_at_any_moment_of_a_start_leaves_a_desk_that_starts() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = fast_bots(folder);
    // Something to start with.
    let mut desk = Desk::start_with(folder, &["--config", &config]);
    within(Duration::from_secs(30), "fills", || {
        (desk.get("status")["counters"]["fills"].as_u64() > Some(20)).then_some(())
    });
    desk.crash();
    for step in 0..16 {
        let output = |name| {
            fs::File::options()
                .append(true)
                .create(true)
                .open(folder.join(name))
        };
        let mut child = tradewind(folder, &["run", "--config", &config])
            .stdin(Stdio::null())
            .stdout(output("stdout").unwrap())
            .stderr(output("stderr").unwrap())
            .spawn()
            .unwrap();
        pause(Duration::from_millis(step * 90));
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", "INT", &pid])
            .status();
        assert!(sent.unwrap().success());
        within(Duration::from_secs(10), "the end of a start", || {
            child.try_wait().unwrap()
        });
    }
    let desk = Desk::start_with(folder, &["--config", &config]);
    within(Duration::from_secs(60), "equal books", || {
        (desk.get("balances")["equal"] == true).then_some(())
    });
    let said = desk.said();
    assert!(!said.contains("panicked"), "{said}");
}
