//! R02: an account that is not reconciled in time is an alarm. That nothing passes before is the check's.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, Timestamp};

use super::{Monitor, Observation, Verdict};
use crate::limits::Limits;
use crate::state::{CauseKind, Scope, TradingState};

/// Accounts that are late.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StartGate {
    late: BTreeSet<AccountId>,
}

impl Monitor for StartGate {
    fn observe(
        &mut self,
        now: Timestamp,
        observed: &Observation,
        limits: &Limits,
        verdicts: &mut Vec<Verdict>,
    ) {
        let (account, changed, is_open) = match observed {
            Observation::NotReconciled(account, since) => {
                let within = limits.reconcile_within;
                let is_late = within.is_some_and(|within| now.since(*since) > within);
                (*account, is_late && self.late.insert(*account), true)
            }
            Observation::Account(value) => (value.account, self.late.remove(&value.account), false),
            _ => return,
        };
        if changed {
            verdicts.push(Verdict::passing(
                Scope::Account(account),
                CauseKind::ReconcileLate,
                TradingState::Active,
                is_open,
            ));
        }
    }

    fn clear(&mut self, _: Scope) {}
}

#[cfg(test)]
mod tests {
    use super::super::world::{ACCOUNT, MIDNIGHT, Watch, account, at};
    use super::*;

    /// R02
    #[test]
    fn an_account_not_read_within_a_minute_is_an_alarm() {
        let mut watch = Watch::default();
        let waiting = Observation::NotReconciled(ACCOUNT, MIDNIGHT);
        for second in [59, 60] {
            watch.see(at(second), waiting);
            assert!(watch.verdicts().is_empty(), "{second}");
        }
        let late = |open| vec![(CauseKind::ReconcileLate, TradingState::Active, open)];
        watch.see(at(61), waiting);
        watch.see(at(62), waiting);
        assert_eq!(watch.verdicts(), late(true));
        watch.see(at(63), account(0));
        assert_eq!(watch.verdicts(), late(false));
    }
}
