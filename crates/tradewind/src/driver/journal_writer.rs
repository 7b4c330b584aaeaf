//! The journal on disk, as the driver writes it: how safe an intent must be, and whether the disk keeps up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tradewind_driver::Journal;
use tradewind_events::{Event, Input, Intent};
use tradewind_journal::JournalError;
use tradewind_model::Timestamp;

use crate::driver::disk::DiskWatch;
use crate::driver::input_queues::InputQueues;

/// Writes the desk's journal.
///
/// An intent is durable once it is synced, or, for a desk that need not survive power loss, once it is written. Syncs
/// run on the calling thread. The engine learns by an input when the disk begins or ceases to be too slow.
#[derive(Debug)]
pub(crate) struct JournalWriter {
    journal: tradewind_journal::Journal,
    power_safe: bool,
    queues: Arc<InputQueues>,
    disk: DiskWatch,
    /// Whether something was appended since the last write.
    has_records: bool,
    /// Whether an intent was, since the last sync.
    has_intents: bool,
    /// How long the last write took.
    write_took: Duration,
    durable: u64,
}

impl JournalWriter {
    /// A writer that syncs intents if `power_safe`.
    pub(crate) fn new(
        journal: tradewind_journal::Journal,
        power_safe: bool,
        queues: Arc<InputQueues>,
    ) -> Self {
        Self {
            durable: journal.last_seq(),
            journal,
            power_safe,
            queues,
            disk: DiskWatch::default(),
            has_records: false,
            has_intents: false,
            write_took: Duration::ZERO,
        }
    }

    /// Syncs everything, whatever the desk demands of an intent.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn close(mut self) -> Result<(), JournalError> {
        self.journal.sync()
    }

    /// Tells the engine if a write that took so long changes what is to be thought of the disk.
    fn judge_disk(&mut self, took: Duration) {
        if let Some(health) = self.disk.after(took) {
            self.queues.control(Input::Storage(health));
        }
    }
}

impl Journal for JournalWriter {
    type Error = JournalError;

    const INPUTS_PER_WRITE: usize = 256;

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

    fn write(&mut self) -> Result<(), JournalError> {
        if !std::mem::take(&mut self.has_records) {
            return Ok(());
        }
        let began = Instant::now();
        self.journal.flush()?;
        self.write_took = began.elapsed();
        let sync_follows = self.power_safe && self.has_intents;
        if !sync_follows {
            self.durable = self.journal.last_seq();
            self.judge_disk(self.write_took);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        self.has_intents = false;
        if !self.power_safe {
            return Ok(());
        }
        let began = Instant::now();
        self.journal.sync()?;
        self.durable = self.journal.last_seq();
        let write_took = std::mem::take(&mut self.write_took);
        self.judge_disk(write_took + began.elapsed());
        Ok(())
    }

    fn durable(&self) -> u64 {
        self.durable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use tradewind_events::StorageHealth;
    use tradewind_journal::{MemoryStorage, Options};

    fn writer(power_safe: bool) -> (JournalWriter, Arc<InputQueues>) {
        let storage = Arc::new(MemoryStorage::new());
        let (options, dir) = (Options::default(), Path::new("journal"));
        let opened = tradewind_journal::Journal::open(storage, dir, &options, Timestamp::EPOCH);
        let (journal, _) = opened.unwrap();
        let queues = Arc::new(InputQueues::new(0));
        let writer = JournalWriter::new(journal, power_safe, Arc::clone(&queues));
        (writer, queues)
    }

    #[test]
    fn an_intent_is_durable_once_it_is_as_safe_as_the_desk_demands() {
        for power_safe in [false, true] {
            let (mut writer, _) = writer(power_safe);
            writer
                .append_input(1, Timestamp::EPOCH, &Input::Resync)
                .unwrap();
            writer.has_intents = true;
            assert_eq!(writer.durable(), 0);
            writer.write().unwrap();
            assert_eq!(writer.durable(), u64::from(!power_safe), "written");
            writer.sync().unwrap();
            assert_eq!(writer.durable(), 1, "synced, where that is demanded");
        }
    }

    #[test]
    fn the_engine_learns_once_that_the_disk_is_slow_and_once_that_it_is_not() {
        let (mut writer, queues) = writer(false);
        let mut inputs = Vec::new();
        for millis in [5, 1_500, 2_000, 100, 5] {
            writer.judge_disk(Duration::from_millis(millis));
            let mut taken = crate::driver::input_queues::Taken::default();
            queues.take(&mut taken, Some(Instant::now()));
            inputs.extend(taken.batch.control);
        }
        let health = [StorageHealth::Behind, StorageHealth::Writing];
        assert_eq!(inputs, health.map(Input::Storage));
    }
}
