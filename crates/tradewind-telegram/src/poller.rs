//! Decides when to poll again: at once after an answer, later after a failure, never with an invalid token.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::client::Failure;

/// How long to leave the field to another program that polls with the same token.
const CONFLICT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Poller {
    backoff: Backoff,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// May poll from then on.
    Due(Duration),
    /// A poll is under way.
    Waiting,
}

impl Poller {
    pub(crate) fn new(seed: u64) -> Self {
        let backoff = Backoff::new(seed);
        Self {
            backoff,
            state: State::Due(Duration::ZERO),
        }
    }

    /// Whether to poll now; if so, a poll counts as under way.
    pub(crate) fn begin(&mut self, now: Duration) -> bool {
        let due = self.due().is_some_and(|due| due <= now);
        if due {
            self.state = State::Waiting;
        }
        due
    }

    pub(crate) const fn succeeded(&mut self, now: Duration) {
        self.backoff.reset();
        self.state = State::Due(now);
    }

    pub(crate) fn failed(&mut self, now: Duration, failure: &Failure) {
        if self.backoff.failures() == 0 {
            tracing::warn!(%failure, "Telegram cannot be polled; trying again.");
        }
        let wait = match failure {
            Failure::Busy(wait) => *wait,
            Failure::Conflict => CONFLICT + self.backoff.next_wait(),
            Failure::Unreachable(_)
            | Failure::Unauthorized
            | Failure::Blocked(_)
            | Failure::Refused(_) => self.backoff.next_wait(),
        };
        self.state = State::Due(now + wait);
    }

    /// When the next poll is due; none while one is under way.
    pub(crate) const fn due(&self) -> Option<Duration> {
        match self.state {
            State::Due(due) => Some(due),
            State::Waiting => None,
        }
    }
}
