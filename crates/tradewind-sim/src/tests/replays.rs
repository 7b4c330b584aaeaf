//! The journal that a desk leaves, replayed: the same comes out, whatever it went through.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tradewind::replay::{CannotReplay, Verdict, look, verify};
use tradewind_events::{Event, EventKind};
use tradewind_journal::{MemoryStorage, OpenMode, Reader, Record, Storage as _, StoreKind};

use crate::world::{Choices, JOURNAL, World};

fn replayed(disk: &MemoryStorage) -> Verdict {
    let reader = Reader::new(Arc::new(disk.clone()), Path::new(JOURNAL));
    verify(&reader, &mut |_| {}).unwrap()
}

/// # Panics
/// Something came out differently, or could not be compared.
#[track_caller]
fn assert_identical(disk: &MemoryStorage) -> Verdict {
    let verdict = replayed(disk);
    assert_eq!(verdict.difference, None, "{:?}", verdict.totals);
    assert_eq!(verdict.totals.passed_over, 0, "{:?}", verdict.totals);
    assert!(verdict.is_identical());
    verdict
}

/// I10: orders, fills, stops and every snapshot of the state.
#[test]
fn a_session_with_two_deaths_replays_identical() {
    let mut world = World::new(Choices::busy(42));
    world.start_desk();
    for _ in 0..2 {
        world.run(Duration::from_secs(200));
        world.kill_desk();
        world.run(Duration::from_secs(20));
        world.start_desk();
    }
    world.run(Duration::from_secs(150));
    world.stop_desk();
    let totals = assert_identical(&world.storage).totals;
    assert_eq!(totals.starts, 3);
    assert!(totals.inputs > 10_000, "{totals:?}");
    assert!(totals.outcomes > 500, "{totals:?}");
    assert!(totals.checkpoints >= 8, "{totals:?}");
}

/// A record of a store's file: where it begins, and its payload's length.
struct Framed {
    at: usize,
    length: usize,
}

impl Framed {
    /// The records of a file, by the layout in `docs/journal.md`.
    fn all(file: &[u8]) -> Vec<Self> {
        let mut all = Vec::new();
        let mut at = 0;
        while file.len() > at + HEADER {
            let length = u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
            all.push(Self { at, length });
            at += HEADER + length;
        }
        all
    }

    fn number(&self, file: &[u8], field: usize) -> u64 {
        let at = self.at + field;
        u64::from_le_bytes(file[at..at + 8].try_into().unwrap())
    }

    fn seq(&self, file: &[u8]) -> u64 {
        self.number(file, 8)
    }

    /// Computes the record's checksums again, behind the chain `before`. Returns the chain behind it.
    fn seal(&self, file: &mut [u8], before: u64) -> u64 {
        let seq = self.seq(file);
        let record = &mut file[self.at..self.at + HEADER + self.length];
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&record[..24]);
        hasher.update(&record[HEADER..]);
        let crc = hasher.finalize();
        let mut chain = before ^ (u64::from(crc) << 32) ^ seq.wrapping_add(0x9E37_79B9_7F4A_7C15);
        chain = (chain ^ (chain >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        chain = (chain ^ (chain >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        chain ^= chain >> 31;
        record[24..32].copy_from_slice(&chain.to_le_bytes());
        record[32..36].copy_from_slice(&crc.to_le_bytes());
        let head = crc32fast::hash(&record[..36]);
        record[36..40].copy_from_slice(&head.to_le_bytes());
        chain
    }
}

/// Bots that decide on quotes.
const ON_QUOTES: &str = r#"
[[bots]]
id = "btc"
strategy = "ma_cross"
account = "paper"
instruments = ["BTC/USDT"]
budget = 300
exit = { stop = "2%" }
policy = "market"
params = { fast = 2, slow = 5 }

[[bots]]
id = "eth"
strategy = "ma_cross"
account = "paper"
instruments = ["ETH/USDT"]
budget = 300
exit = { stop = "2%" }
policy = "market"
params = { fast = 2, slow = 5 }
"#;

/// Bytes of a record's header.
const HEADER: usize = 40;
/// The kind of an input's record in the truth.
const INPUT: u8 = 2;
/// The kind of a quote's record.
const QUOTE: u8 = 3;
/// The kind of an event's record.
const EVENT: u8 = 7;
/// Where the bid stands in a quote's payload, behind the instrument.
const BID: usize = 4;
/// Where the quantity at the bid stands, behind bid and ask.
const BID_QUANTITY: usize = 20;

/// Changes the lowest byte of a field of quote `seq` and seals the file again.
fn change(disk: &MemoryStorage, file: &Path, seq: u64, field: usize) {
    let mut bytes = disk.read(file).unwrap();
    let records = Framed::all(&bytes);
    let changed = records.iter().position(|record| record.seq(&bytes) == seq);
    let changed = changed.unwrap();
    assert_eq!(bytes[records[changed].at + 4], QUOTE, "input {seq}");
    let mut chain = records[changed - 1].number(&bytes, 24);
    bytes[records[changed].at + HEADER + field] ^= 1;
    for record in &records[changed..] {
        chain = record.seal(&mut bytes, chain);
    }
    let opened = disk.open(file, OpenMode::Write).unwrap();
    opened.write_at(&bytes, 0).unwrap();
}

/// A changed input is found though every checksum fits: by its effects, or by the next snapshot of the state.
#[test]
fn one_byte_of_one_quote_is_found_and_named() {
    let mut world = World::new(Choices {
        bots: ON_QUOTES,
        ..Choices::calm(9)
    });
    world.start_desk();
    world.run(Duration::from_secs(240));
    world.stop_desk();
    assert_identical(&world.storage);
    let reader = Reader::new(Arc::new(world.storage.clone()), Path::new(JOURNAL));
    let signal_quotes: Vec<u64> = reader
        .records(StoreKind::Truth)
        .unwrap()
        .filter_map(|found| match found.unwrap().record {
            Record::Event(Event {
                kind: EventKind::PriceUpdate(_),
                id,
                ..
            }) => Some(id.seq),
            _ => None,
        })
        .collect();
    let market = Path::new(JOURNAL).join("market-00000001-00000000000000000001.twj");
    let untouched = world.storage.read(&market).unwrap();
    let restore = || {
        let opened = world.storage.open(&market, OpenMode::Write).unwrap();
        opened.write_at(&untouched, 0).unwrap();
    };
    let records = Framed::all(&untouched);
    let quotes = records.iter().filter(|one| untouched[one.at + 4] == QUOTE);
    let quotes: Vec<u64> = quotes.map(|one| one.seq(&untouched)).collect();
    let signal_quotes: Vec<u64> = signal_quotes
        .into_iter()
        .filter(|seq| quotes.binary_search(seq).is_ok())
        .collect();
    assert!(signal_quotes.len() > 3, "{signal_quotes:?}");
    for seq in [signal_quotes[0], signal_quotes[signal_quotes.len() / 2]] {
        change(&world.storage, &market, seq, BID);
        reader.verify().expect("every checksum fits");
        let difference = replayed(&world.storage).difference.unwrap();
        assert_eq!(difference.seq, seq, "{difference:?}");
        assert_eq!(difference.what, "intent or event");
        let (recorded, came_out) = (&difference.recorded, &difference.came_out);
        assert_ne!(recorded, came_out);
        assert!(recorded.as_ref().unwrap().contains("PriceUpdate"));
        let input = difference.causes.last().unwrap();
        assert_eq!((input.kind, input.id.seq), ("input", seq));
        restore();
    }
    // Of what led to nothing, the next snapshot tells: here of the last quote before it.
    let snapshot = reader.snapshots().unwrap()[0].seq();
    let quiet = quotes[quotes.partition_point(|seq| *seq <= snapshot) - 1];
    change(&world.storage, &market, quiet, BID_QUANTITY);
    let difference = replayed(&world.storage).difference.unwrap();
    assert_eq!((difference.seq, difference.what), (snapshot, "state"));
    assert!(difference.since.unwrap() < quiet, "{difference:?}");
    assert!(difference.causes.is_empty(), "{difference:?}");
    let came_out = difference.came_out.unwrap();
    assert!(came_out.contains("the market view"), "{came_out}");
}

/// Market data that is gone is passed over up to the next snapshot, and said; without any there is nothing to compare.
#[test]
fn what_cannot_be_compared_is_listed_and_a_journal_without_market_data_is_refused() {
    let mut world = World::new(Choices::busy(3));
    world.start_desk();
    world.run(Duration::from_secs(150));
    world.kill_desk();
    world.start_desk();
    world.run(Duration::from_secs(150));
    world.stop_desk();
    assert_identical(&world.storage);
    let files: Vec<_> = world.files().into_keys().collect();
    let mut market = files.iter().filter(|name| name.starts_with("market-"));
    let path = |name: &String| Path::new(JOURNAL).join(name);
    world.storage.remove(&path(market.next().unwrap())).unwrap();
    let verdict = replayed(&world.storage);
    assert_eq!(verdict.difference, None);
    assert!(verdict.is_identical(), "{:?}", verdict.totals);
    assert_eq!(verdict.totals.spans.len(), 1, "{:?}", verdict.totals);
    assert!(verdict.totals.passed_over > 1_000, "{:?}", verdict.totals);
    assert!(verdict.totals.outcomes > 100, "{:?}", verdict.totals);
    world.storage.remove(&path(market.next().unwrap())).unwrap();
    let reader = Reader::new(Arc::new(world.storage.clone()), Path::new(JOURNAL));
    let refused = verify(&reader, &mut |_| {}).unwrap_err();
    assert!(refused.is::<CannotReplay>(), "{refused}");
    assert!(refused.to_string().contains("market data"), "{refused}");
}

/// Takes record `taken` out of a file and seals the rest again.
fn take_out(disk: &MemoryStorage, file: &Path, taken: usize) {
    let mut bytes = disk.read(file).unwrap();
    let records = Framed::all(&bytes);
    let mut chain = records[taken - 1].number(&bytes, 24);
    let (from, length) = (records[taken].at, HEADER + records[taken].length);
    bytes.drain(from..from + length);
    for record in Framed::all(&bytes).iter().skip(taken) {
        if record.length > 0 {
            chain = record.seal(&mut bytes, chain);
        }
    }
    bytes.extend(std::iter::repeat_n(0, length));
    let opened = disk.open(file, OpenMode::Write).unwrap();
    opened.write_at(&bytes, 0).unwrap();
}

/// The only file of a store, and its bytes.
fn only_file(world: &World, store: &str) -> (PathBuf, Vec<u8>) {
    let mut files = world.files().into_iter();
    let (name, bytes) = files.find(|(name, _)| name.starts_with(store)).unwrap();
    (Path::new(JOURNAL).join(name), bytes)
}

/// A session that stopped in order holds every number: without one it is not called identical, though nothing differs.
#[test]
fn a_session_without_one_of_its_inputs_is_incomplete() {
    for (store, kind) in [("truth-", INPUT), ("market-", QUOTE)] {
        let mut world = World::new(Choices::busy(5));
        world.start_desk();
        world.run(Duration::from_secs(150));
        world.stop_desk();
        assert_identical(&world.storage);
        let (path, bytes) = only_file(&world, store);
        let records = Framed::all(&bytes);
        let of_kind: Vec<usize> = (0..records.len())
            .filter(|index| bytes[records[*index].at + 4] == kind)
            .collect();
        let taken = of_kind[of_kind.len() / 2];
        let seq = records[taken].seq(&bytes);
        take_out(&world.storage, &path, taken);
        let verdict = replayed(&world.storage);
        assert_eq!(verdict.difference, None, "{:?}", verdict.totals);
        let missing = verdict.totals.missing.unwrap();
        assert_eq!((missing.first, missing.inputs), (seq, 1));
        assert!(!verdict.is_identical());
    }
}

/// A desk that runs has written market data behind the truth that was read: nothing can be said of it.
#[test]
fn market_data_behind_the_end_of_the_truth_is_no_difference() {
    let mut world = World::new(Choices::busy(6));
    world.start_desk();
    world.run(Duration::from_secs(150));
    world.kill_desk();
    let (path, mut bytes) = only_file(&world, "truth-");
    let records = Framed::all(&bytes);
    let end = records.iter().rposition(|one| one.length > 0).unwrap();
    for back in [40, 41, 42, 43] {
        let cut = &records[end - back];
        bytes[cut.at..].fill(0);
        let opened = world.storage.open(&path, OpenMode::Write).unwrap();
        opened.write_at(&bytes, 0).unwrap();
        // What the last input of the truth itself led to is written with it.
        if records[end - back].seq(&bytes) == records[end - back - 1].seq(&bytes) {
            continue;
        }
        let verdict = replayed(&world.storage);
        assert_eq!(verdict.difference, None, "{:?}", verdict.totals);
        assert!(verdict.is_identical(), "{:?}", verdict.totals);
    }
}

/// At a time whose market data is gone, the view of a later time is not shown.
#[test]
fn a_past_time_without_market_data_has_no_view() {
    let mut world = World::new(Choices::busy(3));
    let begun = world.now();
    world.start_desk();
    world.run(Duration::from_secs(150));
    world.kill_desk();
    world.start_desk();
    world.run(Duration::from_secs(150));
    world.stop_desk();
    let reader = Reader::new(Arc::new(world.storage.clone()), Path::new(JOURNAL));
    let seen = |after: u64| {
        let at = begun + Duration::from_secs(after);
        let bot = look(&reader, "memes-momentum", at).unwrap();
        assert_eq!(bot.unlike, None);
        assert!(bot.view.iter().all(|view| view.at <= at), "{after}");
        bot.view.map(|view| view.at + Duration::from_secs(2) > at)
    };
    for after in [40, 100, 140, 250] {
        assert_eq!(seen(after), Some(true), "{after}");
    }
    let (market, _) = only_file(&world, "market-");
    world.storage.remove(&market).unwrap();
    for after in [40, 100, 140] {
        assert_eq!(seen(after), None, "{after}");
    }
    assert!(seen(250).is_some());
}

/// An event that a power cut tore is not missed, and what was not compared is counted; also where a second start, or a start by a build that
/// did not note it, follows.
#[test]
fn what_was_torn_and_cut_off_is_no_difference() {
    let mut world = World::new(Choices::busy(21));
    world.start_desk();
    world.run(Duration::from_secs(90));
    world.kill_desk();
    let files = world.files();
    let mut truth = files.iter().filter(|(name, _)| name.starts_with("truth-"));
    let (name, bytes) = truth.next_back().unwrap();
    let is_event = |one: &&Framed| bytes[one.at + 4] == EVENT;
    let records = Framed::all(bytes);
    let torn = records.iter().rfind(is_event).unwrap();
    let path = Path::new(JOURNAL).join(name);
    let file = world.storage.open(&path, OpenMode::Write).unwrap();
    file.set_len((torn.at + HEADER + 3) as u64).unwrap();
    world.start_desk();
    world.run(Duration::from_secs(90));
    world.stop_desk();
    let verdict = replayed(&world.storage);
    assert_eq!(verdict.difference, None, "{:?}", verdict.totals);
    assert_eq!(verdict.totals.starts, 2);
    assert_eq!(verdict.totals.spans.len(), 1, "{:?}", verdict.totals);
    assert!(verdict.is_identical());
}
