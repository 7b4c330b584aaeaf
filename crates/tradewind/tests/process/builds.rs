//! Which program and which settings run (P09).

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command};
use crate::fast_bots::{fast_bots, replaced};

/// A start whose settings changed names their keys in its log, in its status and in the journal, which keeps those of every start.
#[test]
fn a_start_says_which_settings_differ_from_the_last_one() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = fast_bots(folder);
    let run = |desk: &mut Desk| {
        let build = desk.get("status")["build"].clone();
        desk.signal("INT");
        assert!(desk.ended(std::time::Duration::from_secs(15)).success());
        build
    };
    let first = run(&mut Desk::start_with(folder, &["--config", &config]));
    assert_eq!(first["binary"].as_str().unwrap().len(), 64, "{first}");
    assert_eq!(first["changed"], Value::Array(Vec::new()));

    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        replaced(&text, "stagger = \"1ms\"", "stagger = \"2ms\""),
    )
    .unwrap();
    let mut desk = Desk::start_with(folder, &["--config", &config]);
    let second = run(&mut desk);
    assert_eq!(second["changed"], serde_json::json!(["desk.stagger"]));
    assert_eq!(second["binary"], first["binary"]);
    assert_ne!(second["configuration"], first["configuration"]);
    let words = "Changed since the last start: desk.stagger";
    assert!(desk.said().contains(words), "{}", desk.said());

    let inspected = command(folder, &["journal", "inspect", "--starts", "--json"]);
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    let starts = inspected["starts"].as_array().unwrap();
    assert_eq!(starts.len(), 2, "{starts:?}");
    assert_eq!(starts[0]["configuration"], first["configuration"]);
    assert_eq!(starts[1]["changed"], second["changed"]);
}
