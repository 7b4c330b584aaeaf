//! The journal on disk, as the driver writes it: how safe an intent must be, and whether the disk keeps up.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tradewind_driver::Journal;
use tradewind_events::{Event, Input, Intent};
use tradewind_journal::{JournalError, SyncThread};
use tradewind_model::Timestamp;
use tradewind_venues::RealTime;

use crate::driver::disk::DiskWatch;
use crate::driver::input_queues::InputQueues;

/// Writes the desk's journal.
///
/// An intent is durable once it is synced, or, for a desk that need not survive power loss, once it is written. Syncs
/// run on a thread of their own, one for all intents that wait; the engine's task is woken when one has ended. A desk
/// that does not sync intents has no such thread. The engine learns by an input when the disk begins or ceases to be too slow.
#[derive(Debug)]
pub(crate) struct JournalWriter {
    journal: tradewind_journal::Journal,
    syncs: Option<Syncs>,
    queues: Arc<InputQueues>,
    time: Arc<dyn RealTime>,
    disk: DiskWatch,
    /// Whether something was appended since the last write.
    has_records: bool,
    /// Whether an intent was, since the last sync was requested.
    has_intents: bool,
    /// The last input whose intents are as safe as is demanded without a sync.
    written: u64,
}

/// Syncs that were requested.
#[derive(Debug)]
struct Syncs {
    thread: SyncThread,
    /// Position up to which the truth is durable.
    reached: Arc<AtomicU64>,
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
            has_intents: false,
        })
    }

    /// Syncs everything, whatever the desk demands of an intent.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn close(mut self) -> Result<(), JournalError> {
        self.journal.sync()
    }

    /// Tells the engine if a write that took so long changes the verdict on the disk.
    fn judge_disk(&mut self, took: Duration) {
        if let Some(health) = self.disk.after(took) {
            self.queues.control(Input::Storage(health));
        }
    }
}

impl Syncs {
    fn start(journal: &tradewind_journal::Journal, queues: &Arc<InputQueues>) -> io::Result<Self> {
        let reached = Arc::new(AtomicU64::new(0));
        let (report, queues) = (Arc::clone(&reached), Arc::clone(queues));
        let thread = SyncThread::start(journal.syncer(), move |synced| {
            match synced {
                Ok(position) => report.store(position, Ordering::Release),
                // The next write fails, and the desk stops.
                Err(error) => tracing::error!(%error, "The journal could not be synced."),
            }
            queues.wake();
        })?;
        Ok(Self {
            thread,
            reached,
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

    /// How long the oldest sync that has not ended has taken so far.
    fn oldest_wait(&self, now: Duration) -> Duration {
        let oldest = self.waiting.front();
        oldest.map_or(Duration::ZERO, |sync| now.saturating_sub(sync.since))
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
        self.has_intents = true;
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
            syncs.note_ended();
        }
        if !std::mem::take(&mut self.has_records) {
            return Ok(());
        }
        let began = self.time.now();
        self.journal.flush()?;
        self.written = self.journal.last_seq();
        let now = self.time.now();
        let syncing = self.syncs.as_ref().map(|syncs| syncs.oldest_wait(now));
        self.judge_disk((now - began).max(syncing.unwrap_or_default()));
        Ok(())
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        if !std::mem::take(&mut self.has_intents) {
            return Ok(());
        }
        if let Some(syncs) = &mut self.syncs {
            let (position, seq) = (self.journal.flushed(), self.journal.last_seq());
            syncs.request(position, seq, self.time.now());
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
    use tradewind_journal::{MemoryStorage, Options};
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
            writer.has_intents = true;
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

    /// S04: nobody knows what is on disk, and orders leave until something is recorded.
    #[tokio::test]
    async fn a_failed_sync_is_seen_by_the_next_record_only() {
        let storage = MemoryStorage::new();
        let (mut writer, queues) = writer_on(&storage, true);
        writer
            .append_input(1, Timestamp::EPOCH, &Input::Resync)
            .unwrap();
        writer.has_intents = true;
        writer.write().unwrap();
        storage.fail_syncs(true);
        writer.sync().unwrap();
        queues.filled().await;
        writer.write().unwrap();
    }

    /// S05: the first record that the disk refuses ends the desk.
    #[test]
    fn a_read_only_disk_ends_the_desk() {
        let storage = MemoryStorage::new();
        let (mut writer, _queues) = writer_on(&storage, false);
        storage.set_fault(Some(tradewind_journal::StorageFault::read_only()));
        writer
            .append_input(1, Timestamp::EPOCH, &Input::Resync)
            .unwrap();
        assert!(writer.write().is_err());
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
