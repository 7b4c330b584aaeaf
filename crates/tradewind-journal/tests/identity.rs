//! Which instance and epoch a start gets, also in a directory that was copied or restored (S11, P05).

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::DIR;
use tradewind_journal::{Disk, FormerInstance, Home, Identity, Loss, MemoryStorage, Storage};

const HOME: Home = Home::new(1, 2, 3);

fn begin(storage: &MemoryStorage, home: Home, draw: u32) -> Identity {
    let storage = Arc::new(storage.clone());
    Identity::begin(storage, Path::new(DIR), home, || draw).unwrap()
}

fn numbers(identity: &Identity) -> (u32, u32, Vec<(u32, u32)>) {
    let former = identity.former.iter();
    let former = former.map(|former| (former.instance, former.epoch));
    (identity.instance, identity.epoch, former.collect())
}

/// S11, P05: another machine, another file system, another directory.
#[test]
fn a_copied_directory_draws_a_new_instance_and_keeps_the_old_one_as_former() {
    for elsewhere in [Home::new(9, 2, 3), Home::new(1, 9, 3), Home::new(1, 2, 9)] {
        let original = MemoryStorage::new();
        begin(&original, HOME, 7);
        assert_eq!(numbers(&begin(&original, HOME, 8)), (7, 2, vec![]));
        let copy = original.after(Loss::Process);
        let moved = begin(&copy, elsewhere, 8);
        assert_eq!(numbers(&moved), (8, 1, vec![(7, 2)]));
        assert!(moved.owns(7) && moved.owns(8) && !moved.owns(9));
        // From then on it belongs there; the original continues as before.
        assert_eq!(numbers(&begin(&copy, elsewhere, 9)), (8, 2, vec![(7, 2)]));
        assert_eq!(numbers(&begin(&original, HOME, 9)), (7, 3, vec![]));
        // A copy of the copy, though the draw is unlucky twice.
        let again = begin(&copy.after(Loss::Process), HOME, 7);
        assert_eq!(numbers(&again), (9, 1, vec![(7, 2), (8, 2)]));
    }
}

/// S12: the last release wrote neither home nor former instances.
#[test]
fn an_identity_of_the_last_release_is_continued() {
    let storage = MemoryStorage::new();
    begin(&storage, HOME, 1);
    let path = Path::new(DIR).join("identity.json");
    let old = br#"{"instance":3735928559,"epoch":41}"#;
    storage
        .damage(&path, |bytes| *bytes = old.to_vec())
        .unwrap();
    let next = begin(&storage, HOME, 1);
    assert_eq!(numbers(&next), (0xdead_beef, 42, vec![]));
    let elsewhere = begin(&storage, Home::new(5, 5, 5), 1);
    assert_eq!(numbers(&elsewhere), (1, 1, vec![(0xdead_beef, 42)]));
}

/// S11: a backup restored in place; the venue knows a later epoch.
#[test]
fn an_epoch_is_raised_above_what_the_venue_has_seen_before_it_is_used() {
    let storage = MemoryStorage::new();
    let mut identity = begin(&storage, HOME, 7);
    for (seen, epoch) in [(0, 1), (1, 2), (1, 2), (40, 41)] {
        identity.raise_epoch(seen).unwrap();
        assert_eq!(identity.epoch, epoch, "{seen}");
        // The power goes at once: the epoch is taken all the same.
        let after = storage.after(Loss::Power { torn: 0 });
        assert_eq!(begin(&after, HOME, 1).epoch, epoch + 1);
    }
    assert!(identity.raise_epoch(u32::MAX).is_err(), "none is left");
    storage.fail_syncs(true);
    assert!(identity.raise_epoch(100).is_err());
}

#[test]
fn a_directory_has_a_home_and_its_copy_another() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    let begin = |at: &Path, draw| {
        Disk.create_dir(at).unwrap();
        let home = Home::of(at).unwrap();
        numbers(&Identity::begin(Arc::new(Disk), at, home, || draw).unwrap())
    };
    assert_eq!(begin(&one, 7), (7, 1, vec![]));
    assert_eq!(begin(&one, 8), (7, 2, vec![]));
    std::fs::create_dir(&other).unwrap();
    std::fs::copy(one.join("identity.json"), other.join("identity.json")).unwrap();
    assert_eq!(begin(&other, 8), (8, 1, vec![(7, 2)]));
    // A renamed directory is the same one.
    let renamed = dir.path().join("renamed");
    std::fs::rename(&one, &renamed).unwrap();
    assert_eq!(begin(&renamed, 8), (7, 3, vec![]));
}

#[test]
fn former_instances_are_bounded() {
    let storage = MemoryStorage::new();
    let mut last = begin(&storage, Home::new(1, 1, 0), 5);
    for copy in 1..100 {
        last = begin(&storage, Home::new(1, 1, copy), 5);
    }
    assert_eq!(last.former.len(), 64);
    let newest = FormerInstance {
        instance: last.instance - 1,
        epoch: 1,
    };
    assert_eq!(last.former.last(), Some(&newest));
}
