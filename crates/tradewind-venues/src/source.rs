//! A source of data as a task: [`SourceCore`] decides and decodes, the shell in `wire/shell.rs` moves its bytes.
//!
//! One task owns everything; [`DataSource::stop`] cancels what it waits for and awaits it, so no handle is ever lost.

mod core;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_model::Clock;

use crate::machine::{SourceIn, SourceSettings};
use crate::protocol::{Protocol, Topic};
use crate::sink::SourceSink;
use crate::stats::SourceStats;
use crate::wire::{Connector, Links, Shell};

pub use self::core::SourceCore;

/// Most subscription changes that may wait; a further one is refused.
const COMMANDS: usize = 1024;

/// Whether a source runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Its task runs.
    Running,
    /// It has no task.
    Stopped,
}

/// Changes what a source subscribes to, from anywhere.
#[derive(Clone, Debug)]
pub struct SourceHandle {
    commands: mpsc::Sender<SubscriptionChange>,
    stats: Arc<SourceStats>,
}

#[derive(Clone, Copy, Debug)]
enum SubscriptionChange {
    Add(Topic),
    Remove(Topic),
}

impl SourceHandle {
    /// Subscribes to a topic and keeps it subscribed; `false` if too many changes wait already.
    #[must_use]
    pub fn want(&self, topic: Topic) -> bool {
        self.commands
            .try_send(SubscriptionChange::Add(topic))
            .is_ok()
    }

    /// Gives a topic back; `false` if too many changes wait already.
    #[must_use]
    pub fn unwant(&self, topic: Topic) -> bool {
        self.commands
            .try_send(SubscriptionChange::Remove(topic))
            .is_ok()
    }

    /// What the source has counted.
    #[must_use]
    pub fn stats(&self) -> &Arc<SourceStats> {
        &self.stats
    }
}

/// A source of data: connects, subscribes, reconnects and restores by itself until it is stopped.
///
/// `make` builds the protocol of each new connection; two connections may be open while one replaces the other.
#[derive(Debug)]
pub struct DataSource<P, M, K> {
    name: String,
    handle: SourceHandle,
    stop: CancellationToken,
    running: JoinSet<Worker<P, M, K>>,
    idle: Option<Worker<P, M, K>>,
}

impl<P, M, K> DataSource<P, M, K>
where
    P: Protocol,
    M: Fn() -> P + Send + 'static,
    K: SourceSink<P::Event>,
{
    /// A stopped source called `name` in logs. The seed decides its jitter.
    pub fn new(
        name: impl Into<String>,
        make: M,
        sink: K,
        settings: SourceSettings,
        connector: Arc<dyn Connector>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Self {
        let name = name.into();
        let (commands, changes) = mpsc::channel(COMMANDS);
        let core = SourceCore::new(name.clone(), make, sink, settings, seed);
        let stats = Arc::clone(core.stats());
        let worker = Worker {
            core,
            shell: Shell::new(connector, clock, settings.connection.connect_within),
            changes,
        };
        Self {
            name,
            handle: SourceHandle { commands, stats },
            stop: CancellationToken::new(),
            running: JoinSet::new(),
            idle: Some(worker),
        }
    }

    /// Sets topics to subscribe from the start. While the source runs, its [`handle`](Self::handle) changes them.
    pub fn want(&mut self, topics: impl IntoIterator<Item = Topic>) {
        if let Some(worker) = &mut self.idle {
            for topic in topics {
                let now = worker.shell.now();
                worker.core.handle(now, SourceIn::Want(topic));
            }
        }
    }

    /// Starts it; does nothing if it runs already.
    pub fn start(&mut self) {
        if let Some(worker) = self.idle.take() {
            self.stop = CancellationToken::new();
            self.running.spawn(worker.run(self.stop.clone()));
        }
    }

    /// Stops it: what it waits for is cancelled, its task awaited. It can be started again.
    pub async fn stop(&mut self) {
        self.stop.cancel();
        while let Some(ended) = self.running.join_next().await {
            match ended {
                Ok(worker) => self.idle = Some(worker),
                Err(error) => tracing::error!(source = self.name, %error, "Source task failed"),
            }
        }
    }

    /// Waits until the task ends by itself, which it only does by a fault.
    ///
    /// # Errors
    /// The task's panic, for its owner to decide about.
    pub async fn ended(&mut self) -> Result<(), tokio::task::JoinError> {
        match self.running.join_next().await {
            Some(Ok(worker)) => {
                self.idle = Some(worker);
                Ok(())
            }
            Some(Err(error)) => Err(error),
            None => Ok(()),
        }
    }

    /// Whether it runs.
    #[must_use]
    pub fn state(&self) -> SourceState {
        if self.running.is_empty() {
            SourceState::Stopped
        } else {
            SourceState::Running
        }
    }

    /// A handle to change what it subscribes to.
    #[must_use]
    pub fn handle(&self) -> SourceHandle {
        self.handle.clone()
    }
}

#[derive(Debug)]
struct Worker<P, M, K> {
    core: SourceCore<P, M, K>,
    shell: Shell,
    changes: mpsc::Receiver<SubscriptionChange>,
}

impl<P, M, K> Worker<P, M, K>
where
    P: Protocol,
    M: Fn() -> P + Send + 'static,
    K: SourceSink<P::Event>,
{
    async fn run(mut self, stop: CancellationToken) -> Self {
        self.core.handle(self.shell.now(), SourceIn::Start);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(change) = self.changes.recv() => self.change(change),
                () = self.shell.step(&mut self.core) => {}
            }
        }
        self.core.handle(self.shell.now(), SourceIn::Stop);
        self.shell.shutdown(&mut self.core);
        self
    }

    fn change(&mut self, change: SubscriptionChange) {
        let input = match change {
            SubscriptionChange::Add(topic) => SourceIn::Want(topic),
            SubscriptionChange::Remove(topic) => SourceIn::Unwant(topic),
        };
        self.core.handle(self.shell.now(), input);
        self.core.tick(self.shell.now());
    }
}
