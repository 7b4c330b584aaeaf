//! Detects what a disk can do to a journal: torn tails are cut off and reported, damage is an error with its place
//! (S02, S03, S04).

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{DIR, at, event, intent, journal, options, quote};
use tradewind_events::{EventKind, Input};
use tradewind_journal::{
    Journal, JournalError, Loss, MemoryStorage, Options, Reader, Storage, StoreKind,
};

/// A journal of three files of truth, the last with records in it, and one of market data.
fn written() -> MemoryStorage {
    let storage = MemoryStorage::new();
    let small = Options {
        segment_bytes: 900,
        ..options()
    };
    let (mut journal, _) =
        Journal::open(Arc::new(storage.clone()), Path::new(DIR), &small, at(0)).unwrap();
    for seq in 1..=9 {
        let odd = seq % 2 == 1;
        let input = if odd {
            Input::Quote(quote(5))
        } else {
            Input::TradesLost { count: seq }
        };
        journal.append_input(seq, at(seq), &input).unwrap();
        journal
            .append_intent(seq, at(seq), &intent(seq.into()))
            .unwrap();
        journal
            .append_event(&event(seq, 0, EventKind::DeskStopping))
            .unwrap();
        if seq != 3 {
            journal.flush().unwrap();
        }
    }
    journal.sync().unwrap();
    storage.after(Loss::Process)
}

fn files(storage: &MemoryStorage) -> Vec<PathBuf> {
    let names = storage.list(Path::new(DIR)).unwrap();
    names.iter().map(|name| Path::new(DIR).join(name)).collect()
}

fn truth(storage: &MemoryStorage) -> Vec<PathBuf> {
    let mut files = files(storage);
    files.retain(|path| path.to_string_lossy().contains("truth"));
    files
}

fn last_truth(storage: &MemoryStorage) -> PathBuf {
    truth(storage).pop().unwrap()
}

fn reader(storage: &MemoryStorage) -> Reader {
    Reader::new(Arc::new(storage.clone()), Path::new(DIR))
}

#[test]
fn a_tail_cut_at_any_byte_is_dropped_reported_and_overwritten() {
    let whole = written();
    let path = last_truth(&whole);
    let length = whole.read(&path).unwrap().len();
    let records = |storage: &MemoryStorage| {
        let records = reader(storage).records(StoreKind::Truth).unwrap();
        records.map(Result::unwrap).collect::<Vec<_>>()
    };
    let all = records(&whole);
    for cut in 0..length {
        let storage = whole.after(Loss::Process);
        storage.damage(&path, |bytes| bytes.truncate(cut)).unwrap();
        let kept = records(&storage);
        assert_eq!(kept, all[..kept.len()], "cut at {cut}");
        let torn = reader(&storage).verify().unwrap().torn;
        let (mut journal, recovery) = journal(&storage);
        assert_eq!(recovery.torn, torn, "cut at {cut}");
        assert!(torn.iter().all(|tail| tail.path == path));
        let seq = recovery.last_seq + 1;
        journal
            .append_input(seq, at(seq), &Input::Stopping)
            .unwrap();
        journal.flush().unwrap();
        let coverage = reader(&storage).verify().unwrap();
        assert_eq!(
            (coverage.torn.len(), coverage.last_seq),
            (0, seq),
            "cut at {cut}"
        );
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let whole = written();
    assert_eq!((files(&whole).len(), truth(&whole).len()), (4, 3));
    for path in files(&whole) {
        let length = whole.read(&path).unwrap().len();
        for bit in 0..length * 8 {
            let storage = whole.after(Loss::Process);
            storage
                .damage(&path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8))
                .unwrap();
            match reader(&storage).verify() {
                Err(JournalError::Corrupt { path: named, .. }) => assert_eq!(named, path),
                other => panic!("bit {bit} of {path:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_zero_page_inside_is_damage_and_zeros_at_the_end_are_not() {
    let whole = written();
    let path = last_truth(&whole);
    let storage = whole.after(Loss::Process);
    storage
        .damage(&path, |bytes| bytes.resize(bytes.len() + 4_096, 0))
        .unwrap();
    assert_eq!(
        reader(&storage).verify().unwrap(),
        reader(&whole).verify().unwrap()
    );
    let storage = whole.after(Loss::Process);
    storage
        .damage(&path, |bytes| bytes[100..180].fill(0))
        .unwrap();
    assert!(matches!(
        reader(&storage).verify(),
        Err(JournalError::Corrupt { .. })
    ));
}

/// A journal in preallocated space: 40 inputs and a sync, then 40 inputs that were only flushed. With the bytes it was
/// durable up to, and where its records end.
fn written_ahead() -> (MemoryStorage, PathBuf, usize, usize) {
    let storage = MemoryStorage::new();
    let ahead = Options {
        preallocated_bytes: 64 * 1024,
        ..options()
    };
    let (mut journal, _) =
        Journal::open(Arc::new(storage.clone()), Path::new(DIR), &ahead, at(0)).unwrap();
    let used = |storage: &MemoryStorage| {
        let bytes = storage.read(&last_truth(storage)).unwrap();
        bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
    };
    let mut durable = 0;
    for seq in 1..=80 {
        let input = Input::TradesLost { count: seq };
        journal.append_input(seq, at(seq), &input).unwrap();
        journal.flush().unwrap();
        if seq == 40 {
            journal.sync().unwrap();
            durable = used(&storage);
        }
    }
    let (path, end) = (last_truth(&storage), used(&storage));
    (storage, path, durable, end)
}

#[test]
fn a_sector_that_was_not_synced_may_be_missing() {
    let (whole, path, durable, end) = written_ahead();
    let mut missing = durable.next_multiple_of(512);
    while missing + 512 < end {
        let storage = whole.after(Loss::Process);
        let clear = |bytes: &mut Vec<u8>| bytes[missing..missing + 512].fill(0);
        storage.damage(&path, clear).unwrap();
        let (_, recovery) = journal(&storage);
        let [tail] = &recovery.torn[..] else {
            panic!("{recovery:?}");
        };
        let cut = usize::try_from(tail.offset).unwrap();
        assert!(
            (durable..missing + 512).contains(&cut),
            "{cut} of {missing}"
        );
        assert!(recovery.last_seq >= 40, "what was synced is there");
        assert_eq!(reader(&storage).verify().unwrap().torn, []);
        missing += 512;
    }
}

#[test]
fn a_sector_that_was_durable_and_is_missing_is_damage() {
    let (whole, path, durable, _) = written_ahead();
    let sectors = durable / 512 - 1;
    assert!(sectors >= 2);
    for sector in 0..sectors {
        let storage = whole.after(Loss::Process);
        let clear = |bytes: &mut Vec<u8>| bytes[sector * 512..(sector + 1) * 512].fill(0);
        storage.damage(&path, clear).unwrap();
        let refused = reader(&storage).verify().unwrap_err();
        assert!(
            matches!(&refused, JournalError::Corrupt { what, .. } if what.contains("durable")),
            "{refused}"
        );
    }
}

#[test]
fn space_written_ahead_is_given_back_by_the_next_start() {
    let (storage, path, _, end) = written_ahead();
    assert_eq!(storage.read(&path).unwrap().len(), 64 * 1024);
    let (_, recovery) = journal(&storage);
    assert_eq!((recovery.torn.len(), recovery.last_seq), (0, 80));
    assert_eq!(storage.read(&path).unwrap().len(), end);
}

#[test]
fn a_record_or_a_file_that_is_missing_is_found() {
    let missing = |file: usize| {
        let storage = written();
        storage.remove(&truth(&storage)[file]).unwrap();
        reader(&storage).verify()
    };
    assert!(matches!(missing(1), Err(JournalError::Corrupt { .. })));
    // Without the first there is nothing it could not continue: `complete_from` tells.
    assert!(missing(0).unwrap().complete_from > 1);
}

#[test]
fn two_records_that_changed_places_are_found() {
    let storage = MemoryStorage::new();
    let (mut journal, _) = journal(&storage);
    for seq in 1..=3 {
        journal
            .append_input(seq, at(seq), &Input::Quote(quote(9)))
            .unwrap();
    }
    journal.flush().unwrap();
    let path = files(&storage)[0].clone();
    let record = 40 + 52;
    storage
        .damage(&path, |bytes| {
            let end = bytes.len();
            let (before, last) = bytes.split_at_mut(end - record);
            let at = before.len() - record;
            before[at..].swap_with_slice(last);
        })
        .unwrap();
    assert!(matches!(
        reader(&storage).verify(),
        Err(JournalError::Corrupt { .. })
    ));
}

#[test]
fn a_newer_record_is_refused_and_not_called_damage() {
    let whole = written();
    let path = last_truth(&whole);
    // Version 2 of the first record, with both checksums made to fit.
    whole
        .damage(&path, |bytes| {
            bytes[5] = 2;
            let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
            let mut hasher = crc32fast::Hasher::new();
            hasher.update(&bytes[..24]);
            hasher.update(&bytes[40..40 + length]);
            bytes[32..36].copy_from_slice(&hasher.finalize().to_le_bytes());
            let head = crc32fast::hash(&bytes[..36]);
            bytes[36..40].copy_from_slice(&head.to_le_bytes());
        })
        .unwrap();
    let refused = reader(&whole).verify().unwrap_err();
    assert!(
        matches!(
            refused,
            JournalError::Unsupported { .. } | JournalError::Corrupt { .. }
        ),
        "{refused}"
    );
}

#[test]
fn a_failed_sync_is_final() {
    let storage = MemoryStorage::new();
    let (mut journal, _) = journal(&storage);
    journal.append_input(1, at(1), &Input::Stopping).unwrap();
    storage.fail_syncs(true);
    assert!(matches!(journal.sync(), Err(JournalError::Io { .. })));
    storage.fail_syncs(false);
    assert!(matches!(journal.sync(), Err(JournalError::Failed)));
    let refused = journal.append_input(2, at(2), &Input::Stopping);
    assert!(matches!(refused, Err(JournalError::Failed)));
    assert!(matches!(journal.syncer().sync(), Err(JournalError::Failed)));
}
