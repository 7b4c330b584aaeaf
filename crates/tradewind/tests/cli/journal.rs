//! `tradewind journal` on files that a journal wrote, without a desk (S02, S03).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tradewind_events::{Event, EventKind, Input};
use tradewind_journal::{Disk, Home, Identity, Journal, Options};
use tradewind_model::{EventId, Timestamp};

use crate::{expect, json, stderr, stdout, tradewind};

/// Two files of truth, the first with a snapshot and the second with an event, and an identity.
fn written() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("journal");
    let identity = Identity::begin(Arc::new(Disk), &folder, Home::default(), || 7);
    assert_eq!(identity.unwrap().epoch, 1);
    for seq in 1..=2 {
        let options = Options {
            build: "1.2.3".into(),
            ..Options::default()
        };
        let at = Timestamp::from_secs(1_700_000_000 + i64::try_from(seq).unwrap());
        let opened = Journal::open(Arc::new(Disk), &folder, &options, at);
        let mut journal = opened.unwrap().0;
        let input = Input::TradesLost { count: seq };
        journal.append_input(seq, at, &input).unwrap();
        if seq == 1 {
            journal.append_snapshot(1, at, b"state").unwrap();
        } else {
            let event = Event {
                id: EventId { seq, index: 0 },
                at,
                cause: None,
                kind: EventKind::DeskStopping,
            };
            journal.append_event(&event).unwrap();
        }
        journal.sync().unwrap();
    }
    (dir, folder)
}

fn run(dir: &Path, arguments: &[&str]) -> std::process::Output {
    let data = dir.to_str().unwrap();
    tradewind(
        dir,
        &[&["journal"], arguments, &["--data-dir", data]].concat(),
    )
}

#[test]
fn inspect_lists_files_snapshots_and_identity() {
    let (dir, _) = written();
    let output = run(dir.path(), &["inspect"]);
    expect(&output, 0);
    let told = stdout(&output);
    let lines: Vec<Vec<&str>> = told
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), 6, "{told}");
    // All columns but the bytes.
    let row = |line: usize| [&lines[line][..2], &lines[line][3..]].concat();
    assert_eq!(
        row(0),
        [
            "STORE", "FILE", "RECORDS", "FIRST", "LAST", "SNAPSHOT", "BEGUN", "FAULT"
        ]
    );
    assert_eq!(
        row(1),
        [
            "truth",
            "truth-00000001-00000000000000000001.twj",
            "3",
            "1",
            "1",
            "1",
            "2023-11-14T22:13:21Z",
            "-"
        ]
    );
    assert_eq!(
        row(2)[2..],
        ["3", "2", "2", "-", "2023-11-14T22:13:22Z", "-"]
    );
    assert_eq!(row(3)[0], "market");
    let summary = "truth 1 to 2, market data 1 to 1; newest snapshot 1; instance 7, epoch 1, former instances none";
    assert_eq!(told.lines().last(), Some(summary));
    let facts = json(&run(dir.path(), &["inspect", "--json"]));
    assert_eq!(facts["snapshot"], 1);
    assert_eq!(facts["identity"]["instance"], 7);
    assert_eq!(facts["coverage"]["truth"]["last_seq"], 2);
    assert_eq!(facts["items"][0]["build"], "1.2.3");
    assert!(
        facts["starts"].is_null(),
        "they take a reading of everything"
    );
    let facts = json(&run(dir.path(), &["inspect", "--starts", "--json"]));
    assert!(facts["starts"].is_array() && facts["starts_end_at"].is_null());
}

#[test]
fn verify_names_the_first_fault_its_offset_and_the_cure() {
    let (dir, folder) = written();
    let output = run(dir.path(), &["verify"]);
    expect(&output, 0);
    let sound = "sound: 6 records of truth and 2 of market data; both from input 1 to 2\n";
    assert_eq!(stdout(&output), sound);
    assert_eq!(json(&run(dir.path(), &["verify", "--json"]))["sound"], true);
    let damaged = folder.join("truth-00000001-00000000000000000001.twj");
    let mut bytes = std::fs::read(&damaged).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&damaged, bytes).unwrap();
    let output = run(dir.path(), &["verify"]);
    expect(&output, 1);
    let told = stdout(&output);
    assert!(told.contains("is corrupt at byte "), "{told}");
    assert!(told.contains("the next start reads what is left"), "{told}");
    let facts = json(&run(dir.path(), &["verify", "--json"]));
    // The snapshot's record: 40 bytes of header, 20 of its own, 5 of state.
    assert_eq!(facts["offset"], last + 1 - 65);
    assert!(facts["file"].as_str().unwrap().ends_with("0001.twj"));
    let output = run(dir.path(), &["inspect", "--starts"]);
    expect(&output, 1);
    let told = stdout(&output);
    assert!(told.contains("later starts cannot be read: "), "{told}");
}

#[test]
fn export_prints_records_as_json_lines() {
    let (dir, _) = written();
    let lines = |arguments: &[&str]| {
        let output = run(dir.path(), &[&["export"], arguments].concat());
        expect(&output, 0);
        let lines = stdout(&output);
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<serde_json::Value>>()
    };
    let truth = lines(&["--store", "truth"]);
    let kinds: Vec<_> = truth
        .iter()
        .map(|line| line["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["segment", "input", "snapshot", "segment", "input", "event"]
    );
    assert_eq!(truth[1]["record"]["TradesLost"]["count"], 1);
    assert_eq!(truth[1]["at"], "2023-11-14T22:13:21Z");
    assert_eq!(truth[2]["record"]["length"], 5);
    assert_eq!(lines(&["--from", "2", "--to", "2"]).len(), 2);
    assert_eq!(lines(&[]).len(), 8);
}

#[test]
fn without_a_journal_it_says_where_it_looked() {
    let dir = TempDir::new().unwrap();
    let output = run(dir.path(), &["verify"]);
    expect(&output, 1);
    assert!(stderr(&output).contains("there is no journal in"));
}
