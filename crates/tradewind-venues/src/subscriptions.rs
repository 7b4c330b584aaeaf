//! What is wanted and what the venue has confirmed, kept equal: retried, paced, batched, restored after a reconnect.
//!
//! A machine without I/O. A topic has at most one request under way (the lock per key); each gets ten attempts, after
//! which its failure is said once and for all until the next connection.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::protocol::Topic;

/// How hard and how fast to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionSettings {
    /// Attempts per topic and connection.
    pub attempts_max: u32,
    /// Longest to wait for an answer.
    pub answer_within: Duration,
    /// Least time between two requests. Binance cuts a connection that sends more than 5 messages a second, pings
    /// included; a quarter of a second leaves room for those.
    pub spacing: Duration,
    /// Most topics in one request.
    pub batch_max: usize,
    /// Wait after a refused or unanswered attempt, times the number of attempts made.
    pub retry_pause: Duration,
}

impl Default for SubscriptionSettings {
    fn default() -> Self {
        Self {
            attempts_max: 10,
            answer_within: Duration::from_secs(5),
            spacing: Duration::from_millis(250),
            batch_max: 100,
            retry_pause: Duration::from_millis(500),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionIn {
    /// This is wanted; a topic that failed is tried afresh.
    Want(Topic),
    /// This is not wanted any more.
    Unwant(Topic),
    /// The connection opened: nothing is subscribed on it.
    Up,
    /// The connection is gone.
    Down,
    /// A request was granted.
    Acked(u64),
    /// A request was refused.
    Refused {
        /// Which.
        request: u64,
        /// In the venue's words.
        reason: String,
    },
    /// Time passed.
    Tick,
}

/// What is to be done or said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionOut {
    /// Send a request.
    Subscribe {
        /// Its number.
        request: u64,
        /// For what.
        topics: Vec<Topic>,
    },
    /// Send a request to end topics.
    Unsubscribe {
        /// Its number.
        request: u64,
        /// Of what.
        topics: Vec<Topic>,
    },
    /// An attempt failed and will be repeated: worth a line in the log.
    Retrying {
        /// What.
        topic: Topic,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// Why.
        reason: String,
    },
    /// All attempts failed; nothing more is tried on this connection.
    Failed {
        /// What.
        topic: Topic,
        /// Why the last attempt failed.
        reason: String,
    },
    /// Everything wanted is confirmed or has failed for good.
    Settled,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Missing { not_before: Duration },
    Asked { request: u64, until: Duration },
    Acked,
    Failed,
    Ending { request: u64, until: Duration },
}

#[derive(Clone, Debug)]
struct Entry {
    wanted: bool,
    /// Asked for by itself, since a request it was part of was refused and it may be the reason.
    alone: bool,
    attempts: u32,
    state: State,
}

impl Entry {
    const fn fresh(now: Duration) -> Self {
        Self {
            wanted: true,
            alone: false,
            attempts: 0,
            state: State::Missing { not_before: now },
        }
    }
}

/// The subscriptions of one connection.
#[derive(Clone, Debug)]
pub struct Subscriptions {
    settings: SubscriptionSettings,
    topics: BTreeMap<Topic, Entry>,
    up: bool,
    settled: bool,
    next_request: u64,
    send_after: Duration,
}

impl Subscriptions {
    /// Nothing wanted yet.
    #[must_use]
    pub const fn new(settings: SubscriptionSettings) -> Self {
        Self {
            settings,
            topics: BTreeMap::new(),
            up: false,
            settled: false,
            next_request: 1,
            send_after: Duration::ZERO,
        }
    }

    /// Takes in what happened at `now` and says what is to be done.
    pub fn handle(&mut self, now: Duration, input: SubscriptionIn, out: &mut Vec<SubscriptionOut>) {
        match input {
            SubscriptionIn::Want(topic) => self.want(now, topic),
            SubscriptionIn::Unwant(topic) => self.unwant(topic),
            SubscriptionIn::Up => self.restart(now, true),
            SubscriptionIn::Down => self.restart(now, false),
            SubscriptionIn::Acked(request) => self.acked(request),
            SubscriptionIn::Refused { request, reason } => {
                self.refused(now, request, &reason, out);
            }
            SubscriptionIn::Tick => {}
        }
        if self.up {
            self.expire(now, out);
            self.ask(now, out);
            self.settle(out);
        }
    }

    /// When the next tick is due.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        if !self.up {
            return None;
        }
        let due = |entry: &Entry| match entry.state {
            State::Missing { not_before } => Some(not_before.max(self.send_after)),
            State::Asked { until, .. } | State::Ending { until, .. } => Some(until),
            State::Acked if !entry.wanted => Some(self.send_after),
            State::Acked | State::Failed => None,
        };
        self.topics.values().filter_map(due).min()
    }

    /// What is wanted.
    pub fn wanted(&self) -> impl Iterator<Item = Topic> + '_ {
        let wanted = self.topics.iter().filter(|(_, entry)| entry.wanted);
        wanted.map(|(topic, _)| *topic)
    }

    /// What the venue has confirmed.
    pub fn acked(&mut self, request: u64) {
        self.topics.retain(
            |_, entry| !matches!(entry.state, State::Ending { request: of, .. } if of == request),
        );
        for entry in self.topics.values_mut() {
            if matches!(entry.state, State::Asked { request: of, .. } if of == request) {
                entry.state = State::Acked;
                entry.attempts = 0;
            }
        }
    }

    /// Whether everything wanted is confirmed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let mut wanted = self.topics.values().filter(|entry| entry.wanted);
        self.up && wanted.all(|entry| entry.state == State::Acked)
    }

    /// Whether the venue has confirmed this topic.
    #[must_use]
    pub fn is_acked(&self, topic: Topic) -> bool {
        self.up
            && self
                .topics
                .get(&topic)
                .is_some_and(|entry| entry.state == State::Acked)
    }

    fn want(&mut self, now: Duration, topic: Topic) {
        let entry = self
            .topics
            .entry(topic)
            .or_insert_with(|| Entry::fresh(now));
        entry.wanted = true;
        if entry.state == State::Failed {
            *entry = Entry::fresh(now);
        }
        self.settled = false;
    }

    /// A topic that was never asked for is forgotten at once; one under way is ended when its answer is there.
    fn unwant(&mut self, topic: Topic) {
        let Some(entry) = self.topics.get_mut(&topic) else {
            return;
        };
        entry.wanted = false;
        if !self.up || matches!(entry.state, State::Missing { .. } | State::Failed) {
            self.topics.remove(&topic);
        }
    }

    fn restart(&mut self, now: Duration, up: bool) {
        self.up = up;
        self.settled = false;
        self.send_after = now;
        self.topics.retain(|_, entry| entry.wanted);
        for entry in self.topics.values_mut() {
            *entry = Entry::fresh(now);
        }
    }

    fn refused(
        &mut self,
        now: Duration,
        request: u64,
        reason: &str,
        out: &mut Vec<SubscriptionOut>,
    ) {
        let asked = self
            .topics
            .iter()
            .filter(|(_, entry)| matches!(entry.state, State::Asked { request: of, .. } if of == request))
            .map(|(topic, _)| *topic);
        let asked: Vec<Topic> = asked.collect();
        for topic in &asked {
            self.attempt_failed(now, *topic, reason, asked.len() > 1, out);
        }
        for entry in self.topics.values_mut() {
            if matches!(entry.state, State::Ending { request: of, .. } if of == request) {
                entry.state = State::Acked;
            }
        }
    }

    fn expire(&mut self, now: Duration, out: &mut Vec<SubscriptionOut>) {
        let overdue = |state: &State| matches!(state, State::Asked { until, .. } | State::Ending { until, .. } if now >= *until);
        let late = self
            .topics
            .iter()
            .filter(|(_, entry)| overdue(&entry.state));
        let late: Vec<Topic> = late.map(|(topic, _)| *topic).collect();
        for topic in late {
            self.attempt_failed(now, topic, "no answer", false, out);
        }
    }

    fn attempt_failed(
        &mut self,
        now: Duration,
        topic: Topic,
        reason: &str,
        alone: bool,
        out: &mut Vec<SubscriptionOut>,
    ) {
        let settings = self.settings;
        let Some(entry) = self.topics.get_mut(&topic) else {
            return;
        };
        if !entry.wanted {
            // Whether it is still subscribed is not known; nothing of it is wanted, so what arrives is ignored.
            self.topics.remove(&topic);
            return;
        }
        entry.alone |= alone;
        if entry.attempts >= settings.attempts_max {
            entry.state = State::Failed;
            out.push(SubscriptionOut::Failed {
                topic,
                reason: reason.to_owned(),
            });
            return;
        }
        entry.state = State::Missing {
            not_before: now + settings.retry_pause * entry.attempts,
        };
        out.push(SubscriptionOut::Retrying {
            topic,
            attempt: entry.attempts,
            reason: reason.to_owned(),
        });
    }

    /// One request, if it is time for one and something is missing or to be ended.
    fn ask(&mut self, now: Duration, out: &mut Vec<SubscriptionOut>) {
        if now < self.send_after {
            return;
        }
        let ending = self.batch(|entry| !entry.wanted && entry.state == State::Acked);
        let missing = self.batch(
            |entry| matches!(entry.state, State::Missing { not_before } if now >= not_before),
        );
        let (topics, subscribing) = if missing.is_empty() {
            (ending, false)
        } else {
            (missing, true)
        };
        if topics.is_empty() {
            return;
        }
        let request = self.next_request;
        self.next_request += 1;
        self.send_after = now + self.settings.spacing;
        let until = now + self.settings.answer_within;
        for topic in &topics {
            let Some(entry) = self.topics.get_mut(topic) else {
                continue;
            };
            entry.attempts += 1;
            entry.state = if subscribing {
                State::Asked { request, until }
            } else {
                State::Ending { request, until }
            };
        }
        out.push(if subscribing {
            SubscriptionOut::Subscribe { request, topics }
        } else {
            SubscriptionOut::Unsubscribe { request, topics }
        });
    }

    fn batch(&self, pick: impl Fn(&Entry) -> bool) -> Vec<Topic> {
        let mut picked = self.topics.iter().filter(|(_, entry)| pick(entry));
        let Some((first, entry)) = picked.next() else {
            return Vec::new();
        };
        if entry.alone {
            return vec![*first];
        }
        let rest = picked.filter(|(_, entry)| !entry.alone);
        std::iter::once(*first)
            .chain(rest.map(|(topic, _)| *topic))
            .take(self.settings.batch_max.max(1))
            .collect()
    }

    fn settle(&mut self, out: &mut Vec<SubscriptionOut>) {
        let mut wanted = self.topics.values().filter(|entry| entry.wanted);
        let done = wanted.all(|entry| matches!(entry.state, State::Acked | State::Failed));
        if done && !self.settled {
            self.settled = true;
            out.push(SubscriptionOut::Settled);
        }
    }
}

/// Cuts topics into groups for one connection each; Binance carries at most 1,024 streams on one.
#[must_use]
pub fn shards(topics: &[Topic], streams_max: usize) -> Vec<Vec<Topic>> {
    topics
        .chunks(streams_max.max(1))
        .map(<[Topic]>::to_vec)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::InstrumentId;

    const MS: Duration = Duration::from_millis(1);

    fn topics(count: u32) -> Vec<Topic> {
        (0..count).map(|n| Topic::Quotes(InstrumentId(n))).collect()
    }

    struct Rig {
        machine: Subscriptions,
        now: Duration,
        out: Vec<SubscriptionOut>,
    }

    impl Rig {
        fn up(count: u32, settings: SubscriptionSettings) -> Self {
            let mut rig = Self {
                machine: Subscriptions::new(settings),
                now: Duration::ZERO,
                out: Vec::new(),
            };
            for topic in topics(count) {
                rig.give(SubscriptionIn::Want(topic));
            }
            assert_eq!(rig.out, [], "nothing is sent before the connection is up");
            rig.give(SubscriptionIn::Up);
            rig
        }

        fn give(&mut self, input: SubscriptionIn) {
            self.machine.handle(self.now, input, &mut self.out);
        }

        fn drain(&mut self) -> Vec<SubscriptionOut> {
            std::mem::take(&mut self.out)
        }

        fn wake(&mut self) -> Vec<SubscriptionOut> {
            self.now = self.machine.wake_at().expect("something is outstanding");
            self.give(SubscriptionIn::Tick);
            self.drain()
        }
    }

    fn small_batches(batch_max: usize) -> SubscriptionSettings {
        SubscriptionSettings {
            batch_max,
            ..SubscriptionSettings::default()
        }
    }

    #[test]
    fn everything_is_asked_for_in_one_request_and_settles_with_its_answer() {
        let mut rig = Rig::up(10, SubscriptionSettings::default());
        let wanted = SubscriptionOut::Subscribe {
            request: 1,
            topics: topics(10),
        };
        assert_eq!(rig.drain(), [wanted]);
        rig.give(SubscriptionIn::Acked(99));
        assert!(!rig.machine.is_complete());
        rig.give(SubscriptionIn::Acked(1));
        assert_eq!(rig.drain(), [SubscriptionOut::Settled]);
        assert!(rig.machine.is_complete());
        assert_eq!(rig.machine.wake_at(), None);
    }

    #[test]
    fn eight_of_ten_acked_means_two_are_asked_for_again() {
        let mut rig = Rig::up(10, small_batches(1));
        let mut asked: Vec<Topic> = Vec::new();
        while asked.len() < 10 {
            for out in rig.drain() {
                if let SubscriptionOut::Subscribe { request, topics } = out {
                    asked.extend(&topics);
                    if request <= 8 {
                        rig.give(SubscriptionIn::Acked(request));
                    }
                }
            }
            if asked.len() < 10 {
                rig.now = rig.machine.wake_at().unwrap();
                rig.give(SubscriptionIn::Tick);
            }
        }
        let mut again = Vec::new();
        while !rig.machine.is_complete() {
            for out in rig.wake() {
                if let SubscriptionOut::Subscribe { request, topics } = out {
                    again.extend(topics);
                    rig.give(SubscriptionIn::Acked(request));
                }
            }
        }
        assert_eq!(again, topics(10)[8..]);
    }

    #[test]
    fn ten_attempts_then_one_explicit_failure() {
        let mut rig = Rig::up(1, SubscriptionSettings::default());
        let mut sent = 0;
        let mut failed = 0;
        let mut last = rig.drain();
        loop {
            for out in &last {
                match out {
                    SubscriptionOut::Subscribe { .. } => sent += 1,
                    SubscriptionOut::Failed { reason, .. } => {
                        failed += 1;
                        assert_eq!(reason, "no answer");
                    }
                    SubscriptionOut::Retrying { attempt, .. } => assert_eq!(*attempt, sent),
                    SubscriptionOut::Settled => assert_eq!(failed, 1),
                    SubscriptionOut::Unsubscribe { .. } => panic!("nothing was given back"),
                }
            }
            if rig.machine.wake_at().is_none() {
                break;
            }
            last = rig.wake();
        }
        assert_eq!((sent, failed), (10, 1));
        assert!(!rig.machine.is_complete());
        rig.give(SubscriptionIn::Want(topics(1)[0]));
        assert!(matches!(rig.drain()[0], SubscriptionOut::Subscribe { .. }));
    }

    #[test]
    fn a_refused_batch_is_asked_for_one_by_one_so_that_one_bad_topic_fails_alone() {
        let bad = topics(3)[1];
        let mut rig = Rig::up(3, SubscriptionSettings::default());
        let mut last = rig.drain();
        let mut failed = Vec::new();
        for _ in 0..200 {
            for out in last {
                match out {
                    SubscriptionOut::Subscribe { request, topics } if topics.contains(&bad) => {
                        rig.give(SubscriptionIn::Refused {
                            request,
                            reason: "no such stream".into(),
                        });
                    }
                    SubscriptionOut::Subscribe { request, .. } => {
                        rig.give(SubscriptionIn::Acked(request));
                    }
                    SubscriptionOut::Failed { topic, .. } => failed.push(topic),
                    _ => {}
                }
            }
            last = rig.drain();
            if last.is_empty() && rig.machine.wake_at().is_some() {
                last = rig.wake();
            }
        }
        assert_eq!(failed, [bad]);
        assert!(rig.machine.is_acked(topics(3)[0]) && rig.machine.is_acked(topics(3)[2]));
    }

    #[test]
    fn requests_keep_to_four_a_second() {
        let mut rig = Rig::up(400, small_batches(10));
        let mut sent_at = Vec::new();
        let mut last = rig.drain();
        while sent_at.len() < 40 {
            for out in last {
                if let SubscriptionOut::Subscribe { request, .. } = out {
                    sent_at.push(rig.now);
                    rig.give(SubscriptionIn::Acked(request));
                }
            }
            rig.drain();
            if sent_at.len() == 40 {
                break;
            }
            last = rig.wake();
        }
        for window in sent_at.windows(5) {
            assert!(window[4] - window[0] >= 1_000 * MS);
        }
    }

    #[test]
    fn a_reconnect_restores_what_is_wanted_and_nothing_else() {
        let mut rig = Rig::up(3, SubscriptionSettings::default());
        rig.drain();
        rig.give(SubscriptionIn::Acked(1));
        rig.give(SubscriptionIn::Unwant(topics(3)[0]));
        rig.drain();
        rig.give(SubscriptionIn::Down);
        rig.now += 1_000 * MS;
        rig.give(SubscriptionIn::Up);
        let restored = SubscriptionOut::Subscribe {
            request: 2,
            topics: topics(3)[1..].to_vec(),
        };
        assert_eq!(rig.drain().last(), Some(&restored));
        rig.give(SubscriptionIn::Acked(1));
        assert!(
            !rig.machine.is_complete(),
            "an answer from before counts for nothing"
        );
    }

    #[test]
    fn a_topic_is_given_back_once_its_subscription_is_answered() {
        let mut rig = Rig::up(1, SubscriptionSettings::default());
        rig.drain();
        rig.give(SubscriptionIn::Unwant(topics(1)[0]));
        assert_eq!(rig.drain(), [SubscriptionOut::Settled]);
        rig.now += 1_000 * MS;
        rig.give(SubscriptionIn::Acked(1));
        let wanted = SubscriptionOut::Unsubscribe {
            request: 2,
            topics: topics(1),
        };
        assert_eq!(rig.drain(), [wanted]);
        rig.give(SubscriptionIn::Acked(2));
        assert_eq!(rig.machine.topics.len(), 0);
    }

    #[test]
    fn no_connection_carries_more_than_its_streams() {
        let groups = shards(&topics(2_500), 1_024);
        let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
        assert_eq!(sizes, [1_024, 1_024, 452]);
        assert_eq!(groups.concat(), topics(2_500));
    }
}
