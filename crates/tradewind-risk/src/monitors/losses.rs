//! R22: losses of a UTC day, of accounts and of bots.
//!
//! A loss counts once two valuations in a row show it, so that one wild price does not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, Amount, BotId, Ppm, Timestamp};

use super::{AccountValue, BotValue, Monitor, Observation, Verdict};
use crate::limits::Limits;
use crate::state::{CauseKind, Scope, TradingState};

/// The day's beginning for every account and bot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DailyLosses {
    accounts: BTreeMap<AccountId, AccountDay>,
    bots: BTreeMap<BotId, BotDay>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AccountDay {
    day: Timestamp,
    profit: Amount,
    equity: Amount,
    reduces: Breach,
    alarms: Breach,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct BotDay {
    day: Timestamp,
    profit: Amount,
    off: Breach,
}

/// A loss that must be seen twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Breach {
    seen_at: Option<Timestamp>,
    is_open: bool,
}

impl Breach {
    /// Takes whether a valuation shows it. True when it is confirmed by this one, once.
    pub(super) fn is_confirmed(&mut self, now: Timestamp, shows: bool) -> bool {
        if self.is_open {
            return false;
        }
        if !shows {
            self.seen_at = None;
            return false;
        }
        let first = *self.seen_at.get_or_insert(now);
        self.is_open = now > first;
        self.is_open
    }
}

impl Monitor for DailyLosses {
    fn observe(
        &mut self,
        now: Timestamp,
        observed: &Observation,
        limits: &Limits,
        verdicts: &mut Vec<Verdict>,
    ) {
        match observed {
            Observation::Account(value) => self.on_account(now, value, limits, verdicts),
            Observation::Bot(value) => self.on_bot(now, value, limits, verdicts),
            _ => {}
        }
    }

    /// The loss of the day is counted from the next valuation on.
    fn clear(&mut self, scope: Scope) {
        match scope {
            Scope::Account(account) => drop(self.accounts.remove(&account)),
            Scope::Bot(bot) => drop(self.bots.remove(&bot)),
            Scope::Desk | Scope::Instrument(_) | Scope::Venue(_) => {}
        }
    }

    fn move_base(&mut self, scope: Scope, jump: Option<Amount>) {
        let profit = match scope {
            Scope::Account(account) => self.accounts.get_mut(&account).map(|day| &mut day.profit),
            Scope::Bot(bot) => self.bots.get_mut(&bot).map(|day| &mut day.profit),
            Scope::Desk | Scope::Instrument(_) | Scope::Venue(_) => None,
        };
        match (profit, jump) {
            (Some(profit), Some(jump)) => *profit = Amount(profit.0.saturating_add(jump.0)),
            (Some(_), None) => self.clear(scope),
            (None, _) => {}
        }
    }
}

impl DailyLosses {
    fn on_account(
        &mut self,
        now: Timestamp,
        value: &AccountValue,
        limits: &Limits,
        verdicts: &mut Vec<Verdict>,
    ) {
        let scope = Scope::Account(value.account);
        let fresh = AccountDay {
            day: now.start_of_day(),
            profit: value.profit,
            equity: value.equity,
            reduces: Breach::default(),
            alarms: Breach::default(),
        };
        let day = self.accounts.entry(value.account);
        let day = day.or_insert_with(|| fresh.clone());
        let rules = [
            (CauseKind::DailyLoss, TradingState::Reducing),
            (CauseKind::DailyLossAlarm, TradingState::Active),
        ];
        if day.day != now.start_of_day() {
            let was_open = [day.reduces.is_open, day.alarms.is_open];
            for ((reason, state), _) in rules
                .clone()
                .into_iter()
                .zip(was_open)
                .filter(|(_, open)| *open)
            {
                verdicts.push(Verdict::passing(scope, reason, state, false));
            }
            *day = fresh;
        }
        let shares = [limits.daily_loss_reduce, limits.daily_loss_alarm];
        let (from, equity) = (day.profit, day.equity);
        let breaches = [&mut day.reduces, &mut day.alarms];
        for ((rule, share), breach) in rules.into_iter().zip(shares).zip(breaches) {
            let shows = share.is_some_and(|share| loses(from, value.profit, equity, share));
            if breach.is_confirmed(now, shows) {
                verdicts.push(Verdict::passing(scope, rule.0, rule.1, true));
            }
        }
    }

    fn on_bot(
        &mut self,
        now: Timestamp,
        value: &BotValue,
        limits: &Limits,
        verdicts: &mut Vec<Verdict>,
    ) {
        let verdict = |open| {
            let (reason, state) = (CauseKind::BotDailyLoss, TradingState::Reducing);
            Verdict::passing(Scope::Bot(value.bot), reason, state, open)
        };
        let fresh = BotDay {
            day: now.start_of_day(),
            profit: value.profit,
            off: Breach::default(),
        };
        let day = self.bots.entry(value.bot).or_insert_with(|| fresh.clone());
        if day.day != now.start_of_day() {
            if day.off.is_open {
                verdicts.push(verdict(false));
            }
            *day = fresh;
        }
        let planned = value.planned_loss.zip(limits.bot_daily_loss);
        let shows = planned
            .is_some_and(|(planned, multiple)| loses(day.profit, value.profit, planned, multiple));
        if day.off.is_confirmed(now, shows) {
            verdicts.push(verdict(true));
        }
    }
}

/// Whether the profit fell by at least this share (or multiple) of `base`.
pub(super) fn loses(from: Amount, to: Amount, base: Amount, share: Ppm) -> bool {
    let loss = Amount(from.0.saturating_sub(to.0));
    let limit = base.share(share);
    limit.is_some_and(|limit| limit > Amount::ZERO && loss >= limit)
}

#[cfg(test)]
mod tests {
    use super::super::world::{ACCOUNT, BOT, Watch, account, at, bot};
    use super::*;

    const REDUCED: (CauseKind, TradingState, bool) =
        (CauseKind::DailyLoss, TradingState::Reducing, true);
    const ALARMED: (CauseKind, TradingState, bool) =
        (CauseKind::DailyLossAlarm, TradingState::Active, true);
    const OFF: (CauseKind, TradingState, bool) =
        (CauseKind::BotDailyLoss, TradingState::Reducing, true);

    /// R22
    #[test]
    fn an_account_reduces_at_3_percent_and_alarms_at_5() {
        let lost = |loss: i64| {
            let mut watch = Watch::default();
            watch.see(at(0), account(0));
            watch.see(at(1), account(-loss));
            assert_eq!(watch.verdicts(), [], "seen once");
            watch.see(at(2), account(-loss));
            watch.see(at(3), account(-loss));
            watch.verdicts()
        };
        assert_eq!(lost(299), []);
        assert_eq!(lost(300), [REDUCED]);
        assert_eq!(lost(499), [REDUCED]);
        assert_eq!(lost(500), [REDUCED, ALARMED]);
    }

    /// R22, D06
    #[test]
    fn one_wild_price_is_no_loss() {
        let mut watch = Watch::default();
        for (second, profit) in [(0, 0), (1, -9_000), (2, 0), (3, -9_000), (4, -10)] {
            watch.see(at(second), account(profit));
            watch.see(at(second), bot(profit));
        }
        assert_eq!(watch.verdicts(), []);
    }

    /// R22, T05
    #[test]
    fn the_next_day_begins_anew_once() {
        let mut watch = Watch::default();
        watch.see(at(0), account(0));
        watch.see(at(86_398), account(-600));
        watch.see(at(86_399), account(-600));
        assert_eq!(watch.verdicts(), [REDUCED, ALARMED]);
        watch.see(at(86_400), account(-600));
        let closed = watch.verdicts();
        assert_eq!(closed.len(), 2);
        assert!(closed.iter().all(|(_, _, open)| !open));
        watch.see(at(86_401), account(-800));
        watch.see(at(86_402), account(-800));
        assert_eq!(watch.verdicts(), [], "200 of the new day's 9,400");
    }

    /// R22
    #[test]
    fn a_bot_is_off_at_twice_its_planned_loss() {
        let lost = |loss: i64| {
            let mut watch = Watch::default();
            watch.see(at(0), bot(100));
            watch.see(at(1), bot(100 - loss));
            watch.see(at(2), bot(100 - loss));
            watch
        };
        assert_eq!(lost(11).verdicts(), []);
        assert_eq!(lost(12).verdicts(), [OFF]);
        let mut watch = lost(13);
        assert_eq!(watch.verdicts(), [OFF]);
        watch.see(at(86_400), bot(87));
        let (reason, state, _) = OFF;
        assert_eq!(watch.verdicts(), [(reason, state, false)]);
    }

    /// R22: a position that is given at a cost far from the market is no loss, and hides none.
    #[test]
    fn a_jump_of_the_profit_is_no_loss_of_the_day() {
        let mut watch = Watch::default();
        watch.see(at(0), account(0));
        watch.see(at(0), bot(0));
        for scope in [Scope::Account(ACCOUNT), Scope::Bot(BOT)] {
            watch.monitors.move_base(scope, Some(Amount::whole(-1_000)));
        }
        for second in 1..4 {
            watch.see(at(second), account(-1_000));
            watch.see(at(second), bot(-1_000));
        }
        assert_eq!(watch.verdicts(), []);
        for second in 4..6 {
            watch.see(at(second), account(-1_300));
            watch.see(at(second), bot(-1_012));
        }
        assert_eq!(watch.verdicts(), [REDUCED, OFF]);
    }

    #[test]
    fn a_person_who_clears_it_sets_the_loss_to_zero() {
        let mut watch = Watch::default();
        watch.see(at(0), account(0));
        watch.see(at(1), account(-400));
        watch.see(at(2), account(-400));
        assert_eq!(watch.verdicts(), [REDUCED]);
        watch.monitors.clear(Scope::Account(ACCOUNT));
        watch.monitors.clear(Scope::Bot(BOT));
        watch.see(at(3), account(-400));
        watch.see(at(4), account(-400));
        assert_eq!(watch.verdicts(), []);
    }
}
