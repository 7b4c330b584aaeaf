//! What a client or the operator may ask of the exchange, and the answer.
//!
//! Actions are data: a log of them with their times rebuilds the exchange. What the market does is no action but a
//! [`MarketEvent`](crate::MarketEvent): it cannot be refused.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, AssetId, Instrument, InstrumentId, InstrumentStatus, OrderKind, Quantity,
    Side, VenueOrderId,
};

use crate::client_id::ClientId;
use crate::order::Order;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// [`Exchange::open_account`](crate::Exchange::open_account).
    OpenAccount,
    /// [`Exchange::deposit`](crate::Exchange::deposit).
    Deposit {
        /// Whose.
        account: AccountId,
        /// Of what.
        asset: AssetId,
        /// How much; negative takes out.
        amount: Amount,
    },
    /// [`Exchange::submit`](crate::Exchange::submit).
    Submit(NewOrder),
    /// [`Exchange::cancel`](crate::Exchange::cancel).
    Cancel(CancelOrder),
    /// [`Exchange::cancel_all`](crate::Exchange::cancel_all).
    CancelAll {
        /// Whose orders.
        account: AccountId,
        /// In which instrument.
        instrument: InstrumentId,
    },
    /// [`Exchange::set_status`](crate::Exchange::set_status).
    SetStatus {
        /// Which instrument.
        instrument: InstrumentId,
        /// What it becomes.
        status: InstrumentStatus,
    },
    /// [`Exchange::set_rules`](crate::Exchange::set_rules).
    SetRules(Box<Instrument>),
}

/// What an accepted [`Action`] comes to; what else happened is in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The account that was opened.
    Account(AccountId),
    /// The order as it stands after the action.
    Order(Order),
    /// How many orders were cancelled.
    Cancelled(usize),
    /// Nothing more to say.
    Done,
}

/// How large an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Size {
    /// This much of the base asset.
    Base(Quantity),
    /// As much as this amount of the quote asset comes to; market orders only.
    Quote(Amount),
}

/// What happens when an order would trade with one of the same account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelfTrade {
    /// They trade.
    #[default]
    Allowed,
    /// The new order ends there.
    ExpireTaker,
    /// The waiting order ends and the new one goes on.
    ExpireMaker,
    /// Both end.
    ExpireBoth,
}

/// A new order. Build one with [`NewOrder::new`]: more fields will come with more order types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewOrder {
    /// Whose.
    pub account: AccountId,
    /// In what.
    pub instrument: InstrumentId,
    /// The client's name for it; must differ from those of the account's open orders.
    pub client_id: ClientId,
    /// Buy or sell.
    pub side: Side,
    /// How large.
    pub size: Size,
    /// Market, limit or post-only.
    pub kind: OrderKind,
    /// What to do about the account's own orders in the way.
    pub self_trade: SelfTrade,
}

impl NewOrder {
    /// An order that may trade with its own account.
    #[must_use]
    pub const fn new(
        account: AccountId,
        instrument: InstrumentId,
        client_id: ClientId,
        side: Side,
        size: Size,
        kind: OrderKind,
    ) -> Self {
        Self {
            account,
            instrument,
            client_id,
            side,
            size,
            kind,
            self_trade: SelfTrade::Allowed,
        }
    }

    /// The same with another rule for self-trades.
    #[must_use]
    pub const fn with_self_trade(self, self_trade: SelfTrade) -> Self {
        Self { self_trade, ..self }
    }
}

/// How an order is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderRef {
    /// By the exchange's id.
    Venue(VenueOrderId),
    /// By the client's; the newest order of that name is meant.
    Client(ClientId),
}

/// A wish to end an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelOrder {
    /// Whose order.
    pub account: AccountId,
    /// In which instrument it must be.
    pub instrument: InstrumentId,
    /// Which.
    pub order: OrderRef,
    /// The client's name for the cancel itself, repeated in the report.
    pub cancel_id: Option<ClientId>,
}
