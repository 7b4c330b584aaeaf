//! The seal on an order that risk let through.

use serde::Serialize;
use tradewind_model::{ClientOrderId, OrderTerms, TakeProfit, Timestamp};

/// An order that passed every check, for exactly these terms.
///
/// Only [`check`](crate::check) makes one, and no venue adapter sends anything else. It cannot be deserialised, so
/// none comes back out of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ApprovedOrder {
    terms: OrderTerms,
    decided_at: Timestamp,
    expires_at: Option<Timestamp>,
    exit: bool,
    flattening: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<ClientOrderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    take_profit: Option<TakeProfit>,
}

/// What a seal adds to the terms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seal {
    pub(crate) decided_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) exit: bool,
    pub(crate) flattening: bool,
}

impl ApprovedOrder {
    pub(crate) const fn new(terms: OrderTerms, seal: Seal) -> Self {
        Self {
            terms,
            decided_at: seal.decided_at,
            expires_at: seal.expires_at,
            exit: seal.exit,
            flattening: seal.flattening,
            replaces: None,
            take_profit: None,
        }
    }

    /// The same order, sent by one request that first cancels `stop`. If that fails, the order is not placed.
    #[must_use]
    pub const fn replacing(self, stop: ClientOrderId) -> Self {
        Self {
            replaces: Some(stop),
            ..self
        }
    }

    /// The same stop, sent with the order that takes its position's profit: the venue lets only one of the two trade.
    #[must_use]
    pub const fn paired_with(self, order: TakeProfit) -> Self {
        Self {
            take_profit: Some(order),
            ..self
        }
    }

    /// The order that takes the profit, if this is a stop that is sent with one.
    #[must_use]
    pub const fn take_profit(&self) -> Option<TakeProfit> {
        self.take_profit
    }

    /// The ids of all orders that are sent by its request.
    pub fn client_ids(&self) -> impl Iterator<Item = ClientOrderId> + use<> {
        let pair = self.take_profit.map(|order| order.client_id);
        std::iter::once(self.terms.client_id).chain(pair)
    }

    /// What was checked and may be sent.
    #[must_use]
    pub const fn terms(&self) -> &OrderTerms {
        &self.terms
    }

    /// When it was checked.
    #[must_use]
    pub const fn decided_at(&self) -> Timestamp {
        self.decided_at
    }

    /// When it is too old to be sent (R04); an exit never is.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// The order that the venue cancels first.
    #[must_use]
    pub const fn replaces(&self) -> Option<ClientOrderId> {
        self.replaces
    }

    /// Whether it only reduces a position of the desk; exits are sent before entries.
    #[must_use]
    pub const fn is_exit(&self) -> bool {
        self.exit
    }

    /// Whether it closes a position for a kill: it was approved in state FLATTENING, and passes the gate in that state only
    /// or when the gate is open.
    #[must_use]
    pub const fn is_flattening(&self) -> bool {
        self.flattening
    }
}
