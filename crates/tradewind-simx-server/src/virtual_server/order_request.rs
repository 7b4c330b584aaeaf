//! Requests that place or change orders, as they came over the wire: what faults or the exchange make of them comes later.

use serde_json::Value;
use tradewind_model::Timestamp;

use super::ConnectionNumber;
use crate::rest::{self, Handler, Params, RestRequest, Route};

/// The parameters that name a new order.
const CLIENT_IDS: [&str; 9] = [
    "newClientOrderId",
    "aboveClientOrderId",
    "belowClientOrderId",
    "workingClientOrderId",
    "pendingClientOrderId",
    "pendingAboveClientOrderId",
    "pendingBelowClientOrderId",
    "limitClientOrderId",
    "stopClientOrderId",
];

/// A request that places, replaces or amends orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRequest {
    /// When its last byte was received.
    pub at: Timestamp,
    /// The connection it came over.
    pub connection: ConnectionNumber,
    /// What was called, by its name on REST: `POST /api/v3/order`.
    pub call: String,
    /// Its parameters, in the order in which they came.
    pub params: Vec<(String, String)>,
}

impl OrderRequest {
    /// The client ids of the orders that it would place, in the order in which they came.
    pub fn client_ids(&self) -> impl Iterator<Item = &str> {
        let named = self
            .params
            .iter()
            .filter(|(name, _)| CLIENT_IDS.contains(&name.as_str()));
        named.map(|(_, id)| id.as_str())
    }

    /// The value of a parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// `None` when the request does nothing to orders, or only cancels them.
    pub(crate) fn rest(
        at: Timestamp,
        connection: ConnectionNumber,
        request: &RestRequest,
    ) -> Option<Self> {
        let route = rest::rest_route(request.method, &request.path)?;
        let params = || Params::from_form(&request.query, &request.body).ok();
        Self::of(at, connection, route, params)
    }

    /// The same of a text on the WebSocket API.
    pub(crate) fn ws(at: Timestamp, connection: ConnectionNumber, text: &str) -> Option<Self> {
        let request: Value = serde_json::from_str(text).ok()?;
        let route = rest::ws_route(request["method"].as_str()?)?;
        let params = || Some(Params::from_json(request["params"].as_object()?));
        Self::of(at, connection, route, params)
    }

    fn of(
        at: Timestamp,
        connection: ConnectionNumber,
        route: &Route,
        params: impl FnOnce() -> Option<Params>,
    ) -> Option<Self> {
        let call = route.label();
        let changes = matches!(route.handler, Handler::Order(..)) || call.contains("/amend/");
        changes.then(|| Self {
            at,
            connection,
            call,
            params: params().map(Params::into_pairs).unwrap_or_default(),
        })
    }
}
