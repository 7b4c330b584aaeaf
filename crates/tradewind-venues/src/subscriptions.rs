//! Keeps the venue's confirmed subscriptions equal to the wanted ones: retries, paces, batches, restores on reconnect.
//!
//! A machine without I/O. A topic has at most one request under way (the lock per key). After ten attempts its failure is
//! reported once; it is tried on for ever, with a pause that grows to a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::protocol::Topic;

/// The longest pause between two attempts.
pub(crate) const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);

/// How often and how fast to request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionSettings {
    /// Attempts per topic and connection before its failure is reported.
    pub attempts_max: u32,
    /// Longest to wait for an answer.
    pub answer_within: Duration,
    /// Least time between two requests. Binance cuts a connection that sends more than 5 messages a second, pings
    /// included; a quarter of a second leaves room for those.
    pub spacing: Duration,
    /// Most topics in one request.
    pub batch_max: usize,
    /// Wait after a refused or unanswered attempt: as many times as attempts were made, doubled for each after `attempts_max`, up
    /// to a minute.
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

impl SubscriptionSettings {
    /// The pause after so many failed attempts.
    fn pause(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(self.attempts_max).min(16);
        let pause = self.retry_pause.saturating_mul(attempts);
        pause.saturating_mul(1 << doublings).min(RETRY_PAUSE_MAX)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionIn {
    /// Subscribe to this topic. A topic that failed is tried again.
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

/// An action for the shell, or a report.
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
    /// Many attempts failed; it is tried on.
    Failed {
        /// What.
        topic: Topic,
        /// Why the latest attempt failed.
        reason: String,
    },
    /// Everything wanted is confirmed.
    Complete,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Missing { not_before: Duration },
    Asked { request: u64, until: Duration },
    Acked,
    Ending { request: u64, until: Duration },
}

#[derive(Clone, Debug)]
struct Entry {
    wanted: bool,
    /// Requested alone, since a request that contained it was refused and it may be the reason.
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
    is_announced: bool,
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
            is_announced: false,
            next_request: 1,
            send_after: Duration::ZERO,
        }
    }

    /// Takes an input of time `now` and emits the resulting actions.
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
            self.announce(out);
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
            State::Acked => None,
        };
        self.topics.values().filter_map(due).min()
    }

    /// What is wanted.
    pub fn wanted(&self) -> impl Iterator<Item = Topic> + '_ {
        let wanted = self.topics.iter().filter(|(_, entry)| entry.wanted);
        wanted.map(|(topic, _)| *topic)
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

    /// The venue granted the request. Its requested topics are now subscribed; its unsubscribed topics are removed.
    fn acked(&mut self, request: u64) {
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

    fn want(&mut self, now: Duration, topic: Topic) {
        let entry = self
            .topics
            .entry(topic)
            .or_insert_with(|| Entry::fresh(now));
        entry.wanted = true;
        if matches!(entry.state, State::Missing { .. }) {
            *entry = Entry::fresh(now);
        }
        self.is_announced = false;
    }

    /// Removes a topic at once if it was never requested. A topic with a pending request is ended after the answer.
    fn unwant(&mut self, topic: Topic) {
        let Some(entry) = self.topics.get_mut(&topic) else {
            return;
        };
        entry.wanted = false;
        if !self.up || matches!(entry.state, State::Missing { .. }) {
            self.topics.remove(&topic);
        }
    }

    fn restart(&mut self, now: Duration, up: bool) {
        self.up = up;
        self.is_announced = false;
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
        let requested = self
            .topics
            .iter()
            .filter(|(_, entry)| matches!(entry.state, State::Asked { request: of, .. } if of == request))
            .map(|(topic, _)| *topic);
        let requested: Vec<Topic> = requested.collect();
        for topic in &requested {
            self.attempt_failed(now, *topic, reason, requested.len() > 1, out);
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
            // It may still be subscribed. It is not wanted any more, so its messages are ignored.
            self.topics.remove(&topic);
            return;
        }
        entry.alone |= alone;
        entry.state = State::Missing {
            not_before: now + settings.pause(entry.attempts),
        };
        let (attempt, reason) = (entry.attempts, reason.to_owned());
        out.push(if attempt == settings.attempts_max {
            SubscriptionOut::Failed { topic, reason }
        } else {
            SubscriptionOut::Retrying {
                topic,
                attempt,
                reason,
            }
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

    fn announce(&mut self, out: &mut Vec<SubscriptionOut>) {
        if !self.is_announced && self.is_complete() {
            self.is_announced = true;
            out.push(SubscriptionOut::Complete);
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
mod tests;
