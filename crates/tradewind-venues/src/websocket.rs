//! A WebSocket as the protocols use it: text out, messages in, at most 1 MiB each.
//!
//! Pings of the venue are answered by the library while we read. Nothing here reconnects or knows what a message means.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use crate::address::Address;
use crate::protocol::ProtocolError;

/// The longest message we take; Binance's are below 64 KiB.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// What arrived.
#[derive(Debug)]
pub(crate) enum Received {
    Text(Utf8Bytes),
    Pong,
    /// A ping of the venue, or a kind we have no use for.
    Other,
}

/// An open WebSocket.
#[derive(Debug)]
pub(crate) struct WebSocket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl WebSocket {
    /// Connects to `path` at `address`.
    pub(crate) async fn connect(
        address: &Address,
        path: &str,
        tls: &Arc<ClientConfig>,
    ) -> Result<Self, ProtocolError> {
        let connector = if address.is_encrypted() {
            Connector::Rustls(Arc::clone(tls))
        } else {
            Connector::Plain
        };
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let url = address.join(path);
        let (stream, _) = connect_async_tls_with_config(url, Some(config), true, Some(connector))
            .await
            .map_err(ProtocolError::new)?;
        Ok(Self(stream))
    }

    pub(crate) async fn send(&mut self, text: String) -> Result<(), ProtocolError> {
        self.0
            .send(Message::text(text))
            .await
            .map_err(ProtocolError::new)
    }

    pub(crate) async fn ping(&mut self) -> Result<(), ProtocolError> {
        self.0
            .send(Message::Ping(Bytes::new()))
            .await
            .map_err(ProtocolError::new)
    }

    /// The next message; dropping the future loses nothing.
    pub(crate) async fn receive(&mut self) -> Result<Received, ProtocolError> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Received::Text(text)),
            Some(Ok(Message::Pong(_))) => Ok(Received::Pong),
            Some(Ok(Message::Close(frame))) => {
                let why = frame.map_or_else(String::new, |frame| format!(": {frame}"));
                Err(ProtocolError(format!("closed by the venue{why}")))
            }
            Some(Ok(Message::Ping(_) | Message::Binary(_) | Message::Frame(_))) => {
                Ok(Received::Other)
            }
            Some(Err(error)) => Err(ProtocolError::new(error)),
            None => Err(ProtocolError("closed".to_owned())),
        }
    }

    pub(crate) async fn close(mut self) {
        if let Err(error) = self.0.close(None).await {
            tracing::trace!(%error, "Closing handshake not finished");
        }
    }
}
