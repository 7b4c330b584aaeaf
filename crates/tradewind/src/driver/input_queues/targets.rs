//! What sources send of targets, and the health of sources: the latest of each, in the order in which it came.

use std::collections::{BTreeMap, VecDeque};

use tradewind_events::{ExternalTarget, Input};
use tradewind_model::FeedHealth;

use super::stats::{Counters, QueueStats};

/// Targets of one source that may wait; a further one is dropped and counted.
const TARGETS_MAX: usize = 1_000;

/// What an input replaces: a later one of the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// A target, by source, bot and instrument.
    Target(String, String, String),
    /// A target that cannot be read.
    Unreadable(String),
    /// A target that no bot may follow, so that it takes no valid one's place.
    Invalid(String),
    /// The health of a source. Each has its place: that it was away or lost messages says something of the targets before it.
    Health(String, FeedHealth),
}

/// Whether a target is older than one that waits: it must not take its place.
fn is_older(new: &ExternalTarget, waiting: &ExternalTarget) -> bool {
    let age = |of: &ExternalTarget| (of.event_time, of.sequence.unwrap_or(0));
    age(new) < age(waiting)
}

/// One slot for each bot of a source: a flood for one neither grows it nor takes another's place, nor that of another source.
#[derive(Debug, Default)]
pub(super) struct TargetQueue {
    places: BTreeMap<Key, u64>,
    waiting: BTreeMap<u64, Input>,
    /// How many targets of each source wait; of one that sent any before, also none. Sources are those of the configuration.
    of_source: BTreeMap<String, usize>,
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
        } else if !self.has_room(&key) {
            return self.counters.dropped();
        } else {
            self.counters.published(self.waiting.len() + 1);
        }
        self.places.insert(key, self.next);
        self.waiting.insert(self.next, input);
        self.next += 1;
    }

    /// Takes a place among the targets of a source. What is no target has a place of its own.
    fn has_room(&mut self, key: &Key) -> bool {
        let Key::Target(source, ..) = key else {
            return true;
        };
        let waiting = self.of_source.entry(source.clone()).or_default();
        let has_room = *waiting < TARGETS_MAX;
        *waiting += usize::from(has_room);
        has_room
    }

    /// Takes everything out.
    pub(super) fn take(&mut self, into: &mut VecDeque<Input>) {
        self.places.clear();
        self.of_source.values_mut().for_each(|waiting| *waiting = 0);
        into.extend(std::mem::take(&mut self.waiting).into_values());
    }

    pub(super) fn stats(&self) -> QueueStats {
        let depth = self.waiting.len();
        let capacity = TARGETS_MAX * self.of_source.len().max(1);
        self.counters
            .stats("lane.targets", "latest", depth, capacity)
    }
}

fn key(input: &Input) -> Option<Key> {
    Some(match input {
        Input::Target(target) if target.check().is_err() => Key::Invalid(target.source.clone()),
        Input::Target(target) => Key::Target(
            target.source.clone(),
            target.bot.clone(),
            target.instrument.clone(),
        ),
        Input::TargetUnreadable { source, .. } => Key::Unreadable(source.to_string()),
        Input::SourceHealth { source, health } => Key::Health(source.to_string(), *health),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{Decimal, Timestamp};

    fn target_of(source: &str, bot: &str, at: i64) -> ExternalTarget {
        ExternalTarget {
            source: source.to_owned(),
            bot: bot.to_owned(),
            instrument: "simx:BTC/USDT".to_owned(),
            exposure: Decimal::whole(1),
            event_time: Timestamp::from_secs(at),
            expires: Timestamp::from_secs(at + 60),
            sequence: None,
            received_at: Timestamp::from_secs(at),
        }
    }

    fn target(bot: &str, at: i64) -> Input {
        Input::Target(Box::new(target_of("signals", bot, at)))
    }

    fn health(health: FeedHealth) -> Input {
        let source = "signals".into();
        Input::SourceHealth { source, health }
    }

    fn taken(queue: &mut TargetQueue) -> Vec<Input> {
        let mut taken = VecDeque::new();
        queue.take(&mut taken);
        taken.into()
    }

    #[test]
    fn the_newest_target_of_a_bot_waits_behind_what_came_before_it() {
        let mut queue = TargetQueue::default();
        queue.put(target("other", 1));
        for at in 0..10_000 {
            queue.put(target("flood", at));
        }
        queue.put(target("flood", 7));
        queue.put(health(FeedHealth::Gap));
        queue.put(health(FeedHealth::Live));
        queue.put(health(FeedHealth::Stale));
        queue.put(health(FeedHealth::Live));
        queue.put(target("other", 2));
        let wanted = [
            target("flood", 9_999),
            health(FeedHealth::Gap),
            health(FeedHealth::Stale),
            health(FeedHealth::Live),
            target("other", 2),
        ];
        assert_eq!(taken(&mut queue), wanted);
    }

    #[test]
    fn a_flood_of_one_source_leaves_room_for_all_others_and_for_health() {
        let mut queue = TargetQueue::default();
        for _ in 0..2 {
            for bot in 0..2_000 {
                queue.put(target(&bot.to_string(), 1));
            }
            let calm = Input::Target(Box::new(target_of("calm", "its", 1)));
            queue.put(calm.clone());
            queue.put(health(FeedHealth::Stale));
            let taken = taken(&mut queue);
            assert_eq!(taken.len(), TARGETS_MAX + 2);
            assert_eq!(taken[TARGETS_MAX..], [calm, health(FeedHealth::Stale)]);
        }
        let stats = queue.stats();
        assert_eq!(stats.dropped, 2_000);
        assert!(stats.high_water <= stats.capacity + 2, "{stats:?}");
    }

    #[test]
    fn a_target_that_no_bot_may_follow_takes_no_place_of_a_valid_one() {
        let mut queue = TargetQueue::default();
        let valid = target_of("signals", "one", 10);
        let beyond = ExternalTarget {
            exposure: Decimal::whole(5),
            event_time: Timestamp::from_secs(11),
            ..valid.clone()
        };
        let ahead = ExternalTarget {
            event_time: Timestamp::from_secs(40),
            ..valid.clone()
        };
        for sent in [&valid, &beyond, &ahead] {
            queue.put(Input::Target(Box::new(sent.clone())));
        }
        let wanted = [valid, ahead].map(|one| Input::Target(Box::new(one)));
        assert_eq!(taken(&mut queue), wanted);
    }
}
