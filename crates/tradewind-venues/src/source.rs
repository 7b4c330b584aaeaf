//! A source of data as one future: [`SourceCore`] decides and decodes, the shell in `wire/shell.rs` moves its bytes.
//!
//! Its owner awaits [`DataSource::run`] on any executor, and gets its result.

mod core;

use std::sync::Arc;

use tokio::sync::mpsc;
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
pub struct DataSource<P: Protocol, M, K> {
    core: SourceCore<P, M, K>,
    shell: Shell,
    handle: SourceHandle,
    changes: mpsc::Receiver<SubscriptionChange>,
}

impl<P, M, K> DataSource<P, M, K>
where
    P: Protocol,
    M: Fn() -> P + Send + 'static,
    K: SourceSink<P::Event>,
{
    /// A source called `name` in logs that does not run yet. The seed decides its jitter.
    pub fn new(
        name: impl Into<String>,
        make: M,
        sink: K,
        settings: SourceSettings,
        connector: Arc<dyn Connector>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Self {
        let (commands, changes) = mpsc::channel(COMMANDS);
        let core = SourceCore::new(name.into(), make, sink, settings, seed);
        let stats = Arc::clone(core.stats());
        Self {
            core,
            shell: Shell::new(connector, clock, settings.connection.connect_within),
            handle: SourceHandle { commands, stats },
            changes,
        }
    }

    /// Sets topics to subscribe from the start. While the source runs, its [`handle`](Self::handle) changes them.
    pub fn want(&mut self, topics: impl IntoIterator<Item = Topic>) {
        for topic in topics {
            self.core.handle(self.shell.now(), SourceIn::Want(topic));
        }
    }

    /// A handle to change what it subscribes to.
    #[must_use]
    pub fn handle(&self) -> SourceHandle {
        self.handle.clone()
    }

    /// Runs until `stop` is cancelled; its connections are closed then. It can run again with the same subscriptions.
    pub async fn run(&mut self, stop: CancellationToken) {
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
