//! The listener: open, shut, or letting people in only to throw them out again.
//!
//! What it is to be is decided elsewhere and read from a channel. Shut means shut: nobody listens at the address, so a
//! client is refused by the system and not by us.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::faults::DoorState;
use crate::line::Line;

/// Between two attempts at something the system refused.
const AGAIN: Duration = Duration::from_millis(50);

/// A listener that obeys a channel.
#[derive(Debug)]
pub(crate) struct Door {
    address: SocketAddr,
    listener: Option<TcpListener>,
    state: watch::Receiver<DoorState>,
    accepted: u64,
}

impl Door {
    pub(crate) fn new(
        listener: TcpListener,
        state: watch::Receiver<DoorState>,
    ) -> io::Result<Self> {
        Ok(Self {
            address: listener.local_addr()?,
            listener: Some(listener),
            state,
            accepted: 0,
        })
    }

    /// The next connection, or `None` when something changed first.
    async fn try_accept(&mut self) -> Option<(Line, SocketAddr)> {
        let state = *self.state.borrow_and_update();
        if state == DoorState::Closed {
            self.listener = None;
            self.changed().await;
            return None;
        }
        let accepted = match &self.listener {
            Some(listener) => tokio::select! {
                accepted = listener.accept() => accepted,
                changed = self.state.changed() => {
                    if changed.is_err() {
                        std::future::pending::<()>().await;
                    }
                    return None;
                }
            },
            None => match TcpListener::bind(self.address).await {
                Ok(listener) => {
                    self.listener = Some(listener);
                    return None;
                }
                Err(error) => Err(error),
            },
        };
        match accepted {
            Ok((stream, address)) => Some((self.let_in(stream, state), address)),
            Err(error) => {
                tracing::debug!(%error, "Could not take a connection");
                tokio::time::sleep(AGAIN).await;
                None
            }
        }
    }

    fn let_in(&mut self, stream: tokio::net::TcpStream, state: DoorState) -> Line {
        // Without it the answer to a small request waits for the client's delayed acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "Could not switch off Nagle's algorithm");
        }
        self.accepted += 1;
        Line::new(stream, state.lifetime(self.accepted))
    }

    /// Waits for the next state; for ever when there will be none, since the server stops by other means.
    async fn changed(&mut self) {
        if self.state.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            if let Some(accepted) = self.try_accept().await {
                return accepted;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
