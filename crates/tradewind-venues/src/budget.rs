//! One budget of request weight per address, shared by everything that talks to it.
//!
//! A machine without I/O, fed by the venue's own count and by its `Retry-After`. Each kind of request may fill the budget
//! up to its own mark, so that what reduces risk still goes when nothing else does: entries stop at 80 %, and the last
//! fifth is kept for exits, queries and cancels. Readings of lists, which weigh most, have a share of their own: however many
//! orders are in doubt, they leave the rest of the minute to what reduces risk.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tradewind_model::Ppm;
use tradewind_model::mutation::{Mutation, is_on};

use crate::retry_budget::{RetryBudget, RetryLimits};

/// What a request is for, most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A cancel.
    Cancel,
    /// A question about one order.
    Query,
    /// An order that reduces a position.
    Exit,
    /// A list of orders or trades, or the balances.
    Reading,
    /// An order that adds risk.
    Entry,
    /// Market data, instruments, candles.
    Data,
}

impl Priority {
    /// Share of the budget this kind may fill, in percent.
    const fn mark_percent(self) -> u64 {
        match self {
            Self::Cancel => 100,
            Self::Query => 95,
            Self::Exit => 90,
            Self::Entry => 80,
            Self::Reading => 75,
            Self::Data => 70,
        }
    }
}

/// Whether a request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Now.
    Go,
    /// Not before this much time has passed.
    Wait(Duration),
}

/// The weight used in the venue's minute, and how long nothing may leave.
#[derive(Clone, Debug)]
pub struct RateBudget {
    limit: u64,
    used: u64,
    /// Of it, what lists took.
    read: u64,
    window: u64,
    blocked_until: Duration,
    on_block: Option<OnBlock>,
    /// How fast the venue's clock runs.
    speed: Ppm,
    retries: RetryBudget,
}

/// Called with the time that is left whenever the venue blocks requests.
#[derive(Clone)]
struct OnBlock(Arc<dyn Fn(Duration) + Send + Sync>);

impl fmt::Debug for OnBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnBlock")
    }
}

const WINDOW: Duration = Duration::from_secs(60);
/// Share of the budget that readings may take of a minute, in percent.
const READINGS_PERCENT: u64 = 50;

impl RateBudget {
    /// A budget of `limit` per minute; Binance grants an address 6,000.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            used: 0,
            read: 0,
            window: 0,
            blocked_until: Duration::ZERO,
            on_block: None,
            speed: Ppm::ONE,
            retries: RetryBudget::new(RetryLimits::default()),
        }
    }

    /// The same with other limits of repetitions.
    #[must_use]
    pub const fn with_retries(mut self, limits: RetryLimits) -> Self {
        self.retries = RetryBudget::new(limits);
        self
    }

    /// Repetitions of requests that failed.
    pub const fn retries(&mut self) -> &mut RetryBudget {
        &mut self.retries
    }

    /// The same for a venue whose clock runs at `speed`, as the embedded exchange's does: its minutes and its `Retry-After` are
    /// that much shorter.
    #[must_use]
    pub const fn at_speed(mut self, speed: Ppm) -> Self {
        self.speed = if speed.0 > 0 { speed } else { Ppm::ONE };
        self
    }

    /// Calls `keep` with the time that is left whenever the venue blocks requests: a ban outlives the process. It must return
    /// at once.
    pub fn on_block(&mut self, keep: impl Fn(Duration) + Send + Sync + 'static) {
        self.on_block = Some(OnBlock(Arc::new(keep)));
    }

    /// Whether a request of `weight` may go now. Its weight is counted if it may.
    pub fn acquire(&mut self, now: Duration, priority: Priority, weight: u64) -> Admission {
        if now < self.blocked_until && !is_on(Mutation::RetryAfterIgnored) {
            return Admission::Wait(self.blocked_until - now);
        }
        self.roll(now);
        let mark = self.limit * priority.mark_percent() / 100;
        // An idle budget lets anything through: a single call heavier than the mark would otherwise wait for ever.
        if self.used > 0 && self.used + weight > mark && !is_on(Mutation::WeightIgnored) {
            return Admission::Wait(self.until_next_window(now));
        }
        if priority == Priority::Reading {
            let own = self.limit * READINGS_PERCENT / 100;
            if self.read > 0 && self.read + weight > own {
                return Admission::Wait(self.until_next_window(now));
            }
            self.read += weight;
        }
        self.used += weight;
        Admission::Go
    }

    /// The venue's own count of this minute. It replaces ours when it is higher: others may share our address.
    pub fn reported(&mut self, now: Duration, used: u64) {
        self.roll(now);
        self.used = self.used.max(used);
    }

    /// The venue blocks our requests for a time. Until then no request is sent, cancels included.
    pub fn blocked(&mut self, now: Duration, retry_after: Duration) {
        self.block_for(now, self.real(retry_after));
    }

    /// The same for what is left of an earlier block, in real time.
    pub fn block_for(&mut self, now: Duration, left: Duration) {
        self.blocked_until = self.blocked_until.max(now + left);
        if let Some(OnBlock(keep)) = &self.on_block {
            keep(self.blocked_for(now));
        }
    }

    /// The venue's limit per minute, as its exchange information has it.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit.max(1);
    }

    /// How long nothing may leave.
    #[must_use]
    pub const fn blocked_for(&self, now: Duration) -> Duration {
        self.blocked_until.saturating_sub(now)
    }

    /// How long an order that reduces a position would wait now. Nothing is counted.
    #[must_use]
    pub fn exit_waits(&self, now: Duration) -> Duration {
        let blocked = self.blocked_for(now);
        let (used, limit) = self.used(now);
        let mark = limit * Priority::Exit.mark_percent() / 100;
        if !blocked.is_zero() || used == 0 || used < mark {
            return blocked;
        }
        self.until_next_window(now)
    }

    /// Weight used in this minute, and the limit.
    #[must_use]
    pub fn used(&self, now: Duration) -> (u64, u64) {
        let used = if self.window_of(now) == self.window {
            self.used
        } else {
            0
        };
        (used, self.limit)
    }

    fn roll(&mut self, now: Duration) {
        let window = self.window_of(now);
        if window != self.window {
            self.window = window;
            (self.used, self.read) = (0, 0);
        }
    }

    fn until_next_window(&self, now: Duration) -> Duration {
        let next = WINDOW.saturating_mul(u32::try_from(self.window + 1).unwrap_or(u32::MAX));
        self.real(next).saturating_sub(now)
    }

    /// Our minutes are not the venue's. Each answer carries the venue's own count, which corrects the difference.
    fn window_of(&self, now: Duration) -> u64 {
        let windows = now.as_nanos() * self.millionths() / 1_000_000 / WINDOW.as_nanos();
        u64::try_from(windows).unwrap_or(u64::MAX)
    }

    /// Real time of a duration of the venue, rounded up.
    fn real(&self, span: Duration) -> Duration {
        let nanos = (span.as_nanos() * 1_000_000).div_ceil(self.millionths());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    const fn millionths(&self) -> u128 {
        self.speed.0.unsigned_abs() as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_exit_waits_for_the_next_minute_or_for_the_end_of_a_block() {
        let mut budget = RateBudget::new(100);
        let mut waits = |now: u64, used: u64| {
            budget.reported(secs(now), used);
            budget.exit_waits(secs(now)).as_secs()
        };
        assert_eq!([waits(1, 0), waits(1, 89), waits(1, 90)], [0, 0, 59]);
        assert_eq!(waits(61, 0), 0, "the next minute");
        budget.blocked(secs(62), secs(30));
        assert_eq!(budget.exit_waits(secs(70)), secs(22));
        assert_eq!(budget.exit_waits(secs(92)), secs(0));
    }

    #[test]
    fn l11_each_kind_stops_at_its_mark() {
        let check = |used: u64, wanted: [bool; 6]| {
            let kinds = [
                Priority::Cancel,
                Priority::Query,
                Priority::Exit,
                Priority::Entry,
                Priority::Reading,
                Priority::Data,
            ];
            let goes = kinds.map(|kind| {
                let mut budget = RateBudget::new(6_000);
                budget.reported(secs(1), used);
                budget.acquire(secs(1), kind, 1) == Admission::Go
            });
            assert_eq!(goes, wanted, "{used}");
        };
        check(0, [true; 6]);
        check(4_199, [true; 6]);
        check(4_200, [true, true, true, true, true, false]);
        check(4_500, [true, true, true, true, false, false]);
        check(4_799, [true, true, true, true, false, false]);
        check(4_800, [true, true, true, false, false, false]);
        check(5_400, [true, true, false, false, false, false]);
        check(5_700, [true, false, false, false, false, false]);
        check(6_000, [false; 6]);
    }

    #[test]
    fn readings_take_half_of_a_minute_at_most() {
        let mut budget = RateBudget::new(6_000);
        let mut read = |at| {
            let admitted = || budget.acquire(at, Priority::Reading, 20) == Admission::Go;
            std::iter::repeat_with(admitted)
                .take_while(|goes| *goes)
                .count()
        };
        assert_eq!(
            (read(secs(1)), read(secs(59)), read(secs(60))),
            (150, 0, 150)
        );
        for kind in [
            Priority::Cancel,
            Priority::Query,
            Priority::Exit,
            Priority::Entry,
        ] {
            assert_eq!(budget.acquire(secs(61), kind, 4), Admission::Go, "{kind:?}");
        }
    }

    #[test]
    fn nothing_leaves_before_retry_after() {
        let mut budget = RateBudget::new(6_000);
        budget.blocked(secs(10), secs(120));
        budget.blocked(secs(11), secs(1));
        assert_eq!(
            budget.acquire(secs(11), Priority::Cancel, 1),
            Admission::Wait(secs(119))
        );
        assert_eq!(budget.blocked_for(secs(100)), secs(30));
        assert_eq!(budget.acquire(secs(130), Priority::Data, 1), Admission::Go);
    }

    #[test]
    fn a_new_minute_is_a_new_budget() {
        let mut budget = RateBudget::new(100);
        budget.reported(secs(59), 100);
        assert_eq!(
            budget.acquire(secs(59), Priority::Entry, 1),
            Admission::Wait(secs(1))
        );
        assert_eq!(budget.acquire(secs(60), Priority::Entry, 1), Admission::Go);
        assert_eq!(budget.used(secs(60)), (1, 100));
        assert_eq!(budget.used(secs(120)), (0, 100));
    }

    /// At 20 times real time the venue's minute is three seconds, and so is its `Retry-After` of a minute.
    #[test]
    fn a_venue_whose_clock_runs_faster_has_shorter_minutes() {
        let mut budget = RateBudget::new(100).at_speed(Ppm(20_000_000));
        budget.reported(secs(4), 100);
        let wait = budget.acquire(secs(4), Priority::Entry, 1);
        assert_eq!(wait, Admission::Wait(secs(2)));
        assert_eq!(budget.acquire(secs(6), Priority::Entry, 1), Admission::Go);
        budget.blocked(secs(7), secs(60));
        assert_eq!(budget.blocked_for(secs(7)), secs(3));
        assert_eq!(budget.used(secs(8)), (1, 100));
        assert_eq!(budget.used(secs(9)), (0, 100));
    }

    proptest! {
        #[test]
        fn entries_never_fill_more_than_their_share(weights in proptest::collection::vec(1_u64..50, 1..400)) {
            let mut budget = RateBudget::new(1_000);
            let mut sent = 0;
            for weight in weights {
                if budget.acquire(secs(5), Priority::Entry, weight) == Admission::Go {
                    sent += weight;
                }
            }
            prop_assert!(sent <= 800);
        }
    }
}
