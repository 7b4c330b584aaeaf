//! One data source as a machine: a connection, its subscriptions, the health of what comes through, and the overlap of
//! two connections when one replaces the other (make before break).
//!
//! It opens no socket and reads no clock. The shell in `source.rs` carries out its actions; a simulator can do the
//! same on a virtual network.

mod data;
mod words;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::connection::{Connection, ConnectionIn, ConnectionOut, ConnectionSettings, LossReason};
use crate::health::{HealthBook, HealthChange};
use crate::protocol::Topic;
use crate::subscriptions::{SubscriptionIn, SubscriptionOut, Subscriptions};
pub use words::{LinkId, SourceIn, SourceOut, SourceSettings};

/// Failures of a connection in a row at which it is reported as unreachable, once.
const FAILURES_MAX: u32 = 10;

/// Longest to wait for the books of a connection that is to take over.
const BOOKS_WITHIN: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
struct Link {
    id: LinkId,
    connection: Connection,
    subscriptions: Subscriptions,
    /// What was kept of these on it is lost, or not there yet.
    lost: BTreeSet<Topic>,
    /// Since when everything is confirmed on it.
    complete_since: Option<Duration>,
}

/// Silence of a whole source after which all of its instruments are stale.
const SOURCE_SILENCE: Duration = Duration::from_secs(10);

/// Where data may pause, answers to pings show that the source is there, and one of them may be late.
const fn silence_of(connection: &ConnectionSettings) -> Duration {
    let answered = connection.ping_every.saturating_mul(2);
    if connection.silence_max.is_none() && answered.as_millis() > SOURCE_SILENCE.as_millis() {
        answered
    } else {
        SOURCE_SILENCE
    }
}

/// A data source without its sockets.
#[derive(Clone, Debug)]
pub struct SourceMachine {
    settings: SourceSettings,
    seed: u64,
    links_opened: u64,
    wanted: BTreeSet<Topic>,
    current: Option<Link>,
    successor: Option<Link>,
    health: HealthBook,
    reconnects: u64,
}

impl SourceMachine {
    /// A stopped source without topics. The seed decides its jitter.
    #[must_use]
    pub const fn new(settings: SourceSettings, seed: u64) -> Self {
        Self {
            settings,
            seed,
            links_opened: 0,
            wanted: BTreeSet::new(),
            current: None,
            successor: None,
            health: HealthBook::new(settings.stale_after, silence_of(&settings.connection)),
            reconnects: 0,
        }
    }

    /// Takes an input of time `now` and emits the resulting actions, in order.
    pub fn handle(&mut self, now: Duration, input: SourceIn, out: &mut Vec<SourceOut>) {
        match input {
            SourceIn::Start => self.start(now, out),
            SourceIn::Stop => self.stop(out),
            SourceIn::Want(topic) => self.want(now, topic, out),
            SourceIn::Unwant(topic) => self.unwant(now, topic, out),
            SourceIn::Opened(link) => self.opened(now, link, out),
            SourceIn::Lost(link, reason) => {
                self.connection(now, link, ConnectionIn::Lost(reason), out);
            }
            SourceIn::Acked(link, request) => {
                self.subscription(now, link, SubscriptionIn::Acked(request), out);
            }
            SourceIn::Refused(link, request, reason) => {
                let input = SubscriptionIn::Refused { request, reason };
                self.subscription(now, link, input, out);
            }
            SourceIn::Pong(link) => {
                if self.knows(link) {
                    self.health.alive(now);
                }
                self.connection(now, link, ConnectionIn::Pong, out);
            }
            SourceIn::ClosingSoon(link) => {
                self.connection(now, link, ConnectionIn::ClosingSoon, out);
            }
            SourceIn::Tick => self.tick(now, out),
        }
        self.promote_if_ready(now, out);
    }

    /// When the next tick is due.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        let links = [&self.current, &self.successor].into_iter().flatten();
        let of_links =
            links.flat_map(|link| [link.connection.wake_at(), link.subscriptions.wake_at()]);
        let books = self.successor.as_ref().and_then(|link| link.complete_since);
        let books = books.map(|since| since + BOOKS_WITHIN);
        of_links
            .chain([self.health.wake_at(), books])
            .flatten()
            .min()
    }

    /// What is wanted and not confirmed on the link in use.
    #[must_use]
    pub fn missing(&self) -> Vec<Topic> {
        let acked = |topic: &Topic| {
            self.current
                .as_ref()
                .is_some_and(|link| link.subscriptions.is_acked(*topic))
        };
        let missing = self.wanted.iter().filter(|topic| !acked(topic));
        missing.copied().collect()
    }

    /// Whether a link is open.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.current
            .as_ref()
            .is_some_and(|link| link.connection.is_up())
    }

    /// Whether a link is one of its own; one that is not is to be closed.
    #[must_use]
    pub fn knows(&self, id: LinkId) -> bool {
        let mut links = [&self.current, &self.successor].into_iter().flatten();
        links.any(|link| link.id == id)
    }

    /// How often a link was lost.
    #[must_use]
    pub const fn reconnects(&self) -> u64 {
        self.reconnects
    }

    /// The health of its instruments.
    #[must_use]
    pub const fn health(&self) -> &HealthBook {
        &self.health
    }

    fn start(&mut self, now: Duration, out: &mut Vec<SourceOut>) {
        if self.current.is_some() {
            return;
        }
        let link = self.new_link(now);
        let id = link.id;
        self.current = Some(link);
        self.connection(now, id, ConnectionIn::Start, out);
    }

    fn stop(&mut self, out: &mut Vec<SourceOut>) {
        let links = [self.successor.take(), self.current.take()];
        self.health.overlaps(false);
        for link in links.into_iter().flatten() {
            out.push(SourceOut::Close(link.id));
        }
        let mut changes = Vec::new();
        self.health.disconnected("stopped", &mut changes);
        out.extend(changes.into_iter().map(SourceOut::Health));
    }

    fn want(&mut self, now: Duration, topic: Topic, out: &mut Vec<SourceOut>) {
        self.wanted.insert(topic);
        if let Some(instrument) = topic.instrument() {
            self.health.watch(instrument);
        }
        self.on_every_link(now, &SubscriptionIn::Want(topic), out);
    }

    fn unwant(&mut self, now: Duration, topic: Topic, out: &mut Vec<SourceOut>) {
        self.wanted.remove(&topic);
        self.health.forget_loss(topic);
        for link in [&mut self.current, &mut self.successor]
            .into_iter()
            .flatten()
        {
            link.lost.remove(&topic);
        }
        let instrument = topic.instrument();
        if let Some(instrument) = instrument
            && !self
                .wanted
                .iter()
                .any(|other| other.instrument() == Some(instrument))
        {
            self.health.forget(instrument);
        }
        self.on_every_link(now, &SubscriptionIn::Unwant(topic), out);
    }

    fn on_every_link(&mut self, now: Duration, input: &SubscriptionIn, out: &mut Vec<SourceOut>) {
        let links = [&self.current, &self.successor];
        let ids = links.map(|link| link.as_ref().map(|link| link.id));
        for id in ids.into_iter().flatten() {
            self.subscription(now, id, input.clone(), out);
        }
    }

    fn opened(&mut self, now: Duration, id: LinkId, out: &mut Vec<SourceOut>) {
        if self.link(id).is_none() {
            return;
        }
        self.connection(now, id, ConnectionIn::Opened, out);
        if self.successor.as_ref().is_none_or(|link| link.id != id) {
            let mut changes = Vec::new();
            self.health.reconnected(&mut changes);
            out.extend(changes.into_iter().map(SourceOut::Health));
        }
        self.subscription(now, id, SubscriptionIn::Up, out);
    }

    fn tick(&mut self, now: Duration, out: &mut Vec<SourceOut>) {
        let links = [&self.current, &self.successor];
        let ids = links.map(|link| link.as_ref().map(|link| link.id));
        for id in ids.into_iter().flatten() {
            self.connection(now, id, ConnectionIn::Tick, out);
            self.subscription(now, id, SubscriptionIn::Tick, out);
        }
        let mut changes = Vec::new();
        self.health.tick(now, &mut changes);
        out.extend(changes.into_iter().map(SourceOut::Health));
    }

    fn connection(
        &mut self,
        now: Duration,
        id: LinkId,
        input: ConnectionIn,
        out: &mut Vec<SourceOut>,
    ) {
        let Some(link) = self.link(id) else {
            return;
        };
        let mut orders = Vec::new();
        link.connection.handle(now, input, &mut orders);
        for order in orders {
            self.carry_out(now, id, order, out);
        }
    }

    fn carry_out(
        &mut self,
        now: Duration,
        id: LinkId,
        order: ConnectionOut,
        out: &mut Vec<SourceOut>,
    ) {
        match order {
            ConnectionOut::Open => {
                // A reopened link gets a new number, so that nothing of the old socket is taken for the new one's.
                let fresh = self.next_id();
                if let Some(link) = self.link(id) {
                    link.id = fresh;
                    link.lost.clear();
                    out.push(SourceOut::Open(fresh));
                }
            }
            ConnectionOut::Ping => out.push(SourceOut::Ping(id)),
            ConnectionOut::Close => out.push(SourceOut::Close(id)),
            ConnectionOut::Down { reason, retry_in } => self.down(now, id, reason, retry_in, out),
            ConnectionOut::Renew => self.renew(now, id, out),
        }
    }

    fn down(
        &mut self,
        now: Duration,
        id: LinkId,
        reason: LossReason,
        retry_in: Duration,
        out: &mut Vec<SourceOut>,
    ) {
        self.reconnects += 1;
        self.subscription(now, id, SubscriptionIn::Down, out);
        let is_current = self.is_current(id);
        if !is_current {
            return;
        }
        // An open successor takes over at once; it is no better than a retry until everything is confirmed on it.
        let successor = self.successor.take_if(|link| link.connection.is_up());
        let lost = successor.as_ref().map(|link| link.lost.clone());
        if let Some(successor) = successor {
            self.current = Some(successor);
            self.health.overlaps(false);
        }
        let mut changes = Vec::new();
        self.health.disconnected(&reason.to_string(), &mut changes);
        self.take_losses(&lost.unwrap_or_default(), &mut changes);
        let failures = self.current.as_ref().map(|link| link.connection.failures());
        if failures == Some(FAILURES_MAX) {
            out.push(SourceOut::Unreachable(reason.clone()));
        }
        out.push(SourceOut::Down { reason, retry_in });
        out.extend(changes.into_iter().map(SourceOut::Health));
    }

    fn renew(&mut self, now: Duration, id: LinkId, out: &mut Vec<SourceOut>) {
        let is_current = self.is_current(id);
        if !is_current || self.successor.is_some() {
            return;
        }
        let link = self.new_link(now);
        let successor = link.id;
        self.successor = Some(link);
        self.health.overlaps(true);
        self.connection(now, successor, ConnectionIn::Start, out);
    }

    fn subscription(
        &mut self,
        now: Duration,
        id: LinkId,
        input: SubscriptionIn,
        out: &mut Vec<SourceOut>,
    ) {
        let is_current = self.is_current(id);
        let Some(link) = self.link(id) else {
            return;
        };
        let mut orders = Vec::new();
        link.subscriptions.handle(now, input, &mut orders);
        out.extend(orders.into_iter().filter_map(|order| match order {
            SubscriptionOut::Subscribe { request, topics } => {
                Some(SourceOut::Subscribe(id, request, topics))
            }
            SubscriptionOut::Unsubscribe { request, topics } => {
                Some(SourceOut::Unsubscribe(id, request, topics))
            }
            SubscriptionOut::Retrying {
                topic,
                attempt,
                reason,
            } => Some(SourceOut::Retrying {
                topic,
                attempt,
                reason,
            }),
            SubscriptionOut::Failed { topic, reason } => {
                Some(SourceOut::TopicFailed(topic, reason))
            }
            SubscriptionOut::Complete => is_current.then_some(SourceOut::Ready),
        }));
    }

    /// The successor takes over once everything is confirmed on it, however long that takes, and its books are whole, which is
    /// waited for a minute.
    fn promote_if_ready(&mut self, now: Duration, out: &mut Vec<SourceOut>) {
        let ready = |link: &mut Link| {
            if !link.subscriptions.is_complete() {
                link.complete_since = None;
                return false;
            }
            let since = *link.complete_since.get_or_insert(now);
            link.lost.is_empty() || now >= since + BOOKS_WITHIN
        };
        let Some(successor) = self.successor.take_if(ready) else {
            return;
        };
        self.health.forget_losses();
        self.health.overlaps(false);
        let mut changes = Vec::new();
        self.take_losses(&successor.lost, &mut changes);
        if let Some(old) = self.current.replace(successor) {
            out.push(SourceOut::Close(old.id));
        }
        out.push(SourceOut::Ready);
        out.extend(changes.into_iter().map(SourceOut::Health));
    }

    /// What the link that took over has lost holds its instruments from now on.
    fn take_losses(&mut self, lost: &BTreeSet<Topic>, changes: &mut Vec<HealthChange>) {
        for topic in lost.intersection(&self.wanted) {
            self.health.awaits(*topic, changes);
        }
    }

    fn new_link(&mut self, now: Duration) -> Link {
        let id = self.next_id();
        let mut subscriptions = Subscriptions::new(self.settings.subscriptions);
        for topic in &self.wanted {
            subscriptions.handle(now, SubscriptionIn::Want(*topic), &mut Vec::new());
        }
        Link {
            id,
            connection: Connection::new(
                self.settings.connection,
                self.seed
                    .wrapping_add(id.0.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            ),
            subscriptions,
            lost: BTreeSet::new(),
            complete_since: None,
        }
    }

    /// Whether a link is the one in use.
    #[must_use]
    pub fn is_current(&self, id: LinkId) -> bool {
        self.current.as_ref().is_some_and(|link| link.id == id)
    }

    const fn next_id(&mut self) -> LinkId {
        self.links_opened += 1;
        LinkId(self.links_opened)
    }

    fn link(&mut self, id: LinkId) -> Option<&mut Link> {
        [&mut self.current, &mut self.successor]
            .into_iter()
            .flatten()
            .find(|link| link.id == id)
    }
}

#[cfg(test)]
mod tests;
