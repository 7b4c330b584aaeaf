//! The journal on disk, as the driver writes it: how safe an intent must be, and whether the disk keeps up.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tradewind_driver::Journal;
use tradewind_events::{Event, Input, Intent};
use tradewind_journal::{JournalError, Refusal, SyncThread};
use tradewind_model::Timestamp;
use tradewind_venues::RealTime;

use crate::driver::disk::{DiskWatch, SLOW};
use crate::driver::input_queues::InputQueues;

/// Wait between two attempts to write what the disk refused.
const RETRY: Duration = Duration::from_millis(250);

/// So much later than [`SLOW`] a sync is certain to be slower.
const TICK: Duration = Duration::from_millis(1);

/// Bytes that may wait in memory while the disk refuses them; beyond that the desk ends.
const HELD_MAX: usize = 64 << 20;

/// Writes the desk's journal.
///
/// An intent is durable once it is synced, or, for a desk that need not survive power loss, once it is written. Syncs
/// run on a thread of their own, one for all intents that wait; the engine's task is woken when one has ended. A desk
/// that does not sync intents has no such thread. An input reports to the engine when the disk begins or ceases to be too slow.
///
/// While the disk is full or read-only, records wait in memory, no order leaves, and no event is announced; cancels and
/// queries go on. Any other error of the truth is returned at once and ends the desk.
#[derive(Debug)]
pub(crate) struct JournalWriter {
    journal: tradewind_journal::Journal,
    syncs: Option<Syncs>,
    queues: Arc<InputQueues>,
    time: Arc<dyn RealTime>,
    disk: DiskWatch,
    /// Whether something was appended since the last write.
    has_records: bool,
    /// Whether the truth was written and the rest was not.
    has_rest: bool,
    /// How long the rest took that was written since the disk was judged.
    rest_took: Duration,
    /// Whether something that must be durable was appended since the last sync was requested.
    wants_sync: bool,
    /// The last input whose intents are as safe as is demanded without a sync.
    written: u64,
    /// Why the disk takes nothing at the moment, and when that was tried last. What is appended waits in memory.
    refused: Option<(Refusal, Duration)>,
    /// Whether records wait because the disk refuses them; events that are not on disk are not announced.
    holding: Arc<AtomicBool>,
}

/// Syncs that were requested.
#[derive(Debug)]
struct Syncs {
    thread: SyncThread,
    /// Position up to which the truth is durable.
    reached: Arc<AtomicU64>,
    /// Set by a failed sync, which is the last one.
    failed: Arc<AtomicBool>,
    /// Oldest first.
    waiting: VecDeque<Waiting>,
    /// The last input whose intents are synced.
    durable: u64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    position: u64,
    seq: u64,
    since: Duration,
}

impl JournalWriter {
    /// A writer that syncs intents if `power_safe`, and measures the disk by `time`.
    ///
    /// # Errors
    /// The system gives no thread for the syncs.
    pub(crate) fn new(
        journal: tradewind_journal::Journal,
        power_safe: bool,
        queues: Arc<InputQueues>,
        time: Arc<dyn RealTime>,
    ) -> io::Result<Self> {
        let syncs = power_safe
            .then(|| Syncs::start(&journal, &queues))
            .transpose()?;
        Ok(Self {
            written: journal.last_seq(),
            journal,
            syncs,
            queues,
            time,
            disk: DiskWatch::default(),
            has_records: false,
            has_rest: false,
            rest_took: Duration::ZERO,
            wants_sync: false,
            refused: None,
            holding: Arc::default(),
        })
    }

    /// A flag that is set while records wait because the disk refuses them.
    pub(crate) fn holding(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.holding)
    }

    /// When the disk must be looked at though nothing comes in: a sync may hang, or a refused write be tried again.
    pub(crate) fn next_check(&self) -> Option<Duration> {
        if self.refused.is_some() {
            return Some(RETRY);
        }
        let now = self.time.now();
        let waited = self.syncs.as_ref().and_then(|syncs| syncs.waited(now))?;
        let until_slow = (SLOW + TICK).saturating_sub(waited);
        (!self.disk.is_behind()).then_some(until_slow)
    }

    /// Syncs everything, whatever the desk demands of an intent.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn close(mut self) -> Result<(), JournalError> {
        self.journal.sync()
    }

    /// Writes the truth that was appended, or keeps it in memory while the disk refuses it.
    fn flush(&mut self) -> Result<(), JournalError> {
        // While the disk refuses anything, all of it must be taken before orders leave again.
        let flushed = match self.refused {
            None => self.journal.flush_truth(),
            Some(_) => self.journal.flush(),
        };
        if let Err(error) = flushed {
            return self.refuse(error);
        }
        self.written = self.journal.last_seq();
        self.has_rest = self.refused.is_none();
        if self.refused.take().is_some() {
            tracing::warn!("The disk takes the journal again.");
            self.holding.store(false, Ordering::Release);
            self.request_sync();
        }
        Ok(())
    }

    /// # Errors
    /// The error, if the records cannot wait.
    fn refuse(&mut self, error: JournalError) -> Result<(), JournalError> {
        let can_wait = self.journal.buffered() < HELD_MAX;
        let Some(refusal) = error.refusal().filter(|_| can_wait) else {
            return Err(error);
        };
        if self.refused.is_none() {
            tracing::error!(%error, "The disk refuses the journal; what comes waits in memory.");
        }
        self.refused = Some((refusal, self.time.now()));
        self.holding.store(true, Ordering::Release);
        Ok(())
    }

    /// Requests a sync if something that must be durable was written since the last one.
    fn request_sync(&mut self) {
        if let Some(syncs) = &mut self.syncs
            && std::mem::take(&mut self.wants_sync)
        {
            let (position, seq) = (self.journal.flushed(), self.journal.last_seq());
            syncs.request(position, seq, self.time.now());
        }
    }

    /// Reports to the engine if a write that took so long, or what the disk refuses, changes the verdict on the disk.
    fn judge_disk(&mut self, took: Duration) {
        let refusal = self.refused.map(|(refusal, _)| refusal);
        let truth = self.disk.truth(took, refusal, self.journal.has_reserve());
        let fault = self.journal.market_fault();
        let market = self.disk.market(fault.is_some());
        if let (Some(_), Some(fault)) = (market, fault) {
            tracing::warn!(error = fault.error, "Market data is not written.");
        }
        for health in truth.into_iter().chain(market) {
            self.queues.control(Input::Storage(health));
        }
    }
}

impl Syncs {
    fn start(journal: &tradewind_journal::Journal, queues: &Arc<InputQueues>) -> io::Result<Self> {
        let reached = Arc::new(AtomicU64::new(0));
        let failed = Arc::new(AtomicBool::new(false));
        let (report, report_failure) = (Arc::clone(&reached), Arc::clone(&failed));
        let queues = Arc::clone(queues);
        let thread = SyncThread::start(journal.syncer(), move |synced| {
            match synced {
                Ok(position) => report.store(position, Ordering::Release),
                // The turn that follows at once fails, and the desk ends.
                Err(error) => {
                    tracing::error!(%error, "The journal could not be synced.");
                    report_failure.store(true, Ordering::Release);
                }
            }
            queues.wake();
        })?;
        Ok(Self {
            thread,
            reached,
            failed,
            waiting: VecDeque::new(),
            durable: journal.last_seq(),
        })
    }

    fn request(&mut self, position: u64, seq: u64, since: Duration) {
        self.waiting.push_back(Waiting {
            position,
            seq,
            since,
        });
        self.thread.request();
    }

    /// Forgets the syncs that have ended.
    fn note_ended(&mut self) {
        let reached = self.reached.load(Ordering::Acquire);
        while let Some(ended) = self.waiting.pop_front_if(|sync| sync.position <= reached) {
            self.durable = ended.seq;
        }
    }

    /// How long the oldest sync that has not ended has taken so far; `None` if all have ended.
    fn waited(&self, now: Duration) -> Option<Duration> {
        let oldest = self.waiting.front()?;
        Some(now.saturating_sub(oldest.since))
    }

    fn durable(&self) -> u64 {
        let reached = self.reached.load(Ordering::Acquire);
        let ended = self
            .waiting
            .iter()
            .take_while(|sync| sync.position <= reached);
        ended.last().map_or(self.durable, |sync| sync.seq)
    }
}

impl Journal for JournalWriter {
    type Error = JournalError;

    const INPUTS_PER_WRITE: usize = 256;
    const SNAPSHOTS: bool = true;

    fn append_input(&mut self, seq: u64, at: Timestamp, input: &Input) -> Result<(), JournalError> {
        self.has_records = true;
        self.journal.append_input(seq, at, input)
    }

    fn append_intent(
        &mut self,
        seq: u64,
        at: Timestamp,
        intent: &Intent,
    ) -> Result<(), JournalError> {
        self.wants_sync = true;
        self.journal.append_intent(seq, at, intent)
    }

    fn append_event(&mut self, event: &Event) -> Result<(), JournalError> {
        self.journal.append_event(event)
    }

    fn append_snapshot(
        &mut self,
        seq: u64,
        at: Timestamp,
        bytes: &[u8],
    ) -> Result<(), JournalError> {
        self.has_records = true;
        self.journal.append_snapshot(seq, at, bytes)
    }

    fn write(&mut self) -> Result<(), JournalError> {
        if let Some(syncs) = &mut self.syncs {
            if syncs.failed.load(Ordering::Acquire) {
                return Err(JournalError::Failed);
            }
            syncs.note_ended();
        }
        let is_idle = !self.has_records
            && self.refused.is_none()
            && !self.disk.is_behind()
            && self.rest_took <= SLOW;
        if is_idle
            && self
                .syncs
                .as_ref()
                .is_none_or(|syncs| syncs.waiting.is_empty())
        {
            return Ok(());
        }
        let began = self.time.now();
        let may_try = self.refused.is_none_or(|(_, tried)| began - tried >= RETRY);
        if may_try && (std::mem::take(&mut self.has_records) || self.refused.is_some()) {
            self.flush()?;
        }
        let now = self.time.now();
        let syncing = self.syncs.as_ref().and_then(|syncs| syncs.waited(now));
        let took = (now - began) + std::mem::take(&mut self.rest_took);
        self.judge_disk(took.max(syncing.unwrap_or_default()));
        Ok(())
    }

    fn write_rest(&mut self) -> Result<(), JournalError> {
        if !std::mem::take(&mut self.has_rest) {
            return Ok(());
        }
        let began = self.time.now();
        let written = self.journal.flush_rest();
        if written.is_ok() && self.syncs.is_none() {
            self.journal.archive();
        }
        self.rest_took = self.time.now() - began;
        if self.rest_took > SLOW {
            // The next turn judges it, though nothing comes in.
            self.queues.wake();
        }
        written.or_else(|error| self.refuse(error))
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        self.wants_sync = true;
        // What waits in memory is synced once it is written.
        if self.refused.is_none() {
            self.request_sync();
        }
        Ok(())
    }

    fn durable(&self) -> u64 {
        self.syncs.as_ref().map_or(self.written, Syncs::durable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
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
        let writer = JournalWriter::new(journal, power_safe, Arc::clone(&queues), time);
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
        writer.syncs.as_mut().unwrap().waiting.push_back(Waiting {
            position: u64::MAX,
            seq: 1,
            since: writer.time.now(),
        });
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
        let writer = JournalWriter::new(opened.unwrap().0, power_safe, queue, Arc::new(time));
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

    /// S05: records wait in memory, no intent becomes durable, and all of it is written once the disk takes it.
    #[tokio::test(start_paused = true)]
    async fn a_read_only_disk_holds_intents_until_it_is_writable_again() {
        for power_safe in [false, true] {
            let storage = MemoryStorage::new();
            let (mut writer, queues) = writer_on(&storage, power_safe);
            let holding = writer.holding();
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
            assert_eq!(writer.next_check(), Some(RETRY));
            storage.set_fault(None);
            tokio::time::advance(Duration::from_secs(2)).await;
            writer.write().unwrap();
            while writer.durable() == 0 {
                std::thread::yield_now();
            }
            assert!(!holding.load(Ordering::Acquire) && writer.durable() == 3);
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
        writer.write_rest().unwrap();
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
}
