//! Syncs of the journal that were requested and run on a thread of their own.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tradewind_journal::SyncThread;

use crate::driver::input_queues::InputQueues;

/// Syncs that were requested.
#[derive(Debug)]
pub(super) struct Syncs {
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

impl Syncs {
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(
        journal: &tradewind_journal::Journal,
        queues: &Arc<InputQueues>,
    ) -> io::Result<Self> {
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

    /// Requests a sync of what was written up to `position`, by input `seq`.
    pub(super) fn request(&mut self, position: u64, seq: u64, since: Duration) {
        self.await_sync(position, seq, since);
        self.thread.request();
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
