//! The latch: whatever is doubtful means killed, and a kill that was said to be durable is (H04).

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{DIR, at, journal};
use tradewind_journal::{
    CrashPoint, DeskFile, DirectoryLock, Disk, Durable, LatchFile, LockError, Loss, MemoryStorage,
    OpenMode, RunningDesk, Storage,
};

const DATA: &str = "/data";

fn latch(storage: &MemoryStorage) -> LatchFile {
    LatchFile::new(Arc::new(storage.clone()), Path::new(DATA), Path::new(DIR))
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(DATA).join(name)
}

#[test]
fn the_table_of_what_is_found_at_a_start() {
    #[derive(Clone, Copy, Debug)]
    enum File {
        Absent,
        Killed,
        Clear,
        Broken,
        Empty,
    }
    let cases = [
        (File::Absent, false, false, false),
        (File::Absent, false, true, true),
        (File::Absent, true, false, true),
        (File::Absent, true, true, true),
        (File::Killed, false, false, true),
        (File::Killed, true, false, true),
        (File::Clear, false, false, false),
        (File::Clear, true, false, false),
        (File::Clear, true, true, true),
        (File::Broken, false, false, true),
        (File::Broken, true, false, true),
        (File::Empty, false, false, true),
        (File::Empty, true, true, true),
    ];
    for (file, has_journal, touched, wanted) in cases {
        let storage = MemoryStorage::new();
        let latch = latch(&storage);
        match file {
            File::Absent => {}
            File::Killed => assert_eq!(latch.kill("a drill", "test", at(1)), Durable::Yes),
            File::Clear => latch.reset("a drill", "test", at(1)).unwrap(),
            File::Broken => {
                latch.reset("a drill", "test", at(1)).unwrap();
                storage
                    .damage(&path("kill.json"), |bytes| bytes[0] = b'[')
                    .unwrap();
            }
            File::Empty => drop(storage.open(&path("kill.json"), OpenMode::Create).unwrap()),
        }
        if has_journal {
            drop(journal(&storage));
        }
        if touched {
            storage.open(&path("KILL"), OpenMode::Create).unwrap();
        }
        let case = format!("{file:?}, journal {has_journal}, touched {touched}");
        assert_eq!(latch.open(at(2)).unwrap().killed, wanted, "{case}");
        assert_eq!(latch.read(at(3)).killed, wanted, "{case}, again");
        latch.reset("cleared", "test", at(4)).unwrap();
        assert!(!latch.read(at(5)).killed, "{case}, after a reset");
    }
}

#[test]
fn the_latch_of_a_new_directory_is_there_before_its_journal() {
    let storage = MemoryStorage::new();
    assert!(!latch(&storage).open(at(1)).unwrap().killed);
    drop(journal(&storage));
    let next = storage.after(Loss::Power { torn: 0 });
    assert!(!latch(&next).open(at(2)).unwrap().killed);
}

#[test]
fn a_durable_kill_is_kept_and_a_reset_is_kept_or_counts_as_killed() {
    for point in CrashPoint::ALL {
        for hit in 1..=2 {
            for loss in [
                Loss::Process,
                Loss::Power { torn: 0 },
                Loss::Power { torn: 9 },
            ] {
                let storage = MemoryStorage::new();
                latch(&storage).open(at(0)).unwrap();
                storage.crash_at(point, hit);
                let durable = latch(&storage).kill("the market fell", "telegram 7", at(1));
                let next = storage.after(loss);
                let found = latch(&next).read(at(2));
                if durable == Durable::Yes {
                    assert!(found.killed, "{point:?} {loss:?}");
                    assert_eq!(
                        (found.reason.as_str(), found.by.as_str()),
                        ("the market fell", "telegram 7")
                    );
                }
                next.crash_at(point, hit);
                if durable == Durable::Yes && latch(&next).reset("calm", "operator", at(3)).is_ok()
                {
                    assert!(
                        !latch(&next.after(loss)).read(at(4)).killed,
                        "{point:?} {loss:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_kill_that_cannot_be_synced_says_so() {
    let storage = MemoryStorage::new();
    latch(&storage).open(at(0)).unwrap();
    storage.fail_syncs(true);
    assert_eq!(latch(&storage).kill("no disk", "test", at(1)), Durable::No);
}

#[test]
fn a_long_reason_is_cut_and_fits_the_block() {
    let storage = MemoryStorage::new();
    let latch = latch(&storage);
    for reason in ["\u{1}".repeat(5_000), "\u{1F600}".repeat(5_000)] {
        assert_eq!(latch.kill(&reason, &reason, at(1)), Durable::Yes);
        assert_eq!(storage.read(&path("kill.json")).unwrap().len(), 4_096);
        assert!(latch.read(at(2)).reason.chars().count() < 400);
    }
}

#[test]
fn a_second_desk_is_refused_and_told_who_the_first_is() {
    let dir = tempfile::tempdir().unwrap();
    let first = DirectoryLock::acquire(dir.path()).unwrap();
    match DirectoryLock::acquire(dir.path()) {
        Err(LockError::Held { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    drop(first);
    drop(DirectoryLock::acquire(dir.path()).unwrap());
}

#[test]
fn the_running_desk_says_where_it_is_and_takes_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = DeskFile::new(Arc::new(Disk), dir.path());
    assert_eq!(file.read(), None);
    let desk = RunningDesk {
        pid: 7,
        url: "http://127.0.0.1:8787".into(),
    };
    file.write(&desk).unwrap();
    assert_eq!(file.read(), Some(desk));
    file.remove().unwrap();
    file.remove().unwrap();
    assert_eq!(file.read(), None);
}

#[test]
fn real_files_do_what_the_simulated_ones_do() {
    let dir = tempfile::tempdir().unwrap();
    let (data, journal_dir) = (dir.path(), dir.path().join("journal"));
    let latch = LatchFile::new(Arc::new(Disk), data, &journal_dir);
    assert!(!latch.open(at(0)).unwrap().killed);
    for start in 0..3 {
        let (mut journal, recovery) = tradewind_journal::Journal::open(
            Arc::new(Disk),
            &journal_dir,
            &common::options(),
            at(0),
        )
        .unwrap();
        assert_eq!(recovery.last_seq, start);
        let stopping = tradewind_events::Input::Stopping;
        journal
            .append_input(start + 1, at(start + 1), &stopping)
            .unwrap();
        journal.sync().unwrap();
    }
    assert_eq!(latch.kill("a drill", "test", at(9)), Durable::Yes);
    assert!(latch.open(at(10)).unwrap().killed);
    std::fs::remove_file(data.join("kill.json")).unwrap();
    assert!(
        latch.open(at(11)).unwrap().killed,
        "missing beside a journal"
    );
    latch.reset("found it", "test", at(12)).unwrap();
    std::fs::write(data.join("KILL"), "").unwrap();
    assert!(latch.is_touched() && latch.read(at(13)).killed);
    latch.reset("done", "test", at(14)).unwrap();
    assert!(!latch.is_touched() && !latch.read(at(15)).killed);
}
