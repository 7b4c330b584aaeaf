//! Timers of the engine, on the desk's clock.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_events::Timer;
use tradewind_model::Timestamp;

/// Timers that are set, soonest first. Setting one that is set already moves it.
#[derive(Clone, Debug, Default)]
pub struct Timers {
    due: BTreeSet<(Timestamp, Timer)>,
    at: BTreeMap<Timer, Timestamp>,
}

impl Timers {
    /// Sets or moves a timer.
    pub fn set(&mut self, at: Timestamp, timer: Timer) {
        if let Some(before) = self.at.insert(timer, at) {
            self.due.remove(&(before, timer));
        }
        self.due.insert((at, timer));
    }

    /// Takes a timer back; fine if it is not set.
    pub fn cancel(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.due.remove(&(at, timer));
        }
    }

    /// The soonest timer that is due by `now`, taken out.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<Timer> {
        let (at, timer) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
        self.due.remove(&(at, timer));
        self.at.remove(&timer);
        Some(timer)
    }

    /// When the soonest one is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
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
