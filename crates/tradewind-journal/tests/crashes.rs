//! The world ends at every named point, at every hit of it; what was promised holds at the next start (S01, S11).

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use common::{DIR, at, event, intent, options, quote};
use tradewind_events::{EventKind, Input};
use tradewind_journal::{
    CrashPoint, Home, Identity, Journal, JournalError, Loss, MemoryStorage, Options, Reader,
    Storage as _,
};

const LOSSES: [Loss; 4] = [
    Loss::Process,
    Loss::Power { torn: 0 },
    Loss::Power { torn: 33 },
    Loss::Power { torn: 700 },
];

/// What the writer was promised before the end.
#[derive(Clone, Copy, Debug, Default)]
struct Promised {
    appended: u64,
    flushed: u64,
    synced: u64,
}

fn write(
    storage: &MemoryStorage,
    preallocated_bytes: u64,
    promised: &mut Promised,
) -> Result<(), JournalError> {
    let small = Options {
        segment_bytes: 700,
        preallocated_bytes,
        ..options()
    };
    let (mut journal, recovery) =
        Journal::open(Arc::new(storage.clone()), Path::new(DIR), &small, at(0))?;
    for seq in recovery.last_seq + 1..=recovery.last_seq + 12 {
        promised.appended = seq;
        journal.append_input(seq, at(seq), &Input::TradesLost { count: seq })?;
        journal.append_intent(seq, at(seq), &intent(seq.into()))?;
        journal.append_event(&event(seq, 0, EventKind::DeskStopping))?;
        if seq % 2 == 0 {
            journal.flush()?;
            promised.flushed = seq;
        }
        if seq % 3 == 0 {
            journal.sync()?;
            (promised.flushed, promised.synced) = (seq, seq);
        }
    }
    Ok(())
}

#[test]
fn what_was_flushed_survives_the_process_and_what_was_synced_the_power() {
    crash_everywhere(0);
}

#[test]
fn the_same_holds_where_space_is_written_ahead() {
    crash_everywhere(4_096);
}

fn crash_everywhere(preallocated: u64) {
    let mut reached = BTreeSet::new();
    for point in CrashPoint::ALL {
        for hit in 1..100 {
            let storage = MemoryStorage::new();
            storage.crash_at(point, hit);
            let mut promised = Promised::default();
            let ended = write(&storage, preallocated, &mut promised);
            if ended.is_ok() {
                assert!(!storage.has_crashed());
                break;
            }
            reached.insert(point);
            for loss in LOSSES {
                check(&storage.after(loss), preallocated, loss, promised);
            }
        }
    }
    assert_eq!(
        reached.len(),
        6,
        "every point of the journal was reached: {reached:?}"
    );
}

fn check(storage: &MemoryStorage, preallocated: u64, loss: Loss, promised: Promised) {
    let mut again = Promised::default();
    write(storage, preallocated, &mut again).unwrap();
    let kept = again.appended - 12;
    let wanted = match loss {
        Loss::Process => promised.flushed,
        Loss::Power { .. } => promised.synced,
    };
    assert!(
        kept >= wanted && kept <= promised.appended,
        "{kept} of {promised:?} after {loss:?}"
    );
    let reader = Reader::new(Arc::new(storage.clone()), Path::new(DIR));
    assert_eq!(reader.verify().unwrap().torn, []);
    let intents = reader.intents().unwrap();
    let known = |seq: u64| intents.contains_key(&tradewind_model::ClientOrderId(seq.into()));
    assert!(
        (1..=wanted).all(known),
        "an intent that was durable is there"
    );
    let inputs: Vec<u64> = reader
        .inputs()
        .unwrap()
        .map(|input| input.unwrap().seq)
        .collect();
    assert_eq!(
        inputs,
        (1..=again.appended).collect::<Vec<_>>()[..inputs.len()]
    );
}

#[test]
fn no_epoch_is_used_twice_whatever_happens_while_it_is_taken() {
    let points = [
        CrashPoint::BeforeReplacement,
        CrashPoint::ReplacementWritten,
        CrashPoint::ReplacementSynced,
        CrashPoint::ReplacementRenamed,
    ];
    let dir = Path::new(DIR);
    for loss in LOSSES {
        let mut storage = MemoryStorage::new();
        let mut used = BTreeSet::new();
        let mut instances = 0;
        for start in 0..40 {
            if start % 3 > 0 {
                storage.crash_at(points[start % points.len()], 1);
            }
            let shared = Arc::new(storage.clone());
            let taken = Identity::begin(shared, dir, Home::default(), || {
                instances += 1;
                instances
            });
            if let Ok(identity) = taken {
                assert!(
                    used.insert((identity.instance, identity.epoch)),
                    "{identity:?}"
                );
            }
            storage = storage.after(loss);
        }
        assert!(used.len() >= 13);
        assert_eq!(instances, 1, "one directory, one instance");
    }
}

#[test]
fn an_identity_that_is_lost_or_unreadable_makes_a_new_instance() {
    let storage = MemoryStorage::new();
    let dir = Path::new(DIR);
    let begin = |draw: u32| {
        let storage = Arc::new(storage.clone());
        let identity = Identity::begin(storage, dir, Home::default(), || draw).unwrap();
        (identity.instance, identity.epoch)
    };
    assert_eq!(begin(7), (7, 1));
    assert_eq!(begin(8), (7, 2));
    storage
        .damage(&dir.join("identity.json"), |bytes| bytes.truncate(5))
        .unwrap();
    assert_eq!(begin(9), (9, 1));
    storage.remove(&dir.join("identity.json")).unwrap();
    assert_eq!(begin(0), (1, 1), "0 is not an instance");
}

#[test]
fn market_data_is_dropped_by_size_and_by_age_and_truth_is_not() {
    let storage = MemoryStorage::new();
    let limits = Options {
        segment_bytes: 1_000,
        market_bytes: 5_000,
        market_age: std::time::Duration::from_secs(50),
        ..options()
    };
    let open = || Journal::open(Arc::new(storage.clone()), Path::new(DIR), &limits, at(0)).unwrap();
    let bytes = |prefix: &str| -> usize {
        let names = storage.list(Path::new(DIR)).unwrap();
        let ours = names.iter().filter(|name| name.starts_with(prefix));
        ours.map(|name| storage.read(&Path::new(DIR).join(name)).unwrap().len())
            .sum()
    };
    let mut journal = open().0;
    for seq in 1..=400 {
        if seq == 200 {
            journal = open().0;
        }
        // All within a few seconds: the size decides.
        let now = at(seq / 100);
        let input = if seq % 2 == 0 {
            Input::Quote(quote(1))
        } else {
            Input::TradesLost { count: 1 }
        };
        journal.append_input(seq, now, &input).unwrap();
        journal.flush().unwrap();
        assert!(bytes("market") <= 5_000 + 1_100);
    }
    assert!(bytes("market") > 3_000 && bytes("truth") > 10_000);
    // A minute later what is left is too old.
    for seq in 401..=412 {
        journal
            .append_input(seq, at(seq), &Input::Quote(quote(1)))
            .unwrap();
        journal.flush().unwrap();
    }
    assert!(bytes("market") < 2_500);
    let coverage = Reader::new(Arc::new(storage.clone()), Path::new(DIR))
        .verify()
        .unwrap();
    assert!(coverage.complete_from > 380 && coverage.last_seq == 412);
}
