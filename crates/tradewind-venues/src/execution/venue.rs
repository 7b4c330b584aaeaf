//! What an executor needs of a venue.

use std::fmt::Debug;

use tradewind_model::ClientOrderId;

use super::{RequestId, VenueRequest, VenueResponse};

/// One account at a venue that carries out requests.
pub trait ExecutionVenue: Debug + Send + Sync {
    /// Begins a request and returns without waiting. Exactly one response reaches the [`ResponseSink`] that the venue was
    /// built with, perhaps before this returns.
    ///
    /// An order is sent at most once, through the [`OrderGate`](crate::OrderGate) where bytes leave. Its first write is
    /// tried before this returns if a connection is open.
    fn begin(&self, id: RequestId, request: VenueRequest);

    /// Keeps an order that was begun from leaving if it has not left yet. Its answer is that it was not sent, then.
    fn withdraw(&self, order: ClientOrderId) {
        let _ = order;
    }
}

/// Takes the responses of a venue. Calls must not block.
pub trait ResponseSink: Send + Sync + 'static {
    /// The answer to the request of this number.
    fn response(&self, id: RequestId, response: VenueResponse);
}

impl<F: Fn(RequestId, VenueResponse) + Send + Sync + 'static> ResponseSink for F {
    fn response(&self, id: RequestId, response: VenueResponse) {
        self(id, response);
    }
}
