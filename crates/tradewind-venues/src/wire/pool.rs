//! HTTP connections to one address: kept alive, used in turn, one request at a time on each. Nothing is sent twice.
//!
//! The shell of [`HttpConnection`]. The sender of a request drives its connection meanwhile, so no task is needed.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::sync::{Semaphore, TryAcquireError};
use tradewind_model::mutation::{Mutation, is_on};

use super::buffers::{Buffers, Moved};
use super::connector::{ByteStream, ConnectError, Connector};
use super::http::{HttpConnection, HttpError, Request, Response};
use crate::address::Address;
use crate::gate::SendPermit;

/// How long a connection without a request is kept. Servers and firewalls drop idle connections silently.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Connections of a pool for requests that are not urgent, and most requests that may wait for one.
const CONNECTIONS_MAX: usize = 16;
const WAITING_MAX: usize = 256;

/// Why a request has no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error(transparent)]
    NotOpened(#[from] ConnectError),
    #[error("connection lost: {0}")]
    Lost(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("more than {WAITING_MAX} requests wait for a connection")]
    Full,
    /// Nothing may leave for this long. Nothing of the request has.
    #[error("nothing may leave for {0:?}")]
    Blocked(Duration),
}

/// One open connection.
pub(crate) struct HttpLink {
    stream: ByteStream,
    http: HttpConnection,
    buffers: Buffers,
}

impl HttpLink {
    /// Connects, for bodies of at most so many bytes.
    pub(crate) async fn open(
        connector: &dyn Connector,
        address: &Address,
        permit: Option<Arc<SendPermit>>,
        body_max: usize,
    ) -> Result<Self, ConnectError> {
        Ok(Self {
            stream: connector.open(address, permit).await?,
            http: HttpConnection::new(body_max),
            buffers: Buffers::default(),
        })
    }

    /// Sends a request and reads its response. A link whose exchange was dropped half way is to be dropped, too.
    pub(crate) async fn exchange(&mut self, request: &Request<'_>) -> Result<Response, LinkError> {
        self.http.send(request, self.buffers.out())?;
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Response, LinkError>> {
        loop {
            match ready!(self.buffers.poll(Pin::new(&mut self.stream), context)) {
                Ok(Moved::Written) => {}
                Ok(Moved::Ended) => return Poll::Ready(Ok(self.http.ended()?)),
                Err(lost) => return Poll::Ready(self.http.lost().ok_or_else(|| lost.into())),
                Ok(Moved::Read) => {
                    let received = self.http.receive(self.buffers.input())?;
                    self.buffers.used(received.used);
                    if let Some(response) = received.response {
                        return Poll::Ready(Ok(response));
                    }
                }
            }
        }
    }

    /// One look at the socket: a connection that the venue has closed meanwhile is found here and not by a request.
    fn is_usable(&mut self, context: &mut Context<'_>) -> bool {
        self.http.is_reusable()
            && self.buffers.is_written()
            && self.buffers.input().is_empty()
            && self.poll(context).is_pending()
    }
}

impl AsMut<Self> for HttpLink {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

/// Connections that wait for their next request.
pub(crate) struct IdleLinks<L>(Mutex<Idle<L>>);

struct Idle<L> {
    links: Vec<(Duration, L)>,
    /// What a new one wakes.
    watcher: Option<Waker>,
}

impl<L: AsMut<HttpLink>> IdleLinks<L> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Idle {
            links: Vec::new(),
            watcher: None,
        }))
    }

    /// Closes each as soon as the venue does: a server closes idle connections after seconds. Never resolves.
    pub(crate) async fn watch(&self) {
        poll_fn(|context| {
            let mut idle = self.lock();
            idle.watcher = Some(context.waker().clone());
            idle.links
                .retain_mut(|(_, link)| link.as_mut().is_usable(context));
            Poll::Pending
        })
        .await
    }

    /// The one used last that is still open.
    pub(crate) fn take(&self, now: Duration) -> Option<L> {
        loop {
            if is_on(Mutation::ConnectionKept) {
                return None;
            }
            let (since, mut link) = self.lock().links.pop()?;
            let mut context = Context::from_waker(Waker::noop());
            if now < since + IDLE_MAX && link.as_mut().is_usable(&mut context) {
                return Some(link);
            }
        }
    }

    /// Keeps a link for another request, unless enough are kept already.
    pub(crate) fn put(&self, now: Duration, link: L) {
        let mut idle = self.lock();
        if idle.links.len() < CONNECTIONS_MAX || is_on(Mutation::ConnectionKept) {
            idle.links.push((now, link));
            if let Some(watcher) = &idle.watcher {
                watcher.wake_by_ref();
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Idle<L>> {
        // A push or a pop, which a panic cannot leave half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connections to one address for what is no order.
pub(crate) struct HttpPool {
    connector: Arc<dyn Connector>,
    address: Address,
    body_max: usize,
    idle: IdleLinks<HttpLink>,
    connections: Semaphore,
    requests: Semaphore,
}

impl std::fmt::Debug for HttpPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpPool")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl HttpPool {
    pub(crate) const fn new(
        connector: Arc<dyn Connector>,
        address: Address,
        body_max: usize,
    ) -> Self {
        Self {
            connector,
            address,
            body_max,
            idle: IdleLinks::new(),
            connections: Semaphore::const_new(CONNECTIONS_MAX),
            requests: Semaphore::const_new(CONNECTIONS_MAX + WAITING_MAX),
        }
    }

    pub(crate) fn connector(&self) -> &dyn Connector {
        &*self.connector
    }

    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// Closes idle connections as soon as the venue does. Never resolves.
    pub(crate) async fn watch_idle(&self) {
        self.idle.watch().await;
    }

    /// Sends a request once and brings its response, whatever the status. Its caller sets a time-out.
    ///
    /// An urgent request waits for no other: if no connection is idle it gets one of its own. `blocked` is evaluated once the connection
    /// is there, which may take long: for how long nothing may leave.
    pub(crate) async fn send(
        &self,
        request: &Request<'_>,
        urgent: bool,
        blocked: impl FnOnce() -> Duration,
    ) -> Result<Response, LinkError> {
        let full = |_: TryAcquireError| LinkError::Full;
        let _place = self.requests.try_acquire().map_err(full)?;
        // The semaphore is never closed; if it were, that would be no reason to send more at once.
        let _turn = match urgent {
            true => None,
            false => Some(
                self.connections
                    .acquire()
                    .await
                    .map_err(|_| LinkError::Full)?,
            ),
        };
        let mut link = match self.idle.take(self.connector.now()) {
            Some(link) => link,
            None => HttpLink::open(&*self.connector, &self.address, None, self.body_max).await?,
        };
        let wait = blocked();
        if !wait.is_zero() {
            self.idle.put(self.connector.now(), link);
            return Err(LinkError::Blocked(wait));
        }
        let response = link.exchange(request).await?;
        self.idle.put(self.connector.now(), link);
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Scheme;
    use crate::tls::client_config;
    use crate::wire::TcpConnector;
    use crate::wire::http::Method;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// V12: the venue blocks us while a connection is opened.
    #[tokio::test]
    async fn a_request_that_is_blocked_once_its_connection_is_there_does_not_leave() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let pool = HttpPool::new(
            TcpConnector::shared(client_config(None).unwrap()),
            Address::parse(&address, Scheme::Http).unwrap(),
            1_000,
        );
        let request = |target: &'static str| Request {
            method: Method::Get,
            target,
            host: "test",
            fields: &[],
            body: b"",
        };
        let server = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = [0; 1_000];
            let read = socket.read(&mut head).await.unwrap();
            assert!(head[..read].starts_with(b"GET /second"));
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            socket.write_all(answer).await.unwrap();
            socket
        };
        let client = async {
            let wait = Duration::from_secs(5);
            let first = pool.send(&request("/first"), false, || wait).await;
            assert!(matches!(first, Err(LinkError::Blocked(found)) if found == wait));
            pool.send(&request("/second"), false, || Duration::ZERO)
                .await
                .unwrap()
        };
        assert_eq!(tokio::join!(server, client).1.body, b"ok");
    }

    /// Without it the socket stays in CLOSE-WAIT until the next request.
    #[tokio::test]
    async fn an_idle_connection_is_closed_when_its_server_closes_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let pool = HttpPool::new(
            TcpConnector::shared(client_config(None).unwrap()),
            Address::parse(&address, Scheme::Http).unwrap(),
            1_000,
        );
        let request = Request {
            method: Method::Get,
            target: "/",
            host: "test",
            fields: &[],
            body: b"",
        };
        let server = async {
            for _ in 0..2 {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut head = [0; 1_000];
                assert!(socket.read(&mut head).await.unwrap() > 0);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                socket.write_all(answer).await.unwrap();
                socket.shutdown().await.unwrap();
                // The end of what the pool sends: it has closed, too.
                assert_eq!(socket.read(&mut head).await.unwrap(), 0);
            }
        };
        let client = async {
            for _ in 0..2 {
                assert_eq!(
                    pool.send(&request, false, || Duration::ZERO)
                        .await
                        .unwrap()
                        .body,
                    b"ok"
                );
                tokio::time::timeout(Duration::from_secs(60), async {
                    while !pool.idle.lock().links.is_empty() {
                        tokio::task::yield_now().await;
                    }
                })
                .await
                .expect("the link is dropped");
            }
        };
        tokio::select! {
            _ = async { tokio::join!(server, client) } => {}
            () = pool.watch_idle() => {}
        }
    }
}
