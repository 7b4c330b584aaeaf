//! An executor of futures on one thread, and the time that they wait by. Nothing here depends on the machine that runs it.
//!
//! Tasks run in the order in which they were woken. Time does not pass while any of them can continue; then the world
//! moves it to the next thing that is due.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;
use tradewind::app::hot_path::Tasks;
use tradewind_model::{Clock, Ppm, Timestamp};
use tradewind_venues::{RealTime, Sleeping};

/// A task's number, in the order in which they were started.
type TaskId = usize;
type Ready = Arc<Mutex<VecDeque<TaskId>>>;

/// Wakes one task: puts it behind those that are ready, once.
struct TaskWaker {
    id: TaskId,
    is_queued: AtomicBool,
    ready: Ready,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::SeqCst) {
            self.ready.lock().unwrap().push_back(self.id);
        }
    }
}

struct Task {
    name: &'static str,
    stop: CancellationToken,
    future: Pin<Box<dyn Future<Output = anyhow::Result<()>>>>,
    waker: Arc<TaskWaker>,
}

/// Tasks, and which of them can go on.
#[derive(Default)]
pub(crate) struct Executor {
    tasks: BTreeMap<TaskId, Task>,
    ready: Ready,
    started: TaskId,
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.tasks.values().map(|task| task.name);
        f.debug_list().entries(names).finish()
    }
}

impl Executor {
    /// Starts a task.
    pub(crate) fn start<F>(
        &mut self,
        name: &'static str,
        run: impl FnOnce(CancellationToken) -> F,
    ) -> TaskId
    where
        F: Future<Output = anyhow::Result<()>> + 'static,
    {
        let (id, stop) = (self.started, CancellationToken::new());
        self.started += 1;
        let waker = Arc::new(TaskWaker {
            id,
            is_queued: AtomicBool::new(false),
            ready: Arc::clone(&self.ready),
        });
        Arc::clone(&waker).wake();
        let future = Box::pin(run(stop.clone()));
        let task = Task {
            name,
            stop,
            future,
            waker,
        };
        self.tasks.insert(id, task);
        id
    }

    /// Runs tasks until none can go on.
    ///
    /// # Errors
    /// A task failed; the others can still be run.
    pub(crate) fn run_ready(&mut self) -> anyhow::Result<()> {
        while let Some(id) = self.next_ready() {
            let Some(task) = self.tasks.get_mut(&id) else {
                continue;
            };
            task.waker.is_queued.store(false, Ordering::SeqCst);
            let waker = Waker::from(Arc::clone(&task.waker));
            let polled = task.future.as_mut().poll(&mut Context::from_waker(&waker));
            if let Poll::Ready(result) = polled {
                let name = task.name;
                self.tasks.remove(&id);
                result.context(name)?;
            }
        }
        Ok(())
    }

    /// The task started last that still runs is to stop.
    pub(crate) fn stop_last(&self) -> Option<TaskId> {
        let (id, task) = self.tasks.last_key_value()?;
        task.stop.cancel();
        Some(*id)
    }

    pub(crate) fn is_running(&self, id: TaskId) -> bool {
        self.tasks.contains_key(&id)
    }

    /// Drops every task where it stands, as the death of a process does.
    pub(crate) fn abort(&mut self) {
        self.tasks.clear();
    }

    fn next_ready(&self) -> Option<TaskId> {
        self.ready.lock().unwrap().pop_front()
    }
}

impl Tasks for Executor {
    fn start_hot<F>(&mut self, name: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.start(name, run);
    }

    fn start_slow<F>(&mut self, name: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.start(name, run);
    }
}

#[derive(Debug, Default)]
struct Timers {
    now: Duration,
    /// Who waits, by time and by the order in which the waits began.
    waiting: BTreeMap<(Duration, u64), Waker>,
    begun: u64,
}

/// Time that is moved: a clock and what waits wait by, in one. Clones show the same time.
#[derive(Clone, Debug)]
pub(crate) struct VirtualTime {
    origin: Timestamp,
    timers: Arc<Mutex<Timers>>,
}

impl VirtualTime {
    /// Time that stands at `origin`.
    pub(crate) fn new(origin: Timestamp) -> Self {
        Self {
            origin,
            timers: Arc::default(),
        }
    }

    /// When the next wait ends.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        let timers = self.timers();
        let ((at, _), _) = timers.waiting.first_key_value()?;
        Some(self.origin + *at)
    }

    /// Moves on to `at` and wakes whose wait is over, in the order in which the waits end.
    pub(crate) fn advance_to(&self, at: Timestamp) {
        let Timers { now, waiting, .. } = &mut *self.timers();
        *now = at.since(self.origin).max(*now);
        while let Some(first) = waiting.first_entry() {
            if first.key().0 > *now {
                return;
            }
            let waker = first.remove();
            waker.wake();
        }
    }

    /// Moves on to `at` and wakes nobody.
    pub(crate) fn set(&self, at: Timestamp) {
        let now = &mut self.timers().now;
        *now = at.since(self.origin).max(*now);
    }

    fn timers(&self) -> MutexGuard<'_, Timers> {
        self.timers.lock().unwrap()
    }
}

impl Clock for VirtualTime {
    fn now(&self) -> Timestamp {
        self.origin + self.timers().now
    }

    fn real_until(&self, at: Timestamp) -> Duration {
        at.since(Clock::now(self))
    }

    fn speed(&self) -> Ppm {
        Ppm::ONE
    }
}

impl RealTime for VirtualTime {
    fn now(&self) -> Duration {
        self.timers().now
    }

    fn sleep(&self, wait: Duration) -> Sleeping<'_> {
        let at = self.timers().now.saturating_add(wait);
        Box::pin(Sleep {
            at,
            timers: Arc::clone(&self.timers),
            key: None,
        })
    }
}

struct Sleep {
    at: Duration,
    timers: Arc<Mutex<Timers>>,
    /// Its place among those who wait.
    key: Option<(Duration, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut timers = self.timers.lock().unwrap();
        if timers.now >= self.at {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| {
            timers.begun += 1;
            (self.at, timers.begun)
        });
        timers.waiting.insert(key, context.waker().clone());
        drop(timers);
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.timers.lock().unwrap().waiting.remove(&key);
        }
    }
}
