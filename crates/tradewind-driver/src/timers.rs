//! The engine's timers, on whatever clock the driver has.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_events::Timer;
use tradewind_model::Timestamp;

/// Timers that are set, soonest first; those of one time in the order of [`Timer`]. Setting one that is set moves it.
#[derive(Clone, Debug)]
pub struct Timers {
    due: BTreeSet<(Timestamp, Timer)>,
    at: BTreeMap<Timer, Timestamp>,
    /// The first of `due`, read with every input; [`Timestamp::MAX`] if there is none.
    next: Timestamp,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            due: BTreeSet::new(),
            at: BTreeMap::new(),
            next: Timestamp::MAX,
        }
    }
}

impl Timers {
    /// Sets or moves a timer.
    pub fn set(&mut self, at: Timestamp, timer: Timer) {
        if let Some(before) = self.at.insert(timer, at) {
            self.due.remove(&(before, timer));
        }
        self.due.insert((at, timer));
        self.note_next();
    }

    /// Takes a timer back; fine if it is not set.
    pub fn cancel(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.due.remove(&(at, timer));
            self.note_next();
        }
    }

    /// The soonest timer that is due by `now`, taken out.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<Timer> {
        if self.next > now {
            return None;
        }
        let (_, timer) = self.due.pop_first()?;
        self.at.remove(&timer);
        self.note_next();
        Some(timer)
    }

    /// When the soonest one is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        (self.next < Timestamp::MAX).then_some(self.next)
    }

    /// When a timer is due, if it is set.
    #[must_use]
    pub fn due(&self, timer: Timer) -> Option<Timestamp> {
        self.at.get(&timer).copied()
    }

    fn note_next(&mut self) {
        self.next = self.due.first().map_or(Timestamp::MAX, |(at, _)| *at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::BotId;

    #[test]
    fn timers_come_in_order_and_a_moved_one_comes_once() {
        let at = Timestamp::from_secs;
        let mut timers = Timers::default();
        timers.set(at(5), Timer::Equity);
        timers.set(at(3), Timer::BotStart(BotId(1)));
        timers.set(at(4), Timer::Staleness);
        timers.set(at(9), Timer::Equity);
        timers.cancel(Timer::Staleness);
        assert_eq!(timers.next_due(), Some(at(3)));
        assert_eq!(timers.pop_due(at(2)), None);
        assert_eq!(timers.pop_due(at(8)), Some(Timer::BotStart(BotId(1))));
        assert_eq!(timers.pop_due(at(8)), None);
        assert_eq!(timers.pop_due(at(9)), Some(Timer::Equity));
        assert_eq!(timers.next_due(), None);
    }
}
