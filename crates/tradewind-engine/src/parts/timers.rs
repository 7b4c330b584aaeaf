//! The timers the engine has set, so that a driver can set them again after a restart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_events::{Output, Outputs, Timer};
use tradewind_model::Timestamp;

/// Timers that are set, each with the time at which it is due.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Timers {
    due: BTreeMap<Timer, Timestamp>,
}

impl Timers {
    /// Sets a timer, or moves it.
    pub(crate) fn set(&mut self, at: Timestamp, timer: Timer, out: &mut Outputs) {
        self.due.insert(timer, at);
        out.push(Output::SetTimer(at, timer));
    }

    /// Sets a timer unless it is due earlier.
    pub(crate) fn set_earlier(&mut self, at: Timestamp, timer: Timer, out: &mut Outputs) {
        if self.due.get(&timer).is_none_or(|due| *due > at) {
            self.set(at, timer, out);
        }
    }

    /// Cancels a timer, whether or not it is set.
    pub(crate) fn cancel(&mut self, timer: Timer, out: &mut Outputs) {
        self.due.remove(&timer);
        out.push(Output::CancelTimer(timer));
    }

    /// Notes that the driver reported a timer at `now`. One that was moved to a later time stays set.
    pub(crate) fn fired(&mut self, timer: Timer, now: Timestamp) {
        if self.due.get(&timer).is_some_and(|due| *due <= now) {
            self.due.remove(&timer);
        }
    }

    /// A new start of the desk: timers of orders, breakers and of what healed are set again, the others dropped.
    pub(crate) fn restart(&mut self, out: &mut Outputs) {
        let lasts = |timer: &Timer| {
            matches!(
                timer,
                Timer::OrderTimeout(_)
                    | Timer::ExitRetry(..)
                    | Timer::Breaker(_)
                    | Timer::DiskClean
                    | Timer::OrdersClean(_)
            )
        };
        self.due.retain(|timer, _| lasts(timer));
        out.extend(
            self.set_timers()
                .map(|(timer, at)| Output::SetTimer(at, timer)),
        );
    }

    /// Timers that belong to orders. The others are set again by the parts that need them.
    pub(crate) fn of_orders(&self) -> impl Iterator<Item = (Timer, Timestamp)> + '_ {
        let is_orders = |(timer, _): &(Timer, _)| {
            matches!(timer, Timer::OrderTimeout(_) | Timer::ExitRetry(..))
        };
        self.set_timers().filter(is_orders)
    }

    /// Timers that are set, in the order of [`Timer`].
    pub(crate) fn set_timers(&self) -> impl Iterator<Item = (Timer, Timestamp)> + '_ {
        self.due.iter().map(|(&timer, &at)| (timer, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_that_was_moved_is_still_set_after_its_first_time() {
        let (mut timers, mut out) = (Timers::default(), Outputs::new());
        let at = Timestamp::from_secs;
        timers.set(at(10), Timer::Equity, &mut out);
        timers.set(at(20), Timer::Equity, &mut out);
        timers.set(at(15), Timer::Staleness, &mut out);
        timers.fired(Timer::Equity, at(10));
        assert_eq!(
            timers.set_timers().collect::<Vec<_>>(),
            [(Timer::Equity, at(20)), (Timer::Staleness, at(15))]
        );
        timers.fired(Timer::Equity, at(21));
        timers.cancel(Timer::Staleness, &mut out);
        assert_eq!(timers.set_timers().count(), 0);
        assert_eq!(out.len(), 4);
    }
}
