//! How the journal writer treats disks that fail, fill up or hang.

use super::*;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use tradewind_events::StorageHealth;
use tradewind_journal::{MemoryStorage, Options, StorageFault};
use tradewind_venues::TokioTime;

fn writer(power_safe: bool) -> (JournalWriter, Arc<InputQueues>) {
    let storage = Arc::new(MemoryStorage::new());
    let (options, dir) = (Options::default(), Path::new("journal"));
    let opened = tradewind_journal::Journal::open(storage, dir, &options, Timestamp::EPOCH);
    let (journal, _) = opened.unwrap();
    let queues = Arc::new(InputQueues::new(0));
    let time = Arc::new(TokioTime::default());
    let writer = JournalWriter::new(
        journal,
        IntentSafety::of(power_safe),
        Arc::clone(&queues),
        time,
    );
    (writer.unwrap(), queues)
}

#[tokio::test]
async fn an_intent_is_durable_once_it_is_as_safe_as_the_desk_demands() {
    for power_safe in [false, true] {
        let (mut writer, queues) = writer(power_safe);
        writer
            .append_input(1, Timestamp::EPOCH, &Input::Resync)
            .unwrap();
        writer.wants_sync = true;
        assert_eq!(writer.durable(), 0);
        writer.write().unwrap();
        assert_eq!(writer.durable(), u64::from(!power_safe), "written");
        writer.sync().unwrap();
        while writer.durable() == 0 {
            queues.filled().await;
        }
        writer.write().unwrap();
        assert_eq!(writer.durable(), 1, "and so it stays");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_does_not_end_counts_as_a_slow_disk() {
    let (mut writer, queues) = writer(true);
    let now = writer.time.now();
    writer.syncs.as_mut().unwrap().await_sync(u64::MAX, 1, now);
    tokio::time::advance(Duration::from_secs(2)).await;
    writer
        .append_input(1, Timestamp::EPOCH, &Input::Resync)
        .unwrap();
    writer.write().unwrap();
    let mut taken = crate::driver::input_queues::Taken::default();
    queues.take(&mut taken);
    assert_eq!(taken.batch.control, [Input::Storage(StorageHealth::Behind)]);
    assert_eq!(writer.durable(), 0);
}

fn writer_on(storage: &MemoryStorage, power_safe: bool) -> (JournalWriter, Arc<InputQueues>) {
    let options = Options {
        reserve_bytes: 10_000,
        ..Options::default()
    };
    let (storage, dir) = (Arc::new(storage.clone()), Path::new("journal"));
    let opened = tradewind_journal::Journal::open(storage, dir, &options, Timestamp::EPOCH);
    let (queues, time) = (Arc::new(InputQueues::new(0)), TokioTime::default());
    let queue = Arc::clone(&queues);
    let writer = JournalWriter::new(
        opened.unwrap().0,
        IntentSafety::of(power_safe),
        queue,
        Arc::new(time),
    );
    (writer.unwrap(), queues)
}

fn health(queues: &InputQueues) -> Vec<StorageHealth> {
    let mut taken = crate::driver::input_queues::Taken::default();
    queues.take(&mut taken);
    let health = taken.batch.control.into_iter().map(|input| match input {
        Input::Storage(health) => health,
        other => panic!("{other:?}"),
    });
    health.collect()
}

fn append(writer: &mut JournalWriter, seq: u64) {
    writer
        .append_input(seq, Timestamp::EPOCH, &Input::Resync)
        .unwrap();
    writer.wants_sync = true;
}

/// S04: the turn after a failed sync ends the desk, though nothing has come in.
#[tokio::test]
async fn a_failed_sync_is_seen_at_once() {
    let storage = MemoryStorage::new();
    let (mut writer, queues) = writer_on(&storage, true);
    append(&mut writer, 1);
    writer.write().unwrap();
    storage.fail_syncs(true);
    writer.sync().unwrap();
    queues.filled().await;
    assert!(matches!(writer.write(), Err(JournalError::Failed)));
}

/// S09: it is reported to the engine after a second, though nothing has come in, and again when the sync has ended.
#[tokio::test(start_paused = true)]
async fn a_hung_sync_is_seen_after_a_second() {
    let storage = MemoryStorage::new();
    let (mut writer, queues) = writer_on(&storage, true);
    storage.hang_syncs(true);
    append(&mut writer, 1);
    writer.write().unwrap();
    writer.sync().unwrap();
    let check = writer.next_check().unwrap();
    assert!(check > SLOW && check < SLOW * 2, "{check:?}");
    tokio::time::advance(check).await;
    writer.write().unwrap();
    assert_eq!(health(&queues), [StorageHealth::Behind]);
    assert_eq!((writer.next_check(), writer.durable()), (None, 0));
    storage.hang_syncs(false);
    while writer.durable() == 0 {
        std::thread::yield_now();
    }
    writer.write().unwrap();
    assert_eq!(health(&queues), [StorageHealth::Writing]);
}

/// A mark whose inputs were handled.
fn marked(queues: &InputQueues) -> crate::driver::input_queues::Mark {
    let mark = queues.mark();
    health(queues);
    health(queues);
    mark
}

/// S05: records wait in memory, no intent becomes durable, and all of it is written once the disk takes it.
#[tokio::test(start_paused = true)]
async fn a_read_only_disk_holds_intents_until_it_is_writable_again() {
    for power_safe in [false, true] {
        let storage = MemoryStorage::new();
        let (mut writer, queues) = writer_on(&storage, power_safe);
        let holding = writer.holding();
        let mark = marked(&queues);
        assert!(queues.is_journaled(mark));
        storage.set_fault(Some(StorageFault::read_only()));
        for seq in 1..=3 {
            append(&mut writer, seq);
            writer.write().unwrap();
            writer.sync().unwrap();
            tokio::time::advance(RETRY).await;
        }
        let seen = health(&queues);
        assert_eq!(seen[0], StorageHealth::ReadOnly);
        assert!(holding.load(Ordering::Acquire) && writer.durable() == 0);
        assert!(!queues.is_journaled(mark));
        assert_eq!(writer.next_check(), Some(RETRY));
        storage.set_fault(None);
        tokio::time::advance(Duration::from_secs(2)).await;
        writer.write().unwrap();
        while writer.durable() == 0 {
            std::thread::yield_now();
        }
        assert!(!holding.load(Ordering::Acquire) && writer.durable() == 3);
        assert!(queues.is_journaled(mark));
        let seen = health(&queues);
        assert!(seen.contains(&StorageHealth::Writing), "{seen:?}");
    }
}

/// S05: the reserve, then nothing.
#[tokio::test(start_paused = true)]
async fn a_full_disk_is_reported_with_and_without_the_reserve() {
    let storage = MemoryStorage::new();
    let (mut writer, queues) = writer_on(&storage, false);
    storage.set_fault(Some(StorageFault::full(0)));
    let mut seen = Vec::new();
    for seq in 1..=400 {
        append(&mut writer, seq);
        writer.write().unwrap();
        seen.extend(health(&queues));
    }
    assert_eq!(seen, [StorageHealth::Reserve, StorageHealth::Full]);
    assert!(writer.durable() > 20, "the reserve took them");
}

fn candle() -> Input {
    Input::Candle(tradewind_model::Candle {
        instrument: tradewind_model::InstrumentId(0),
        interval: tradewind_model::Interval::Minute1,
        complete: true,
        open_time: Timestamp::EPOCH,
        open: tradewind_model::Price(1),
        high: tradewind_model::Price(1),
        low: tradewind_model::Price(1),
        close: tradewind_model::Price(1),
        volume: tradewind_model::Amount::ZERO,
    })
}

#[test]
fn a_broken_disk_ends_the_desk_and_a_broken_market_store_does_not() {
    let storage = MemoryStorage::new();
    let (mut writer, queues) = writer_on(&storage, false);
    let is_market = |path: &Path| path.to_string_lossy().contains("market-");
    storage.set_fault(Some(StorageFault::errors(5).on(is_market)));
    writer.append_input(1, Timestamp::EPOCH, &candle()).unwrap();
    writer.write().unwrap();
    let mark = marked(&queues);
    assert!(queues.is_journaled(mark));
    writer.write_rest().unwrap();
    assert!(!queues.is_journaled(mark), "trades are not written");
    append(&mut writer, 2);
    writer.write().unwrap();
    assert_eq!(health(&queues), [StorageHealth::MarketOff]);
    storage.set_fault(Some(StorageFault::errors(5)));
    append(&mut writer, 3);
    let ended = writer.write().unwrap_err();
    assert_eq!(ended.refusal(), None);
}

/// A clock that only the test moves.
#[derive(Clone, Debug, Default)]
struct Hand(Arc<AtomicU64>);

impl RealTime for Hand {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn sleep(&self, _: Duration) -> tradewind_venues::Sleeping<'_> {
        Box::pin(std::future::pending())
    }
}

/// S09: what follows the truth, market data and rotation, blocks the same thread.
#[test]
fn a_slow_write_of_the_rest_counts_as_a_slow_disk() {
    let storage = MemoryStorage::new();
    let (mut writer, queues) = writer_on(&storage, false);
    let time = Hand::default();
    writer.time = Arc::new(time.clone());
    let slow = move |path: &Path| {
        let is_market = path.to_string_lossy().contains("market-");
        time.0
            .fetch_add(2_000 * u64::from(is_market), Ordering::Relaxed);
        false
    };
    storage.set_fault(Some(StorageFault::errors(5).on(slow)));
    writer.append_input(1, Timestamp::EPOCH, &candle()).unwrap();
    writer.write().unwrap();
    assert_eq!(health(&queues), []);
    writer.write_rest().unwrap();
    storage.set_fault(None);
    writer.write().unwrap();
    assert_eq!(health(&queues), [StorageHealth::Behind]);
}

#[test]
fn the_engine_learns_once_that_the_disk_is_slow_and_once_that_it_is_not() {
    let (mut writer, queues) = writer(false);
    let mut inputs = Vec::new();
    for millis in [5, 1_500, 2_000, 100, 5] {
        writer.judge_disk(Duration::from_millis(millis));
        let mut taken = crate::driver::input_queues::Taken::default();
        queues.take(&mut taken);
        inputs.extend(taken.batch.control);
    }
    let health = [StorageHealth::Behind, StorageHealth::Writing];
    assert_eq!(inputs, health.map(Input::Storage));
}
