//! When a position is written, and what the next run makes of it.

use std::path::Path;

use tradewind_journal::{MemoryStorage, Storage as _, StorageFault};
use tradewind_venues::house::{Mapping, Redis};
use tradewind_venues::{Address, Scheme};

use super::*;
use crate::driver::input_queues::Taken;

const NOW: Timestamp = Timestamp::from_secs(600_000);

fn now() -> Timestamp {
    NOW
}

fn file(storage: &MemoryStorage) -> StateFile {
    storage.create_dir(Path::new("desk")).unwrap();
    StateFile::new(Arc::new(storage.clone()), Path::new("desk"), "sources.json")
}

fn source(streams: &[&str], sentinel: Option<&str>) -> SourceSettings {
    let reads = streams.iter().map(|stream| (*stream).to_owned()).collect();
    let redis = Redis {
        user: None,
        reads: RedisUse::Streams(reads),
        sentinel: sentinel.map(str::to_owned),
    };
    SourceSettings {
        name: "house".to_owned(),
        address: Address::parse("redis://127.0.0.1:1", Scheme::Redis).unwrap(),
        transport: Transport::Redis {
            mapping: Mapping::default(),
            redis,
        },
        instruments: Vec::new(),
        numbers: Vec::new(),
        token_env: None,
        heartbeat: Duration::from_secs(5),
        ca_file: None,
        record: false,
    }
}

fn positions(at: &[(String, String)]) -> KeptPositions {
    let last: BTreeMap<_, _> = at.iter().cloned().collect();
    serde_json::from_value(serde_json::json!({ "last": last })).unwrap()
}

fn prices(id: &str) -> KeptPositions {
    positions(&[("prices".to_owned(), id.to_owned())])
}

/// Where a desk that starts now begins to read `prices`.
fn next(storage: &MemoryStorage, wall: fn() -> Timestamp) -> KeptPositions {
    let mut next = SourcePositions::open(file(storage), wall);
    next.of(&source(&["prices"], None)).kept()
}

fn until(is: impl Fn() -> bool) {
    while !is() {
        thread::yield_now();
    }
}

/// The engine handles what it has taken and comes back for more.
fn turn(queues: &InputQueues) {
    let mut taken = Taken::default();
    queues.take(&mut taken);
    queues.take(&mut Taken::default());
}

/// A desk that has read up to `id`.
fn desk(storage: &MemoryStorage, id: &str) -> SourcePositions {
    let mut desk = SourcePositions::open(file(storage), now);
    let _begins = desk.of(&source(&["prices"], None));
    desk.sources[0].1 = prices(id).into();
    desk
}

#[test]
fn a_position_is_kept_once_the_journal_has_what_it_stands_for() {
    let storage = MemoryStorage::new();
    let queues = InputQueues::new(0);
    let mut now_here = desk(&storage, "5-0");
    now_here.sources[0].1 = Positions::default();
    let writer = now_here.writer(file(&storage)).unwrap();
    until(|| file(&storage).read::<Kept>().is_some());
    now_here.sources[0].1 = prices("5-0").into();
    for _ in 0..3 {
        now_here.step(&queues, &writer);
        assert_eq!(next(&storage, now), KeptPositions::default());
    }
    turn(&queues);
    // What is read by then has not been handled.
    now_here.sources[0].1 = prices("9-0").into();
    now_here.step(&queues, &writer);
    until(|| next(&storage, now) == prices("5-0"));
    // The disk refuses the journal, and this file it would take.
    queues.note_refused(true);
    turn(&queues);
    for _ in 0..3 {
        now_here.step(&queues, &writer);
        assert!(now_here.pending.is_some());
    }
    queues.note_refused(false);
    now_here.step(&queues, &writer);
    until(|| next(&storage, now) == prices("9-0"));
}

/// The runtime's threads wait for no disk. The first write syncs.
#[test]
fn a_position_is_looked_at_while_the_disk_hangs() {
    let storage = MemoryStorage::new();
    let queues = InputQueues::new(0);
    storage.hang_syncs(true);
    let mut hung = desk(&storage, "5-0");
    let writer = hung.writer(file(&storage)).unwrap();
    hung.sources[0].1 = prices("6-0").into();
    for _ in 0..5 {
        hung.step(&queues, &writer);
        turn(&queues);
    }
    assert_eq!(file(&storage).read::<Kept>(), None);
    storage.hang_syncs(false);
    until(|| next(&storage, now) == prices("6-0"));
}

#[test]
fn a_desk_that_was_away_for_long_begins_with_what_comes_and_says_so() {
    let storage = MemoryStorage::new();
    let at = NOW.as_millis() / 60_000;
    let name = || "house redis://127.0.0.1:1 ".to_owned();
    let sources = BTreeMap::from([(name(), prices("5-0"))]);
    file(&storage).write(&(at, sources)).unwrap();
    assert_eq!(next(&storage, || NOW + ABSENCE_MAX), prices("5-0"));
    let skipped = next(&storage, || NOW + ABSENCE_MAX + Duration::from_secs(1));
    assert_eq!(skipped, prices("5-0").skip());
    assert_ne!(skipped, KeptPositions::default());
    // A clock that was set back.
    assert_eq!(next(&storage, || Timestamp::EPOCH), prices("5-0"));
    // Another master of the Sentinel, another stream.
    let begins = |source: &SourceSettings| {
        let mut desk = SourcePositions::open(file(&storage), now);
        desk.of(source).kept()
    };
    let nothing = KeptPositions::default();
    assert_eq!(begins(&source(&["prices"], Some("other"))), nothing);
    assert_eq!(begins(&source(&["others"], None)), nothing);
}

/// A full disk comes later: the room is taken at the start.
#[test]
fn as_many_streams_as_are_configured_have_room() {
    let storage = MemoryStorage::new();
    let queues = InputQueues::new(0);
    let streams: Vec<String> = (0..200).map(|n| format!("{n:0>50}\u{1}\"")).collect();
    let names: Vec<&str> = streams.iter().map(String::as_str).collect();
    let source = source(&names, None);
    let mut wide = SourcePositions::open(file(&storage), now);
    let _begins = wide.of(&source);
    let writer = wide.writer(file(&storage)).unwrap();
    until(|| file(&storage).read::<Kept>().is_some());
    let full = StorageFault::full(0);
    storage.set_fault(Some(full));
    let id = format!("{0}-{0}", u64::MAX);
    let last: Vec<_> = streams
        .iter()
        .map(|name| (name.clone(), id.clone()))
        .collect();
    let kept = positions(&last);
    wide.sources[0].1 = kept.clone().into();
    wide.step(&queues, &writer);
    turn(&queues);
    wide.step(&queues, &writer);
    until(|| {
        let mut next = SourcePositions::open(file(&storage), now);
        next.of(&source).kept() == kept
    });
}
