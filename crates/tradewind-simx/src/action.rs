//! What a client or the operator may ask of the exchange, and the answer.
//!
//! Actions are data: a log of them with their times rebuilds the exchange. What the market does is no action but a
//! [`MarketEvent`](crate::MarketEvent): it cannot be refused.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, AssetId, Instrument, InstrumentId, InstrumentStatus, OrderKind, Quantity,
    Side, TimeInForce, VenueOrderId,
};

use crate::client_id::ClientId;
use crate::fees::FeeChoice;
use crate::list::{ListRef, NewList, OrderList};
use crate::order::Order;
use crate::trigger::{Purpose, Trigger};

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
    /// [`Exchange::submit_list`](crate::Exchange::submit_list).
    SubmitList(Box<NewList>),
    /// [`Exchange::cancel`](crate::Exchange::cancel).
    Cancel(CancelOrder),
    /// [`Exchange::cancel_list`](crate::Exchange::cancel_list).
    CancelList(CancelList),
    /// [`Exchange::amend`](crate::Exchange::amend).
    Amend(AmendOrder),
    /// [`Exchange::cancel_all`](crate::Exchange::cancel_all).
    CancelAll {
        /// Whose orders.
        account: AccountId,
        /// In which instrument.
        instrument: InstrumentId,
        /// The client's name for the cancel, the same for each.
        #[serde(default)]
        cancel_id: Option<ClientId>,
    },
    /// [`Exchange::set_status`](crate::Exchange::set_status).
    SetStatus {
        /// Which instrument.
        instrument: InstrumentId,
        /// What it becomes.
        status: InstrumentStatus,
    },
    /// [`Exchange::expire_all`](crate::Exchange::expire_all).
    ExpireAll {
        /// In which instrument.
        instrument: InstrumentId,
    },
    /// [`Exchange::set_rules`](crate::Exchange::set_rules).
    SetRules(Box<Instrument>),
    /// [`Exchange::pay_fees_in`](crate::Exchange::pay_fees_in).
    PayFeesIn {
        /// Whose.
        account: AccountId,
        /// In what.
        choice: FeeChoice,
    },
}

/// What an accepted [`Action`] comes to; what else happened is in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The account that was opened.
    Account(AccountId),
    /// The order as it stands after the action.
    Order(Order),
    /// The list as it stands after the action.
    List(OrderList),
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

/// Numbers that a client hangs on an order and gets back with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// Which of its strategies.
    pub strategy: Option<i64>,
    /// Which kind of strategy.
    pub strategy_kind: Option<i32>,
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
    /// Market, limit or post-only, once it works; never a stop, which is a kind and a trigger here.
    pub kind: OrderKind,
    /// What it waits for before it works; nothing for most orders.
    pub trigger: Option<Trigger>,
    /// What to do about the account's own orders in the way.
    pub self_trade: SelfTrade,
    /// The client's numbers.
    pub labels: Labels,
}

impl NewOrder {
    /// An order that may trade with its own account. A stop becomes the kind it has once it works, and its trigger.
    #[must_use]
    pub const fn new(
        account: AccountId,
        instrument: InstrumentId,
        client_id: ClientId,
        side: Side,
        size: Size,
        kind: OrderKind,
    ) -> Self {
        let (kind, trigger) = without_trigger(kind);
        Self {
            account,
            instrument,
            client_id,
            side,
            size,
            kind,
            trigger,
            self_trade: SelfTrade::Allowed,
            labels: Labels {
                strategy: None,
                strategy_kind: None,
            },
        }
    }

    /// The same, waiting for a trigger first.
    #[must_use]
    pub const fn with_trigger(self, trigger: Trigger) -> Self {
        Self {
            trigger: Some(trigger),
            ..self
        }
    }

    /// The same with the client's numbers on it.
    #[must_use]
    pub const fn with_labels(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }

    /// The same with another rule for self-trades.
    #[must_use]
    pub const fn with_self_trade(self, self_trade: SelfTrade) -> Self {
        Self { self_trade, ..self }
    }
}

/// The kind an order has once it works, and the trigger it waits for before.
const fn without_trigger(kind: OrderKind) -> (OrderKind, Option<Trigger>) {
    match kind {
        OrderKind::Stop { trigger } => (
            OrderKind::Market,
            Some(Trigger::at(Purpose::StopLoss, trigger)),
        ),
        OrderKind::StopLimit { trigger, price } => (
            OrderKind::Limit {
                price,
                time_in_force: TimeInForce::GoodTillCancel,
            },
            Some(Trigger::at(Purpose::StopLoss, trigger)),
        ),
        OrderKind::Market | OrderKind::Limit { .. } | OrderKind::PostOnly { .. } => (kind, None),
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

/// A wish to end a list: all of its orders that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelList {
    /// Whose list.
    pub account: AccountId,
    /// In which instrument it must be.
    pub instrument: InstrumentId,
    /// Which.
    pub list: ListRef,
    /// The client's name for the cancel itself, repeated in the reports.
    pub cancel_id: Option<ClientId>,
}

/// A wish to make an order smaller and let it keep its place in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmendOrder {
    /// Whose order.
    pub account: AccountId,
    /// In which instrument it must be.
    pub instrument: InstrumentId,
    /// Which.
    pub order: OrderRef,
    /// What it shall be in all, what is filled included.
    pub quantity: Quantity,
    /// The order's name from now on.
    pub client_id: ClientId,
}
