//! The order rate and the last orders of one owner, as risk checks R15, R16 and R18 need them.

use serde::{Deserialize, Serialize};
use tradewind_model::{OrderTerms, Timestamp};
use tradewind_risk::{Rate, RecentOrders, TokenBucket};

/// What an owner's next order is compared with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct OrderThrottle {
    rate: TokenBucket,
    recent: RecentOrders,
}

impl OrderThrottle {
    /// Notes an order that was placed; `rate` is the limit, if there is one.
    pub(crate) fn note(&mut self, now: Timestamp, terms: &OrderTerms, rate: Option<&Rate>) {
        if let Some(rate) = rate {
            self.rate.take(now, rate);
        }
        self.recent.note(now, terms);
    }

    pub(crate) const fn rate(&self) -> &TokenBucket {
        &self.rate
    }

    pub(crate) const fn recent(&self) -> &RecentOrders {
        &self.recent
    }
}
