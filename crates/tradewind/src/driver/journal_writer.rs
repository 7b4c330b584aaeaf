//! The journal on disk, as the driver writes it: how safe an intent must be, and whether the disk keeps up.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tradewind_driver::Journal;
use tradewind_events::{Event, Input, Intent};
use tradewind_journal::{JournalError, Refusal};
use tradewind_model::Timestamp;
use tradewind_venues::RealTime;

use crate::driver::disk::{DiskWatch, SLOW};
use crate::driver::input_queues::InputQueues;
use crate::driver::syncs::{IntentSafety, Syncs};

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

impl JournalWriter {
    /// A writer whose intents are as safe as `safety` says, and that measures the disk by `time`.
    ///
    /// # Errors
    /// The system gives no thread for the syncs.
    pub(crate) fn new(
        journal: tradewind_journal::Journal,
        safety: IntentSafety,
        queues: Arc<InputQueues>,
        time: Arc<dyn RealTime>,
    ) -> io::Result<Self> {
        let syncs = match safety {
            IntentSafety::Written => None,
            IntentSafety::Synced(start) => Some(Syncs::start(start, &journal, &queues)?),
        };
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
            self.note_refused();
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
        self.note_refused();
        Ok(())
    }

    /// Tells those who keep how far they have read whether that may be ahead of the journal.
    fn note_refused(&self) {
        let is_refused = self.refused.is_some() || self.journal.market_fault().is_some();
        self.queues.note_refused(is_refused);
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
            if syncs.have_failed() {
                return Err(JournalError::Failed);
            }
            syncs.note_ended();
        }
        let is_idle = !self.has_records
            && self.refused.is_none()
            && !self.disk.is_behind()
            && self.rest_took <= SLOW;
        if is_idle && self.syncs.as_ref().is_none_or(Syncs::have_ended) {
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
        self.note_refused();
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
mod tests;
