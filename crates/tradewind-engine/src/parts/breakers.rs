//! Circuit breakers of bots, accounts, venues and feeds. Only those with a failure within the window are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, BotId, ClientOrderId, Timestamp};
use tradewind_risk::{BreakerLimits, BreakerScope, CircuitBreaker};

/// The breakers, and which bot's order an account's venue refused last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Breakers {
    breakers: BTreeMap<BreakerScope, CircuitBreaker>,
    refused: BTreeMap<AccountId, Option<BotId>>,
}

impl Breakers {
    /// Notes a failure. Returns how many failures opened the breaker, if it opens now.
    pub(crate) fn fail(
        &mut self,
        scope: BreakerScope,
        now: Timestamp,
        order: Option<ClientOrderId>,
        limits: &BreakerLimits,
    ) -> Option<u32> {
        self.breakers
            .retain(|_, breaker| !breaker.is_idle(now, limits.window));
        let breaker = self.breakers.entry(scope).or_default();
        breaker.fail(now, order, limits)
    }

    /// Whether a refusal of this bot's order counts towards its account: refusals of one bot in a row count once, so that
    /// one bot does not stop the others.
    pub(crate) fn is_new_refusal(&mut self, account: AccountId, bot: Option<BotId>) -> bool {
        self.refused.insert(account, bot) != Some(bot)
    }

    /// The breaker of a scope, if one is kept.
    pub(crate) fn get_mut(&mut self, scope: BreakerScope) -> Option<&mut CircuitBreaker> {
        self.breakers.get_mut(&scope)
    }

    /// Whether one of these does not let an entry pass.
    pub(crate) fn stops(&self, scopes: &[BreakerScope]) -> bool {
        let mut kept = scopes.iter().filter_map(|scope| self.breakers.get(scope));
        kept.any(|breaker| !breaker.lets_enter())
    }

    /// Whether none is kept, which is nearly always.
    pub(crate) fn is_empty(&self) -> bool {
        self.breakers.is_empty()
    }
}
