//! What the orders do not show of the protection at the venue: positions without it, exits that wait for a stop's answer,
//! and how soon a stop may be placed again after one failed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, InstrumentId, Quantity, Timestamp};

use super::bot_instrument::BotInstrument;

/// How long a position may be without a stop at the venue before it is listed and announced (I23).
pub(crate) const UNCOVERED_MAX: Duration = Duration::from_secs(2);
/// How long an exit waits for a definite answer on the stop that locks its quantity (V21).
pub(crate) const EXIT_WAIT: Duration = Duration::from_secs(10);
/// The longest wait between two tries of a stop.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Between two moves of the stops in one instrument of one account.
pub(crate) const TRAIL_EVERY: Duration = Duration::from_secs(5);

/// An account's protection in one instrument.
type Key = (AccountId, InstrumentId);

/// The protection of the desk's positions. Positions are few, and every map is bounded by them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Protection {
    uncovered: BTreeMap<BotInstrument, Uncovered>,
    /// Since when an exit waits.
    waiting: BTreeMap<BotInstrument, Timestamp>,
    failures: BTreeMap<Key, Failures>,
    moved_at: BTreeMap<Key, Timestamp>,
    /// Positions of which the venue refused a stop with an order that takes the profit: they get the stop alone.
    #[serde(default)]
    unpaired: BTreeSet<BotInstrument>,
}

/// A position of which some is without a stop at the venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Uncovered {
    pub(crate) quantity: Quantity,
    pub(crate) since: Timestamp,
    pub(crate) reason: String,
    pub(crate) is_announced: bool,
    /// Whether nothing covers it for certain: the desk took its stop away to place another one, a stop of it failed, or the desk has just
    /// started.
    #[serde(default)]
    pub(crate) is_certain: bool,
}

impl Uncovered {
    /// Whether people are shown it: it lasts, or the desk knows that nothing covers it.
    pub(crate) const fn is_listed(&self) -> bool {
        self.is_announced || self.is_certain
    }
}

/// Tries of a stop that failed in a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Failures {
    count: u32,
    not_before: Timestamp,
    reason: String,
}

/// Positions without protection.
impl Protection {
    /// Notes how much of a position is without a stop, and why. True if it is to be announced now, after `patience`.
    pub(crate) fn note_uncovered(
        &mut self,
        place: BotInstrument,
        quantity: Quantity,
        reason: String,
        (now, patience): (Timestamp, Duration),
    ) -> bool {
        let uncovered = self.uncovered.entry(place).or_insert_with(|| Uncovered {
            quantity,
            since: now,
            reason: String::new(),
            is_announced: false,
            is_certain: false,
        });
        (uncovered.quantity, uncovered.reason) = (quantity, reason);
        let is_due = now.since(uncovered.since) >= patience && !uncovered.is_announced;
        uncovered.is_announced |= is_due;
        is_due
    }

    /// Notes of a position without a stop that it is so for certain: it is listed at once.
    pub(crate) fn note_certain(&mut self, place: BotInstrument) {
        if let Some(uncovered) = self.uncovered.get_mut(&place) {
            uncovered.is_certain = true;
        }
    }

    /// Notes that all of a position is covered, or that there is none.
    pub(crate) fn note_covered(&mut self, place: BotInstrument) {
        self.uncovered.remove(&place);
    }

    /// Since when some of a position is without a stop.
    pub(crate) fn uncovered_since(&self, place: BotInstrument) -> Option<Timestamp> {
        self.uncovered.get(&place).map(|uncovered| uncovered.since)
    }

    /// When a position is announced if it is not covered within `patience`.
    pub(crate) fn announced_at(
        &self,
        place: BotInstrument,
        patience: Duration,
    ) -> Option<Timestamp> {
        let uncovered = self.uncovered.get(&place)?;
        (!uncovered.is_announced).then(|| uncovered.since + patience)
    }

    /// Positions that are not covered, announced or not.
    pub(crate) fn uncovered(&self) -> impl Iterator<Item = (BotInstrument, &Uncovered)> {
        self.uncovered.iter().map(|(place, of)| (*place, of))
    }
}

/// Exits that wait.
impl Protection {
    /// Since when an exit waits; now if it did not.
    pub(crate) fn wait(&mut self, place: BotInstrument, now: Timestamp) -> Timestamp {
        *self.waiting.entry(place).or_insert(now)
    }

    /// Notes that an exit waits no longer.
    pub(crate) fn end_wait(&mut self, place: BotInstrument) {
        self.waiting.remove(&place);
    }

    /// Positions whose exit waits.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = BotInstrument> + '_ {
        self.waiting.keys().copied()
    }

    pub(crate) fn waits(&self, place: BotInstrument) -> bool {
        self.waiting.contains_key(&place)
    }
}

/// Tries.
impl Protection {
    /// Notes that a stop was refused or ended by the venue. The wait before the next starts at a second and doubles.
    pub(crate) fn note_failure(&mut self, key: Key, reason: String, now: Timestamp) {
        let failures = self.failures.entry(key).or_default();
        let wait = Duration::from_secs(1 << failures.count.min(6)).min(RETRY_MAX);
        *failures = Failures {
            count: failures.count + 1,
            not_before: now + wait,
            reason,
        };
    }

    /// Notes that the venue refused a pair of a position.
    pub(crate) fn refuse_pairs(&mut self, place: BotInstrument) {
        self.unpaired.insert(place);
    }

    /// Notes that a position is closed: the next one may be given a pair.
    pub(crate) fn allow_pairs(&mut self, place: BotInstrument) {
        self.unpaired.remove(&place);
    }

    pub(crate) fn refuses_pairs(&self, place: BotInstrument) -> bool {
        self.unpaired.contains(&place)
    }

    /// Notes that a stop rests.
    pub(crate) fn note_success(&mut self, key: Key) {
        self.failures.remove(&key);
    }

    /// Until when nothing is placed after a failure, and why it failed.
    pub(crate) fn failure(&self, key: Key) -> Option<(Timestamp, &str)> {
        let failures = self.failures.get(&key)?;
        Some((failures.not_before, &failures.reason))
    }

    /// Whether a stop may be moved now. If so, notes it.
    pub(crate) fn may_move(&mut self, key: Key, now: Timestamp) -> bool {
        let last = self.moved_at.get(&key);
        let may = last.is_none_or(|at| now.since(*at) >= TRAIL_EVERY);
        if may {
            self.moved_at.insert(key, now);
        }
        may
    }
}
