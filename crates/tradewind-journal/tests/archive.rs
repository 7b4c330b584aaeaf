//! Full files of the truth go to the archive behind a durable snapshot, and every reader finds them there (S10, I15).

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{DIR, at, event, options};
use tradewind_events::{EventKind, Input};
use tradewind_journal::{
    Journal, Loss, MemoryStorage, Options, Reader, Record, Storage, StoreKind,
};
use tradewind_model::EventId;

fn open(storage: &MemoryStorage) -> Journal {
    let small = Options {
        segment_bytes: 600,
        ..options()
    };
    let opened = Journal::open(Arc::new(storage.clone()), Path::new(DIR), &small, at(0));
    opened.unwrap().0
}

fn reader(storage: &MemoryStorage) -> Reader {
    Reader::new(Arc::new(storage.clone()), Path::new(DIR))
}

fn archive() -> PathBuf {
    Path::new(DIR).join("archive")
}

/// Files of truth in the journal's folder and in its archive.
fn truth(storage: &MemoryStorage) -> (usize, usize) {
    let count = |dir: &Path| {
        let names = storage.list(dir).unwrap();
        names
            .iter()
            .filter(|name| name.starts_with("truth"))
            .count()
    };
    (count(Path::new(DIR)), count(&archive()))
}

fn write(journal: &mut Journal, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        let input = Input::TradesLost { count: seq };
        journal.append_input(seq, at(seq), &input).unwrap();
        journal
            .append_event(&event(seq, 0, EventKind::DeskStopping))
            .unwrap();
        journal.flush().unwrap();
    }
}

fn events(journal: &Journal) -> Vec<u64> {
    let found = journal.events().read_after(EventId::default(), 1_000);
    found.unwrap().iter().map(|event| event.id.seq).collect()
}

#[test]
fn files_are_archived_behind_a_durable_snapshot_and_still_read() {
    let storage = MemoryStorage::new();
    let mut journal = open(&storage);
    write(&mut journal, 1..=40);
    journal.sync().unwrap();
    let (files, archived) = truth(&storage);
    assert!(files > 8 && archived == 0, "no snapshot, no archive");
    journal.append_snapshot(30, at(30), b"state").unwrap();
    journal.flush().unwrap();
    assert_eq!(truth(&storage).1, 0, "the snapshot is not durable yet");
    let before = events(&journal);
    journal.sync().unwrap();
    let (kept, archived) = truth(&storage);
    assert_eq!(kept + archived, files);
    assert!(archived >= files / 2 && kept >= 2, "{kept} and {archived}");
    // Inputs 31 to 40 are in the journal's folder.
    let tail = reader(&storage).recovery_tail().unwrap();
    let behind = tail.records.map(|found| found.unwrap().seq);
    assert_eq!(behind.filter(|seq| *seq == 31).count(), 2);
    assert_eq!(tail.first_seq, 1);
    assert_eq!(events(&journal), before);
    assert_eq!(before, (1..=40).collect::<Vec<_>>());
    assert_eq!(reader(&storage).inputs().unwrap().count(), 40);
    assert_eq!(reader(&storage).verify().unwrap().last_seq, 40);
    // The next start reads all of it, too.
    let next = open(&storage.after(Loss::Process));
    assert_eq!(events(&next), before);
}

#[test]
fn a_desk_that_syncs_nothing_archives_what_it_flushed() {
    let storage = MemoryStorage::new();
    let mut journal = open(&storage);
    write(&mut journal, 1..=20);
    journal.append_snapshot(20, at(20), b"state").unwrap();
    journal.flush().unwrap();
    journal.archive();
    let (kept, archived) = truth(&storage);
    assert!(archived > 3, "{archived}");
    // The file with the snapshot stays, and the one being written.
    assert!(kept <= 2, "{kept}");
}

/// The file with the newest snapshot is never moved, though nothing behind it is needed.
#[test]
fn the_newest_snapshot_is_never_in_the_archive() {
    let storage = MemoryStorage::new();
    let mut journal = open(&storage);
    for seq in 1..=30 {
        write(&mut journal, seq..=seq);
        journal.append_snapshot(seq, at(seq), &[7; 700]).unwrap();
        journal.sync().unwrap();
        let names = storage.list(&archive()).unwrap();
        let without = storage.after(Loss::Process);
        for name in names {
            without.remove(&archive().join(name)).unwrap();
        }
        let tail = reader(&without).recovery_tail().unwrap();
        assert_eq!(tail.snapshot.unwrap().seq, seq);
    }
    assert!(truth(&storage).1 > 20);
}

#[test]
fn a_power_cut_leaves_every_file_in_one_place_or_in_both() {
    let storage = MemoryStorage::new();
    let mut journal = open(&storage);
    write(&mut journal, 1..=40);
    journal.append_snapshot(40, at(40), b"state").unwrap();
    journal.sync().unwrap();
    for loss in [Loss::Power { torn: 0 }, Loss::Process] {
        let after = storage.after(loss);
        assert_eq!(reader(&after).verify().unwrap().last_seq, 40);
        assert_eq!(events(&open(&after)).len(), 40);
    }
    write(&mut journal, 41..=41);
    journal.sync().unwrap();
    let after = storage.after(Loss::Power { torn: 0 });
    assert_eq!(reader(&after).verify().unwrap().last_seq, 41);
    assert_eq!(truth(&after).1, truth(&storage).1, "the moves are durable");
}

#[test]
fn readers_name_the_first_row_once_the_archive_is_taken_away() {
    let storage = MemoryStorage::new();
    let mut journal = open(&storage);
    write(&mut journal, 1..=40);
    journal.append_snapshot(30, at(30), b"state").unwrap();
    journal.sync().unwrap();
    assert_eq!(journal.events().first_seq(), 1);
    for name in storage.list(&archive()).unwrap() {
        storage.remove(&archive().join(name)).unwrap();
    }
    let first = journal.events().first_seq();
    let tail = reader(&storage).recovery_tail().unwrap();
    assert!(first > 20 && tail.first_seq == first, "{first}");
    assert_eq!(tail.snapshot.unwrap().bytes, b"state");
    let left = events(&journal);
    assert!(left[0] >= first && left.last() == Some(&40), "{left:?}");
    let inputs = reader(&storage).records(StoreKind::Truth).unwrap();
    let found = inputs.filter_map(|found| match found.unwrap() {
        found if matches!(found.record, Record::Input(_)) => Some(found.seq),
        _ => None,
    });
    assert_eq!(found.min(), Some(left[0]));
}

/// Indices of 16 full files are kept; older ones are built again when they are read.
#[test]
fn events_of_many_files_are_read_more_than_once() {
    let storage = MemoryStorage::new();
    write(&mut open(&storage), 1..=120);
    let journal = open(&storage);
    assert!(truth(&storage).0 > 30);
    for _ in 0..3 {
        assert_eq!(events(&journal).len(), 120);
    }
    for seq in (1..120).rev() {
        let after = EventId { seq, index: 0 };
        let next = journal.events().read_after(after, 1).unwrap();
        assert_eq!(next[0].id.seq, seq + 1);
    }
}
