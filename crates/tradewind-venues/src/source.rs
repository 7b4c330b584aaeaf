//! The tokio shell of a data source: carries out what the [`SourceMachine`] says, and hands events to a sink.
//!
//! One task owns everything; [`DataSource::stop`] cancels what it waits for and awaits it, so no handle is ever lost.
//! Decisions are not made here.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::connection::LossReason;
use crate::health::SequenceVerdict;
use crate::machine::{LinkId, SourceIn, SourceMachine, SourceOut, SourceSettings};
use crate::protocol::{Incoming, Protocol, ProtocolError, Topic};
use crate::sink::SourceSink;
use crate::stats::SourceStats;
use tradewind_model::Clock;

/// Longest a request may take to be written, and a connection to be closed politely.
const WRITE_WITHIN: Duration = Duration::from_secs(5);
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// Messages read in a row before the machine's deadlines are looked at again.
const BURST: usize = 64;
/// Subscription changes that may wait; a caller learns when there are more.
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
/// `make` builds the protocol of each new connection; two may be open while one replaces the other.
#[derive(Debug)]
pub struct DataSource<P: Protocol, M, K> {
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
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Self {
        let name = name.into();
        let (commands, changes) = mpsc::channel(COMMANDS);
        let stats = Arc::new(SourceStats::default());
        let worker = Worker {
            name: name.clone(),
            make,
            sink,
            clock,
            machine: SourceMachine::new(settings, seed),
            links: Vec::new(),
            opening: JoinSet::new(),
            changes,
            stats: Arc::clone(&stats),
            origin: Instant::now(),
            connect_within: settings.connection.connect_within,
        };
        Self {
            name,
            handle: SourceHandle { commands, stats },
            stop: CancellationToken::new(),
            running: JoinSet::new(),
            idle: Some(worker),
        }
    }

    /// Topics it wants from its start on; once it runs, its [`handle`](Self::handle) changes them.
    pub fn want(&mut self, topics: impl IntoIterator<Item = Topic>) {
        if let Some(worker) = &mut self.idle {
            for topic in topics {
                let now = worker.origin.elapsed();
                // A stopped machine has no connection to say anything about.
                worker
                    .machine
                    .handle(now, SourceIn::Want(topic), &mut Vec::new());
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
struct Worker<P: Protocol, M, K> {
    name: String,
    make: M,
    sink: K,
    clock: Arc<dyn Clock>,
    machine: SourceMachine,
    links: Vec<(LinkId, P)>,
    opening: JoinSet<(LinkId, Result<P, ProtocolError>)>,
    changes: mpsc::Receiver<SubscriptionChange>,
    stats: Arc<SourceStats>,
    origin: Instant,
    connect_within: Duration,
}

enum Happened<M> {
    Stop,
    Changed(Option<SubscriptionChange>),
    Opened(LinkId, OpenedAs),
    Message(LinkId, Result<M, ProtocolError>),
    Deadline,
}

#[derive(Debug)]
enum OpenedAs {
    Link,
    Failed(ProtocolError),
}

impl<P, M, K> Worker<P, M, K>
where
    P: Protocol,
    M: Fn() -> P + Send + 'static,
    K: SourceSink<P::Event>,
{
    async fn run(mut self, stop: CancellationToken) -> Self {
        self.decide(SourceIn::Start).await;
        loop {
            match self.next(&stop).await {
                Happened::Stop => break,
                Happened::Changed(Some(SubscriptionChange::Add(topic))) => {
                    self.decide(SourceIn::Want(topic)).await;
                }
                Happened::Changed(Some(SubscriptionChange::Remove(topic))) => {
                    self.decide(SourceIn::Unwant(topic)).await;
                }
                Happened::Changed(None) | Happened::Deadline => {}
                Happened::Opened(link, OpenedAs::Link) => {
                    self.stats.connected();
                    self.decide(SourceIn::Opened(link)).await;
                    if !self.machine.knows(link) {
                        self.close(link).await;
                    }
                }
                Happened::Opened(link, OpenedAs::Failed(error)) => {
                    let reason = LossReason::NotOpened(error.0);
                    self.decide(SourceIn::Lost(link, reason)).await;
                }
                Happened::Message(link, message) => self.burst(link, message).await,
            }
            self.decide(SourceIn::Tick).await;
        }
        self.decide(SourceIn::Stop).await;
        self.opening.shutdown().await;
        self.links.clear();
        self
    }

    async fn next(&mut self, stop: &CancellationToken) -> Happened<P::Message> {
        let wake = self.machine.wake_at().map(|at| self.origin + at);
        tokio::select! {
            biased;
            () = stop.cancelled() => Happened::Stop,
            change = self.changes.recv(), if !self.changes.is_closed() => Happened::Changed(change),
            Some(opened) = self.opening.join_next() => match opened {
                Ok((link, Ok(protocol))) => {
                    self.links.push((link, protocol));
                    Happened::Opened(link, OpenedAs::Link)
                }
                Ok((link, Err(error))) => Happened::Opened(link, OpenedAs::Failed(error)),
                // Cancelled by us, or a panic in a protocol: its time-out in the machine covers both.
                Err(error) => {
                    tracing::error!(source = self.name, %error, "Connecting failed");
                    Happened::Deadline
                }
            },
            (link, message) = receive_any(&mut self.links) => Happened::Message(link, message),
            () = sleep_or_never(wake) => Happened::Deadline,
        }
    }

    /// Handles a message and those that are there already behind it.
    async fn burst(&mut self, link: LinkId, first: Result<P::Message, ProtocolError>) {
        let mut next = first;
        for left in (0..BURST).rev() {
            match next {
                Ok(message) => {
                    if let Some(news) = self.message(link, &message) {
                        self.decide(news).await;
                    }
                }
                Err(error) => {
                    self.decide(SourceIn::Lost(link, LossReason::Broken(error.0)))
                        .await;
                    return;
                }
            }
            if left == 0 {
                // Before the next one is taken: it would be lost.
                break;
            }
            let Some((_, protocol)) = self.links.iter_mut().find(|(id, _)| *id == link) else {
                return;
            };
            let Some(ready) = futures_util::FutureExt::now_or_never(protocol.receive()) else {
                return;
            };
            next = ready;
        }
        tokio::task::yield_now().await;
    }

    /// Hands a message's data to the sink; what it says about the connection is for the machine.
    fn message(&mut self, link: LinkId, message: &P::Message) -> Option<SourceIn> {
        let received_at = self.clock.now();
        let now = self.origin.elapsed();
        let (_, protocol) = self.links.iter().find(|(id, _)| *id == link)?;
        let (machine, sink, stats) = (&mut self.machine, &mut self.sink, &self.stats);
        let mut news = None;
        let mut health = Vec::new();
        let length = protocol.decode(message, received_at, &mut |incoming| match incoming {
            Incoming::Event {
                topic,
                sequence,
                event,
            } => {
                match machine.data(now, link, topic, sequence, &mut health) {
                    SequenceVerdict::Repeated => return stats.repeated(),
                    SequenceVerdict::Missing(count) => stats.missing(count),
                    SequenceVerdict::Next => {}
                }
                for change in health.drain(..) {
                    sink.health(change);
                }
                stats.event();
                sink.event(event);
            }
            Incoming::Alive { topic } => {
                machine.data(now, link, topic, None, &mut health);
                for change in health.drain(..) {
                    sink.health(change);
                }
            }
            Incoming::Acked { request } => news = Some(SourceIn::Acked(link, request)),
            Incoming::Refused { request, reason } => {
                news = Some(SourceIn::Refused(link, request, reason));
            }
            Incoming::Pong => news = Some(SourceIn::Pong(link)),
            Incoming::ClosingSoon => news = Some(SourceIn::ClosingSoon(link)),
            Incoming::Ignored(why) => stats.ignored(why),
        });
        self.stats.message(length);
        news
    }

    /// Gives an input to the machine and carries out what it says, until it has nothing more to say.
    async fn decide(&mut self, input: SourceIn) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.machine.handle(self.origin.elapsed(), input, &mut out);
            for order in out {
                if let Err((link, error)) = self.carry_out(order).await {
                    inputs.push(SourceIn::Lost(link, LossReason::Broken(error.0)));
                }
            }
        }
    }

    async fn carry_out(&mut self, order: SourceOut) -> Result<(), (LinkId, ProtocolError)> {
        match order {
            SourceOut::Open(link) => self.open(link),
            SourceOut::Close(link) => self.close(link).await,
            SourceOut::Ping(link) => {
                if let Some(protocol) = self.protocol(link) {
                    written(protocol.ping())
                        .await
                        .map_err(|error| (link, error))?;
                }
            }
            SourceOut::Subscribe(link, request, topics) => {
                if let Some(protocol) = self.protocol(link) {
                    written(protocol.subscribe(request, &topics))
                        .await
                        .map_err(|error| (link, error))?;
                }
            }
            SourceOut::Unsubscribe(link, request, topics) => {
                if let Some(protocol) = self.protocol(link) {
                    written(protocol.unsubscribe(request, &topics))
                        .await
                        .map_err(|error| (link, error))?;
                }
            }
            said => self.say(said),
        }
        Ok(())
    }

    fn say(&mut self, said: SourceOut) {
        let source = self.name.as_str();
        match said {
            SourceOut::Ready => {
                tracing::info!(source, "Subscribed");
                self.sink.ready();
            }
            SourceOut::Down { reason, retry_in } => {
                self.stats.lost();
                tracing::warn!(source, %reason, retry_in_ms = retry_in.as_millis(), "Connection lost");
                self.sink.down(&reason.to_string());
            }
            SourceOut::Retrying {
                topic,
                attempt,
                reason,
            } => tracing::warn!(source, ?topic, attempt, reason, "Subscription retried"),
            SourceOut::TopicFailed(topic, reason) => {
                self.stats.topic_failed();
                tracing::error!(source, ?topic, reason, "Subscription failed");
                self.sink.failed(topic, &reason);
            }
            SourceOut::Health(change) => self.sink.health(change),
            SourceOut::Open(_)
            | SourceOut::Close(_)
            | SourceOut::Ping(_)
            | SourceOut::Subscribe(..)
            | SourceOut::Unsubscribe(..) => {}
        }
    }

    /// Connects on a task of its own, so that a link still in use is not kept waiting.
    fn open(&mut self, link: LinkId) {
        let mut protocol = (self.make)();
        let within = self.connect_within;
        self.opening.spawn(async move {
            let opened = match timeout(within, protocol.connect()).await {
                Ok(opened) => opened.map(|()| protocol),
                Err(_) => Err(ProtocolError("no connection in time".to_owned())),
            };
            (link, opened)
        });
    }

    async fn close(&mut self, link: LinkId) {
        let Some(at) = self.links.iter().position(|(id, _)| *id == link) else {
            return;
        };
        let (_, mut protocol) = self.links.swap_remove(at);
        if timeout(CLOSE_WITHIN, protocol.disconnect()).await.is_err() {
            tracing::trace!(source = self.name, "Closing took too long");
        }
    }

    fn protocol(&mut self, link: LinkId) -> Option<&mut P> {
        let found = self.links.iter_mut().find(|(id, _)| *id == link);
        found.map(|(_, protocol)| protocol)
    }
}

async fn written(
    write: impl Future<Output = Result<(), ProtocolError>>,
) -> Result<(), ProtocolError> {
    timeout(WRITE_WITHIN, write)
        .await
        .unwrap_or_else(|_| Err(ProtocolError("could not be written in time".to_owned())))
}

/// The next message of any open link: one, or two while one replaces the other.
async fn receive_any<P: Protocol>(
    links: &mut [(LinkId, P)],
) -> (LinkId, Result<P::Message, ProtocolError>) {
    match links {
        [] => pending().await,
        [(id, protocol)] => (*id, protocol.receive().await),
        [(first_id, first), (second_id, second), ..] => tokio::select! {
            message = first.receive() => (*first_id, message),
            message = second.receive() => (*second_id, message),
        },
    }
}

async fn sleep_or_never(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => pending().await,
    }
}
