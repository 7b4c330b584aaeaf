//! Ctrl-C: the last words, and the end.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use tempfile::TempDir;

use crate::desk::{AT_ONCE, Desk, within};

fn trading(folder: &TempDir) -> Desk {
    let desk = Desk::start_with(
        folder.path(),
        &["--config", &crate::fast_bots::fast_bots(folder.path())],
    );
    within(Duration::from_secs(20), "a position", || {
        (!desk.items("positions").is_empty()).then_some(())
    });
    desk
}

#[test]
fn an_interrupt_prints_each_position_and_ends_in_seconds() {
    let folder = TempDir::new().unwrap();
    let mut desk = trading(&folder);
    // Nothing may trade between the question and the last words.
    let killed = crate::desk::command(folder.path(), &["kill", "--reason", "to stand still"]);
    assert!(killed.status.success(), "{killed:?}");
    let still = within(
        Duration::from_secs(10),
        "positions that stand still",
        || {
            let before = desk.items("positions");
            crate::desk::pause(Duration::from_secs(1));
            (desk.items("positions").len() == before.len() && !before.is_empty()).then_some(before)
        },
    );
    desk.signal("INT");
    let status = desk.ended(Duration::from_secs(10));
    assert_eq!(status.code(), Some(0), "{}", desk.said());
    let said = desk.said();
    for position in still {
        let name = format!("{}: ", position["owner"].as_str().unwrap());
        let line = said
            .lines()
            .find(|line| line.trim_start().starts_with(&name));
        let line = line.unwrap_or_else(|| panic!("no word of {name}in {said}"));
        let is_told = ["protects it", "not protected"].map(|words| line.contains(words));
        assert!(is_told.contains(&true), "{line}");
    }
    assert!(
        !folder.path().join("desk.json").exists(),
        "it left its address behind"
    );
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let folder = TempDir::new().unwrap();
    let mut desk = trading(&folder);
    // A stream that nobody reads keeps the API open for as long as it may.
    let _reader = desk.stream("").unwrap();
    desk.signal("INT");
    within(Duration::from_secs(15), "the first word of the end", || {
        desk.said().contains("shutting down").then_some(())
    });
    desk.signal("INT");
    let status = desk.ended(AT_ONCE);
    assert!(status.signal().is_none(), "{status}");
}
