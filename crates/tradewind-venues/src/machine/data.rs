//! What the messages of a source mean for the health of its instruments.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{LinkId, SourceMachine};
use crate::connection::ConnectionIn;
use crate::health::{HealthChange, SequenceVerdict};
use crate::protocol::{Sequence, Topic};

impl SourceMachine {
    /// Judges one message that came over the link `id`; only one that is not repeated is to be handed on.
    pub fn data(
        &mut self,
        now: Duration,
        id: LinkId,
        topic: Topic,
        sequence: Option<Sequence>,
        health: &mut Vec<HealthChange>,
    ) -> SequenceVerdict {
        if let Some(link) = self.link(id) {
            link.connection
                .handle(now, ConnectionIn::Data, &mut Vec::new());
        }
        if self.is_beside(id, topic, sequence) || !self.wanted.contains(&topic) {
            return SequenceVerdict::Repeated;
        }
        self.health.data(now, topic, sequence, health)
    }

    /// Whether data of a topic is not to be used because it came over a connection that is not in use yet: each keeps books of its
    /// own, and what has no number cannot be compared.
    #[must_use]
    pub fn is_beside(&self, id: LinkId, topic: Topic, sequence: Option<Sequence>) -> bool {
        let is_of_connection = match topic {
            Topic::Depth(_) => true,
            Topic::Quotes(_) => sequence.is_none(),
            Topic::Trades(_) | Topic::Candles(..) | Topic::Account(_) => false,
        };
        is_of_connection && !self.is_current(id)
    }

    /// The books that are wanted are kept on this link, and none is whole yet.
    pub fn awaits_books(&mut self, id: LinkId, health: &mut Vec<HealthChange>) {
        let is_book = |topic: &&Topic| matches!(topic, Topic::Depth(_));
        let books: BTreeSet<Topic> = self.wanted.iter().filter(is_book).copied().collect();
        if self.is_current(id) {
            for topic in &books {
                self.health.awaits(*topic, health);
            }
        }
        if let Some(link) = self.link(id) {
            link.lost = books;
        }
    }

    /// A message of no topic came over `link`: a sign that the connection is healthy.
    pub fn unlisted(&mut self, now: Duration, link: LinkId) {
        if let Some(link) = self.link(link) {
            link.connection
                .handle(now, ConnectionIn::Data, &mut Vec::new());
        }
    }

    /// Messages of the source are missing, 0 for an unknown number.
    pub fn gap(&mut self, missing: u64, health: &mut Vec<HealthChange>) {
        self.health.gap(missing, health);
    }

    /// What was kept of a topic on a link is lost, and why; or it is whole.
    pub fn kept(
        &mut self,
        now: Duration,
        id: LinkId,
        topic: Topic,
        lost: Option<&str>,
        health: &mut Vec<HealthChange>,
    ) {
        if let Some(link) = self.link(id) {
            match lost {
                Some(_) => link.lost.insert(topic),
                None => link.lost.remove(&topic),
            };
        }
        if !self.is_current(id) {
            return;
        }
        match lost {
            Some(reason) if self.wanted.contains(&topic) => {
                self.health.lost(topic, reason, health);
            }
            Some(_) => {}
            None => self.health.whole(now, topic, health),
        }
    }

    /// Whether the messages that follow are of the past.
    pub fn filling(&mut self, is_filling: bool, health: &mut Vec<HealthChange>) {
        if is_filling {
            self.health.filling(health);
        } else {
            self.health.synced(health);
        }
    }
}
