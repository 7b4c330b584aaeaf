//! The writer: one thread that brings the projection up to the log, and never blocks other threads.
//!
//! It has a cursor over the log rather than a queue, so nothing can overflow: while the database is locked it lags, and
//! reads on from where it was.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tradewind_events::{Configuration, Event};
use tradewind_model::{BotId, EventId, Fill};

use crate::error::StorageError;
use crate::projection::Projection;

/// The event log, as the writer reads it. The journal is one; the binary joins the two.
pub trait EventSource: Send + std::fmt::Debug {
    /// Up to `limit` events after `after`, in order; fewer only at the end.
    ///
    /// # Errors
    /// Any error of reading. The writer tries again.
    fn read_after(&self, after: EventId, limit: usize) -> io::Result<Vec<Arc<Event>>>;

    /// Hands over everything the database needs that is in no event, oldest first. Called once, for a database that is
    /// built from the log's start.
    ///
    /// # Errors
    /// Any error of reading. The writer tries again, from the start.
    fn history(&self, take: &mut dyn FnMut(HistoryItem)) -> io::Result<()>;
}

/// What is in no event.
#[derive(Clone, Debug)]
pub enum HistoryItem {
    /// What ids mean from this sequence number on.
    Configured(u64, Box<Configuration>),
    /// Fills that a reading of an account found, with the sequence number of the reading.
    Fills(u64, Vec<(Fill, Option<BotId>)>),
}

/// How the writer works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterOptions {
    /// Events in one transaction at most.
    pub batch: usize,
    /// Events kept for chains of causes.
    pub keep_events: u32,
    /// How long to wait before the log is looked at without having been nudged, or a locked database tried again.
    pub patience: Duration,
}

impl Default for WriterOptions {
    /// 500 a transaction, 200,000 events, 250 ms.
    fn default() -> Self {
        Self {
            batch: 500,
            keep_events: 200_000,
            patience: Duration::from_millis(250),
        }
    }
}

/// How far the projection is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The last event in the database.
    pub applied: EventId,
    /// How long it has been since the database was level with the log; zero while it is.
    pub behind: Duration,
    /// Attempts that failed since the last one that succeeded.
    pub failures: u64,
}

/// Events between two prunings.
const PRUNE_EVERY: usize = 10_000;

/// Wait after a panic.
const PANIC_PAUSE: Duration = Duration::from_secs(1);

/// Fills that may wait to be added.
const FILLS_MAX: usize = 100_000;

/// The writer thread.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// There is something to do.
    wake: Condvar,
    /// The cursor moved.
    moved: Condvar,
}

#[derive(Debug)]
struct State {
    nudged: bool,
    stopping: bool,
    fills: Vec<(Fill, Option<BotId>)>,
    configurations: Vec<(u64, Arc<Configuration>)>,
    applied: EventId,
    /// When the database was last level with the log.
    level_at: Instant,
    level: bool,
    failures: u64,
}

impl Writer {
    /// Opens the database at `path`, and starts the thread that fills it from `source`.
    ///
    /// A database that is damaged is renamed to `*.damaged` and rebuilt from the log (S08).
    ///
    /// # Errors
    /// [`StorageError`], if it cannot be opened or is a newer release's.
    pub fn start(
        path: &Path,
        source: Box<dyn EventSource>,
        options: WriterOptions,
    ) -> Result<Self, StorageError> {
        let projection = open(path, options)?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                nudged: true,
                stopping: false,
                fills: Vec::new(),
                configurations: Vec::new(),
                applied: projection.cursor(),
                level_at: Instant::now(),
                level: false,
                failures: 0,
            }),
            wake: Condvar::new(),
            moved: Condvar::new(),
        });
        let work = Work {
            shared: Arc::clone(&shared),
            path: path.to_owned(),
            has_history: projection.cursor() != EventId::default(),
            projection,
            source,
            options,
            since_pruned: 0,
        };
        let thread = std::thread::Builder::new()
            .name("storage".into())
            .spawn(move || work.run())
            .map_err(StorageError::Log)?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Says that the log has grown. Returns at once.
    pub fn nudge(&self) {
        self.shared.lock().nudged = true;
        self.shared.wake.notify_one();
    }

    /// Says what the ids of events from sequence number `from_seq` on mean. Returns at once; to be called before those
    /// events are in the log.
    pub fn configure(&self, from_seq: u64, configuration: Arc<Configuration>) {
        let mut state = self.shared.lock();
        state.configurations.push((from_seq, configuration));
        state.nudged = true;
        drop(state);
        self.shared.wake.notify_one();
    }

    /// Hands over fills found at a reconciliation. Returns at once; false if too many wait already, which is not the end
    /// of the world: the next reconciliation finds them again.
    #[must_use]
    pub fn upsert_fills(&self, fills: &[(Fill, Option<BotId>)]) -> bool {
        let mut state = self.shared.lock();
        if state.fills.len() + fills.len() > FILLS_MAX {
            return false;
        }
        state.fills.extend_from_slice(fills);
        state.nudged = true;
        drop(state);
        self.shared.wake.notify_one();
        true
    }

    /// How far behind it is.
    #[must_use]
    pub fn lag(&self) -> Lag {
        let state = self.shared.lock();
        Lag {
            applied: state.applied,
            behind: if state.level {
                Duration::ZERO
            } else {
                state.level_at.elapsed()
            },
            failures: state.failures,
        }
    }

    /// Waits until `event` is in the database, or `patience` is over; whether it is there.
    #[must_use]
    pub fn wait_for(&self, event: EventId, patience: Duration) -> bool {
        let state = self.shared.lock();
        let (state, _) = self
            .shared
            .moved
            .wait_timeout_while(state, patience, |state| state.applied < event)
            .unwrap_or_else(PoisonError::into_inner);
        state.applied >= event
    }

    /// Applies what is in the log and ends the thread. What cannot be applied now is applied after the next start.
    pub fn stop(mut self) {
        self.join();
    }

    fn join(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("The storage writer panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.join();
    }
}

/// Opens the database; one that is damaged, or whose tables are not of any release, is renamed, and a new one is begun.
fn open(path: &Path, options: WriterOptions) -> Result<Projection, StorageError> {
    let opened = match Projection::open(path) {
        Err(error @ (StorageError::Damaged(_) | StorageError::Schema(_))) => {
            set_aside(path, &error)?;
            Projection::open(path)
        }
        other => other,
    };
    let projection = opened?;
    projection.set_patience(options.patience)?;
    Ok(projection)
}

fn set_aside(path: &Path, error: &StorageError) -> Result<(), StorageError> {
    let aside = with_suffix(path, ".damaged");
    tracing::warn!(%error, aside = %aside.display(), "The database is set aside and rebuilt from the journal");
    std::fs::rename(path, &aside).map_err(StorageError::Log)?;
    for suffix in ["-wal", "-shm"] {
        // Without the database these are worth nothing, and may not be there.
        drop(std::fs::remove_file(with_suffix(path, suffix)));
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread owns.
struct Work {
    shared: Arc<Shared>,
    path: PathBuf,
    /// Whether what is in no event is in the database.
    has_history: bool,
    projection: Projection,
    source: Box<dyn EventSource>,
    options: WriterOptions,
    since_pruned: usize,
}

impl Work {
    /// Works until it is stopped. A panic is a failed attempt like any other: the next one follows after a while.
    fn run(mut self) {
        while catch_unwind(AssertUnwindSafe(|| self.work())).is_err() {
            let mut state = self.shared.lock();
            state.failures += 1;
            tracing::error!(
                failures = state.failures,
                "The storage writer panicked and is started again"
            );
            if state.stopping {
                return;
            }
            let stopping = |state: &mut State| !state.stopping;
            let waited = self
                .shared
                .wake
                .wait_timeout_while(state, PANIC_PAUSE, stopping);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn work(&mut self) {
        loop {
            let stopping = self.shared.lock().stopping;
            let caught_up = self.catch_up().or_else(|error| self.rebuild(error));
            let mut state = self.shared.lock();
            match caught_up {
                Ok(()) => (state.level, state.failures) = (true, 0),
                Err(error) => {
                    state.failures += 1;
                    if state.failures.is_power_of_two() {
                        tracing::warn!(%error, failures = state.failures, "The projection lags");
                    }
                }
            }
            if stopping {
                return;
            }
            let idle = |state: &mut State| !(state.nudged || state.stopping);
            let waited = self
                .shared
                .wake
                .wait_timeout_while(state, self.options.patience, idle);
            waited.unwrap_or_else(PoisonError::into_inner).0.nudged = false;
        }
    }

    /// Begins a new database if `error` says that it is damaged; the next attempt fills it from the log.
    fn rebuild(&mut self, error: StorageError) -> Result<(), StorageError> {
        if let StorageError::Damaged(_) = error {
            set_aside(&self.path, &error)?;
            self.projection = open(&self.path, self.options)?;
            (self.has_history, self.since_pruned) = (false, 0);
            self.shared.lock().nudged = true;
        }
        Err(error)
    }

    /// Adds what is in no event, once, to a database that is built from the log's start.
    fn apply_history(&mut self) -> Result<(), StorageError> {
        if self.has_history {
            return Ok(());
        }
        let mut result = Ok(());
        let projection = &mut self.projection;
        let read = self.source.history(&mut |item| {
            if result.is_ok() {
                result = match item {
                    HistoryItem::Configured(from_seq, configuration) => {
                        projection.configure(from_seq, &configuration)
                    }
                    HistoryItem::Fills(seq, fills) => {
                        projection.upsert_fills_of(seq, &fills).map(drop)
                    }
                };
            }
        });
        result?;
        read.map_err(StorageError::Log)?;
        self.has_history = true;
        Ok(())
    }

    /// Applies everything there is.
    fn catch_up(&mut self) -> Result<(), StorageError> {
        self.apply_history()?;
        self.apply_requests()?;
        loop {
            let events = self
                .source
                .read_after(self.projection.cursor(), self.options.batch)
                .map_err(StorageError::Log)?;
            if events.is_empty() {
                return Ok(());
            }
            self.fall_behind();
            self.since_pruned += self.projection.apply(&events)?;
            self.report();
            if self.since_pruned >= PRUNE_EVERY {
                self.projection.prune_events(self.options.keep_events)?;
                self.since_pruned = 0;
            }
        }
    }

    /// Takes requests off the list only once they are in the database.
    fn apply_requests(&mut self) -> Result<(), StorageError> {
        let configurations = self.shared.lock().configurations.clone();
        for (from_seq, configuration) in &configurations {
            self.projection.configure(*from_seq, configuration)?;
        }
        self.shared
            .lock()
            .configurations
            .drain(..configurations.len());
        let fills = self.shared.lock().fills.clone();
        if !fills.is_empty() {
            self.projection.upsert_fills(&fills)?;
            self.shared.lock().fills.drain(..fills.len());
        }
        Ok(())
    }

    fn fall_behind(&self) {
        let mut state = self.shared.lock();
        if state.level {
            (state.level, state.level_at) = (false, Instant::now());
        }
    }

    fn report(&self) {
        self.shared.lock().applied = self.projection.cursor();
        self.shared.moved.notify_all();
    }
}
