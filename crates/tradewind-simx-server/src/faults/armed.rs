//! A fault that waits for its moment: what it has seen, how often it struck.

use std::time::Duration;

use tradewind_model::Timestamp;
use tradewind_simx::{Action, Chance, Latency, Sampler};

use super::fault::{CutAt, Deed, Fault};

/// One fault of a running server.
#[derive(Debug)]
pub(crate) struct Armed {
    pub(crate) fault: Fault,
    pub(crate) begins: Timestamp,
    pub(crate) ends: Option<Timestamp>,
    /// Events of its kind and place while it was on.
    pub(crate) seen: u64,
    /// How often it struck.
    pub(crate) hits: u64,
    /// Whether a state it made goes on.
    pub(crate) active: bool,
    /// What takes back what it did to the exchange.
    pub(crate) undo: Vec<Action>,
    /// What it repeats.
    pub(crate) kept: Option<String>,
    chance: Chance,
    sampler: Option<Sampler>,
}

impl Armed {
    pub(crate) fn new(fault: Fault, now: Timestamp, seed: u64, id: u64) -> Self {
        let begins = now + fault.when.after;
        let latency = match fault.deed {
            Deed::Delay(latency) => Some(latency),
            Deed::Duplicate { by, .. } => by,
            Deed::Flap { least, most } => Some(Latency::Uniform { least, most }),
            _ => None,
        };
        Self {
            begins,
            ends: fault.when.lasts.map(|lasts| begins + lasts),
            seen: 0,
            hits: 0,
            active: false,
            undo: Vec::new(),
            kept: None,
            chance: Chance::new(seed, id),
            sampler: latency.map(|latency| latency.sampler(seed, id)),
            fault,
        }
    }

    /// An event that fits came; whether it is struck.
    pub(crate) fn strikes(&mut self, now: Timestamp) -> bool {
        let when = &self.fault.when;
        let over = self.ends.is_some_and(|ends| now >= ends)
            || when.times.is_some_and(|times| self.hits >= times);
        if now < self.begins || over {
            return false;
        }
        self.seen += 1;
        let chosen = match (when.nth, when.every) {
            (Some(nth), _) => self.seen == nth,
            (None, Some(every)) => self.seen.is_multiple_of(every.max(1)),
            (None, None) => true,
        };
        let struck = chosen && when.chance.is_none_or(|share| self.chance.hits(share));
        self.hits += u64::from(struck);
        struck
    }

    /// How long what it struck waits.
    pub(crate) fn wait(&mut self) -> Duration {
        self.sampler.as_mut().map(Sampler::draw).unwrap_or_default()
    }

    /// After how many bytes it cuts this time.
    pub(crate) const fn cut_after(&self, at: CutAt) -> u64 {
        match at {
            CutAt::Bytes(bytes) => bytes,
            CutAt::Each => self.hits.saturating_sub(1),
        }
    }
}
