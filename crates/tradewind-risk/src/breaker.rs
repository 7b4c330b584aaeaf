//! A circuit breaker: after several failures within a window it opens, and after a while one probe may close it.
//!
//! A machine without a clock. It refuses entries only; exits and cancels do not pass it.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, BotId, ClientOrderId, InstrumentId, Timestamp, VenueId};

use crate::limits::Limits;

/// What a breaker watches over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BreakerScope {
    /// A bot: its orders and its strategy.
    Bot(BotId),
    /// An account's orders.
    Account(AccountId),
    /// The orders of all accounts of a venue.
    Venue(VenueId),
    /// The feed of an instrument.
    Feed(InstrumentId),
}

/// How many failures open a breaker, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerLimits {
    /// Failures within the window that open it.
    pub failures: u32,
    /// The window.
    pub window: Duration,
    /// How long it stays open before it lets a probe pass.
    pub open: Duration,
}

impl BreakerLimits {
    /// Those of the desk; `None` while one is missing, when nothing enters anyway.
    #[must_use]
    pub fn of(limits: &Limits) -> Option<Self> {
        Some(Self {
            failures: limits.breaker_failures?,
            window: limits.breaker_window?,
            open: limits.breaker_open?,
        })
    }
}

/// How far a breaker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BreakerState {
    /// Entries pass.
    Closed,
    /// No entry passes before this time.
    Open(Timestamp),
    /// One entry may pass as a probe. With an order it is on its way, and no other passes.
    HalfOpen(Option<ClientOrderId>),
}

/// One circuit breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitBreaker {
    state: BreakerState,
    /// When the failures within the window were, oldest first. It holds no more than open the breaker.
    failures: VecDeque<Timestamp>,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            state: BreakerState::Closed,
            failures: VecDeque::new(),
        }
    }
}

impl CircuitBreaker {
    /// Notes a failure; `order` is the one that failed, if it was one. Returns how many failures opened the breaker, if
    /// it opens now.
    pub fn fail(
        &mut self,
        now: Timestamp,
        order: Option<ClientOrderId>,
        limits: &BreakerLimits,
    ) -> Option<u32> {
        match self.state {
            BreakerState::Open(_) => None,
            BreakerState::HalfOpen(Some(probe)) if order == Some(probe) => {
                Some(self.open(now, limits))
            }
            // An order of before it opened is no news, and without a probe nothing was tried.
            BreakerState::HalfOpen(_) => None,
            BreakerState::Closed => {
                self.failures.retain(|at| now.since(*at) < limits.window);
                self.failures.push_back(now);
                let is_enough = self.count() >= limits.failures.max(1);
                is_enough.then(|| self.open(now, limits))
            }
        }
    }

    /// Notes that an order succeeded. True if it was the probe, so that the breaker closes.
    pub fn succeed(&mut self, order: ClientOrderId) -> bool {
        let is_probe = self.state == BreakerState::HalfOpen(Some(order));
        if is_probe {
            self.close();
        }
        is_probe
    }

    /// Notes that an order ended without a proof of anything: it never left, or was withdrawn. Another may probe.
    pub fn withdraw(&mut self, order: ClientOrderId) {
        if self.state == BreakerState::HalfOpen(Some(order)) {
            self.state = BreakerState::HalfOpen(None);
        }
    }

    /// The time that an open breaker waits for has come. True if it is half open from now on.
    pub fn half_open(&mut self, now: Timestamp) -> bool {
        let is_due = matches!(self.state, BreakerState::Open(until) if until <= now);
        if is_due {
            self.state = BreakerState::HalfOpen(None);
        }
        is_due
    }

    /// Makes an entry that passed the probe, if the breaker waits for one.
    pub const fn send(&mut self, order: ClientOrderId) {
        if matches!(self.state, BreakerState::HalfOpen(None)) {
            self.state = BreakerState::HalfOpen(Some(order));
        }
    }

    /// Closes it, by a person's word or after its probe.
    pub fn close(&mut self) {
        *self = Self::default();
    }

    /// How far it is.
    #[must_use]
    pub const fn state(&self) -> BreakerState {
        self.state
    }

    /// Whether an entry may pass now.
    #[must_use]
    pub const fn lets_enter(&self) -> bool {
        matches!(
            self.state,
            BreakerState::Closed | BreakerState::HalfOpen(None)
        )
    }

    /// Whether it is closed, and its last failure lies before the window: it holds nothing worth keeping.
    #[must_use]
    pub fn is_idle(&self, now: Timestamp, window: Duration) -> bool {
        let last = self.failures.back();
        self.state == BreakerState::Closed && last.is_none_or(|at| now.since(*at) >= window)
    }

    fn open(&mut self, now: Timestamp, limits: &BreakerLimits) -> u32 {
        let failures = self.count().max(1);
        self.failures.clear();
        self.state = BreakerState::Open(now + limits.open);
        failures
    }

    fn count(&self) -> u32 {
        u32::try_from(self.failures.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: BreakerLimits = BreakerLimits {
        failures: 5,
        window: Duration::from_secs(60),
        open: Duration::from_secs(60),
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_secs(1_000 + second)
    }

    fn failed(seconds: impl IntoIterator<Item = i64>) -> (CircuitBreaker, Vec<Option<u32>>) {
        let mut breaker = CircuitBreaker::default();
        let fired = seconds
            .into_iter()
            .map(|second| breaker.fail(at(second), None, &LIMITS));
        let fired = fired.collect();
        (breaker, fired)
    }

    /// V13
    #[test]
    fn five_failures_in_sixty_seconds_open_it() {
        let check = |seconds: &[i64], opens: bool| {
            let (breaker, fired) = failed(seconds.iter().copied());
            assert_eq!(!breaker.lets_enter(), opens, "{seconds:?}");
            assert_eq!(fired.last(), Some(&opens.then_some(5)), "{seconds:?}");
        };
        check(&[0, 1, 2, 3], false);
        check(&[0, 1, 2, 3, 4], true);
        check(&[0, 15, 30, 45, 59], true);
        check(&[0, 15, 30, 45, 60], false);
        check(&[0, 15, 30, 45, 60, 61], true);
    }

    /// V13, L09: one probe, not a herd.
    #[test]
    fn after_its_time_one_entry_probes() {
        let (mut breaker, _) = failed(0..5);
        let (probe, other) = (ClientOrderId(1), ClientOrderId(2));
        assert!(!breaker.half_open(at(63)) && !breaker.lets_enter());
        assert!(breaker.half_open(at(64)) && breaker.lets_enter());
        breaker.send(probe);
        assert!(!breaker.lets_enter());
        breaker.send(other);
        assert_eq!(breaker.state(), BreakerState::HalfOpen(Some(probe)));
        assert!(!breaker.succeed(other) && !breaker.lets_enter());
        assert_eq!(breaker.fail(at(65), Some(other), &LIMITS), None);
        assert!(breaker.succeed(probe) && breaker.lets_enter());
        assert!(breaker.is_idle(at(65), LIMITS.window));
    }

    #[test]
    fn a_probe_that_fails_opens_it_again_and_one_that_never_left_does_not() {
        let (mut breaker, _) = failed(0..5);
        let probe = ClientOrderId(1);
        breaker.half_open(at(64));
        breaker.send(probe);
        breaker.withdraw(probe);
        assert!(breaker.lets_enter(), "another may probe");
        breaker.send(probe);
        assert_eq!(breaker.fail(at(70), Some(probe), &LIMITS), Some(1));
        assert_eq!(breaker.state(), BreakerState::Open(at(130)));
        breaker.close();
        assert!(breaker.lets_enter(), "a person closed it");
    }

    proptest! {
        /// L09: however failures, successes and time come, at most one entry passes while it is half open.
        #[test]
        fn never_two_probes(steps in proptest::collection::vec((0_u8..5, 0_i64..40, 0_u128..4), 1..200)) {
            let (mut breaker, mut now, mut probes) = (CircuitBreaker::default(), 0, Vec::new());
            for (kind, wait, id) in steps {
                now += wait;
                let order = ClientOrderId(id);
                match kind {
                    0 => {
                        breaker.fail(at(now), Some(order), &LIMITS);
                    }
                    1 => {
                        breaker.succeed(order);
                    }
                    2 => breaker.withdraw(order),
                    3 => {
                        breaker.half_open(at(now));
                    }
                    _ if breaker.lets_enter() => breaker.send(order),
                    _ => {}
                }
                if let BreakerState::HalfOpen(probe) = breaker.state() {
                    probes.extend(probe);
                    probes.dedup();
                    prop_assert!(probes.len() <= 1, "{probes:?}");
                    prop_assert_eq!(breaker.lets_enter(), probe.is_none());
                }
                if !matches!(breaker.state(), BreakerState::HalfOpen(Some(_))) {
                    probes.clear();
                }
            }
        }
    }
}
