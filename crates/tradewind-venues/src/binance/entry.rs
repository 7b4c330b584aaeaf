//! How new orders reach the venue: one request each over REST, or all over one WebSocket. The account's configuration
//! decides; the gate, the verdicts and what is reported are the same.

use super::order_socket::OrderSocket;
use super::requests::Params;
use super::rest::KEY_FIELD;
use super::signing::Signer;
use crate::order_pool::{OrderConnectionPool, OrderRequest, SendOutcome};
use tradewind_risk::ApprovedOrder;

/// Which interface new orders go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderEntry {
    /// A request of its own for each, on connections that are kept.
    #[default]
    Rest,
    /// One connection to the WebSocket API for all.
    WebSocket,
}

/// A request that makes a new order, as the two interfaces name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verb {
    path: &'static str,
    method: &'static str,
}

/// Place an order.
pub(super) const PLACE: Verb = Verb {
    path: "/api/v3/order",
    method: "order.place",
};
/// Place a pair of orders of which one cancels the other.
pub(super) const PLACE_PAIR: Verb = Verb {
    path: "/api/v3/orderList/oco",
    method: "orderList.place.oco",
};
/// Cancel one order and place another.
pub(super) const REPLACE: Verb = Verb {
    path: "/api/v3/order/cancelReplace",
    method: "order.cancelReplace",
};

/// The way the account's new orders go.
#[derive(Debug)]
pub(super) enum Entry {
    Rest(Box<OrderConnectionPool>),
    WebSocket(Box<OrderSocket>),
}

impl Entry {
    /// Sends an order once and returns how far it got.
    pub(super) async fn send(
        &self,
        order: &ApprovedOrder,
        verb: Verb,
        params: Params,
        signer: &Signer,
    ) -> SendOutcome {
        match self {
            Self::Rest(pool) => {
                let make = || OrderRequest {
                    path: verb.path,
                    key_field: (KEY_FIELD, signer.key().to_owned()),
                    form: signer.signed(params).form(),
                };
                pool.send(order, make).await
            }
            Self::WebSocket(socket) => {
                socket
                    .send(order, verb.method, params, signer.clone())
                    .await
            }
        }
    }
}
