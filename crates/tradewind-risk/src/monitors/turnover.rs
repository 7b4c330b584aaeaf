//! R25: what an account trades in a UTC day, as a multiple of its equity. An alarm.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, Amount, Timestamp};

use super::{Monitor, Observation, Verdict};
use crate::limits::Limits;
use crate::state::{CauseKind, Scope, TradingState};

/// The turnover of every account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Turnover {
    accounts: BTreeMap<AccountId, Day>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Day {
    day: Timestamp,
    traded: Amount,
    is_alarmed: bool,
}

impl Monitor for Turnover {
    fn observe(
        &mut self,
        now: Timestamp,
        observed: &Observation,
        limits: &Limits,
        verdicts: &mut Vec<Verdict>,
    ) {
        match observed {
            Observation::Fill { account, value, .. } => {
                let day = self.day(*account, now, verdicts);
                day.traded = Amount(day.traded.0.saturating_add(value.abs().0));
            }
            Observation::Account(value) => {
                let day = self.day(value.account, now, verdicts);
                let limit = limits.turnover_max;
                let limit = limit.and_then(|multiple| value.equity.share(multiple));
                let is_over = limit.is_some_and(|limit| day.traded > limit);
                if is_over && !std::mem::replace(&mut day.is_alarmed, true) {
                    verdicts.push(alarm(value.account, true));
                }
            }
            _ => {}
        }
    }

    fn clear(&mut self, scope: Scope) {
        if let Scope::Account(account) = scope {
            self.accounts.remove(&account);
        }
    }
}

impl Turnover {
    fn day(&mut self, account: AccountId, now: Timestamp, verdicts: &mut Vec<Verdict>) -> &mut Day {
        let day = self.accounts.entry(account).or_default();
        if day.day != now.start_of_day() {
            if day.is_alarmed {
                verdicts.push(alarm(account, false));
            }
            *day = Day {
                day: now.start_of_day(),
                ..Day::default()
            };
        }
        day
    }
}

const fn alarm(account: AccountId, is_open: bool) -> Verdict {
    let (reason, state) = (CauseKind::Turnover, TradingState::Active);
    Verdict::passing(Scope::Account(account), reason, state, is_open)
}

#[cfg(test)]
mod tests {
    use super::super::world::{ACCOUNT, Watch, account, at};
    use super::*;

    fn traded(watch: &mut Watch, second: i64, value: i64) {
        let filled = Observation::Fill {
            account: ACCOUNT,
            bot: None,
            value: Amount::whole(value),
        };
        watch.see(at(second), filled);
        watch.see(at(second), account(0));
    }

    /// R25
    #[test]
    fn ten_times_the_equity_in_a_day_is_an_alarm() {
        let alarm = |open| vec![(CauseKind::Turnover, TradingState::Active, open)];
        let mut watch = Watch::default();
        traded(&mut watch, 0, 99_999);
        traded(&mut watch, 86_398, 1);
        assert_eq!(watch.verdicts(), []);
        traded(&mut watch, 86_399, 1);
        assert_eq!(watch.verdicts(), alarm(true));
        traded(&mut watch, 86_400, 50_000);
        assert_eq!(watch.verdicts(), alarm(false), "a new day");
        traded(&mut watch, 86_401, 50_000);
        assert_eq!(watch.verdicts(), []);
    }
}
