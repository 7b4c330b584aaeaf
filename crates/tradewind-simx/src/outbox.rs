//! Where the exchange leaves what happened: reports on orders, changed balances, public prints.
//!
//! The caller owns one outbox and reuses it: clear it, handle one action or event, read it. The three lists are each in
//! the order in which things happened; a venue tells an account its orders first and then its balances.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, AssetId, InstrumentId, Liquidity, Money, Price, Quantity, Side, Timestamp,
    Trade, TradeId, VenueOrderId,
};

use crate::client_id::ClientId;
use crate::list::OrderList;
use crate::order::{EndReason, Order};

/// What happened since it was last cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// What happened to orders.
    pub orders: Vec<OrderReport>,
    /// What happened to order lists.
    pub lists: Vec<ListReport>,
    /// Balances that changed, once each per action, after it.
    pub balances: Vec<BalanceChange>,
    /// Public trades, if [`Prints::Reported`](crate::Prints::Reported).
    pub prints: Vec<Trade>,
}

impl Outbox {
    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.orders.clear();
        self.lists.clear();
        self.balances.clear();
        self.prints.clear();
    }

    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
            && self.lists.is_empty()
            && self.balances.is_empty()
            && self.prints.is_empty()
    }
}

/// One thing that happened to one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReport {
    /// Number of the report, counted from 1 over the whole exchange.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: OrderEvent,
    /// The order right after it.
    pub order: Order,
}

/// A list began, or is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListReport {
    /// When.
    pub at: Timestamp,
    /// How many of the order reports of the same outbox came before it.
    pub after_orders: usize,
    /// The list right after it.
    pub list: OrderList,
}

/// What can happen to an order that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderEvent {
    /// The exchange took it. It may have to wait before it works.
    Accepted,
    /// It moved on: its list's turn came, or its trigger fired. [`Order::working_since`] says whether it works now.
    Activated,
    /// Its owner made it smaller.
    Amended {
        /// What it was called before.
        former_id: ClientId,
        /// How large it was in all.
        former_quantity: Quantity,
    },
    /// It traded.
    Filled(Execution),
    /// Its owner ended it.
    Cancelled {
        /// The client's name for the cancel.
        cancel_id: Option<ClientId>,
    },
    /// The exchange ended it.
    Expired(EndReason),
}

/// One execution of one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Number of the print, counted from 1 for each instrument; both sides share it.
    pub trade_id: TradeId,
    /// The order.
    pub order_id: VenueOrderId,
    /// Whose.
    pub account: AccountId,
    /// In what.
    pub instrument: InstrumentId,
    /// Side of the order.
    pub side: Side,
    /// Price.
    pub price: Price,
    /// Quantity, positive.
    pub quantity: Quantity,
    /// Its worth in the quote asset.
    pub quote: Amount,
    /// The fee and what it was taken in.
    pub fee: Money,
    /// Whether the order waited or took.
    pub liquidity: Liquidity,
    /// When.
    pub at: Timestamp,
}

/// A balance after it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceChange {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// What can be used.
    pub free: Amount,
    /// What open orders hold.
    pub locked: Amount,
}
