//! Syncs on a thread of their own, for a writer that must not wait for the disk.
//!
//! Requests that come while a sync runs are served by the next one (group commit).

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::JournalError;
use crate::sync::Syncer;

impl Syncer {
    /// Serves a request: syncs what was flushed, reports how far that came, and prepares the files for the next sync. `false` once
    /// a sync has failed: it is not tried again.
    pub fn serve(&self, report: &mut dyn FnMut(Result<u64, JournalError>)) -> bool {
        let synced = self.sync().map(|()| self.durable());
        let failed = synced.is_err();
        report(synced);
        if !failed {
            // Without more space the next syncs are slower, and a full disk is met by the next write.
            drop(self.extend());
            self.archive_durable();
        }
        !failed
    }
}

/// Syncs what was flushed whenever it is requested, and reports how far that came.
#[derive(Debug)]
pub struct SyncThread {
    requests: Arc<Requests>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Requests {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requested: bool,
    ended: bool,
}

impl SyncThread {
    /// Starts the thread. After each sync `report` gets the position up to which the truth is durable, counted as
    /// [`Journal::flushed`](crate::Journal::flushed); after a failure it gets the error and nothing more.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(
        syncer: Syncer,
        mut report: impl FnMut(Result<u64, JournalError>) + Send + 'static,
    ) -> io::Result<Self> {
        let requests = Arc::new(Requests::default());
        let taken = Arc::clone(&requests);
        let run = move || {
            while taken.wait() && syncer.serve(&mut report) {}
        };
        let thread = thread::Builder::new().name("sync".to_owned()).spawn(run)?;
        Ok(Self {
            requests,
            thread: Some(thread),
        })
    }

    /// Requests a sync of all that was flushed by now; returns at once.
    pub fn request(&self) {
        self.requests.lock().requested = true;
        self.requests.changed.notify_one();
    }
}

impl Drop for SyncThread {
    /// Serves what was requested and ends the thread.
    fn drop(&mut self) {
        self.requests.lock().ended = true;
        self.requests.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the report is its owner's; it has been printed.
            drop(thread.join());
        }
    }
}

impl Requests {
    /// Waits for a request; `false` once the thread is to end and none is left.
    fn wait(&self) -> bool {
        let mut state = self.lock();
        while !state.requested && !state.ended {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut state.requested)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Two flags, each set by one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
