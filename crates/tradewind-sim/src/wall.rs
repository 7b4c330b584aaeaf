//! The clock of a desk whose host's clock is set: it follows the monotonic clock from its start on, as [`DeskClock`] does.
//!
//! [`DeskClock`]: tradewind_model::DeskClock

use std::time::Duration;

use tradewind_model::{Clock, Ppm, Timestamp};

use crate::executor::VirtualTime;

/// How far a host's clock is from the world's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offset {
    pub(crate) ahead: Duration,
    pub(crate) behind: Duration,
}

impl Offset {
    /// One that is so many seconds ahead; behind if negative.
    pub(crate) const fn seconds(seconds: i64) -> Self {
        let span = Duration::from_secs(seconds.unsigned_abs());
        match seconds {
            0.. => Self {
                ahead: span,
                behind: Duration::ZERO,
            },
            _ => Self {
                ahead: Duration::ZERO,
                behind: span,
            },
        }
    }

    fn applied(self, at: Timestamp) -> Timestamp {
        at + self.ahead - self.behind
    }
}

/// The clock of one start.
#[derive(Clone, Debug)]
pub(crate) struct DeskTime {
    time: VirtualTime,
    offset: Offset,
}

impl DeskTime {
    /// Shows the host's time from now on, or continues at `last` if that is later.
    pub(crate) fn start(time: VirtualTime, host: Offset, last: Timestamp) -> Self {
        let behind = last.since(host.applied(Clock::now(&time)));
        let offset = Offset {
            ahead: host.ahead + behind,
            ..host
        };
        Self { time, offset }
    }
}

impl Clock for DeskTime {
    fn now(&self) -> Timestamp {
        self.offset.applied(Clock::now(&self.time))
    }

    fn real_until(&self, at: Timestamp) -> Duration {
        at.since(Clock::now(self))
    }

    fn speed(&self) -> Ppm {
        Ppm::ONE
    }
}
