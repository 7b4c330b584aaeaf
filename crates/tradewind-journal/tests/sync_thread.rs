//! Syncs on a thread of their own: what was flushed before a request is reported durable, and a failure is reported once.

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::sync::Arc;
use std::sync::mpsc::channel;

use common::{DIR, at, journal, options};
use tradewind_events::Input;
use tradewind_journal::{Journal, JournalError, Loss, MemoryStorage, Options, SyncThread};

#[test]
fn each_request_makes_durable_what_was_flushed_before_it() {
    let storage = MemoryStorage::new();
    let ahead = Options {
        preallocated_bytes: 4_096,
        ..options()
    };
    let (mut journal, _) =
        Journal::open(Arc::new(storage.clone()), DIR.as_ref(), &ahead, at(0)).unwrap();
    let (report, reports) = channel();
    let thread = SyncThread::start(journal.syncer(), move |synced| {
        report.send(synced.unwrap()).unwrap();
    })
    .unwrap();
    for seq in 1..=200 {
        let input = Input::TradesLost { count: seq };
        journal.append_input(seq, at(seq), &input).unwrap();
        journal.flush().unwrap();
        thread.request();
        if seq % 10 == 0 {
            while reports.recv().unwrap() < journal.flushed() {}
            let survivor = storage.after(Loss::Power { torn: 0 });
            assert_eq!(common::journal(&survivor).1.last_seq, seq);
        }
    }
}

#[test]
fn a_failure_is_reported_once_and_ends_the_thread() {
    let storage = MemoryStorage::new();
    let (mut journal, _) = journal(&storage);
    let (report, reports) = channel();
    let thread = SyncThread::start(journal.syncer(), move |synced| {
        report.send(synced).unwrap();
    })
    .unwrap();
    journal.append_input(1, at(1), &Input::Stopping).unwrap();
    journal.flush().unwrap();
    storage.fail_syncs(true);
    thread.request();
    assert!(matches!(reports.recv(), Ok(Err(JournalError::Io { .. }))));
    thread.request();
    assert!(reports.recv().is_err(), "the thread has ended");
}
