//! A disk that refuses market data ends nothing but the market data.

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::{DIR, at, journal, options, quote};
use tradewind_events::Input;
use tradewind_journal::{
    CrashPoint, Journal, Loss, MemoryStorage, Reader, StorageFault, StoreKind,
};

/// EIO, as the system reports a broken disk.
const EIO: i32 = 5;

fn is_market(path: &Path) -> bool {
    path.to_string_lossy().contains("market-")
}

#[test]
fn a_write_error_of_the_market_store_turns_it_off_and_the_truth_goes_on() {
    let storage = MemoryStorage::new();
    let (mut journal, _) = journal(&storage);
    let mut step = |seq: u64| {
        let input = Input::TradesLost { count: seq };
        journal.append_input(2 * seq, at(seq), &input).unwrap();
        let quote = Input::Quote(quote(5));
        journal.append_input(2 * seq + 1, at(seq), &quote).unwrap();
        journal.flush().unwrap();
        journal.market_fault().cloned()
    };
    assert_eq!(step(1), None);
    // Half of a record is written before the error.
    storage.set_fault(Some(
        StorageFault::errors(EIO).on(is_market).after_bytes(30),
    ));
    let fault = step(2).unwrap();
    assert_eq!((fault.since, fault.dropped), (at(2), 0));
    assert!(fault.error.contains("market-"), "{}", fault.error);
    // Tried again after 1, 1, 2, 4, ... seconds; every quote in between is counted.
    for seq in 3..=20 {
        assert_eq!(step(seq).unwrap().dropped, seq - 2);
    }
    let tried = storage.refused();
    assert!((4..=12).contains(&tried), "{tried}");
    storage.set_fault(None);
    let back = (21..=90).find(|seq| step(*seq).is_none()).unwrap();
    assert!(back <= 40, "{back}");
    assert_eq!(step(91), None);
    let reader = Reader::new(Arc::new(storage.after(Loss::Process)), Path::new(DIR));
    let coverage = reader.verify().unwrap();
    assert_eq!((coverage.last_seq, coverage.torn.len()), (183, 0));
    let market = reader.records(StoreKind::Market).unwrap();
    let kept: Vec<_> = market.map(|found| found.unwrap().seq).collect();
    // Two headers, the first quote, and the last one.
    assert!(kept.contains(&3) && kept.contains(&183) && !kept.contains(&21));
    let truth = reader.records(StoreKind::Truth).unwrap();
    assert_eq!(truth.count() as u64, back + 2, "all of it");
}

#[test]
fn a_start_needs_no_market_store() {
    for fault in [
        StorageFault::errors(EIO).on(is_market),
        StorageFault::full(0).on(is_market),
    ] {
        let storage = MemoryStorage::new();
        storage.set_fault(Some(fault));
        let (mut journal, _) = journal(&storage);
        assert!(journal.market_fault().is_some());
        storage.set_fault(None);
        let later = at(0) + Duration::from_secs(2);
        let input = Input::Quote(quote(1));
        journal.append_input(1, later, &input).unwrap();
        journal.flush().unwrap();
        assert!(journal.market_fault().is_none(), "it is on again");
        journal.append_input(2, later, &input).unwrap();
        journal.flush().unwrap();
        let reader = Reader::new(Arc::new(storage), Path::new(DIR));
        assert_eq!(reader.inputs().unwrap().count(), 1, "the first was dropped");
    }
}

/// A start that dies before its header is on the disk leaves no time in the market data either: a replay of the next start finds what
/// that start found.
#[test]
fn the_market_data_names_no_start_that_the_truth_does_not() {
    let storage = MemoryStorage::new();
    drop(journal(&storage));
    let late = at(0) + Duration::from_secs(60);
    storage.crash_at(CrashPoint::BeforeFlush, 1);
    let open = |storage: &MemoryStorage, now| {
        Journal::open(Arc::new(storage.clone()), DIR.as_ref(), &options(), now)
    };
    open(&storage, late).unwrap_err();
    let storage = storage.after(Loss::Process);
    let (_, recovery) = open(&storage, late + Duration::from_secs(60)).unwrap();
    assert_eq!(recovery.last_at, at(0));
}
