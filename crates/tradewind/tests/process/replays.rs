//! A recorded session of the real binary, run again.

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command, pause, within};
use crate::fast_bots::fast_bots;

const SOON: Duration = Duration::from_secs(60);

/// I10: half an hour of desk time with a SIGKILL in the middle; and what a bot saw, and would have done otherwise.
#[test]
fn a_session_with_a_sigkill_replays_identical() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = fast_bots(folder);
    let arguments = ["--config", &*config, "--speed", "60"];
    for life in 1..=2 {
        let mut desk = Desk::start_with(folder, &arguments);
        within(SOON, "some fills", || {
            (desk.all("fills").len() > 20 * life).then_some(())
        });
        pause(Duration::from_secs(10));
        if life == 1 {
            desk.crash();
        } else {
            desk.signal("TERM");
            assert!(desk.ended(SOON).success());
        }
    }
    let replayed = command(folder, &["replay", "--verify", "--json"]);
    let told = String::from_utf8(replayed.stdout).unwrap();
    assert_eq!(replayed.status.code(), Some(0), "{told}");
    let facts: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(facts["identical"], true, "{facts}");
    assert_eq!(facts["starts"], 2, "{facts}");
    let number = |name: &str| facts[name].as_u64().unwrap();
    assert!(number("inputs") > 5_000, "{facts}");
    assert!(number("outcomes") > 200, "{facts}");
    assert!(number("checkpoints") > 3, "{facts}");
    // What the SIGKILL cut off is the last turn at most.
    assert!(
        facts["not_compared"]["inputs"].as_u64().unwrap() < 600,
        "{facts}"
    );

    let last = facts["last_at"].as_str().unwrap();
    let bot = first_bot(folder);
    let why = command(folder, &["why", &bot, "--at", last, "--json"]);
    let told = String::from_utf8(why.stdout).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["bot"]["name"], bot, "{told}");
    assert!(told["saw"][0]["quote"]["bid"].is_string(), "{told}");
    assert!(!told["chain"].as_array().unwrap().is_empty(), "{told}");

    let change = format!("{bot}.budget=1");
    let changed = command(folder, &["replay", "--with", &change, "--json"]);
    assert!(changed.status.success(), "{changed:?}");
    let told = String::from_utf8(changed.stdout).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    let rows: Vec<&Value> = told["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["bot"] == bot.as_str())
        .collect();
    assert_ne!(rows[1]["fills"], rows[2]["fills"], "{told}");
    let nowhere = TempDir::new().unwrap();
    let refused = command(nowhere.path(), &["replay"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

/// The name of the first bot in the journal's configuration.
fn first_bot(folder: &std::path::Path) -> String {
    let exported = command(
        folder,
        &["journal", "export", "--store", "truth", "--to", "1"],
    );
    let lines = String::from_utf8(exported.stdout).unwrap();
    let mut lines = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let configured = lines.find_map(|line| {
        let bots = &line["record"]["Configured"]["bots"];
        bots[0]["name"].as_str().map(str::to_owned)
    });
    configured.unwrap()
}
