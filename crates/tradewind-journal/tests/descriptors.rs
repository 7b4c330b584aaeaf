//! Files that a running journal keeps open (I15).

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::fs;
use std::sync::Arc;

use common::{at, options};
use tradewind_events::Input;
use tradewind_journal::{Disk, Journal, Options};

/// Open descriptors of this process on files in `dir`.
fn open_files(dir: &std::path::Path) -> usize {
    let entries = fs::read_dir("/proc/self/fd").unwrap();
    let targets = entries.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    targets.filter(|target| target.starts_with(dir)).count()
}

/// P07, I15: a desk with durability "process" never syncs.
#[test]
fn a_rotation_closes_the_full_file_though_nothing_syncs() {
    let dir = tempfile::tempdir().unwrap();
    let small = Options {
        segment_bytes: 500,
        ..options()
    };
    let opened = Journal::open(Arc::new(Disk), dir.path(), &small, at(0));
    let mut journal = opened.unwrap().0;
    let before = open_files(dir.path());
    for seq in 1..=200 {
        let input = Input::TradesLost { count: seq };
        journal.append_input(seq, at(seq), &input).unwrap();
        journal.flush().unwrap();
    }
    let files = fs::read_dir(dir.path()).unwrap().count();
    assert!(files > 20, "{files} files");
    assert_eq!(open_files(dir.path()), before);
    journal.sync().unwrap();
    assert_eq!(open_files(dir.path()), before);
}
