//! A connection to a venue that orders leave on: TCP with the gate around it, TLS on top where the address says so.
//!
//! Both ways of sending orders are built on it. Nothing here has a time-out of its own: its callers set one.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::address::Address;
use crate::gate::{GatedIo, SendPermit};

/// A gated connection, plain or encrypted.
pub(crate) type GatedStream = Box<dyn Socket>;

/// Reads and writes bytes.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Connects; every byte that leaves on it, handshakes included, is shown to `permit`.
pub(crate) async fn connect(
    address: &Address,
    tls: &Arc<ClientConfig>,
    permit: &Arc<SendPermit>,
) -> Result<GatedStream, String> {
    let host = address.host().to_owned();
    let socket = TcpStream::connect((host.as_str(), address.port()))
        .await
        .map_err(|error| error.to_string())?;
    socket
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;
    let gated = GatedIo::new(socket, Arc::clone(permit));
    if !address.is_encrypted() {
        return Ok(Box::new(gated));
    }
    let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
    let connector = TlsConnector::from(Arc::clone(tls));
    let encrypted = connector.connect(name, gated).await;
    Ok(Box::new(encrypted.map_err(|error| error.to_string())?))
}
