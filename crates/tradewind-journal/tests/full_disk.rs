//! A full disk: the reserve takes what must be written, and nothing is lost when it is spent (S05).

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{DIR, at, event, intent, options};
use tradewind_events::{EventKind, Input};
use tradewind_journal::{
    Journal, JournalError, Loss, MemoryStorage, Options, Reader, Refusal, Storage, StorageFault,
};
use tradewind_model::EventId;

const RESERVE: u64 = 8_000;

fn open(storage: &MemoryStorage, preallocated_bytes: u64) -> Journal {
    let with_reserve = Options {
        segment_bytes: RESERVE,
        reserve_bytes: RESERVE,
        preallocated_bytes,
        ..options()
    };
    let opened = Journal::open(
        Arc::new(storage.clone()),
        Path::new(DIR),
        &with_reserve,
        at(0),
    );
    opened.unwrap().0
}

fn step(journal: &mut Journal, seq: u64) -> Result<(), JournalError> {
    let input = Input::TradesLost { count: seq };
    journal.append_input(seq, at(seq), &input)?;
    journal.append_intent(seq, at(seq), &intent(seq.into()))?;
    journal.append_event(&event(seq, 0, EventKind::DeskStopping))?;
    journal.flush()
}

/// Everything up to input `last` is there, sound, and in order.
fn check(storage: &MemoryStorage, journal: &Journal, last: u64) {
    let reader = Reader::new(Arc::new(storage.after(Loss::Process)), Path::new(DIR));
    let coverage = reader.verify().unwrap();
    assert_eq!((coverage.last_seq, coverage.torn.len()), (last, 0));
    let inputs = reader.inputs().unwrap().map(|input| input.unwrap().seq);
    assert!(inputs.eq(1..=last));
    assert_eq!(reader.intents().unwrap().len() as u64, last);
    let log = journal.events();
    let events = log.read_after(EventId::default(), 10_000).unwrap();
    assert!(events.iter().map(|event| event.id.seq).eq(1..=last));
    for after in 1..last {
        let next = log.read_after(
            EventId {
                seq: after,
                index: 0,
            },
            1,
        );
        assert_eq!(next.unwrap()[0].id.seq, after + 1);
    }
}

/// The room left when the disk fills decides in the middle of which record that happens.
#[test]
fn intents_are_journaled_in_the_reserve_once_the_disk_is_full() {
    for (room, preallocated) in (0..700)
        .step_by(13)
        .flat_map(|room| [(room, 0), (room, 1_000)])
    {
        let storage = MemoryStorage::new();
        let mut journal = open(&storage, preallocated);
        assert!(journal.has_reserve());
        step(&mut journal, 1).unwrap();
        storage.set_fault(Some(StorageFault::full(room)));
        for seq in 2..=12 {
            step(&mut journal, seq).unwrap();
            if seq % 3 == 0 {
                journal.sync().unwrap();
            }
        }
        assert!(!journal.has_reserve(), "room {room}");
        check(&storage, &journal, 12);
        // The next start on the full disk reads it all.
        let after = storage.after(Loss::Power { torn: 0 });
        after.set_fault(Some(StorageFault::full(0)));
        let opened = open(&after, preallocated);
        assert_eq!(opened.last_seq(), 12, "room {room}");
    }
}

#[test]
fn a_spent_reserve_refuses_and_loses_nothing_until_there_is_room_again() {
    let storage = MemoryStorage::new();
    let mut journal = open(&storage, 500);
    storage.set_fault(Some(StorageFault::full(0)));
    let spent = (1..).find(|seq| step(&mut journal, *seq).is_err()).unwrap();
    assert!((20..60).contains(&spent), "{spent}");
    for seq in spent + 1..spent + 10 {
        let refused = step(&mut journal, seq).unwrap_err();
        assert_eq!(refused.refusal(), Some(Refusal::Full), "{refused}");
    }
    // A kill now loses what was refused, and nothing else.
    let reader = Reader::new(Arc::new(storage.after(Loss::Process)), Path::new(DIR));
    assert!(reader.verify().unwrap().last_seq >= spent - 1);
    storage.set_fault(None);
    for seq in spent + 10..spent + 20 {
        step(&mut journal, seq).unwrap();
    }
    check(&storage, &journal, spent + 19);
    assert!(journal.has_reserve(), "it was filled again");
}

#[test]
fn a_read_only_disk_refuses_and_loses_nothing() {
    let storage = MemoryStorage::new();
    let mut journal = open(&storage, 500);
    step(&mut journal, 1).unwrap();
    storage.set_fault(Some(StorageFault::read_only()));
    for seq in 2..=30 {
        let refused = step(&mut journal, seq).unwrap_err();
        assert_eq!(refused.refusal(), Some(Refusal::ReadOnly), "{refused}");
    }
    storage.set_fault(None);
    step(&mut journal, 31).unwrap();
    check(&storage, &journal, 31);
}

#[test]
fn a_reserve_that_was_used_is_filled_again_in_steps() {
    let storage = MemoryStorage::new();
    let mut journal = open(&storage, 0);
    storage.set_fault(Some(StorageFault::full(0)));
    step(&mut journal, 1).unwrap();
    storage.set_fault(Some(StorageFault::full(3_000)));
    // Ten seconds later there is room for a part of it.
    step(&mut journal, 20).unwrap();
    assert!(!journal.has_reserve());
    storage.set_fault(None);
    step(&mut journal, 21).unwrap();
    assert!(!journal.has_reserve(), "tried again after ten seconds");
    step(&mut journal, 31).unwrap();
    assert!(journal.has_reserve());
    assert_eq!(
        storage.read(&Path::new(DIR).join("reserve")).unwrap(),
        vec![0; 8_000]
    );
}

#[test]
fn a_start_on_a_full_disk_uses_the_reserve_of_the_last_run() {
    let storage = MemoryStorage::new();
    step(&mut open(&storage, 0), 1).unwrap();
    storage.set_fault(Some(StorageFault::full(0)));
    let mut journal = open(&storage, 0);
    assert!(!journal.has_reserve() && journal.market_fault().is_some());
    step(&mut journal, 2).unwrap();
    check(&storage, &journal, 2);
}

/// A broken disk is neither full nor read-only: nothing is known of what it holds (S04).
#[test]
fn other_errors_are_no_refusals() {
    let storage = MemoryStorage::new();
    let mut journal = open(&storage, 0);
    storage.set_fault(Some(StorageFault::errors(5)));
    let error = step(&mut journal, 1).unwrap_err();
    assert_eq!(error.refusal(), None);
    assert!(journal.has_reserve(), "it is for a full disk");
}

/// S06: an error at each operation in turn, from the start of a journal to a flush. The error is returned or not needed,
/// and afterwards the journal holds what was flushed.
#[test]
fn an_error_of_any_single_operation_is_refused_or_recovered() {
    let mut over = false;
    for number in 1..2_000 {
        let storage = MemoryStorage::new();
        storage.set_fault(Some(StorageFault::errors(5).at_operation(number)));
        let small = Options {
            segment_bytes: 700,
            preallocated_bytes: 600,
            reserve_bytes: 1_000,
            ..options()
        };
        let opened = Journal::open(Arc::new(storage.clone()), Path::new(DIR), &small, at(0));
        let mut flushed = 0;
        if let Ok((mut journal, _)) = opened {
            for seq in 1..=9 {
                if step(&mut journal, seq).is_err() {
                    break;
                }
                flushed = seq;
                if seq % 4 == 0 && journal.sync().is_err() {
                    break;
                }
            }
        }
        over = storage.refused() == 0;
        storage.set_fault(None);
        let after = storage.after(Loss::Process);
        let reopened = Journal::open(Arc::new(after.clone()), Path::new(DIR), &small, at(0));
        let recovery = reopened.unwrap().1;
        assert!(recovery.last_seq >= flushed, "operation {number}");
        let reader = Reader::new(Arc::new(after), Path::new(DIR));
        assert!(reader.intents().unwrap().len() as u64 >= flushed);
        if over {
            assert!(number > 30 && flushed == 9, "{number} {flushed}");
            break;
        }
    }
    assert!(over, "every operation was reached");
}
