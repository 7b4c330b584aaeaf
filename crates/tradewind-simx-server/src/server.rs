//! The shell: a listener, HTTP requests, WebSocket connections. It moves texts between sockets and the exchange's mailbox
//! and decides nothing.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use crossbeam_channel::Receiver;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::control::{self, ControlPort};
use crate::door::Door;
use crate::exchange_task::{Desk, ExchangeTask, Letter, Mailbox};
use crate::faults::{Conduct, DoorState};
use crate::front::Front;
use crate::handle::ServerHandle;
use crate::http;
use crate::line::Peer;
use crate::options::{Limits, ServerError, ServerOptions};
use crate::order_log::OrderLog;
use crate::rest::ApiError;
use crate::startup::{self, Started};
use crate::streams::ConnectionId;
use crate::streams::attempts::Attempts;

/// Connections get this long to say goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// A simulated exchange that holds its address and its state, ready to [`run`](Self::run).
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    options: ServerOptions,
    started: Started,
    mailbox: Mailbox,
    letters: Receiver<Letter>,
    conduct: Conduct,
    control: Option<ControlPort>,
}

/// What every request and connection needs.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) mailbox: Mailbox,
    pub(crate) limits: Limits,
    pub(crate) shutdown: CancellationToken,
    pub(crate) connections: TaskTracker,
    next_connection: Arc<AtomicU64>,
    attempts: Arc<Mutex<Attempts>>,
    /// Connections measure their times from here.
    origin: Instant,
}

impl Server {
    /// Takes the address and restores what `data_dir` holds. Nothing is answered before [`run`](Self::run).
    ///
    /// # Errors
    /// The address is taken, the folder cannot be used, or an account names an unknown asset.
    pub fn bind(options: ServerOptions) -> Result<Self, ServerError> {
        let address = options.listen;
        let listen = |source| ServerError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let started = startup::start(&options)?;
        let (mailbox, letters) = Mailbox::new();
        Ok(Self {
            listener,
            address,
            options,
            started,
            mailbox,
            letters,
            conduct: Conduct::default(),
            control: None,
        })
    }

    /// The same server with latencies, and with faults whose times count from now.
    #[must_use]
    pub fn with_conduct(mut self, conduct: Conduct) -> Self {
        self.conduct = conduct;
        self
    }

    /// The same server with a port for its operator.
    #[must_use]
    pub fn with_control(mut self, control: ControlPort) -> Self {
        self.control = Some(control);
        self
    }

    /// The same server, writing down what happens to orders.
    #[must_use]
    pub fn with_order_log(mut self, log: OrderLog) -> Self {
        self.started.core.order_log = Some(log);
        self
    }

    /// The address it listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// A handle to look inside and to act as the operator; it works while the server runs.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle::new(self.mailbox.clone())
    }

    /// Serves until `shutdown`, then says goodbye, stores everything and ends.
    ///
    /// # Errors
    /// The listener or the disk failed. What was acknowledged is safe all the same.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), ServerError> {
        let shared = Shared {
            mailbox: self.mailbox.clone(),
            limits: self.options.limits,
            shutdown: shutdown.child_token(),
            connections: TaskTracker::new(),
            next_connection: Arc::new(AtomicU64::new(1)),
            attempts: Arc::default(),
            origin: Instant::now(),
        };
        let (door, door_state) = watch::channel(DoorState::Open);
        let last = self.started.last;
        let task = ExchangeTask {
            front: Front::new(self.started.core, last, self.conduct),
            door,
            clock: self.options.clock,
            store: self.started.store,
            keys: self.started.keys,
            letters: self.letters,
            last,
            desk: Desk::default(),
        };
        let listener =
            tokio::net::TcpListener::from_std(self.listener).map_err(ServerError::Serve)?;
        let handle = ServerHandle::new(self.mailbox);
        let mut exchange = tokio::task::spawn_blocking(move || task.run());
        let served = tokio::select! {
            served = serve(listener, door_state, shared.clone()) => served,
            failed = control::serve(self.control, handle, shared.shutdown.clone()) => Err(failed),
            ended = &mut exchange => return Err(stopped(ended)),
        };
        farewell(&shared).await;
        // A full mailbox empties in a moment: the exchange goes on reading until it finds the letter.
        while shared
            .mailbox
            .post(Letter::Stop)
            .is_err_and(|error| error == ApiError::OVERLOADED)
        {
            tokio::task::yield_now().await;
        }
        match exchange.await {
            Ok(Ok(())) => served,
            ended => Err(stopped(ended)),
        }
    }
}

async fn serve(
    listener: tokio::net::TcpListener,
    state: watch::Receiver<DoorState>,
    shared: Shared,
) -> Result<(), ServerError> {
    let shutdown = shared.shutdown.clone();
    let router: Router = Router::new().fallback(http::answer).with_state(shared);
    let listener = Door::new(listener, state).map_err(ServerError::Serve)?;
    let service = router.into_make_service_with_connect_info::<Peer>();
    let served =
        axum::serve(listener, service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let overdue = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GOODBYE).await;
    };
    tokio::select! {
        served = served => served.map_err(ServerError::Serve),
        () = overdue => Ok(()),
    }
}

/// Waits for the connections to close, but not for ever.
async fn farewell(shared: &Shared) {
    shared.connections.close();
    if tokio::time::timeout(GOODBYE, shared.connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            left = shared.connections.len(),
            "Connections did not close in time"
        );
    }
}

fn stopped(ended: Result<std::io::Result<()>, tokio::task::JoinError>) -> ServerError {
    ServerError::Stopped(match ended {
        Ok(Ok(())) => "it was told to".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    })
}

impl Shared {
    /// A number no connection had before.
    pub(crate) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed))
    }

    /// Monotonic time since the server began to run.
    pub(crate) fn elapsed(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The instant of a time that [`elapsed`](Self::elapsed) will reach.
    pub(crate) fn instant(&self, elapsed: Duration) -> tokio::time::Instant {
        (self.origin + elapsed).into()
    }

    /// Counts a WebSocket that `address` opens.
    ///
    /// # Errors
    /// -1034 when it is one too many and limits are enforced.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<(), ApiError> {
        if self.limits == Limits::Off {
            return Ok(());
        }
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts
            .admit(self.elapsed(), address)
            .map_err(|_| ApiError::TOO_MANY_CONNECTIONS)
    }
}
