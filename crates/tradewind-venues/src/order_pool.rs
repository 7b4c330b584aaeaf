//! The way new orders travel: HTTP/1.1 on connections of their own, each behind the [`OrderGate`].
//!
//! A few connections are kept alive and used in turn; hyper does the protocol, nothing here retries. What comes back
//! says exactly how far an order got: answered, never sent, or gone without an answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Fuse, FusedFuture};
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tradewind_model::NotSentReason;
use tradewind_risk::ApprovedOrder;

use crate::address::Address;
use crate::gate::{OrderGate, SendPermit};
use crate::gated_stream;
use crate::limits::Limits;

/// Connections kept; more orders at once wait for one, within their time-out.
const LINES_MAX: usize = 8;
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

/// The venue's answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) limits: Limits,
    pub(crate) body: Bytes,
}

/// What to send.
#[derive(Debug)]
pub(crate) struct OrderRequest {
    pub(crate) path: &'static str,
    pub(crate) key_header: (&'static str, String),
    pub(crate) form: String,
}

type Body = Full<Bytes>;
type Driver = Fuse<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>;

struct Line {
    sender: http1::SendRequest<Body>,
    driver: Driver,
    permit: Arc<SendPermit>,
}

/// The connections for new orders to one address.
pub(crate) struct OrderConnectionPool {
    address: Address,
    tls: Arc<ClientConfig>,
    gate: Arc<OrderGate>,
    idle: Mutex<Vec<Line>>,
    slots: Semaphore,
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
        tls: Arc<ClientConfig>,
        gate: Arc<OrderGate>,
        within: Duration,
    ) -> Self {
        Self {
            address,
            tls,
            gate,
            idle: Mutex::new(Vec::new()),
            slots: Semaphore::const_new(LINES_MAX),
            within,
        }
    }

    /// Sends an order once, whatever happens. `make` is called just before its bytes go, so its time stamp is fresh.
    pub(crate) async fn send(
        &self,
        order: &ApprovedOrder,
        make: impl FnOnce() -> OrderRequest,
    ) -> SendOutcome {
        if let Err(reason) = self.gate.admit(order) {
            return SendOutcome::NotSent(reason);
        }
        let ready = async {
            let slot = self
                .slots
                .acquire()
                .await
                .map_err(|error| error.to_string())?;
            let line = self.line().await?;
            Ok::<_, String>((slot, line))
        };
        let ready = tokio::select! {
            biased;
            () = self.gate.cut() => return SendOutcome::NotSent(NotSentReason::Killed),
            ready = timeout(self.within, ready) => ready,
        };
        let (slot, mut line) = match ready {
            Ok(Ok(ready)) => ready,
            Ok(Err(error)) => {
                tracing::warn!(error, "No connection for an order");
                return SendOutcome::NotSent(NotSentReason::Unreachable);
            }
            Err(_) => return SendOutcome::NotSent(NotSentReason::Unreachable),
        };
        let sent = self.exchange(order, &mut line, make).await;
        if matches!(sent, SendOutcome::Answered(_)) {
            self.put_back(line);
        }
        drop(slot);
        sent
    }

    async fn exchange(
        &self,
        order: &ApprovedOrder,
        line: &mut Line,
        make: impl FnOnce() -> OrderRequest,
    ) -> SendOutcome {
        line.permit.begin(order);
        let request = match self.http(make()) {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(%error, "An order request could not be built");
                return SendOutcome::NotSent(NotSentReason::Unreachable);
            }
        };
        let outcome = tokio::select! {
            biased;
            () = self.gate.cut() => Err("cut by a kill".to_owned()),
            answer = timeout(self.within, ask(&mut line.sender, &mut line.driver, request)) => {
                answer.unwrap_or_else(|_| Err("no answer in time".to_owned()))
            }
        };
        // The future is gone and nothing else drives this connection, so what has not left by now never will.
        match outcome {
            Ok(answer) => SendOutcome::Answered(answer),
            Err(why) if line.permit.written() > 0 => SendOutcome::Unanswered(why),
            Err(why) => {
                tracing::warn!(why, "An order was not sent");
                let refusal = line.permit.refusal().or(self.gate.admit(order).err());
                SendOutcome::NotSent(refusal.unwrap_or(NotSentReason::Unreachable))
            }
        }
    }

    fn http(&self, request: OrderRequest) -> Result<Request<Body>, hyper::http::Error> {
        let (name, value) = request.key_header;
        let host = match (self.address.port(), self.address.is_encrypted()) {
            (443, true) | (80, false) => self.address.host().to_owned(),
            (port, _) => format!("{}:{port}", self.address.host()),
        };
        Request::post(request.path)
            .header(hyper::header::HOST, host)
            .header(
                hyper::header::CONTENT_TYPE,
                "application/x-www-form-urlencoded",
            )
            .header(name, value)
            .body(Full::new(Bytes::from(request.form)))
    }

    /// An idle connection that is still open, or a new one.
    async fn line(&self) -> Result<Line, String> {
        while let Some(mut line) = self.take_idle() {
            // One look at the socket: a connection that the venue closed meanwhile ends here and not in an order's face.
            let ended = (&mut line.driver).now_or_never().is_some();
            if !ended && !line.driver.is_terminated() && line.sender.is_ready() {
                return Ok(line);
            }
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<Line, String> {
        let permit = SendPermit::new(Arc::clone(&self.gate));
        let stream = gated_stream::connect(&self.address, &self.tls, &permit).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        Ok(Line {
            sender,
            driver: boxed(connection).fuse(),
            permit,
        })
    }

    fn take_idle(&self) -> Option<Line> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop()
    }

    fn put_back(&self, line: Line) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(line);
    }
}

fn boxed(
    connection: impl Future<Output = hyper::Result<()>> + Send + 'static,
) -> Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>> {
    Box::pin(connection)
}

/// Sends a request and reads its answer, driving the connection meanwhile: it has no task of its own.
async fn ask(
    sender: &mut http1::SendRequest<Body>,
    driver: &mut Driver,
    request: Request<Body>,
) -> Result<Answer, String> {
    let response = driven(driver, sender.send_request(request))
        .await?
        .map_err(|error| error.to_string())?;
    let (head, body) = response.into_parts();
    let body = driven(driver, Limited::new(body, ANSWER_BYTES_MAX).collect())
        .await?
        .map_err(|error| error.to_string())?;
    Ok(Answer {
        status: head.status.as_u16(),
        limits: Limits::of_headers(&head.headers),
        body: body.to_bytes(),
    })
}

/// Runs `work` while the connection is driven. A connection that ends first may still have delivered what `work` needs.
async fn driven<T>(driver: &mut Driver, work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => Ok(done),
        ended = driver => match work.now_or_never() {
            Some(done) => Ok(done),
            None => Err(match ended {
                Ok(()) => "connection closed".to_owned(),
                Err(error) => error.to_string(),
            }),
        },
    }
}
