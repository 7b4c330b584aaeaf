//! The order rate and the last orders of one owner, as risk checks R16, R18 and R19 need them.

use serde::{Deserialize, Serialize};
use tradewind_model::{OrderTerms, Side, Timestamp};
use tradewind_risk::{Limits, PositionEffect, RecentOrders, SideEntries, TokenBucket};

/// What an owner's next order is compared with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct OrderThrottle {
    rate: TokenBucket,
    recent: RecentOrders,
    #[serde(default)]
    entries: SideEntries,
}

impl OrderThrottle {
    /// Notes an order that was placed.
    pub(crate) fn note(
        &mut self,
        now: Timestamp,
        terms: &OrderTerms,
        effect: PositionEffect,
        limits: &Limits,
    ) {
        if let Some(rate) = &limits.bot_order_rate {
            self.rate.take(now, rate);
        }
        if effect == PositionEffect::Entry
            && let Some(window) = limits.same_side_entries_window
        {
            self.entries.note(terms.side, now, window);
        }
        self.recent.note(now, terms);
    }

    /// Entries of a side within the window of R19.
    pub(crate) fn same_side_entries(&self, side: Side, now: Timestamp, limits: &Limits) -> u32 {
        let window = limits.same_side_entries_window.unwrap_or_default();
        self.entries.count(side, now, window)
    }

    /// Forgets the entries, because a person starts the bot again.
    pub(crate) fn clear_entries(&mut self) {
        self.entries.clear();
    }

    pub(crate) const fn rate(&self) -> &TokenBucket {
        &self.rate
    }

    pub(crate) const fn recent(&self) -> &RecentOrders {
        &self.recent
    }
}
