//! Snapshots of the engine's state: the newest complete one is found, whatever happened to the one behind it.

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{DIR, at, event, intent, journal, options};
use tradewind_events::{EventKind, Input};
use tradewind_journal::{
    Disk, Journal, JournalError, Loss, MemoryStorage, Options, Reader, Record, Snapshot, Storage,
};

fn reader(storage: &MemoryStorage) -> Reader {
    Reader::new(Arc::new(storage.clone()), Path::new(DIR))
}

/// Appends an input of truth with an intent and an event.
fn step(journal: &mut Journal, seq: u64) {
    let input = Input::TradesLost { count: seq };
    journal.append_input(seq, at(seq), &input).unwrap();
    journal
        .append_intent(seq, at(seq), &intent(seq.into()))
        .unwrap();
    journal
        .append_event(&event(seq, 0, EventKind::DeskStopping))
        .unwrap();
}

fn state(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// The newest snapshot's number and length, and the numbers of the inputs behind it.
fn recovered(storage: &MemoryStorage) -> (Option<(u64, usize)>, Vec<u64>) {
    let tail = reader(storage).recovery_tail().unwrap();
    let found = tail.snapshot.map(|found| (found.seq, found.bytes.len()));
    let records = tail.records.map(Result::unwrap);
    let inputs = records.filter(|found| matches!(found.record, Record::Input(_)));
    (found, inputs.map(|input| input.seq).collect())
}

#[test]
fn the_newest_snapshot_and_what_came_behind_it_are_found() {
    let storage = MemoryStorage::new();
    let (mut journal, _) = journal(&storage);
    assert_eq!(recovered(&storage), (None, vec![]));
    for seq in 1..=9 {
        step(&mut journal, seq);
        if seq % 4 == 0 {
            // Longer than one record at the second time.
            let bytes = state(usize::try_from(seq - 3).unwrap() * 400_000);
            journal.append_snapshot(seq, at(seq), &bytes).unwrap();
        }
    }
    journal.flush().unwrap();
    let tail = reader(&storage).recovery_tail().unwrap();
    assert_eq!(
        tail.snapshot,
        Some(Snapshot {
            seq: 8,
            at: at(8),
            bytes: state(2_000_000)
        })
    );
    assert_eq!(tail.first_seq, 1);
    let behind: Vec<_> = tail.records.map(|found| found.unwrap().seq).collect();
    assert_eq!(behind, [9, 9, 9], "an input, an intent and an event");
    assert_eq!(reader(&storage).verify().unwrap().last_seq, 9);
}

#[test]
fn inputs_that_came_while_the_snapshot_was_made_are_in_its_tail() {
    let storage = MemoryStorage::new();
    let small = Options {
        segment_bytes: 700,
        ..options()
    };
    let opened = Journal::open(Arc::new(storage.clone()), Path::new(DIR), &small, at(0));
    let mut journal = opened.unwrap().0;
    for seq in 1..=20 {
        step(&mut journal, seq);
        if seq == 17 {
            // It was begun six inputs ago: files of its tail have been begun meanwhile.
            journal.append_snapshot(11, at(11), &state(5)).unwrap();
        }
        journal.flush().unwrap();
    }
    let (found, inputs) = recovered(&storage);
    assert_eq!(found, Some((11, 5)));
    assert_eq!(inputs, (12..=20).collect::<Vec<_>>());
}

/// S02: cut at every byte of the newest snapshot.
#[test]
fn a_torn_snapshot_is_not_one_and_the_one_before_serves() {
    let storage = MemoryStorage::new();
    let (mut journal, _) = journal(&storage);
    step(&mut journal, 1);
    journal.append_snapshot(1, at(1), &state(70)).unwrap();
    step(&mut journal, 2);
    journal.flush().unwrap();
    let path = Path::new(DIR).join("truth-00000001-00000000000000000001.twj");
    let before = storage.read(&path).unwrap().len();
    journal.append_snapshot(2, at(2), &state(900)).unwrap();
    journal.flush().unwrap();
    let length = storage.read(&path).unwrap().len();
    assert_eq!(recovered(&storage), (Some((2, 900)), vec![]));
    for cut in before..length {
        let torn = storage.after(Loss::Process);
        torn.damage(&path, |bytes| bytes.truncate(cut)).unwrap();
        assert_eq!(recovered(&torn), (Some((1, 70)), vec![2]), "cut at {cut}");
    }
}

#[test]
fn a_snapshot_of_which_only_the_first_records_were_written_does_not_count() {
    let storage = MemoryStorage::new();
    let (mut journal, _) = journal(&storage);
    step(&mut journal, 1);
    journal.append_snapshot(1, at(1), &state(3)).unwrap();
    step(&mut journal, 2);
    let bytes = state(2_500_000);
    journal.append_snapshot(2, at(2), &bytes).unwrap();
    journal.flush().unwrap();
    let path = Path::new(DIR).join("truth-00000001-00000000000000000001.twj");
    // The end of the second of its three records.
    let end = storage.read(&path).unwrap().len() - (40 + 20 + bytes.len() - (2 << 20));
    let cut = storage.after(Loss::Process);
    cut.damage(&path, |bytes| bytes.truncate(end)).unwrap();
    assert_eq!(recovered(&cut), (Some((1, 3)), vec![2]));
    // The next run continues behind it; its own snapshot is the newest.
    let (mut next, recovery) = common::journal(&cut);
    assert_eq!((recovery.last_seq, recovery.torn.len()), (2, 0));
    assert_eq!(recovered(&cut), (Some((1, 3)), vec![2]));
    next.append_snapshot(2, at(2), &[]).unwrap();
    next.flush().unwrap();
    assert_eq!(recovered(&cut), (Some((2, 0)), vec![]));
}

#[test]
fn only_the_newest_files_are_read() {
    let storage = MemoryStorage::new();
    for start in 0..3 {
        let (mut journal, recovery) = journal(&storage);
        let seq = recovery.last_seq + 1;
        step(&mut journal, seq);
        if start == 1 {
            journal.append_snapshot(seq, at(seq), &state(9)).unwrap();
        }
        journal.flush().unwrap();
    }
    // Damage in the first file concerns no reader.
    let first = Path::new(DIR).join("truth-00000001-00000000000000000001.twj");
    storage.damage(&first, |bytes| bytes.fill(7)).unwrap();
    assert_eq!(recovered(&storage), (Some((2, 9)), vec![3]));
    assert!(matches!(
        reader(&storage).verify(),
        Err(JournalError::Corrupt { .. })
    ));
}

/// S12: a journal of a release that wrote no snapshots.
#[test]
fn a_journal_without_snapshots_is_its_own_tail() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden-1");
    let reader = Reader::new(Arc::new(Disk), &folder);
    let tail = reader.recovery_tail().unwrap();
    assert_eq!((tail.snapshot, tail.first_seq), (None, 1));
    let all: Vec<_> = reader
        .records(tradewind_journal::StoreKind::Truth)
        .unwrap()
        .map(Result::unwrap)
        .filter(|found| !matches!(found.record, Record::Segment(_)))
        .collect();
    assert_eq!(tail.records.map(Result::unwrap).collect::<Vec<_>>(), all);
    assert_eq!(all.len(), 5);
}

#[test]
fn a_snapshot_that_is_too_long_is_refused_and_nothing_is_appended() {
    let (mut journal, _) = journal(&MemoryStorage::new());
    journal.flush().unwrap();
    let refused = journal.append_snapshot(0, at(0), &vec![0; (256 << 20) + 1]);
    assert!(matches!(refused, Err(JournalError::SnapshotTooLong { .. })));
    assert_eq!(journal.buffered(), 0);
}
