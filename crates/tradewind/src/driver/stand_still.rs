//! Notices that the process stood still, or the machine was suspended: a turn that comes much later than it was due (T03).
//!
//! Nothing was received meanwhile, and what the sockets hold is old. The accounts' streams count as cut off for as long, so that nothing is
//! entered before each is connected anew and its account compared with its venue.

use std::time::Duration;

use tradewind_events::{Input, StreamChange};
use tradewind_model::{AccountId, Clock, Ppm, Timestamp};

/// As of a partition; a lateness that is shorter is that of a busy machine.
const LONGEST: Duration = Duration::from_secs(5);

/// When the next turn is due at the latest.
#[derive(Debug, Default)]
pub(super) struct StandStill {
    due: Option<Timestamp>,
}

impl StandStill {
    /// At `now` the thread is about to wait until `due`; `None`: for as long as nothing comes.
    pub(super) fn wait_until(&mut self, now: Timestamp, due: Option<Timestamp>) {
        self.due = due.map(|due| due.max(now));
    }

    /// A turn begins. For how long the process stood still before it, if it did. A clock that does not show real time shows no
    /// stand-still either.
    pub(super) fn take(&mut self, clock: &dyn Clock) -> Option<Duration> {
        let late = clock.now().since(self.due.take()?);
        (late >= LONGEST && clock.speed() == Ppm::ONE).then_some(late)
    }
}

/// What the engine is given of a stand-still.
pub(super) fn inputs(accounts: usize, span: Duration) -> impl Iterator<Item = Input> {
    (0..).map(AccountId).take(accounts).map(move |account| {
        let change = Box::new(StreamChange::StoodStill { span });
        Input::AccountStream { account, change }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::ManualClock;

    /// A clock of real time that a test moves.
    #[derive(Debug)]
    struct Real(ManualClock);

    impl Clock for Real {
        fn now(&self) -> Timestamp {
            self.0.now()
        }

        fn real_until(&self, at: Timestamp) -> Duration {
            at.since(self.now())
        }

        fn speed(&self) -> Ppm {
            Ppm::ONE
        }
    }

    #[test]
    fn a_turn_that_comes_five_seconds_late_shows_a_stand_still() {
        let clock = Real(ManualClock::new(Timestamp::from_secs(100)));
        let mut still = StandStill::default();
        assert_eq!(still.take(&clock), None, "the first turn");
        let mut after = |wait: u64, millis: u64| {
            still.wait_until(clock.now(), Some(clock.now() + Duration::from_secs(wait)));
            clock.0.advance(Duration::from_millis(millis));
            still.take(&clock)
        };
        assert_eq!(after(1, 5_999), None);
        assert_eq!(after(60, 60_000), None, "it was to wait so long");
        assert_eq!(after(1, 6_000), Some(Duration::from_secs(5)));
        let hours = Duration::from_secs(8 * 3_600);
        assert_eq!(after(0, 8 * 3_600_000), Some(hours));
        assert_eq!(still.take(&clock), None, "once");
        still.wait_until(clock.now(), Some(Timestamp::EPOCH));
        assert_eq!(
            still.take(&clock),
            None,
            "timers that are long due make no stand-still"
        );
        still.wait_until(Timestamp::EPOCH, Some(Timestamp::EPOCH));
        assert_eq!(still.take(&clock.0), None, "no clock of real time");
    }
}
