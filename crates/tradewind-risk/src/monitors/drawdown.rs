//! R23: the fall of an account from its peak, profit and loss alone. A person clears it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, Amount, Timestamp};

use super::losses::{Breach, loses};
use super::{Monitor, Observation, Verdict};
use crate::limits::Limits;
use crate::state::{CauseKind, Scope};

/// The best profit of every account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Drawdown {
    accounts: BTreeMap<AccountId, Peak>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Peak {
    profit: Amount,
    breach: Breach,
}

impl Monitor for Drawdown {
    fn observe(
        &mut self,
        now: Timestamp,
        observed: &Observation,
        limits: &Limits,
        verdicts: &mut Vec<Verdict>,
    ) {
        let (Observation::Account(value), Some(share)) = (observed, limits.drawdown_max) else {
            return;
        };
        let peak = self.accounts.entry(value.account);
        let peak = peak.or_insert_with(|| Peak {
            profit: value.profit,
            breach: Breach::default(),
        });
        peak.profit = peak.profit.max(value.profit);
        // What the account would be worth today had nothing been lost since the peak: deposits since then count.
        let regained = peak.profit.0.saturating_sub(value.profit.0);
        let highest = Amount(value.equity.0.saturating_add(regained));
        let shows = loses(peak.profit, value.profit, highest, share);
        if peak.breach.is_confirmed(now, shows) {
            let scope = Scope::Account(value.account);
            verdicts.push(Verdict::until_cleared(scope, CauseKind::Drawdown));
        }
    }

    /// The next valuation is the new peak.
    fn clear(&mut self, scope: Scope) {
        if let Scope::Account(account) = scope {
            self.accounts.remove(&account);
        }
    }

    fn move_base(&mut self, scope: Scope, jump: Option<Amount>) {
        let Scope::Account(account) = scope else {
            return;
        };
        match (self.accounts.get_mut(&account), jump) {
            (Some(peak), Some(jump)) => {
                peak.profit = Amount(peak.profit.0.saturating_add(jump.0));
            }
            (Some(_), None) => self.clear(scope),
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::{ACCOUNT, Watch, at};
    use super::super::{AccountValue, Observation};
    use super::*;
    use crate::state::TradingState;

    fn valued(equity: i64, profit: i64) -> Observation {
        Observation::Account(AccountValue {
            account: ACCOUNT,
            equity: Amount::whole(equity),
            profit: Amount::whole(profit),
            exposure: Amount::ZERO,
            unknown: 0,
        })
    }

    /// The drawdown's verdicts after a peak of 20,000 with a profit of 10,000, slowly enough for no day to lose much.
    fn fallen(equity: i64, profit: i64) -> Vec<CauseKind> {
        let mut watch = Watch::default();
        watch.see(at(0), valued(10_000, 0));
        watch.see(at(10), valued(20_000, 10_000));
        watch.see(at(90_000), valued(equity, profit));
        watch.see(at(90_001), valued(equity, profit));
        watch.see(at(90_002), valued(equity, profit));
        let verdicts = watch.verdicts().into_iter();
        verdicts
            .map(|(reason, state, open)| {
                assert_eq!((state, open), (TradingState::Reducing, true));
                reason
            })
            .collect()
    }

    /// R23
    #[test]
    fn a_tenth_below_the_peak_reduces_the_account() {
        assert_eq!(fallen(18_001, 8_001), []);
        assert_eq!(fallen(18_000, 8_000), [CauseKind::Drawdown]);
        assert_eq!(fallen(17_999, 7_999), [CauseKind::Drawdown]);
    }

    /// R23: a position that is given is worth more or less than its cost; the peak moves with it.
    #[test]
    fn a_jump_of_the_profit_is_no_drawdown() {
        let mut watch = Watch::default();
        watch.see(at(0), valued(10_000, 0));
        let account = Scope::Account(ACCOUNT);
        let jump = Amount::whole(-5_000);
        watch.monitors.losses = super::super::losses::DailyLosses::default();
        watch.monitors.drawdown.move_base(account, Some(jump));
        let drawn = |watch: &mut Watch, profit: i64| {
            for second in [90_000, 90_001] {
                watch.see(at(second), valued(10_000, profit));
            }
            let verdicts = watch.verdicts().into_iter();
            verdicts.map(|(reason, _, _)| reason).collect::<Vec<_>>()
        };
        assert_eq!(drawn(&mut watch, -5_000), []);
        assert_eq!(
            drawn(&mut watch, -7_000),
            [
                CauseKind::DailyLoss,
                CauseKind::DailyLossAlarm,
                CauseKind::Drawdown
            ]
        );
    }

    /// R23: measured net of deposits and withdrawals.
    #[test]
    fn a_withdrawal_is_no_drawdown_and_a_deposit_hides_none() {
        assert_eq!(fallen(5_000, 10_000), []);
        assert_eq!(fallen(28_000, 8_000), [], "2,000 of 30,000");
        assert_eq!(fallen(27_000, 7_000), [CauseKind::Drawdown]);
    }
}
