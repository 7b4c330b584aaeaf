//! A data source without its sockets: the [`SourceMachine`], each connection's [`Protocol`] with its [`Buffers`], and the sink.
//!
//! It is a machine with connections ([`Links`]): a shell opens sockets, moves bytes and reports events. The
//! machine itself does not wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tradewind_model::Timestamp;

use crate::book::Loss;
use crate::connection::LossReason;
use crate::health::{HealthChange, SequenceVerdict};
use crate::machine::{LinkId, SourceIn, SourceMachine, SourceOut, SourceSettings};
use crate::protocol::{Ignored, Incoming, Protocol, Topic};
use crate::sink::SourceSink;
use crate::stats::SourceStats;
use crate::wire::{Buffers, LinkAction, Links};

#[derive(Debug)]
struct Link<P> {
    id: LinkId,
    protocol: P,
    buffers: Buffers,
    /// The stream is there.
    is_open: bool,
    /// Handshakes are over.
    is_ready: bool,
    unreadable: Unreadable,
}

/// Messages of a connection that could not be read in the minute that began with the first of them.
#[derive(Clone, Copy, Debug, Default)]
struct Unreadable {
    since: Duration,
    count: u32,
}

/// So many in a minute end a connection.
const UNREADABLE_MAX: u32 = 20;
const UNREADABLE_WITHIN: Duration = Duration::from_secs(60);

impl Unreadable {
    /// Counts one. Returns whether the connection is to be made anew.
    fn note(&mut self, now: Duration) -> bool {
        if self.count == 0 || now >= self.since + UNREADABLE_WITHIN {
            (self.since, self.count) = (now, 0);
        }
        self.count += 1;
        self.count >= UNREADABLE_MAX
    }
}

/// A data source without its sockets.
#[derive(Debug)]
pub struct SourceCore<P: Protocol, M, K> {
    name: String,
    make: M,
    sink: K,
    machine: SourceMachine,
    links: Vec<Link<P>>,
    actions: VecDeque<LinkAction>,
    stats: Arc<SourceStats>,
    /// The last of what came over a connection that is not in use yet, by topic.
    held: BTreeMap<Topic, (LinkId, P::Event)>,
    /// When what is being taken in was received.
    received_at: Option<Timestamp>,
}

impl<P, M, K> SourceCore<P, M, K>
where
    P: Protocol,
    M: Fn() -> P,
    K: SourceSink<P::Event>,
{
    /// A source that is stopped. `make` builds the protocol of each new connection; the seed decides the jitter.
    pub fn new(name: String, make: M, sink: K, settings: SourceSettings, seed: u64) -> Self {
        Self {
            name,
            make,
            sink,
            machine: SourceMachine::new(settings, seed),
            links: Vec::new(),
            actions: VecDeque::new(),
            stats: Arc::default(),
            held: BTreeMap::new(),
            received_at: None,
        }
    }

    /// What it has counted.
    #[must_use]
    pub const fn stats(&self) -> &Arc<SourceStats> {
        &self.stats
    }

    /// Takes in a subscription change or a tick.
    pub fn handle(&mut self, now: Duration, input: SourceIn) {
        let mut out = Vec::new();
        self.machine.handle(now, input, &mut out);
        for order in out {
            self.carry_out(order);
        }
        self.release();
    }

    /// Hands on what was held of a connection that has taken over: its books may not change for long.
    fn release(&mut self) {
        if self.held.is_empty() {
            return;
        }
        for (topic, (id, event)) in std::mem::take(&mut self.held) {
            if self.machine.is_current(id) {
                self.stats.event();
                self.sink.event(event);
            } else if self.machine.knows(id) {
                self.held.insert(topic, (id, event));
            }
        }
    }

    /// Decodes one message and returns its length, 0 if none is whole. Data goes to the sink; what concerns the connection comes
    /// back.
    fn message(
        &mut self,
        now: Duration,
        at: usize,
        received_at: Timestamp,
    ) -> Result<(usize, Vec<SourceIn>), String> {
        let Self {
            machine,
            sink,
            stats,
            links,
            held,
            ..
        } = self;
        let Link {
            id,
            protocol,
            buffers,
            is_ready,
            unreadable,
            ..
        } = &mut links[at];
        let mut news = Vec::new();
        let (input, out) = buffers.both();
        let mut is_garbled = false;
        let mut on = |incoming| {
            is_garbled |=
                matches!(incoming, Incoming::Ignored(Ignored::Malformed)) && unreadable.note(now);
            news.extend(take(
                (machine, held),
                sink,
                stats,
                (now, received_at, *id),
                incoming,
            ))
        };
        let used = protocol.receive(input, received_at, out, &mut on);
        let used = used.map_err(|error| error.0)?;
        buffers.used(used);
        if is_garbled {
            let why = format!("{UNREADABLE_MAX} messages within a minute could not be read");
            return Err(why);
        }
        if *is_ready && used > 0 {
            stats.message(used);
        }
        Ok((used, news))
    }

    /// Takes in what a link's buffers hold.
    fn take_in(&mut self, now: Duration, id: LinkId, received_at: Timestamp) {
        loop {
            // Each step may close connections, this one among them.
            self.note_ready(now, id);
            let Some(at) = self.links.iter().position(|link| link.id == id) else {
                return;
            };
            match self.message(now, at, received_at) {
                Ok((0, _)) => return,
                Ok(_) if self.links[at].protocol.is_redirected() => return self.redirect(at),
                Ok((_, news)) => news.into_iter().for_each(|news| self.handle(now, news)),
                Err(why) => return self.lost(now, id, why),
            }
        }
    }

    fn note_ready(&mut self, now: Duration, id: LinkId) {
        let ready =
            |link: &&mut Link<P>| link.id == id && !link.is_ready && link.protocol.is_ready();
        if let Some(link) = self.links.iter_mut().find(ready) {
            link.is_ready = true;
            self.stats.connected();
            self.handle(now, SourceIn::Opened(id));
            if self.keeps_books(id) {
                let mut health = Vec::new();
                self.machine.awaits_books(id, &mut health);
                report(&mut self.sink, health, self.received_at);
            }
        }
    }

    fn keeps_books(&self, id: LinkId) -> bool {
        let mut links = self.links.iter();
        links.any(|link| link.id == id && link.protocol.keeps_books())
    }

    fn carry_out(&mut self, order: SourceOut) {
        match order {
            SourceOut::Open(id) => self.open(id),
            SourceOut::Close(id) => self.close(id),
            SourceOut::Ping(id) => self.write(id, |protocol, out| protocol.ping(out)),
            SourceOut::Subscribe(id, request, topics) => {
                self.write(id, |protocol, out| {
                    protocol.subscribe(request, &topics, out)
                });
            }
            SourceOut::Unsubscribe(id, request, topics) => {
                self.write(id, |protocol, out| {
                    protocol.unsubscribe(request, &topics, out)
                });
            }
            SourceOut::Ready => {
                tracing::info!(source = self.name, "Subscribed");
                self.sink.ready();
            }
            SourceOut::Down { reason, retry_in } => {
                self.stats.lost();
                tracing::warn!(source = self.name, %reason, retry_in_ms = retry_in.as_millis(), "Connection lost");
                self.sink.down(&reason.to_string());
            }
            SourceOut::Unreachable(reason) => {
                tracing::error!(
                    source = self.name,
                    %reason,
                    "Ten attempts to connect failed; it is tried on, at most a minute apart."
                );
                if let LossReason::NotOpened(_) | LossReason::ConnectTimeout = reason {
                    for topic in self.machine.missing() {
                        self.sink.failed(topic, &reason.to_string());
                    }
                }
            }
            SourceOut::Retrying {
                topic,
                attempt,
                reason,
            } => {
                tracing::warn!(
                    source = self.name,
                    ?topic,
                    attempt,
                    reason,
                    "Subscription retried"
                );
            }
            SourceOut::TopicFailed(topic, reason) => {
                self.stats.topic_failed();
                tracing::error!(source = self.name, ?topic, reason, "Subscription failed");
                self.sink.failed(topic, &reason);
            }
            SourceOut::Health(change) => report(&mut self.sink, vec![change], self.received_at),
        }
    }

    fn open(&mut self, id: LinkId) {
        let protocol = (self.make)();
        let address = protocol.address().clone();
        self.links.push(Link {
            id,
            protocol,
            buffers: Buffers::default(),
            is_open: false,
            is_ready: false,
            unreadable: Unreadable::default(),
        });
        self.actions.push_back(LinkAction::Open(id, address, None));
    }

    /// Opens the connection that a link has named in the place of its own.
    fn redirect(&mut self, at: usize) {
        let link = self.links.swap_remove(at);
        self.actions
            .push_back(LinkAction::Close(link.id, link.buffers));
        self.open(link.id);
    }

    fn close(&mut self, id: LinkId) {
        let Some(at) = self.links.iter().position(|link| link.id == id) else {
            return;
        };
        let mut link = self.links.swap_remove(at);
        if link.is_open {
            link.protocol.close(link.buffers.out());
            self.actions.push_back(LinkAction::Close(id, link.buffers));
        }
    }

    fn write(&mut self, id: LinkId, put: impl FnOnce(&mut P, &mut Vec<u8>)) {
        if let Some(link) = self.links.iter_mut().find(|link| link.id == id) {
            put(&mut link.protocol, link.buffers.out());
        }
    }
}

impl<P, M, K> Links for SourceCore<P, M, K>
where
    P: Protocol,
    M: Fn() -> P,
    K: SourceSink<P::Event>,
{
    fn next_action(&mut self) -> Option<LinkAction> {
        self.actions.pop_front()
    }

    fn buffers(&mut self, id: LinkId) -> Option<&mut Buffers> {
        let link = self.links.iter_mut().find(|link| link.id == id)?;
        Some(&mut link.buffers)
    }

    fn opened(&mut self, now: Duration, id: LinkId, nonce: u64) -> bool {
        let Some(link) = self.links.iter_mut().find(|link| link.id == id) else {
            return false;
        };
        link.is_open = true;
        link.protocol.start(nonce, link.buffers.out());
        self.note_ready(now, id);
        true
    }

    fn lost(&mut self, now: Duration, id: LinkId, why: String) {
        let link = self.links.iter().find(|link| link.id == id);
        let reason = match link {
            Some(link) if link.is_ready => LossReason::Broken(why),
            _ => LossReason::NotOpened(why),
        };
        self.handle(now, SourceIn::Lost(id, reason));
    }

    fn received(&mut self, now: Duration, id: LinkId, received_at: Timestamp) {
        self.received_at = Some(received_at);
        self.take_in(now, id, received_at);
        self.received_at = None;
    }

    fn written(&mut self, _now: Duration, _id: LinkId) {}

    fn tick(&mut self, now: Duration) {
        self.handle(now, SourceIn::Tick);
    }

    fn wake_at(&self) -> Option<Duration> {
        self.machine.wake_at()
    }
}

/// Reports changes of health, as of when what shows them was received.
fn report<E>(
    sink: &mut impl SourceSink<E>,
    changes: impl IntoIterator<Item = HealthChange>,
    received_at: Option<Timestamp>,
) {
    for change in changes {
        sink.health(HealthChange {
            received_at,
            ..change
        });
    }
}

/// Hands data to the sink; returns what concerns the connection.
fn take<E>(
    (machine, held): (&mut SourceMachine, &mut BTreeMap<Topic, (LinkId, E)>),
    sink: &mut impl SourceSink<E>,
    stats: &SourceStats,
    (now, at, link): (Duration, Timestamp, LinkId),
    incoming: Incoming<E>,
) -> Option<SourceIn> {
    let mut health = Vec::new();
    let news = match incoming {
        Incoming::Event {
            topic,
            sequence,
            event,
        } => {
            match machine.data(now, link, topic, sequence, &mut health) {
                SequenceVerdict::Repeated => {
                    if machine.is_beside(link, topic, sequence) {
                        held.insert(topic, (link, event));
                    }
                    stats.repeated();
                    return None;
                }
                SequenceVerdict::Missing(count) => stats.missing(count),
                SequenceVerdict::Next => {}
            }
            report(sink, health.drain(..), Some(at));
            stats.event();
            sink.event(event);
            None
        }
        Incoming::Unlisted { event } => {
            machine.unlisted(now, link);
            stats.event();
            sink.event(event);
            None
        }
        Incoming::Alive { topic } => {
            machine.data(now, link, topic, None, &mut health);
            None
        }
        Incoming::Acked { request } => Some(SourceIn::Acked(link, request)),
        Incoming::Refused { request, reason } => Some(SourceIn::Refused(link, request, reason)),
        Incoming::Pong => Some(SourceIn::Pong(link)),
        Incoming::ClosingSoon => Some(SourceIn::ClosingSoon(link)),
        Incoming::Gap { missing } => {
            stats.missing(missing);
            machine.gap(missing, &mut health);
            sink.gap();
            None
        }
        Incoming::Lost { topic, why } => {
            // The venue may write its numbers in other decimals than were read.
            if why == Loss::Checksum {
                sink.off_grid();
            }
            machine.kept(now, link, topic, Some(&why.to_string()), &mut health);
            None
        }
        Incoming::Whole { topic } => {
            machine.kept(now, link, topic, None, &mut health);
            None
        }
        Incoming::Filling => {
            machine.filling(true, &mut health);
            None
        }
        Incoming::Synced => {
            machine.filling(false, &mut health);
            None
        }
        Incoming::Ignored(why) => {
            if why == Ignored::OffGrid {
                sink.off_grid();
            }
            stats.ignored(why);
            None
        }
    };
    report(sink, health, Some(at));
    news
}

#[cfg(test)]
mod tests;
