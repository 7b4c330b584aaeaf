//! The server: one function runs it from start to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::auth::{Keys, Secrets};
use crate::desk::Desk;
use crate::hosts::Hosts;
use crate::listener::{GuardedListener, Patience, Peer};
use crate::reset::Nonces;
use crate::routes::router;
use crate::sse::Hub;
use crate::state::{ApiState, Shared};

/// How long connections may take to end once the server is to stop.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How a server is started.
#[derive(Debug)]
pub struct ServerOptions {
    /// Token and login code.
    pub secrets: Secrets,
    /// Authorities besides the listener's own and `localhost` that requests may be addressed to: `desk.lan:8787`.
    pub hosts: Vec<String>,
    /// How many connections there may be at once.
    pub connections_max: usize,
    /// How many event streams there may be at once.
    pub streams_max: usize,
    /// How long an answer may take to begin.
    pub request_timeout: Duration,
}

impl ServerOptions {
    /// Connections at once, unless set otherwise.
    pub const CONNECTIONS_MAX: usize = 2_048;

    /// What is sensible for one operator: 2,048 connections, 1,024 streams, 10 s.
    #[must_use]
    pub const fn new(secrets: Secrets) -> Self {
        Self {
            secrets,
            hosts: Vec::new(),
            connections_max: Self::CONNECTIONS_MAX,
            streams_max: 1_024,
            request_timeout: Duration::from_secs(10),
        }
    }
}

/// Why a server could not be started, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The listener is no good.
    #[error("the listener failed")]
    Listener(#[source] std::io::Error),
    /// The operating system has no randomness to keep secrets with.
    #[error("no randomness to be had")]
    Randomness,
}

/// Serves the desk on a listener until `shutdown`.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    desk: Arc<dyn Desk>,
    hub: Arc<Hub>,
    router: Router,
    shutdown: CancellationToken,
    connections_max: usize,
}

impl Server {
    /// A server on a bound listener. Nothing is answered until [`run`](Self::run).
    ///
    /// # Errors
    /// [`ServerError::Listener`], if the listener has no address; [`ServerError::Randomness`].
    pub fn new(
        listener: TcpListener,
        desk: Arc<dyn Desk>,
        options: ServerOptions,
        shutdown: CancellationToken,
    ) -> Result<Self, ServerError> {
        let address = listener.local_addr().map_err(ServerError::Listener)?;
        let connections_max = options.connections_max;
        let state = state(address, Arc::clone(&desk), options, shutdown.clone())?;
        Ok(Self {
            listener,
            desk,
            hub: Arc::clone(&state.hub),
            router: router(state),
            shutdown,
            connections_max,
        })
    }

    /// Serves until `shutdown`, then gives open connections three seconds to end.
    ///
    /// # Errors
    /// [`ServerError::Listener`], if the listener fails.
    pub async fn run(self) -> Result<(), ServerError> {
        let Self {
            listener,
            desk,
            hub,
            router,
            shutdown,
            connections_max,
        } = self;
        let listener = GuardedListener::new(listener, connections_max, Patience::default());
        let service = router.into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(listener, service)
            .with_graceful_shutdown(shutdown.clone().cancelled_owned());
        let late = async {
            shutdown.cancelled().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        let hub = async {
            hub.run(desk, shutdown.clone()).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            served = async { serving.await } => served.map_err(ServerError::Listener),
            () = late => {
                tracing::warn!("connections were still open at the end");
                Ok(())
            }
            () = hub => Ok(()),
        }
    }
}

fn state(
    address: SocketAddr,
    desk: Arc<dyn Desk>,
    options: ServerOptions,
    shutdown: CancellationToken,
) -> Result<ApiState, ServerError> {
    let keys = Keys::new(options.secrets);
    Ok(ApiState::new(Shared {
        desk,
        keys: keys.map_err(|_| ServerError::Randomness)?,
        hosts: Hosts::new(address, &options.hosts),
        nonces: Nonces::default(),
        hub: Arc::new(Hub::new(options.streams_max)),
        shutdown,
        started: Instant::now(),
        request_timeout: options.request_timeout,
    }))
}
