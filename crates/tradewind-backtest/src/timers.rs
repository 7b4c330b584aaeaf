//! The engine's timers under a virtual clock: they ring when the history reaches them.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_events::Timer;
use tradewind_model::Timestamp;

/// Timers by when they are due. Those of one time ring in the order of [`Timer`].
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Timestamp, Timer)>,
    set: BTreeMap<Timer, Timestamp>,
}

impl Timers {
    /// Sets a timer; one that is set already moves.
    pub(crate) fn set(&mut self, at: Timestamp, timer: Timer) {
        if let Some(before) = self.set.insert(timer, at) {
            self.due.remove(&(before, timer));
        }
        self.due.insert((at, timer));
    }

    pub(crate) fn cancel(&mut self, timer: Timer) {
        if let Some(at) = self.set.remove(&timer) {
            self.due.remove(&(at, timer));
        }
    }

    /// When the next one is due.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the next one.
    pub(crate) fn pop(&mut self) -> Option<(Timestamp, Timer)> {
        let (at, timer) = self.due.pop_first()?;
        self.set.remove(&timer);
        Some((at, timer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::BotId;

    #[test]
    fn a_timer_that_is_set_again_moves_and_a_cancelled_one_is_silent() {
        let at = Timestamp::from_secs;
        let mut timers = Timers::default();
        timers.set(at(5), Timer::Equity);
        timers.set(at(3), Timer::BotWake(BotId(0)));
        timers.set(at(1), Timer::Equity);
        timers.set(at(2), Timer::Staleness);
        timers.cancel(Timer::Staleness);
        assert_eq!(timers.next_at(), Some(at(1)));
        assert_eq!(timers.pop(), Some((at(1), Timer::Equity)));
        assert_eq!(timers.pop(), Some((at(3), Timer::BotWake(BotId(0)))));
        assert_eq!(timers.pop(), None);
    }
}
