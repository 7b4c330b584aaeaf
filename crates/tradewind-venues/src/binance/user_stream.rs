//! The user data stream as a [`Protocol`]: one subscription on the WebSocket API, signed.
//!
//! The subscription is the topic [`Topic::Account`], so what keeps market data alive keeps this alive too. Source:
//! user-data-stream.md and web-socket-api.md of the venue's documentation, July 2026.

use std::sync::Arc;

use rustls::ClientConfig;
use tradewind_model::Timestamp;

use super::requests::Params;
use super::session::Message;
use super::signing::Signer;
use super::user_events::AccountReader;
use crate::address::Address;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Topic};
use crate::sink::UserEvent;
use crate::websocket::WebSocket;

/// All that a connection for an account's events needs.
#[derive(Clone, Debug)]
pub(super) struct UserSettings {
    pub(super) address: Address,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) signer: Signer,
    pub(super) reader: AccountReader,
}

/// A connection for one account's events.
#[derive(Debug)]
pub struct UserProtocol {
    settings: UserSettings,
    socket: Option<WebSocket>,
}

impl UserProtocol {
    pub(super) const fn new(settings: UserSettings) -> Self {
        Self {
            settings,
            socket: None,
        }
    }

    fn socket(&mut self) -> Result<&mut WebSocket, ProtocolError> {
        self.socket
            .as_mut()
            .ok_or_else(|| ProtocolError("not connected".to_owned()))
    }
}

impl UserSettings {
    fn subscription(&self, request: u64) -> String {
        serde_json::json!({
            "id": request,
            "method": "userDataStream.subscribe.signature",
            "params": self.signer.message(Params::default()),
        })
        .to_string()
    }
}

impl Protocol for UserProtocol {
    type Message = Message;
    type Event = UserEvent;

    async fn connect(&mut self) -> Result<(), ProtocolError> {
        let settings = &self.settings;
        self.socket = Some(WebSocket::connect(&settings.address, "", &settings.tls).await?);
        Ok(())
    }

    async fn subscribe(&mut self, request: u64, _topics: &[Topic]) -> Result<(), ProtocolError> {
        let text = self.settings.subscription(request);
        self.socket()?.send(text).await
    }

    async fn unsubscribe(&mut self, request: u64, _topics: &[Topic]) -> Result<(), ProtocolError> {
        let text = serde_json::json!({"id": request, "method": "userDataStream.unsubscribe"});
        self.socket()?.send(text.to_string()).await
    }

    async fn ping(&mut self) -> Result<(), ProtocolError> {
        self.socket()?.ping().await
    }

    async fn receive(&mut self) -> Result<Message, ProtocolError> {
        self.socket()?.receive().await.map(Message::from)
    }

    async fn disconnect(&mut self) {
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
    }

    fn decode(
        &self,
        message: &Message,
        _received_at: Timestamp,
        out: &mut impl FnMut(Incoming<UserEvent>),
    ) -> usize {
        match message {
            Message::Text(text) => {
                self.settings.reader.decode(text.as_bytes(), out);
                text.len()
            }
            Message::Pong => {
                out(Incoming::Pong);
                0
            }
            Message::Other => {
                out(Incoming::Ignored(Ignored::NotWanted));
                0
            }
        }
    }
}
