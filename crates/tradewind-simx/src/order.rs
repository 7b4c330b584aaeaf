//! An order as the exchange tells of it: terms, progress, fate.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, InstrumentId, OrderKind, OrderStatus, Quantity, Side, Timestamp,
    VenueOrderId,
};

use crate::client_id::ClientId;

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
    /// Market, limit or post-only.
    pub kind: OrderKind,
    /// How much is wanted; of an order by quote amount, what that came to.
    pub quantity: Quantity,
    /// The quote amount that was asked for, zero if a quantity was.
    pub quote_wanted: Amount,
    /// How much was filled.
    pub filled: Quantity,
    /// What the fills were worth in the quote asset, fees apart.
    pub quote_filled: Amount,
    /// Accepted, partly filled, filled, cancelled or expired.
    pub status: OrderStatus,
    /// Why it ended, if the exchange ended it.
    pub end: Option<EndReason>,
    /// When it was taken.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
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
}

impl Order {
    /// What is not filled yet.
    #[must_use]
    pub fn remaining(&self) -> Quantity {
        self.quantity - self.filled
    }

    /// Whether it waits on the book.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.status.is_open()
    }
}
