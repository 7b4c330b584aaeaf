//! What a bot's closed trades make of its [`Protections`]: for how long it opens no new position, and where.
//!
//! The kinds are those that users of freqtrade know. Profits are compared with the bot's budget, not with what a trade cost, since one
//! sum over instruments of different sizes means nothing otherwise.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, InstrumentId, Protection, Protections, Timestamp};

/// How many closed trades are kept at most, however far back they count.
const TRADES_MAX: usize = 1_000;

/// A trade that was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedTrade {
    /// In what.
    pub instrument: InstrumentId,
    /// When.
    pub at: Timestamp,
    /// What it brought since it was opened, fees in the quote asset included; in the quote asset.
    pub profit: Amount,
    /// Whether its stop closed it, its trailing stop or its age.
    pub by_plan: bool,
}

/// A time in which a bot opens no new position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why.
    pub protection: Protection,
    /// Where; `None` for all its instruments.
    pub instrument: Option<InstrumentId>,
    /// Until when.
    pub until: Timestamp,
}

/// The closed trades of a bot that still count, and its pauses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedTrades {
    trades: VecDeque<ClosedTrade>,
    pauses: Vec<Pause>,
}

impl ClosedTrades {
    /// Takes a closed trade in, and begins the pauses that follow from it. `budget` is the bot's, in the quote asset.
    pub fn note(&mut self, protections: &Protections, budget: Amount, trade: ClosedTrade) {
        if protections.is_empty() {
            return;
        }
        self.pauses.retain(|pause| trade.at < pause.until);
        let memory = protections.memory();
        self.trades.push_back(trade);
        while let Some(first) = self.trades.front()
            && (self.trades.len() > TRADES_MAX || trade.at.since(first.at) > memory)
        {
            self.trades.pop_front();
        }
        let here = Some(trade.instrument);
        if let Some(pause) = protections.cooldown {
            self.pause(Protection::Cooldown, here, trade.at + pause);
        }
        if let Some(guard) = protections.stop_guard
            && trade.is_stopped()
        {
            let only = here.filter(|_| guard.per_instrument);
            let stopped = self.since(trade.at, guard.lookback, only);
            if stopped.filter(|trade| trade.is_stopped()).count() >= guard.trades as usize {
                self.pause(Protection::StopGuard, only, trade.at + guard.pause);
            }
        }
        if let Some(guard) = protections.drawdown {
            let profits = self.since(trade.at, guard.lookback, None);
            let profits: Vec<Amount> = profits.map(|trade| trade.profit).collect();
            let limit = budget.share(guard.limit).unwrap_or(Amount(i128::MAX));
            if profits.len() >= guard.trades as usize && largest_fall(&profits) >= limit {
                self.pause(Protection::Drawdown, None, trade.at + guard.pause);
            }
        }
        if let Some(guard) = protections.low_profit {
            let profits = self.since(trade.at, guard.lookback, here);
            let profits: Vec<Amount> = profits.map(|trade| trade.profit).collect();
            let required = budget.share(guard.required).unwrap_or(Amount(i128::MIN));
            if profits.len() >= guard.trades as usize && sum(&profits) < required {
                self.pause(Protection::LowProfit, here, trade.at + guard.pause);
            }
        }
    }

    /// The pause that lasts longest of those that keep a bot from opening a position in an instrument now.
    #[must_use]
    pub fn pause_of(&self, instrument: InstrumentId, now: Timestamp) -> Option<Pause> {
        let here = self.pauses(now);
        here.filter(|pause| pause.instrument.is_none_or(|only| only == instrument))
            .max_by_key(|pause| pause.until)
    }

    /// All pauses that last, in the order in which they began.
    pub fn pauses(&self, now: Timestamp) -> impl Iterator<Item = Pause> + '_ {
        let pauses = self.pauses.iter().copied();
        pauses.filter(move |pause| now < pause.until)
    }

    /// Ends all pauses, and forgets what led to them: a person starts the bot anew.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn since(
        &self,
        now: Timestamp,
        lookback: Duration,
        only: Option<InstrumentId>,
    ) -> impl Iterator<Item = &ClosedTrade> {
        let of = move |trade: &&ClosedTrade| only.is_none_or(|only| only == trade.instrument);
        let counted = self.trades.iter();
        counted
            .filter(move |trade| now.since(trade.at) <= lookback)
            .filter(of)
    }

    fn pause(
        &mut self,
        protection: Protection,
        instrument: Option<InstrumentId>,
        until: Timestamp,
    ) {
        let is_same =
            |pause: &Pause| (pause.protection, pause.instrument) == (protection, instrument);
        self.pauses.retain(|pause| !is_same(pause));
        self.pauses.push(Pause {
            protection,
            instrument,
            until,
        });
    }
}

impl ClosedTrade {
    const fn is_stopped(&self) -> bool {
        self.by_plan && self.profit.0 < 0
    }
}

fn sum(profits: &[Amount]) -> Amount {
    let add = |sum: i128, profit: &Amount| sum.saturating_add(profit.0);
    Amount(profits.iter().fold(0, add))
}

/// How far the summed profits fell from their peak, which is 0 at first.
fn largest_fall(profits: &[Amount]) -> Amount {
    let (mut total, mut peak, mut fall) = (0_i128, 0_i128, 0_i128);
    for profit in profits {
        total = total.saturating_add(profit.0);
        peak = peak.max(total);
        fall = fall.max(peak.saturating_sub(total));
    }
    Amount(fall)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{DrawdownGuard, LowProfit, Ppm, StopGuard};

    const BUDGET: Amount = Amount(1_000 * Amount::ONE.0);
    const HERE: InstrumentId = InstrumentId(0);
    const THERE: InstrumentId = InstrumentId(1);

    const fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_secs(60 * minute)
    }

    /// The pauses after trades: minute, instrument, profit, whether the plan closed it.
    fn after(
        protections: &Protections,
        trades: &[(i64, InstrumentId, i128, bool)],
    ) -> ClosedTrades {
        let mut closed = ClosedTrades::default();
        for (minute, instrument, profit, by_plan) in trades {
            let trade = ClosedTrade {
                instrument: *instrument,
                at: at(*minute),
                profit: Amount(profit * Amount::ONE.0),
                by_plan: *by_plan,
            };
            closed.note(protections, BUDGET, trade);
        }
        closed
    }

    fn pause(closed: &ClosedTrades, instrument: InstrumentId, minute: i64) -> Option<Protection> {
        let pause = closed.pause_of(instrument, at(minute));
        pause.map(|pause| pause.protection)
    }

    #[test]
    fn a_cooldown_follows_each_close_in_its_instrument_alone() {
        let protections = Protections {
            cooldown: Some(minutes(10)),
            ..Protections::default()
        };
        let closed = after(&protections, &[(0, HERE, 5, false)]);
        assert_eq!(pause(&closed, HERE, 9), Some(Protection::Cooldown));
        assert_eq!(pause(&closed, HERE, 10), None);
        assert_eq!(pause(&closed, THERE, 0), None);
    }

    #[test]
    fn a_stop_guard_counts_losses_by_the_plan_within_its_lookback() {
        let guard = StopGuard {
            lookback: minutes(60),
            trades: 2,
            pause: minutes(30),
            per_instrument: false,
        };
        let with = |guard| Protections {
            stop_guard: Some(guard),
            ..Protections::default()
        };
        let shared = with(guard);
        let alone = with(StopGuard {
            per_instrument: true,
            ..guard
        });
        let two = [(0, HERE, -1, true), (60, THERE, -1, true)];
        let cases: [(&Protections, &[_], InstrumentId, i64, bool); 8] = [
            (&shared, &two[..1], HERE, 1, false),
            (&shared, &two, HERE, 89, true),
            (&shared, &two, HERE, 90, false),
            (
                &shared,
                &[(0, HERE, -1, true), (61, THERE, -1, true)],
                HERE,
                62,
                false,
            ),
            (
                &shared,
                &[(0, HERE, -1, false), (60, THERE, -1, true)],
                HERE,
                62,
                false,
            ),
            (
                &shared,
                &[(0, HERE, 1, true), (60, THERE, -1, true)],
                HERE,
                62,
                false,
            ),
            (&alone, &two, THERE, 62, false),
            (
                &alone,
                &[(0, HERE, -1, true), (60, HERE, -1, true)],
                THERE,
                62,
                false,
            ),
        ];
        for (protections, trades, instrument, minute, pauses) in cases {
            let closed = after(protections, trades);
            let found = pause(&closed, instrument, minute).is_some();
            assert_eq!(found, pauses, "{trades:?} at {minute}");
        }
        let closed = after(&alone, &[(0, HERE, -1, true), (60, HERE, -1, true)]);
        assert_eq!(pause(&closed, HERE, 62), Some(Protection::StopGuard));
    }

    #[test]
    fn a_drawdown_is_a_fall_of_the_summed_profits_from_their_peak() {
        let protections = Protections {
            drawdown: Some(DrawdownGuard {
                lookback: minutes(60),
                trades: 3,
                limit: Ppm(50_000),
                pause: minutes(30),
            }),
            ..Protections::default()
        };
        let falls = |profits: [i128; 3]| {
            let trades = profits.map(|profit| (0, HERE, profit, false));
            pause(&after(&protections, &trades), THERE, 1).is_some()
        };
        assert!(!falls([-20, -29, 0]));
        assert!(falls([-20, -30, 0]));
        assert!(falls([100, -20, -30]));
        let few = after(&protections, &[(0, HERE, -100, false); 2]);
        assert_eq!(pause(&few, HERE, 1), None);
    }

    #[test]
    fn an_instrument_that_earns_too_little_pauses_alone() {
        let protections = Protections {
            low_profit: Some(LowProfit {
                lookback: minutes(60),
                trades: 2,
                required: Ppm(10_000),
                pause: minutes(30),
            }),
            ..Protections::default()
        };
        let below = after(&protections, &[(0, HERE, 5, false), (1, HERE, 4, false)]);
        assert_eq!(pause(&below, HERE, 2), Some(Protection::LowProfit));
        assert_eq!(pause(&below, THERE, 2), None);
        let enough = after(&protections, &[(0, HERE, 5, false), (1, HERE, 5, false)]);
        assert_eq!(pause(&enough, HERE, 2), None);
        let apart = after(&protections, &[(0, HERE, 5, false), (1, THERE, 4, false)]);
        assert_eq!(pause(&apart, HERE, 2), None);
    }

    #[test]
    fn trades_and_pauses_are_bounded() {
        let protections = Protections {
            cooldown: Some(minutes(10)),
            low_profit: Some(LowProfit {
                lookback: Duration::from_secs(u32::MAX.into()),
                trades: 1,
                required: Ppm(0),
                pause: minutes(30),
            }),
            ..Protections::default()
        };
        let trades: Vec<_> = (0..3_000).map(|minute| (minute, HERE, -1, true)).collect();
        let closed = after(&protections, &trades);
        assert_eq!(closed.trades.len(), TRADES_MAX);
        assert_eq!(closed.pauses.len(), 2);
    }
}
