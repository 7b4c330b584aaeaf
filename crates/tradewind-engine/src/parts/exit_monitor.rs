//! An exit plan at work: the levels at which one position is closed.
//!
//! Pure arithmetic on prices. A long position is watched on the bid and a short one on the ask: the price at which it
//! could really be closed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_events::ExitView;
use tradewind_model::{
    ExitPlan, Instrument, Ppm, Price, Quote, Side, Stop, TakeProfitBy, Timestamp,
};

/// The longest wait between two tries of an exit.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// Why a position is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitCause {
    Stop,
    TakeProfit,
    Trailing,
    Age,
    ProfitByAge,
}

impl ExitCause {
    /// What is reached, in words.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stop => "its stop is",
            Self::TakeProfit => "its take profit is",
            Self::Trailing => "its trailing stop is",
            Self::Age => "its time is over, at",
            Self::ProfitByAge => "its profit by age is",
        }
    }

    pub(crate) const fn template(self) -> &'static str {
        match self {
            Self::Stop => "stop: {} reached {}",
            Self::TakeProfit => "take profit: {} reached {}",
            Self::Trailing => "trailing stop: {} reached {}",
            Self::Age => "time: closed at {}",
            Self::ProfitByAge => "profit by age: {} reached {}",
        }
    }
}

/// Where a position's loss is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StopLevel {
    pub(crate) price: Price,
    /// From the price it follows: the entry, or the best price since. Counts of the price, not negative.
    pub(crate) distance: i64,
    /// The side that opened the position.
    side: Side,
    /// Whether it moves with the best price.
    pub(crate) trails: bool,
}

impl StopLevel {
    /// The trigger of a stop `factor` times as far away, on a tick, moved away from the market; `None` below the lowest
    /// price.
    pub(crate) fn trigger(&self, factor: Ppm, instrument: &Instrument) -> Option<Price> {
        let beyond = i128::from(self.distance) * i128::from(factor.0 - Ppm::ONE.0);
        let beyond = beyond + i128::from(Ppm::ONE.0 - 1);
        let beyond = i64::try_from(beyond / i128::from(Ppm::ONE.0)).ok()?;
        let price = match self.side {
            Side::Buy => self.price.0.checked_sub(beyond)?,
            Side::Sell => self.price.0.checked_add(beyond)?,
        };
        let price = instrument.round_price(Price(price), self.side);
        instrument.check_price(price).is_ok().then_some(price)
    }
}

/// The levels at which one position is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExitMonitor {
    plan: ExitPlan,
    /// The side that opened the position.
    side: Side,
    entry: Price,
    opened_at: Timestamp,
    stop: Option<Price>,
    take_profit: Option<Price>,
    /// Best price since entry, on the closing side.
    best: Price,
    /// The earliest time of the next try of an exit.
    not_before: Timestamp,
    /// Exits tried in a row.
    tries: u32,
}

impl ExitMonitor {
    /// Monitors a position of `side` entered at `entry` on average.
    pub(crate) fn new(plan: ExitPlan, side: Side, entry: Price, opened_at: Timestamp) -> Self {
        let stop = Self::planned_stop(plan.stop, side, entry);
        let take_profit = plan
            .take_profit
            .and_then(|share| favour(entry, side, share));
        Self {
            plan,
            side,
            entry,
            opened_at,
            stop,
            take_profit,
            best: entry,
            not_before: Timestamp::EPOCH,
            tries: 0,
        }
    }

    /// Where a position of `side` entered at `entry` takes its loss by the stop of a plan.
    pub(crate) fn planned_stop(stop: Stop, side: Side, entry: Price) -> Option<Price> {
        match stop {
            Stop::None => None,
            Stop::Distance(share) => against(entry, side, share),
            Stop::At(price) => Some(price),
        }
    }

    /// Notes that an exit is tried. The wait before the next try starts at a second and doubles up to a minute, so that
    /// a closed market does not get an order with every quote.
    pub(crate) fn note_try(&mut self, now: Timestamp) {
        self.not_before = now + Duration::from_secs(1 << self.tries.min(6)).min(RETRY_MAX);
        self.tries += 1;
    }

    /// Whether it has tried to close the position.
    pub(crate) const fn is_leaving(&self) -> bool {
        self.tries > 0
    }

    /// The same monitor after the position's size and average entry changed. The best price so far is kept.
    pub(crate) fn moved(&self, plan: ExitPlan, entry: Price) -> Self {
        let best = if self.is_better(self.best, entry) {
            self.best
        } else {
            entry
        };
        Self {
            best,
            ..Self::new(plan, self.side, entry, self.opened_at)
        }
    }

    pub(crate) const fn side(&self) -> Side {
        self.side
    }

    /// The price of the stop that does not trail.
    pub(crate) const fn fixed_stop(&self) -> Option<Price> {
        self.stop
    }

    /// Whether there is anything to watch for.
    pub(crate) fn is_empty(plan: &ExitPlan) -> bool {
        *plan == ExitPlan::default()
    }

    /// Moves the trailing stop. Returns why and at which level the position is to be closed; `None` if it is not.
    pub(crate) fn watch(&mut self, quote: &Quote, now: Timestamp) -> Option<(ExitCause, Price)> {
        let price = quote.opposite_side(self.side.opposite());
        if self.is_better(price, self.best) {
            self.best = price;
        }
        if now < self.not_before {
            return None;
        }
        let hits = [
            (
                ExitCause::Stop,
                self.stop.filter(|level| !self.is_better(price, *level)),
            ),
            (
                ExitCause::Trailing,
                self.trailing()
                    .filter(|level| !self.is_better(price, *level)),
            ),
            (
                ExitCause::TakeProfit,
                self.take_profit
                    .filter(|level| !self.is_better(*level, price)),
            ),
            (
                ExitCause::ProfitByAge,
                self.profit_by_age(now)
                    .filter(|level| !self.is_better(*level, price)),
            ),
            (
                ExitCause::Age,
                self.ends_at().filter(|end| *end <= now).map(|_| price),
            ),
        ];
        hits.into_iter()
            .find_map(|(cause, level)| level.map(|level| (cause, level)))
    }

    /// Whether a quote passes a stop, fixed or trailing.
    pub(crate) fn passes_stop(&self, quote: &Quote) -> bool {
        let price = quote.opposite_side(self.side.opposite());
        let levels = [self.stop, self.trailing()];
        let mut levels = levels.into_iter().flatten();
        levels.any(|level| !self.is_better(price, level))
    }

    /// Whether a quote reaches a level at which the desk itself takes a profit: no order that `rests` at the venue does.
    pub(crate) fn takes_profit(
        &self,
        quote: &Quote,
        now: Timestamp,
        rests: impl FnOnce(Price) -> bool,
    ) -> bool {
        let price = quote.opposite_side(self.side.opposite());
        let is_reached = |level: &Price| !self.is_better(*level, price);
        let fixed = self.take_profit.filter(is_reached);
        let by_age = self.profit_by_age(now).filter(is_reached);
        by_age.is_some() || fixed.is_some_and(|level| !rests(level))
    }

    /// Whether a quote would move a trailing stop.
    pub(crate) fn moves_stop(&self, quote: &Quote) -> bool {
        let price = quote.opposite_side(self.side.opposite());
        self.trailing().is_some() && self.is_better(price, self.best)
    }

    /// Where an order that rests at the venue takes the profit, if the plan wants one. Beside a stop that trails none rests: each
    /// step would end both.
    pub(crate) fn resting_take_profit(&self) -> Option<Price> {
        let may_rest =
            self.plan.take_profit_by == TakeProfitBy::Limit && self.plan.trailing.is_none();
        self.take_profit.filter(|_| may_rest)
    }

    /// When the position is closed at the latest.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        self.plan.time.map(|age| self.opened_at + age)
    }

    pub(crate) fn view(&self) -> ExitView {
        ExitView {
            stop: self.stop,
            take_profit: self.take_profit,
            trailing: self.trailing(),
            at: self.ends_at(),
        }
    }

    /// Age at which something changes by itself, if any.
    pub(crate) fn next_age(&self, now: Timestamp) -> Option<Timestamp> {
        let ages = self
            .plan
            .profit_by_age
            .iter()
            .map(|(age, _)| *age)
            .chain(self.plan.time);
        ages.map(|age: Duration| self.opened_at + age)
            .filter(|at| *at > now)
            .min()
    }

    /// The level at which a loss is taken, and its distance from the price that it follows; the nearer one of a fixed and a
    /// trailing stop.
    pub(crate) fn stop_level(&self) -> Option<StopLevel> {
        let fixed = self.stop.map(|level| (level, self.entry));
        let trailing = self.trailing().map(|level| (level, self.best));
        let nearer = match (fixed, trailing) {
            (Some(one), Some(other)) if self.is_better(one.0, other.0) => Some(one),
            (one, other) => other.or(one),
        };
        nearer.map(|(price, from)| StopLevel {
            price,
            distance: match self.side {
                Side::Buy => from.0.saturating_sub(price.0).max(0),
                Side::Sell => price.0.saturating_sub(from.0).max(0),
            },
            side: self.side,
            trails: self.plan.trailing.is_some(),
        })
    }

    /// Forgets the wait before the next try of an exit.
    pub(crate) const fn retry_at_once(&mut self) {
        self.not_before = Timestamp::EPOCH;
        self.tries = 0;
    }

    fn trailing(&self) -> Option<Price> {
        self.plan
            .trailing
            .and_then(|share| against(self.best, self.side, share))
    }

    /// Whether a gain is taken by age, at once or later.
    pub(crate) const fn has_profit_by_age(&self) -> bool {
        !self.plan.profit_by_age.is_empty()
    }

    /// Where the gain is taken at the age that it has `now`.
    pub(crate) fn profit_by_age(&self, now: Timestamp) -> Option<Price> {
        let age = now.since(self.opened_at);
        let step = self
            .plan
            .profit_by_age
            .iter()
            .rev()
            .find(|(from, _)| *from <= age)?;
        target(self.entry, self.side, step.1)
    }

    /// Whether `one` is strictly better for this position than `other`.
    fn is_better(&self, one: Price, other: Price) -> bool {
        match self.side {
            Side::Buy => one > other,
            Side::Sell => one < other,
        }
    }
}

/// `price` moved by `share` of itself in the position's favour.
fn favour(price: Price, side: Side, share: Ppm) -> Option<Price> {
    let change = i128::from(price.0) * i128::from(share.0) / i128::from(Ppm::ONE.0);
    let change = i64::try_from(change).ok()?;
    Some(Price(match side {
        Side::Buy => price.0.checked_add(change)?,
        Side::Sell => price.0.checked_sub(change)?,
    }))
}

/// The first price at which a position gains `share` of its entry: rounded away from the entry, so that the gain is never less.
fn target(entry: Price, side: Side, share: Ppm) -> Option<Price> {
    let change = i128::from(entry.0) * i128::from(share.0);
    let change = i64::try_from(-(-change).div_euclid(i128::from(Ppm::ONE.0))).ok()?;
    Some(Price(match side {
        Side::Buy => entry.0.checked_add(change)?,
        Side::Sell => entry.0.checked_sub(change)?,
    }))
}

fn against(price: Price, side: Side, share: Ppm) -> Option<Price> {
    favour(price, side.opposite(), share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{AssetId, InstrumentId, Quantity};

    #[test]
    fn a_profit_by_age_is_never_nearer_than_its_gain() {
        let check = |side, share, wanted| {
            assert_eq!(target(Price(4_131), side, Ppm(share)), Some(Price(wanted)));
        };
        // One percent of 4,131 is 41.31.
        check(Side::Buy, 10_000, 4_173);
        check(Side::Sell, 10_000, 4_089);
        check(Side::Buy, 0, 4_131);
        check(Side::Buy, 1_000_000, 8_262);
        check(Side::Buy, -10_000, 4_090);
    }

    fn quote(bid: i64) -> Quote {
        Quote {
            instrument: InstrumentId(0),
            bid: Price(bid),
            ask: Price(bid + 2),
            bid_quantity: Quantity(1),
            ask_quantity: Quantity(1),
            event_time: None,
            received_at: Timestamp::EPOCH,
        }
    }

    fn causes(plan: ExitPlan, side: Side, bids: &[(u64, i64)]) -> Vec<Option<ExitCause>> {
        let mut monitor = ExitMonitor::new(plan, side, Price(10_000), Timestamp::EPOCH);
        let now = |secs| Timestamp::EPOCH + Duration::from_secs(secs);
        bids.iter()
            .map(|&(secs, bid)| {
                monitor
                    .watch(&quote(bid), now(secs))
                    .map(|(cause, _)| cause)
            })
            .collect()
    }

    #[test]
    fn a_stop_is_hit_at_its_level_and_not_before() {
        let plan = ExitPlan {
            stop: Stop::Distance(Ppm(20_000)),
            ..ExitPlan::default()
        };
        let bids = [(0, 9_801), (1, 9_800), (2, 9_799)];
        assert_eq!(
            causes(plan.clone(), Side::Buy, &bids),
            [None, Some(ExitCause::Stop), Some(ExitCause::Stop)]
        );
        // A short position is closed at the ask, which is the bid plus 2.
        assert_eq!(
            causes(plan, Side::Sell, &[(0, 10_197), (1, 10_198)]),
            [None, Some(ExitCause::Stop)]
        );
    }

    #[test]
    fn a_stop_at_the_venue_is_as_much_farther_from_what_the_stop_follows() {
        let instrument = Instrument {
            tick: Price(5),
            ..Instrument::spot(InstrumentId(0), "x", AssetId(0), AssetId(1))
        };
        let check = |plan: ExitPlan, side, best: i64, wanted: Option<i64>| {
            let mut monitor = ExitMonitor::new(plan, side, Price(10_000), Timestamp::EPOCH);
            monitor.watch(&quote(best), Timestamp::EPOCH);
            let level = monitor.stop_level();
            let trigger = level.and_then(|level| level.trigger(Ppm(1_250_000), &instrument));
            assert_eq!(trigger, wanted.map(Price));
        };
        let fixed = ExitPlan {
            stop: Stop::Distance(Ppm(20_000)),
            ..ExitPlan::default()
        };
        check(fixed.clone(), Side::Buy, 10_000, Some(9_750));
        check(fixed.clone(), Side::Sell, 9_998, Some(10_250));
        let trailing = ExitPlan {
            trailing: Some(Ppm(10_000)),
            ..fixed.clone()
        };
        check(trailing.clone(), Side::Buy, 10_000, Some(9_875));
        // 12,000 less 1.25 x 120 is 11,850.
        check(trailing, Side::Buy, 12_000, Some(11_850));
        let far = ExitPlan {
            stop: Stop::Distance(Ppm(900_000)),
            ..ExitPlan::default()
        };
        check(far, Side::Buy, 10_000, None);
        let odd = ExitPlan {
            stop: Stop::At(Price(10_103)),
            ..ExitPlan::default()
        };
        check(odd, Side::Buy, 10_200, Some(10_100));
        check(ExitPlan::default(), Side::Buy, 10_000, None);
    }

    #[test]
    fn a_trailing_stop_follows_the_best_price_only_upwards() {
        let plan = ExitPlan {
            trailing: Some(Ppm(10_000)),
            ..ExitPlan::default()
        };
        let bids = [(0, 10_000), (1, 11_000), (2, 10_900), (3, 10_890)];
        assert_eq!(
            causes(plan, Side::Buy, &bids),
            [None, None, None, Some(ExitCause::Trailing)]
        );
    }

    #[test]
    fn profit_and_age_close_a_position() {
        let plan = ExitPlan {
            take_profit: Some(Ppm(30_000)),
            time: Some(Duration::from_secs(60)),
            profit_by_age: vec![(Duration::from_secs(30), Ppm(10_000))],
            ..ExitPlan::default()
        };
        let bids = [
            (0, 10_299),
            (1, 10_300),
            (29, 10_100),
            (30, 10_100),
            (59, 10_000),
            (60, 10_000),
        ];
        assert_eq!(
            causes(plan, Side::Buy, &bids),
            [
                None,
                Some(ExitCause::TakeProfit),
                None,
                Some(ExitCause::ProfitByAge),
                None,
                Some(ExitCause::Age)
            ]
        );
    }
}
