//! The health of each instrument's data, judged from sequence numbers, silence and the state of the connection.
//!
//! A machine without I/O, one for a whole source: it outlives connections, so the numbers of two overlapping ones are
//! compared with each other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tradewind_model::{FeedHealth, InstrumentId};

use crate::protocol::{Sequence, Topic};

/// An instrument's data became better or worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthChange {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// What it is now.
    pub health: FeedHealth,
    /// Why, for people.
    pub reason: String,
}

/// How a message's sequence number relates to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceVerdict {
    /// The next one, or there is nothing to compare with.
    Next,
    /// Seen before, or overtaken by a later one: not to be used.
    Repeated,
    /// This many are missing before it; 0 for an unknown number, because the numbers began anew.
    Missing(u64),
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

#[derive(Clone, Copy, Debug)]
struct Counter {
    last: u64,
    /// The numbers may have started over with a new connection.
    uncertain: bool,
    /// Since when every number of the only connection is behind the last one, the latest of them, and how many rose.
    behind: Option<(Duration, u64, u32)>,
}

/// How long the numbers of the only connection may stay behind the last one. A connection that took over is behind for
/// milliseconds; one that is behind for longer counts anew.
const BEHIND_MAX: Duration = Duration::from_secs(1);

/// Numbers that rise in this time before they are believed: one late message proves nothing.
const BEHIND_MIN: u32 = 3;

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
            counter.uncertain = true;
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
        let (Sequence::Contiguous(number) | Sequence::Increasing(number)) = sequence;
        let Some(counter) = self.counters.get_mut(&topic) else {
            let counter = Counter {
                last: number,
                uncertain: false,
                behind: None,
            };
            self.counters.insert(topic, counter);
            return SequenceVerdict::Next;
        };
        let mut uncertain = std::mem::replace(&mut counter.uncertain, false);
        if number < counter.last && !uncertain && !self.is_overlapping {
            let (since, count) = match counter.behind {
                Some((since, latest, count)) if number > latest => (since, count + 1),
                _ => (now, 1),
            };
            counter.behind = Some((since, number, count));
            let is_increasing = matches!(sequence, Sequence::Increasing(_));
            uncertain = is_increasing && count >= BEHIND_MIN && now >= since + BEHIND_MAX;
        }
        if number == counter.last {
            counter.behind = None;
        }
        if number <= counter.last && !uncertain {
            return SequenceVerdict::Repeated;
        }
        counter.behind = None;
        let missing = number.saturating_sub(counter.last).saturating_sub(1);
        counter.last = number;
        match sequence {
            Sequence::Contiguous(_) if missing > 0 => SequenceVerdict::Missing(missing),
            _ => SequenceVerdict::Next,
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
    out.push(HealthChange {
        instrument,
        health,
        reason: reason.to_owned(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const BTC: InstrumentId = InstrumentId(0);

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn book() -> HealthBook {
        let mut book = HealthBook::new(secs(10), secs(10));
        book.watch(BTC);
        book
    }

    #[test]
    fn an_instrument_goes_through_its_states() {
        let mut book = book();
        let mut out = Vec::new();
        let topic = Topic::Trades(BTC);
        book.reconnected(&mut out);
        for (at, number) in [(1, 10), (2, 11), (3, 14), (4, 15)] {
            book.data(
                secs(at),
                topic,
                Some(Sequence::Contiguous(number)),
                &mut out,
            );
        }
        assert_eq!(book.wake_at(), Some(secs(14)));
        book.tick(secs(14), &mut out);
        book.data(secs(15), topic, Some(Sequence::Contiguous(16)), &mut out);
        book.disconnected("ping not answered", &mut out);
        let reported: Vec<(FeedHealth, &str)> = out
            .iter()
            .map(|change| (change.health, change.reason.as_str()))
            .collect();
        assert_eq!(
            reported,
            [
                (FeedHealth::Resync, "connected"),
                (FeedHealth::Live, "data"),
                (FeedHealth::Gap, "2 messages are missing"),
                (FeedHealth::Live, "data"),
                (FeedHealth::Stale, "no data"),
                (FeedHealth::Live, "data"),
                (FeedHealth::Stale, "ping not answered"),
            ]
        );
    }

    /// D07: the only instrument of a source may be quiet. Answers to pings show that the source is there.
    #[test]
    fn a_quiet_source_that_answers_is_live_until_its_own_limit() {
        let (mut book, mut out) = (HealthBook::new(secs(60), secs(10)), Vec::new());
        book.watch(BTC);
        book.data(secs(0), Topic::Quotes(BTC), None, &mut out);
        for second in (5..60).step_by(5) {
            book.alive(secs(second));
            book.tick(secs(second + 4), &mut out);
        }
        assert_eq!(book.health(BTC), FeedHealth::Live);
        book.tick(secs(60), &mut out);
        assert_eq!(book.health(BTC), FeedHealth::Stale);
        book.data(secs(61), Topic::Quotes(BTC), None, &mut out);
        book.tick(secs(71), &mut out);
        assert_eq!(book.health(BTC), FeedHealth::Stale, "nothing for 10 s");
    }

    /// D07
    #[test]
    fn a_quiet_instrument_lives_on_while_its_source_has_data() {
        const ETH: InstrumentId = InstrumentId(1);
        let (mut book, mut out) = (HealthBook::new(secs(60), secs(10)), Vec::new());
        book.watch(BTC);
        book.watch(ETH);
        book.data(secs(0), Topic::Quotes(ETH), None, &mut out);
        for second in 0..=50 {
            book.data(secs(second), Topic::Quotes(BTC), None, &mut out);
        }
        book.tick(secs(59), &mut out);
        assert_eq!(book.health(ETH), FeedHealth::Live, "it was silent for 59 s");
        assert_eq!(book.wake_at(), Some(secs(60)));
        book.tick(secs(60), &mut out);
        let healths = [book.health(BTC), book.health(ETH)];
        assert_eq!(healths, [FeedHealth::Stale; 2], "all were for 10 s");
        book.data(secs(61), Topic::Quotes(ETH), None, &mut out);
        for second in 61..=121 {
            book.data(secs(second), Topic::Quotes(BTC), None, &mut out);
        }
        book.tick(secs(121), &mut out);
        let healths = [book.health(BTC), book.health(ETH)];
        assert_eq!(healths, [FeedHealth::Live, FeedHealth::Stale]);
    }

    #[test]
    fn numbers_decide_what_is_used() {
        use SequenceVerdict::{Missing, Next, Repeated};
        let mut book = book();
        let mut check = |topic: Topic, sequence: Sequence, wanted: SequenceVerdict| {
            let verdict = book.data(secs(1), topic, Some(sequence), &mut Vec::new());
            assert_eq!(verdict, wanted, "{topic:?} {sequence:?}");
        };
        let (trades, quotes) = (Topic::Trades(BTC), Topic::Quotes(BTC));
        check(trades, Sequence::Contiguous(5), Next);
        check(trades, Sequence::Contiguous(5), Repeated);
        check(trades, Sequence::Contiguous(4), Repeated);
        check(trades, Sequence::Contiguous(6), Next);
        check(trades, Sequence::Contiguous(9), Missing(2));
        check(quotes, Sequence::Increasing(5), Next);
        check(quotes, Sequence::Increasing(9), Next);
        check(quotes, Sequence::Increasing(8), Repeated);
    }

    #[test]
    fn quotes_of_a_connection_that_took_over_and_counts_anew_are_used_after_a_second() {
        use SequenceVerdict::{Next, Repeated};
        let mut book = book();
        let quote = |book: &mut HealthBook, millis, number| {
            let sequence = Some(Sequence::Increasing(number));
            let now = Duration::from_millis(millis);
            book.data(now, Topic::Quotes(BTC), sequence, &mut Vec::new())
        };
        assert_eq!(quote(&mut book, 0, 1_000), Next);
        book.overlaps(true);
        // While both read, the new one may be behind for long.
        for number in 1..50 {
            assert_eq!(quote(&mut book, number * 100, number), Repeated);
        }
        assert_eq!(quote(&mut book, 5_000, 1_001), Next);
        book.overlaps(false);
        assert_eq!(quote(&mut book, 5_100, 60), Repeated);
        assert_eq!(quote(&mut book, 6_099, 61), Repeated);
        assert_eq!(quote(&mut book, 6_100, 62), Next);
        assert_eq!(quote(&mut book, 6_102, 63), Next);
        // One that is only late for a moment is not used.
        assert_eq!(quote(&mut book, 6_200, 62), Repeated);
        assert_eq!(quote(&mut book, 7_000, 64), Next);
        assert_eq!(quote(&mut book, 7_300, 61), Repeated);
        assert_eq!(quote(&mut book, 7_400, 64), Repeated);
        assert_eq!(quote(&mut book, 9_000, 62), Repeated);
        assert_eq!(quote(&mut book, 9_001, 63), Repeated);
    }

    fn healths(out: &mut Vec<HealthChange>) -> Vec<FeedHealth> {
        out.drain(..).map(|change| change.health).collect()
    }

    #[test]
    fn d01_a_lost_book_holds_its_instrument_whatever_quotes_say() {
        use FeedHealth::{Gap, Live, Resync, Stale};
        let (quotes, depth) = (Topic::Quotes(BTC), Topic::Depth(BTC));
        let (mut book, mut out) = (book(), Vec::new());
        book.reconnected(&mut out);
        book.whole(secs(1), depth, &mut out);
        book.data(secs(1), quotes, None, &mut out);
        assert_eq!(healths(&mut out), [Resync, Live]);
        book.lost(depth, "a gap", &mut out);
        assert_eq!(healths(&mut out), [Gap, Resync]);
        for second in 2..30 {
            book.data(secs(second), quotes, None, &mut out);
            book.tick(secs(second), &mut out);
        }
        book.gap(3, &mut out);
        assert_eq!(
            healths(&mut out),
            [Gap, Resync],
            "it is held after another gap"
        );
        book.whole(secs(30), depth, &mut out);
        assert_eq!(healths(&mut out), [Live]);
        book.tick(secs(40), &mut out);
        assert_eq!(
            healths(&mut out),
            [Stale],
            "as any instrument that fell silent"
        );
    }

    #[test]
    fn a_loss_ends_with_its_connection_or_its_topic() {
        let (quotes, depth) = (Topic::Quotes(BTC), Topic::Depth(BTC));
        let ends: [fn(&mut HealthBook); 3] = [
            |book| book.forget_losses(),
            |book| book.forget_loss(Topic::Depth(BTC)),
            |book| {
                book.disconnected("cut", &mut Vec::new());
                book.reconnected(&mut Vec::new());
            },
        ];
        for end in ends {
            let mut book = book();
            book.lost(depth, "a gap", &mut Vec::new());
            end(&mut book);
            book.data(secs(2), quotes, None, &mut Vec::new());
            assert_eq!(book.health(BTC), FeedHealth::Live);
        }
    }

    #[test]
    fn a_venue_that_counts_from_one_again_is_believed_after_a_reconnect_only() {
        let mut book = book();
        let mut out = Vec::new();
        let topic = Topic::Quotes(BTC);
        book.data(secs(1), topic, Some(Sequence::Increasing(900)), &mut out);
        let mut next = |book: &mut HealthBook, number| {
            book.data(secs(2), topic, Some(Sequence::Increasing(number)), &mut out)
        };
        assert_eq!(next(&mut book, 1), SequenceVerdict::Repeated);
        book.reconnected(&mut Vec::new());
        assert_eq!(next(&mut book, 1), SequenceVerdict::Next);
        assert_eq!(next(&mut book, 1), SequenceVerdict::Repeated);
    }

    #[test]
    fn repeated_messages_are_no_data() {
        let mut book = book();
        let topic = Topic::Trades(BTC);
        let mut next = |at, number| {
            let number = Some(Sequence::Contiguous(number));
            book.data(secs(at), topic, number, &mut Vec::new());
            book.wake_at()
        };
        next(1, 1_000_000);
        for number in 1..100 {
            assert_eq!(next(2, number), Some(secs(11)));
        }
        assert_eq!(next(3, 1_000_001), Some(secs(13)));
    }
}
