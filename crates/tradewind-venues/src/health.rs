//! The health of each instrument's data, judged from sequence numbers, silence and the state of the connection.
//!
//! A machine without I/O, one for a whole source: it outlives connections, so the numbers of two overlapping ones are
//! compared with each other.

mod numbers;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tradewind_model::{FeedHealth, InstrumentId, Timestamp};

use crate::protocol::{Sequence, Topic};
use numbers::Counter;
pub use numbers::SequenceVerdict;

/// An instrument's data became better or worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthChange {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// What it is now.
    pub health: FeedHealth,
    /// Why, for people.
    pub reason: String,
    /// When the message that shows it was received; `None` where no message did.
    pub received_at: Option<Timestamp>,
}

impl HealthChange {
    /// A change that no message shows.
    #[must_use]
    pub fn new(instrument: InstrumentId, health: FeedHealth, reason: impl Into<String>) -> Self {
        Self {
            instrument,
            health,
            reason: reason.into(),
            received_at: None,
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Feed {
    health: FeedHealth,
    last_data: Duration,
    /// Data came while messages of the past were read.
    is_fresh: bool,
    /// What is lost and not whole again.
    lost: BTreeSet<Topic>,
}

/// The health of a source's instruments.
#[derive(Clone, Debug)]
pub struct HealthBook {
    stale_after: Duration,
    source_silence: Duration,
    /// When anything came last: data of any instrument, or the answer to a ping.
    last_heard: Duration,
    feeds: BTreeMap<InstrumentId, Feed>,
    counters: BTreeMap<Topic, Counter>,
    /// Messages of the past are being read: no data is current.
    is_filling: bool,
    /// Two connections read.
    is_overlapping: bool,
}

impl HealthBook {
    /// An instrument without data for `stale_after` is stale, and so are all when nothing at all comes for `source_silence`.
    #[must_use]
    pub const fn new(stale_after: Duration, source_silence: Duration) -> Self {
        Self {
            stale_after,
            source_silence,
            last_heard: Duration::ZERO,
            feeds: BTreeMap::new(),
            counters: BTreeMap::new(),
            is_filling: false,
            is_overlapping: false,
        }
    }

    /// Whether two connections read from now on.
    pub fn overlaps(&mut self, is_overlapping: bool) {
        self.is_overlapping = is_overlapping;
    }

    /// Watches an instrument; it is stale until its first data.
    pub fn watch(&mut self, instrument: InstrumentId) {
        self.feeds.entry(instrument).or_default();
    }

    /// Forgets an instrument.
    pub fn forget(&mut self, instrument: InstrumentId) {
        self.feeds.remove(&instrument);
        self.counters
            .retain(|topic, _| topic.instrument() != Some(instrument));
    }

    /// The source answered: it is there, whether or not it has data.
    pub const fn alive(&mut self, now: Duration) {
        self.last_heard = now;
    }

    /// Judges a message of `topic`; only one that is not [`SequenceVerdict::Repeated`] is to be used.
    pub fn data(
        &mut self,
        now: Duration,
        topic: Topic,
        sequence: Option<Sequence>,
        out: &mut Vec<HealthChange>,
    ) -> SequenceVerdict {
        let verdict = sequence.map_or(SequenceVerdict::Next, |sequence| {
            self.judge(now, topic, sequence)
        });
        let Some(instrument) = topic.instrument() else {
            return verdict;
        };
        let Some(feed) = self.feeds.get_mut(&instrument) else {
            return verdict;
        };
        if verdict != SequenceVerdict::Repeated {
            feed.last_data = now;
            self.last_heard = now;
        }
        match verdict {
            SequenceVerdict::Missing(count) => {
                let reason = missing_messages(count);
                change(instrument, feed, FeedHealth::Gap, &reason, out);
                hold(instrument, feed, out);
            }
            SequenceVerdict::Next if !feed.lost.is_empty() => {}
            SequenceVerdict::Next if self.is_filling => feed.is_fresh = true,
            SequenceVerdict::Next => change(instrument, feed, FeedHealth::Live, "data", out),
            SequenceVerdict::Repeated => {}
        }
        verdict
    }

    /// What was kept of a topic is lost: its instrument is not live until it is [`whole`](Self::whole), whatever data of other
    /// topics comes.
    pub fn lost(&mut self, topic: Topic, reason: &str, out: &mut Vec<HealthChange>) {
        let Some((instrument, feed)) = self.feed_of(topic) else {
            return;
        };
        feed.lost.insert(topic);
        change(instrument, feed, FeedHealth::Gap, reason, out);
        hold(instrument, feed, out);
    }

    /// What is kept of a topic is not there yet: as if it was [`lost`](Self::lost), but nothing is missing.
    pub fn awaits(&mut self, topic: Topic, out: &mut Vec<HealthChange>) {
        let Some((instrument, feed)) = self.feed_of(topic) else {
            return;
        };
        feed.lost.insert(topic);
        if feed.health == FeedHealth::Live {
            change(
                instrument,
                feed,
                FeedHealth::Resync,
                "its book is not there yet",
                out,
            );
        }
    }

    /// What is kept of a topic is whole again.
    pub fn whole(&mut self, now: Duration, topic: Topic, out: &mut Vec<HealthChange>) {
        let is_filling = self.is_filling;
        let Some((instrument, feed)) = self.feed_of(topic) else {
            return;
        };
        if !feed.lost.remove(&topic) || !feed.lost.is_empty() {
            return;
        }
        feed.last_data = now;
        if is_filling {
            feed.is_fresh = true;
        } else if feed.health == FeedHealth::Resync {
            change(instrument, feed, FeedHealth::Live, "whole again", out);
        }
    }

    /// A topic is not wanted any more: its loss holds nothing.
    pub fn forget_loss(&mut self, topic: Topic) {
        if let Some((_, feed)) = self.feed_of(topic) {
            feed.lost.remove(&topic);
        }
    }

    /// Another connection took over, and what the old one lost is not lost there.
    pub fn forget_losses(&mut self) {
        for feed in self.feeds.values_mut() {
            feed.lost.clear();
        }
    }

    fn feed_of(&mut self, topic: Topic) -> Option<(InstrumentId, &mut Feed)> {
        let instrument = topic.instrument()?;
        let feed = self.feeds.get_mut(&instrument)?;
        Some((instrument, feed))
    }

    /// A connection opened after none was there: data is on its way and numbers may have started over.
    pub fn reconnected(&mut self, out: &mut Vec<HealthChange>) {
        for counter in self.counters.values_mut() {
            counter.may_restart();
        }
        self.forget_losses();
        for (instrument, feed) in &mut self.feeds {
            change(*instrument, feed, FeedHealth::Resync, "connected", out);
        }
    }

    /// Messages of the whole source are missing, 0 for an unknown number: which instruments they were of is not known.
    pub fn gap(&mut self, missing: u64, out: &mut Vec<HealthChange>) {
        let reason = missing_messages(missing);
        for (instrument, feed) in &mut self.feeds {
            change(*instrument, feed, FeedHealth::Gap, &reason, out);
            hold(*instrument, feed, out);
        }
    }

    /// Messages of the past follow: until [`synced`](Self::synced), no data makes an instrument live.
    pub fn filling(&mut self, out: &mut Vec<HealthChange>) {
        self.is_filling = true;
        for (instrument, feed) in &mut self.feeds {
            feed.is_fresh = false;
            let reason = "missing messages are read";
            change(*instrument, feed, FeedHealth::Resync, reason, out);
        }
    }

    /// Messages are current again.
    pub fn synced(&mut self, out: &mut Vec<HealthChange>) {
        if !std::mem::take(&mut self.is_filling) {
            return;
        }
        for (instrument, feed) in &mut self.feeds {
            if std::mem::take(&mut feed.is_fresh) && feed.lost.is_empty() {
                let reason = "all messages are there";
                change(*instrument, feed, FeedHealth::Live, reason, out);
            }
        }
    }

    /// No connection is left.
    pub fn disconnected(&mut self, reason: &str, out: &mut Vec<HealthChange>) {
        self.is_filling = false;
        self.forget_losses();
        for (instrument, feed) in &mut self.feeds {
            change(*instrument, feed, FeedHealth::Stale, reason, out);
        }
    }

    /// Finds the instruments that fell silent.
    pub fn tick(&mut self, now: Duration, out: &mut Vec<HealthChange>) {
        let is_silent =
            |feed: &Feed| feed.health == FeedHealth::Live && now >= self.silent_at(feed);
        let silent = self.feeds.iter().filter(|(_, feed)| is_silent(feed));
        let silent: Vec<InstrumentId> = silent.map(|(instrument, _)| *instrument).collect();
        for instrument in silent {
            if let Some(feed) = self.feeds.get_mut(&instrument) {
                change(instrument, feed, FeedHealth::Stale, "no data", out);
            }
        }
    }

    /// When the next instrument would fall silent.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        let live = self
            .feeds
            .values()
            .filter(|feed| feed.health == FeedHealth::Live);
        live.map(|feed| self.silent_at(feed)).min()
    }

    /// An instrument's health.
    #[must_use]
    pub fn health(&self, instrument: InstrumentId) -> FeedHealth {
        self.feeds
            .get(&instrument)
            .map_or(FeedHealth::Stale, |feed| feed.health)
    }

    /// When an instrument is stale if nothing comes meanwhile, of it or of its source.
    fn silent_at(&self, feed: &Feed) -> Duration {
        let source = feed.last_data.max(self.last_heard) + self.source_silence;
        source.min(feed.last_data + self.stale_after)
    }

    fn judge(&mut self, now: Duration, topic: Topic, sequence: Sequence) -> SequenceVerdict {
        match self.counters.get_mut(&topic) {
            Some(counter) => counter.judge(now, sequence, self.is_overlapping),
            None => {
                self.counters.insert(topic, Counter::new(sequence));
                SequenceVerdict::Next
            }
        }
    }
}

fn missing_messages(count: u64) -> String {
    match count {
        0 => "messages are missing".to_owned(),
        count => format!("{count} messages are missing"),
    }
}

/// A quote ends a gap, but not a reading again: that is how an instrument is kept from being live.
fn hold(instrument: InstrumentId, feed: &mut Feed, out: &mut Vec<HealthChange>) {
    if !feed.lost.is_empty() {
        let reason = "what was lost is read again";
        change(instrument, feed, FeedHealth::Resync, reason, out);
    }
}

fn change(
    instrument: InstrumentId,
    feed: &mut Feed,
    health: FeedHealth,
    reason: &str,
    out: &mut Vec<HealthChange>,
) {
    // Every gap is reported, since each one is another piece of lost data.
    if feed.health == health && health != FeedHealth::Gap {
        return;
    }
    feed.health = health;
    out.push(HealthChange::new(instrument, health, reason));
}

#[cfg(test)]
mod tests;
