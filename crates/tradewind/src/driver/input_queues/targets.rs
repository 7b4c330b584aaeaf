//! What sources send of targets, and the health of sources: the latest of each, in the order in which it came.

use std::collections::{BTreeMap, VecDeque};

use tradewind_events::{ExternalTarget, Input};
use tradewind_model::FeedHealth;

use super::stats::{Counters, QueueStats};

/// Inputs that may wait; a further one is dropped and counted.
const TARGETS_MAX: usize = 1_000;

/// What an input replaces: a later one of the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// A target, by source, bot and instrument.
    Target(String, String, String),
    /// A target that cannot be read.
    Unreadable(Box<str>),
    /// Whether a source is there.
    Health(Box<str>),
    /// A gap of a source.
    Gap(Box<str>),
}

/// Whether a target is older than one that waits: it must not take its place.
fn is_older(new: &ExternalTarget, waiting: &ExternalTarget) -> bool {
    let age = |of: &ExternalTarget| (of.event_time, of.sequence.unwrap_or(0));
    age(new) < age(waiting)
}

/// One slot for each bot of a source: a flood for one neither grows it nor takes another's place.
#[derive(Debug, Default)]
pub(super) struct TargetQueue {
    places: BTreeMap<Key, u64>,
    waiting: BTreeMap<u64, Input>,
    next: u64,
    counters: Counters,
}

impl TargetQueue {
    /// Puts an input behind the others. One that it replaces is taken out.
    pub(super) fn put(&mut self, input: Input) {
        let Some(key) = key(&input) else {
            return;
        };
        let known = self.places.get(&key).copied();
        if let Some(place) = known {
            if let (Input::Target(new), Some(Input::Target(old))) =
                (&input, self.waiting.get(&place))
                && is_older(new, old)
            {
                return self.counters.conflated();
            }
            self.waiting.remove(&place);
            self.counters.conflated();
        } else if self.waiting.len() == TARGETS_MAX {
            return self.counters.dropped();
        } else {
            self.counters.published(self.waiting.len() + 1);
        }
        self.places.insert(key, self.next);
        self.waiting.insert(self.next, input);
        self.next += 1;
    }

    /// Takes everything out.
    pub(super) fn take(&mut self, into: &mut VecDeque<Input>) {
        self.places.clear();
        into.extend(std::mem::take(&mut self.waiting).into_values());
    }

    pub(super) fn stats(&self) -> QueueStats {
        let depth = self.waiting.len();
        self.counters
            .stats("lane.targets", "latest", depth, TARGETS_MAX)
    }
}

fn key(input: &Input) -> Option<Key> {
    Some(match input {
        Input::Target(target) => Key::Target(
            target.source.clone(),
            target.bot.clone(),
            target.instrument.clone(),
        ),
        Input::TargetUnreadable { source, .. } => Key::Unreadable(source.clone()),
        Input::SourceHealth { source, health } if *health == FeedHealth::Gap => {
            Key::Gap(source.clone())
        }
        Input::SourceHealth { source, .. } => Key::Health(source.clone()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{Decimal, Timestamp};

    fn target(bot: &str, at: i64) -> Input {
        Input::Target(Box::new(ExternalTarget {
            source: "signals".to_owned(),
            bot: bot.to_owned(),
            instrument: "simx:BTC/USDT".to_owned(),
            exposure: Decimal::whole(1),
            event_time: Timestamp::from_secs(at),
            expires: Timestamp::from_secs(at + 60),
            sequence: None,
            received_at: Timestamp::from_secs(at),
        }))
    }

    fn health(health: FeedHealth) -> Input {
        let source = "signals".into();
        Input::SourceHealth { source, health }
    }

    #[test]
    fn the_newest_target_of_a_bot_waits_behind_what_came_before_it() {
        let (mut queue, mut taken) = (TargetQueue::default(), VecDeque::new());
        queue.put(target("other", 1));
        for at in 0..10_000 {
            queue.put(target("flood", at));
        }
        queue.put(target("flood", 7));
        queue.put(health(FeedHealth::Gap));
        queue.put(health(FeedHealth::Stale));
        queue.put(health(FeedHealth::Live));
        queue.put(target("other", 2));
        queue.take(&mut taken);
        let wanted = [
            target("flood", 9_999),
            health(FeedHealth::Gap),
            health(FeedHealth::Live),
            target("other", 2),
        ];
        assert_eq!(taken, wanted);
        for bot in 0..2_000 {
            queue.put(target(&bot.to_string(), 1));
        }
        taken.clear();
        queue.take(&mut taken);
        assert_eq!(taken.len(), TARGETS_MAX);
        assert_eq!(queue.stats().dropped, 1_000);
    }
}
