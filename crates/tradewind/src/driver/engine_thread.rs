//! The thread of the hot path: market data, order entry, account streams and the engine share one loop.
//!
//! A quote that becomes an order wakes this thread once. Nothing slow may run here: storage, API, chat, strategies in
//! threads of their own and the decoding of large answers run elsewhere and meet the engine by its queues.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// What the thread does when nothing is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineWait {
    /// It sleeps until a socket or a timer wakes it.
    #[default]
    Park,
    /// It asks the system again and again, and so uses one core whole. Waking up takes no time then.
    Spin,
}

/// The processor time of a thread, which the system counts.
#[derive(Clone, Debug, Default)]
pub struct ThreadTime {
    /// The thread's `schedstat`, whose first number is nanoseconds. `None` if the system has none.
    file: Option<PathBuf>,
}

impl ThreadTime {
    /// That of the thread that calls.
    fn of_this_thread() -> Self {
        // A link to `PID/task/TID`.
        let thread = fs::read_link("/proc/thread-self").ok();
        Self {
            file: thread.map(|thread| Path::new("/proc").join(thread).join("schedstat")),
        }
    }

    /// Time used so far. `None` if the system does not count it, or if the thread has ended.
    #[must_use]
    pub fn used(&self) -> Option<Duration> {
        let text = fs::read_to_string(self.file.as_ref()?).ok()?;
        let nanos = text.split_whitespace().next()?.parse().ok()?;
        Some(Duration::from_nanos(nanos))
    }
}

/// A running thread. Tasks are given to its [`handle`](Self::handle).
#[derive(Debug)]
pub struct EngineThread {
    handle: Handle,
    stop: CancellationToken,
    ended: oneshot::Receiver<()>,
    thread: JoinHandle<()>,
    time: ThreadTime,
}

impl EngineThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no more threads or no I/O queue.
    pub fn start(wait: EngineWait) -> io::Result<Self> {
        let mut builder = Builder::new_current_thread();
        builder.enable_all();
        if wait == EngineWait::Spin {
            builder.event_interval(1);
        }
        let runtime = builder.build()?;
        let handle = runtime.handle().clone();
        let stop = CancellationToken::new();
        let until = stop.clone();
        let (end, ended) = oneshot::channel();
        let (tell_time, time) = mpsc::channel();
        let run = move || {
            // It is waited for below.
            drop(tell_time.send(ThreadTime::of_this_thread()));
            match wait {
                EngineWait::Park => runtime.block_on(until.cancelled()),
                EngineWait::Spin => runtime.block_on(spin(&until)),
            }
            // Tasks that were late are dropped here.
            drop(runtime);
            drop(end);
        };
        let thread = thread::Builder::new()
            .name("engine".to_owned())
            .spawn(run)?;
        Ok(Self {
            handle,
            stop,
            ended,
            thread,
            time: time.recv().unwrap_or_default(),
        })
    }

    /// Where tasks of the hot path are spawned.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The processor time that it uses.
    #[must_use]
    pub const fn time(&self) -> &ThreadTime {
        &self.time
    }

    /// Keeps the thread until `stop`; everything that runs on it must have ended before.
    ///
    /// # Errors
    /// The thread ended by itself.
    pub async fn keep(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            () = stop.cancelled() => self.stop.cancel(),
            // Nothing is ever sent: the sender is dropped with the thread.
            _ = &mut self.ended => anyhow::bail!("the engine's thread ended"),
        }
        drop(self.ended.await);
        match self.thread.join() {
            Ok(()) => Ok(()),
            Err(_) => anyhow::bail!("the engine's thread panicked"),
        }
    }
}

async fn spin(until: &CancellationToken) {
    while !until.is_cancelled() {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_time_of_a_thread_is_what_it_worked() {
        let time = ThreadTime::of_this_thread();
        let Some(before) = time.used() else { return };
        let begun = Instant::now();
        // The system updates the count at its own pace.
        while time.used() == Some(before) {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "nothing was counted"
            );
            black_box(0);
        }
        let used = time.used().unwrap() - before;
        assert!(
            used <= begun.elapsed() + Duration::from_millis(20),
            "{used:?}"
        );
    }

    #[tokio::test]
    async fn tasks_run_on_the_one_thread_until_it_is_stopped() {
        for wait in [EngineWait::Park, EngineWait::Spin] {
            let thread = EngineThread::start(wait).unwrap();
            let (first, second) = oneshot::channel();
            let (answer, answered) = oneshot::channel();
            let name = || thread::current().name().map(ToOwned::to_owned);
            let mut tasks = tokio::task::JoinSet::new();
            tasks.spawn_on(async move { drop(first.send(name())) }, thread.handle());
            tasks.spawn_on(
                async move { drop(answer.send((second.await.unwrap(), name()))) },
                thread.handle(),
            );
            assert_eq!(
                thread.time().used().is_some(),
                Path::new("/proc/thread-self/schedstat").exists()
            );
            let engine = Some("engine".to_owned());
            assert_eq!(answered.await.unwrap(), (engine.clone(), engine));
            while tasks.join_next().await.is_some() {}
            let stop = CancellationToken::new();
            stop.cancel();
            thread.keep(stop).await.unwrap();
        }
    }
}
