//! Order lists: orders that know of each other.
//!
//! In a *pair* one order ends the other: as soon as one begins to trade, is triggered or ends, the other ends, too, and
//! both together lock what the dearer one needs. In a *chain* the second order, or pair, is only placed when the first
//! one is filled to the last unit; until then it is pending and locks nothing. These are the venue's OCO, OTO and OTOCO.

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, InstrumentId, Timestamp, VenueOrderId};

use crate::action::NewOrder;
use crate::client_id::ClientId;

/// The exchange's id of a list, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListId(pub u64);

/// What ties the orders of a list together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListKind {
    /// A pair: `[above, below]`.
    OneCancelsOther,
    /// A chain of two: `[working, pending]`.
    OneTriggersOther,
    /// A chain of one and a pair: `[working, above, below]`.
    OneTriggersPair,
}

/// Whether a list still has something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListStatus {
    /// At least one of its orders is open.
    Executing,
    /// All of them are finished.
    AllDone,
}

/// A list and how far it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderList {
    /// The exchange's id.
    pub id: ListId,
    /// Whose.
    pub account: AccountId,
    /// In what.
    pub instrument: InstrumentId,
    /// The client's name for the list.
    pub client_id: ClientId,
    /// What ties its orders together.
    pub kind: ListKind,
    orders: [VenueOrderId; Self::ORDERS_MAX],
    /// Whether it is done.
    pub status: ListStatus,
    /// When it was taken.
    pub created_at: Timestamp,
}

impl OrderList {
    const ORDERS_MAX: usize = 3;

    pub(crate) const fn new(
        id: ListId,
        new: &NewList,
        orders: [VenueOrderId; Self::ORDERS_MAX],
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            account: new.account,
            instrument: new.instrument,
            client_id: new.client_id,
            kind: new.shape.kind(),
            orders,
            status: ListStatus::Executing,
            created_at: now,
        }
    }

    /// Its orders, in the order of [`ListKind`].
    #[must_use]
    pub fn orders(&self) -> &[VenueOrderId] {
        let count = match self.kind {
            ListKind::OneCancelsOther | ListKind::OneTriggersOther => 2,
            ListKind::OneTriggersPair => 3,
        };
        &self.orders[..count]
    }

    /// The order that must fill first, if it is a chain.
    #[must_use]
    pub const fn working(&self) -> Option<VenueOrderId> {
        match self.kind {
            ListKind::OneCancelsOther => None,
            ListKind::OneTriggersOther | ListKind::OneTriggersPair => Some(self.orders[0]),
        }
    }

    /// The orders that are placed together: all of a pair, or those that the first of a chain triggers.
    pub(crate) fn placed_together(&self) -> &[VenueOrderId] {
        let first = usize::from(self.working().is_some());
        &self.orders()[first..]
    }
}

/// A new list. All its orders are the account's, in the one instrument; [`Refusal`](crate::Refusal) tells what else
/// must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewList {
    /// Whose.
    pub account: AccountId,
    /// In what.
    pub instrument: InstrumentId,
    /// The client's name for the list; must differ from those of the account's open lists.
    pub client_id: ClientId,
    /// Its orders.
    pub shape: ListShape,
}

/// The orders of a new list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListShape {
    /// See [`ListKind::OneCancelsOther`].
    OneCancelsOther {
        /// The order above the market.
        above: NewOrder,
        /// The order below the market.
        below: NewOrder,
    },
    /// See [`ListKind::OneTriggersOther`].
    OneTriggersOther {
        /// The order that must fill first: limit or post-only.
        working: NewOrder,
        /// The order that it triggers.
        pending: NewOrder,
    },
    /// See [`ListKind::OneTriggersPair`].
    OneTriggersPair {
        /// The order that must fill first: limit or post-only.
        working: NewOrder,
        /// Of the pair that it triggers, the order above the market.
        above: NewOrder,
        /// The order below the market.
        below: NewOrder,
    },
}

impl ListShape {
    /// What ties the orders together.
    #[must_use]
    pub const fn kind(&self) -> ListKind {
        match self {
            Self::OneCancelsOther { .. } => ListKind::OneCancelsOther,
            Self::OneTriggersOther { .. } => ListKind::OneTriggersOther,
            Self::OneTriggersPair { .. } => ListKind::OneTriggersPair,
        }
    }

    /// The orders, in the order of [`ListKind`].
    pub fn orders(&self) -> impl Iterator<Item = &NewOrder> {
        match self {
            Self::OneCancelsOther { above, below } => [Some(above), Some(below), None],
            Self::OneTriggersOther { working, pending } => [Some(working), Some(pending), None],
            Self::OneTriggersPair {
                working,
                above,
                below,
            } => [Some(working), Some(above), Some(below)],
        }
        .into_iter()
        .flatten()
    }
}

/// How a list is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListRef {
    /// By the exchange's id.
    Venue(ListId),
    /// By the client's; the newest list of that name is meant.
    Client(ClientId),
}
