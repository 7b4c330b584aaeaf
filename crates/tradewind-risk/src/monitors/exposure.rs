//! R14: prices that carry the gross exposure of an account or a bot over its limit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, Ppm, Timestamp};

use super::hold::Hold;
use super::{Monitor, Observation, Verdict};
use crate::limits::Limits;
use crate::state::{CauseKind, Scope, TradingState};

/// Accounts and bots that were over their limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ExposureMonitor {
    scopes: BTreeMap<Scope, Hold>,
}

impl Monitor for ExposureMonitor {
    fn observe(
        &mut self,
        now: Timestamp,
        observed: &Observation,
        limits: &Limits,
        verdicts: &mut Vec<Verdict>,
    ) {
        let (scope, exposure, equity, share) = match observed {
            Observation::Account(value) => (
                Scope::Account(value.account),
                value.exposure,
                value.equity,
                limits.account_exposure_max,
            ),
            Observation::Bot(value) => (
                Scope::Bot(value.bot),
                value.exposure,
                value.equity,
                limits.bot_exposure_max,
            ),
            _ => return,
        };
        let is_over = share.is_some_and(|share| is_over(exposure, equity, share));
        let hold = self.scopes.entry(scope).or_default();
        if let Some(is_open) = hold.update(now, is_over) {
            let (reason, state) = (CauseKind::Exposure, TradingState::Reducing);
            verdicts.push(Verdict::passing(scope, reason, state, is_open));
        }
    }

    /// A person cannot clear it: it follows from the positions.
    fn clear(&mut self, _: Scope) {}
}

fn is_over(exposure: Amount, equity: Amount, share: Ppm) -> bool {
    // A limit that does not fit the number range is above every exposure.
    equity.share(share).is_some_and(|limit| exposure > limit)
}

#[cfg(test)]
mod tests {
    use super::super::world::{Watch, account, at, bot};
    use super::*;

    fn exposed(observed: Observation, exposure: i64) -> Observation {
        let exposure = Amount::whole(exposure);
        match observed {
            Observation::Account(mut value) => {
                value.exposure = exposure;
                Observation::Account(value)
            }
            Observation::Bot(mut value) => {
                value.exposure = exposure;
                Observation::Bot(value)
            }
            other => other,
        }
    }

    /// R14
    #[test]
    fn exposure_above_its_share_of_equity_reduces_the_scope() {
        let reduced = |open| vec![(CauseKind::Exposure, TradingState::Reducing, open)];
        for (of, limit) in [(account(0), 10_000), (bot(0), 2_500)] {
            let mut watch = Watch::default();
            watch.see(at(0), exposed(of, limit - 1));
            watch.see(at(1), exposed(of, limit));
            assert!(watch.verdicts().is_empty());
            watch.see(at(2), exposed(of, limit + 1));
            assert_eq!(watch.verdicts(), reduced(true));
            watch.see(at(3), exposed(of, limit));
            watch.see(at(63), exposed(of, limit));
            assert_eq!(watch.verdicts(), reduced(false));
        }
    }
}
