//! New orders over REST: HTTP/1.1 on connections of their own, each behind the [`OrderGate`].
//!
//! A few connections are kept alive and used in turn; nothing here retries. The result is exactly how far an order got:
//! answered, never sent, or gone without an answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};
use tradewind_model::NotSentReason;
use tradewind_risk::ApprovedOrder;

use crate::address::Address;
use crate::gate::{OrderGate, SendPermit};
use crate::limits::Limits;
use crate::wire::http::{Method, Request, Response};
use crate::wire::{Connector, HttpLink, IdleLinks, within};

/// Connections kept; more orders at once wait for one, within their time-out.
const CONNECTIONS_MAX: usize = 8;
/// Of these, how many entries may use: however long their answers take, an exit finds a connection.
const CONNECTIONS_OF_ENTRIES: usize = 6;
/// The longest answer read; an order's is a few KiB.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// How far an order got.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SendOutcome {
    /// The venue answered.
    Answered(Answer),
    /// Not a byte of it left.
    NotSent(NotSentReason),
    /// It may be at the venue or not.
    Unanswered(String),
}

impl SendOutcome {
    /// How far an order got that was being sent and will not be any more: nothing else drives its connection.
    pub(crate) fn broken_off(
        gate: &OrderGate,
        permit: &SendPermit,
        order: &ApprovedOrder,
        why: String,
    ) -> Self {
        if permit.written() > 0 {
            return Self::Unanswered(why);
        }
        tracing::warn!(why, "An order was not sent");
        let refusal = permit.refusal().or(gate.authorize(order).err());
        Self::NotSent(refusal.unwrap_or(NotSentReason::Unreachable))
    }
}

/// The venue's answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) limits: Limits,
    pub(crate) body: Vec<u8>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self {
            status: response.status,
            limits: Limits::of(&response),
            body: response.body,
        }
    }
}

/// What to send.
#[derive(Debug)]
pub(crate) struct OrderRequest {
    pub(crate) path: &'static str,
    pub(crate) key_field: (&'static str, String),
    pub(crate) form: String,
}

struct OrderConnection {
    http: HttpLink,
    permit: Arc<SendPermit>,
}

impl AsMut<HttpLink> for OrderConnection {
    fn as_mut(&mut self) -> &mut HttpLink {
        &mut self.http
    }
}

/// Held while a connection is in use, by an entry together with one of the entries' own.
struct Slot<'a>(
    #[expect(dead_code, reason = "it is held")] SemaphorePermit<'a>,
    #[expect(dead_code, reason = "it is held")] Option<SemaphorePermit<'a>>,
);

/// The connections for new orders to one address.
pub(crate) struct OrderConnectionPool {
    address: Address,
    connector: Arc<dyn Connector>,
    gate: Arc<OrderGate>,
    idle: IdleLinks<OrderConnection>,
    slots: Semaphore,
    slots_of_entries: Semaphore,
    within: Duration,
}

impl std::fmt::Debug for OrderConnectionPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderConnectionPool")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl OrderConnectionPool {
    pub(crate) const fn new(
        address: Address,
        connector: Arc<dyn Connector>,
        gate: Arc<OrderGate>,
        within: Duration,
    ) -> Self {
        Self {
            address,
            connector,
            gate,
            idle: IdleLinks::new(),
            slots: Semaphore::const_new(CONNECTIONS_MAX),
            slots_of_entries: Semaphore::const_new(CONNECTIONS_OF_ENTRIES),
            within,
        }
    }

    /// Closes idle connections as soon as the venue does. Never resolves.
    pub(crate) async fn watch_idle(&self) {
        self.idle.watch().await;
    }

    /// Sends an order once, whatever happens. `make` is called just before its bytes go, so its time stamp is fresh.
    pub(crate) async fn send(
        &self,
        order: &ApprovedOrder,
        make: impl FnOnce() -> OrderRequest,
    ) -> SendOutcome {
        if let Err(reason) = self.gate.authorize(order) {
            return SendOutcome::NotSent(reason);
        }
        let ready = async {
            let slot = self.slot(order).await.map_err(|error| error.to_string())?;
            let connection = self.connection().await?;
            Ok::<_, String>((slot, connection))
        };
        let ready = tokio::select! {
            biased;
            () = self.gate.cut(order.is_flattening()) => return SendOutcome::NotSent(NotSentReason::Killed),
            ready = within(&*self.connector, self.within, ready) => ready,
        };
        let (slot, mut connection) = match ready {
            Some(Ok(ready)) => ready,
            Some(Err(error)) => {
                tracing::warn!(error, "No connection for an order");
                return SendOutcome::NotSent(NotSentReason::Unreachable);
            }
            None => return SendOutcome::NotSent(NotSentReason::Unreachable),
        };
        let outcome = self.exchange(order, &mut connection, make).await;
        if matches!(outcome, SendOutcome::Answered(_)) {
            self.idle.put(self.connector.now(), connection);
        }
        drop(slot);
        outcome
    }

    /// Leave to use a connection.
    async fn slot(&self, order: &ApprovedOrder) -> Result<Slot<'_>, AcquireError> {
        let of_entries = if order.is_exit() {
            None
        } else {
            Some(self.slots_of_entries.acquire().await?)
        };
        Ok(Slot(self.slots.acquire().await?, of_entries))
    }

    async fn exchange(
        &self,
        order: &ApprovedOrder,
        connection: &mut OrderConnection,
        make: impl FnOnce() -> OrderRequest,
    ) -> SendOutcome {
        let OrderConnection { http, permit } = connection;
        permit.begin(order);
        let OrderRequest {
            path,
            key_field: (name, key),
            form,
        } = make();
        let request = Request {
            method: Method::Post,
            target: &self.address.target(path),
            host: &self.address.authority(),
            fields: &[
                ("content-type", "application/x-www-form-urlencoded"),
                (name, &key),
            ],
            body: form.as_bytes(),
        };
        let answer = tokio::select! {
            biased;
            () = self.gate.cut(order.is_flattening()) => Err("cut by a kill".to_owned()),
            answer = within(&*self.connector, self.within, http.exchange(&request)) => match answer {
                Some(answer) => answer.map_err(|error| error.to_string()),
                None => Err("no answer in time".to_owned()),
            },
        };
        match answer {
            Ok(response) => SendOutcome::Answered(response.into()),
            Err(why) => SendOutcome::broken_off(&self.gate, permit, order, why),
        }
    }

    /// An idle connection that is still open, or a new one.
    async fn connection(&self) -> Result<OrderConnection, String> {
        if let Some(connection) = self.idle.take(self.connector.now()) {
            return Ok(connection);
        }
        let permit = SendPermit::new(Arc::clone(&self.gate));
        let gated = Some(Arc::clone(&permit));
        let http = HttpLink::open(&*self.connector, &self.address, gated, ANSWER_BYTES_MAX)
            .await
            .map_err(|error| error.to_string())?;
        Ok(OrderConnection { http, permit })
    }
}
