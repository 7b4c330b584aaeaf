//! R03: with too many orders of unknown fate an account only reduces.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, Timestamp};

use super::hold::Hold;
use super::{Monitor, Observation, Verdict};
use crate::limits::Limits;
use crate::state::{CauseKind, Scope, TradingState};

/// Accounts that had too many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UnknownOrders {
    accounts: BTreeMap<AccountId, Hold>,
}

impl Monitor for UnknownOrders {
    fn observe(
        &mut self,
        now: Timestamp,
        observed: &Observation,
        limits: &Limits,
        verdicts: &mut Vec<Verdict>,
    ) {
        let (Observation::Account(value), Some(max)) = (observed, limits.unknown_account_max)
        else {
            return;
        };
        let hold = self.accounts.entry(value.account).or_default();
        if let Some(is_open) = hold.update(now, value.unknown > max) {
            verdicts.push(Verdict::passing(
                Scope::Account(value.account),
                CauseKind::UnknownOrders,
                TradingState::Reducing,
                is_open,
            ));
        }
    }

    /// A person cannot clear it: the orders are still unknown.
    fn clear(&mut self, _: Scope) {}
}

#[cfg(test)]
mod tests {
    use super::super::world::{Watch, account, at};
    use super::*;

    /// R03, I16
    #[test]
    fn more_than_three_unknown_orders_reduce_the_account_until_a_minute_after() {
        let mut watch = Watch::default();
        let unknown = |count| match account(0) {
            Observation::Account(mut value) => {
                value.unknown = count;
                Observation::Account(value)
            }
            other => other,
        };
        watch.see(at(0), unknown(2));
        watch.see(at(1), unknown(3));
        assert!(watch.verdicts().is_empty());
        watch.see(at(2), unknown(4));
        let reduced = |open| vec![(CauseKind::UnknownOrders, TradingState::Reducing, open)];
        assert_eq!(watch.verdicts(), reduced(true));
        watch.see(at(3), unknown(3));
        watch.see(at(62), unknown(0));
        assert!(watch.verdicts().is_empty());
        watch.see(at(63), unknown(0));
        assert_eq!(watch.verdicts(), reduced(false));
    }
}
