//! Syncs of the journal that were requested and run beside the engine: on a thread of their own, or where a simulation says.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tradewind_journal::{JournalError, SyncThread, Syncer};

use crate::driver::input_queues::InputQueues;

/// Gets the position up to which the truth is durable after each sync, or the error of the last one.
pub type SyncReport = Box<dyn FnMut(Result<u64, JournalError>) + Send>;

/// Who syncs when it is requested. A request returns at once.
pub trait SyncRunner: fmt::Debug + Send {
    /// Requests a sync of all that was flushed by now.
    fn request(&self);
}

impl SyncRunner for SyncThread {
    fn request(&self) {
        Self::request(self);
    }
}

/// Starts who syncs.
///
/// # Errors
/// The system gives no thread.
pub type StartSyncs = Box<dyn FnOnce(Syncer, SyncReport) -> io::Result<Box<dyn SyncRunner>> + Send>;

/// When an intent is durable, so that its order may leave.
pub enum IntentSafety {
    /// Once it is written: it survives the process.
    Written,
    /// Once it is synced: it survives a loss of power.
    Synced(StartSyncs),
}

impl IntentSafety {
    /// Syncs on a thread of their own if `power_safe`.
    #[must_use]
    pub fn of(power_safe: bool) -> Self {
        if power_safe {
            Self::Synced(Box::new(|syncer, report| {
                Ok(Box::new(SyncThread::start(syncer, report)?))
            }))
        } else {
            Self::Written
        }
    }
}

impl fmt::Debug for IntentSafety {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Written => "Written",
            Self::Synced(_) => "Synced",
        })
    }
}

/// Syncs that were requested.
#[derive(Debug)]
pub(super) struct Syncs {
    runner: Box<dyn SyncRunner>,
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

impl Syncs {
    /// # Errors
    /// Those of `start`.
    pub(super) fn start(
        start: StartSyncs,
        journal: &tradewind_journal::Journal,
        queues: &Arc<InputQueues>,
    ) -> io::Result<Self> {
        let reached = Arc::new(AtomicU64::new(0));
        let failed = Arc::new(AtomicBool::new(false));
        let (report_reached, report_failure) = (Arc::clone(&reached), Arc::clone(&failed));
        let queues = Arc::clone(queues);
        let report = move |synced: Result<u64, JournalError>| {
            match synced {
                Ok(position) => report_reached.store(position, Ordering::Release),
                // The turn that follows at once fails, and the desk ends.
                Err(error) => {
                    tracing::error!(%error, "The journal could not be synced.");
                    report_failure.store(true, Ordering::Release);
                }
            }
            queues.wake();
        };
        Ok(Self {
            runner: start(journal.syncer(), Box::new(report))?,
            reached,
            failed,
            waiting: VecDeque::new(),
            durable: journal.last_seq(),
        })
    }

    /// Requests a sync of what was written up to `position`, by input `seq`.
    pub(super) fn request(&mut self, position: u64, seq: u64, since: Duration) {
        self.await_sync(position, seq, since);
        self.runner.request();
    }

    /// Waits for a sync that reaches `position`.
    pub(super) fn await_sync(&mut self, position: u64, seq: u64, since: Duration) {
        self.waiting.push_back(Waiting {
            position,
            seq,
            since,
        });
    }

    /// Forgets the syncs that have ended.
    pub(super) fn note_ended(&mut self) {
        let reached = self.reached.load(Ordering::Acquire);
        while let Some(ended) = self.waiting.pop_front_if(|sync| sync.position <= reached) {
            self.durable = ended.seq;
        }
    }

    /// How long the oldest sync that has not ended has taken so far; `None` if all have ended.
    pub(super) fn waited(&self, now: Duration) -> Option<Duration> {
        let oldest = self.waiting.front()?;
        Some(now.saturating_sub(oldest.since))
    }

    /// The last input whose intents are synced, though its sync may not be noted yet.
    pub(super) fn durable(&self) -> u64 {
        let reached = self.reached.load(Ordering::Acquire);
        let ended = self
            .waiting
            .iter()
            .take_while(|sync| sync.position <= reached);
        ended.last().map_or(self.durable, |sync| sync.seq)
    }

    /// Whether nothing waits.
    pub(super) fn have_ended(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether one has failed: the last one.
    pub(super) fn have_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}
