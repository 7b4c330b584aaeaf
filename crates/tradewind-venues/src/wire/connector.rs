//! Opening sockets: the one seam between this crate and a network, real or virtual.
//!
//! A [`Connector`] is injected. [`TcpConnector`] is the live one: DNS, TCP, rustls. A virtual network yields streams of its own.
//! A shell without tokio polls the stream with a context of its own; the machines above never see it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ring::rand::SystemRandom;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::time::{RealTime, Sleeping, TokioTime};
use crate::address::Address;
use crate::gate::{GatedIo, SendPermit};

/// Longest to wait for a name's addresses, and for each of them to accept.
const RESOLVE_WITHIN: Duration = Duration::from_secs(5);
const ACCEPT_WITHIN: Duration = Duration::from_secs(5);

/// Reads and writes bytes.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection, decrypted.
pub type ByteStream = Box<dyn Stream>;
/// A connection that is being opened.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<ByteStream, ConnectError>> + Send + 'a>>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The host's name has no address, or none was found in time.
    #[error("cannot resolve {0}: {1}")]
    Resolve(String, #[source] io::Error),
    /// No address of the host accepted.
    #[error("cannot connect to {0}: {1}")]
    Refused(String, #[source] io::Error),
    /// No secure connection came about.
    #[error("no TLS with {0}: {1}")]
    Tls(String, #[source] io::Error),
}

/// Opens connections, and keeps the time that sockets live by: all that this crate waits for comes from here.
pub trait Connector: RealTime {
    /// Opens `address`, encrypted where it says so. With a permit every byte that leaves, handshakes included, passes the
    /// permit's [`GatedIo`] below TLS, which [`layer`] sees to. Has no time-out as a whole: its callers set one.
    fn open<'a>(&'a self, address: &'a Address, permit: Option<Arc<SendPermit>>) -> Opening<'a>;

    /// A number that seeds WebSocket keys and masks: unpredictable on a real network, seeded on a virtual one.
    fn nonce(&self) -> u64;
}

/// The result of `work`, if it is there within `limit`.
pub(crate) async fn within<T>(
    connector: &dyn Connector,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = async { connector.sleep(limit).await } => None,
    }
}

/// Connects over TCP.
#[derive(Clone)]
pub struct TcpConnector {
    tls: Arc<ClientConfig>,
    time: TokioTime,
}

impl TcpConnector {
    /// A connector that trusts what `tls` trusts, to be injected.
    #[must_use]
    pub fn shared(tls: Arc<ClientConfig>) -> Arc<dyn Connector> {
        let time = TokioTime::default();
        Arc::new(Self { tls, time })
    }
}

impl fmt::Debug for TcpConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TcpConnector")
    }
}

impl Connector for TcpConnector {
    fn open<'a>(&'a self, address: &'a Address, permit: Option<Arc<SendPermit>>) -> Opening<'a> {
        Box::pin(async move {
            let socket = connect(address).await?;
            layer(socket, address, &self.tls, permit).await
        })
    }

    fn nonce(&self) -> u64 {
        // Without randomness masks can be guessed, which is harmless: all that is masked is our own.
        ring::rand::generate(&SystemRandom::new())
            .map_or(0, |bytes| u64::from_le_bytes(bytes.expose()))
    }
}

impl RealTime for TcpConnector {
    fn now(&self) -> Duration {
        self.time.now()
    }

    fn sleep(&self, wait: Duration) -> Sleeping<'_> {
        self.time.sleep(wait)
    }
}

async fn connect(address: &Address) -> Result<TcpStream, ConnectError> {
    let host = address.host();
    let resolved = in_time(RESOLVE_WITHIN, lookup_host((host, address.port()))).await;
    let found: Vec<SocketAddr> = resolved
        .map_err(|error| ConnectError::Resolve(host.to_owned(), error))?
        .collect();
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for place in found {
        match in_time(ACCEPT_WITHIN, TcpStream::connect(place)).await {
            Ok(socket) => {
                let refused = |error| ConnectError::Refused(host.to_owned(), error);
                socket.set_nodelay(true).map_err(refused)?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(ConnectError::Refused(host.to_owned(), last))
}

async fn in_time<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Puts the gate around a transport, if there is a permit, and TLS on top, if the address is encrypted.
///
/// # Errors
/// [`ConnectError::Tls`] if the handshake fails.
pub async fn layer<S: Stream + 'static>(
    transport: S,
    address: &Address,
    tls: &Arc<ClientConfig>,
    permit: Option<Arc<SendPermit>>,
) -> Result<ByteStream, ConnectError> {
    let below: ByteStream = match permit {
        Some(permit) => Box::new(GatedIo::new(transport, permit)),
        None => Box::new(transport),
    };
    if !address.is_encrypted() {
        return Ok(below);
    }
    let host = address.host().to_owned();
    let failed = |error| ConnectError::Tls(host.clone(), error);
    let name = ServerName::try_from(host.clone())
        .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let connector = TlsConnector::from(Arc::clone(tls));
    let encrypted = connector.connect(name, below).await.map_err(failed)?;
    Ok(Box::new(encrypted))
}
