//! An order as the exchange tells of it: terms, progress, fate.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, InstrumentId, OrderKind, OrderStatus, Quantity, Side, Timestamp,
    VenueOrderId,
};

use crate::action::{Labels, SelfTrade};
use crate::client_id::ClientId;
use crate::list::ListId;
use crate::refusal::Refusal;
use crate::trigger::Trigger;

/// One order and how far it got. `filled <= quantity` always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The exchange's id, counted from 1 over all accounts and instruments.
    pub id: VenueOrderId,
    /// Whose.
    pub account: AccountId,
    /// In what.
    pub instrument: InstrumentId,
    /// The client's name for it.
    pub client_id: ClientId,
    /// Buy or sell.
    pub side: Side,
    /// Market, limit or post-only, once it works.
    pub kind: OrderKind,
    /// What it waits for before it works, or waited for.
    pub trigger: Option<Trigger>,
    /// How much is wanted; of an order by quote amount, what that came to.
    pub quantity: Quantity,
    /// The quote amount that was asked for, zero if a quantity was.
    pub quote_wanted: Amount,
    /// How much was filled.
    pub filled: Quantity,
    /// What the fills were worth in the quote asset, fees apart.
    pub quote_filled: Amount,
    /// Pending (it waits for another order of its list), accepted, partly filled, filled, cancelled or expired.
    pub status: OrderStatus,
    /// Why it ended, if the exchange ended it.
    pub end: Option<EndReason>,
    /// When it was taken.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Since when it can trade; `None` while it waits for its trigger or its list, and if it ended before.
    pub working_since: Option<Timestamp>,
    /// The list it belongs to.
    pub list: Option<ListId>,
    /// What to do about the account's own orders in the way.
    pub self_trade: SelfTrade,
    /// The client's numbers.
    pub labels: Labels,
    /// How often it was made smaller.
    pub amendments: u8,
}

/// Why the exchange itself ended an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndReason {
    /// A market order found no more liquidity.
    NoLiquidity,
    /// The rest of an immediate-or-cancel order, or all of a fill-or-kill one.
    TimeInForce,
    /// It met an order of its own account.
    SelfTrade,
    /// Another order of its list began to trade, or ended.
    List,
    /// It was its turn to work and the exchange had to refuse it.
    Refused(Refusal),
    /// The venue ended it, as it does before maintenance.
    Venue,
    /// The order of its list that it waited for ended.
    Entry,
}

impl Order {
    /// What is not filled yet.
    #[must_use]
    pub fn remaining(&self) -> Quantity {
        self.quantity - self.filled
    }

    /// Whether it can still trade, now or later.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.status.is_open()
    }

    /// Whether it waits for another order of its list to fill.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.status == OrderStatus::Pending
    }
}
