//! The market streams as a [`Protocol`]: one combined connection, JSON over WebSocket.

use std::sync::Arc;

use rustls::ClientConfig;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tradewind_model::{MarketEvent, Timestamp};

use super::codec;
use super::symbols::SymbolTable;
use crate::address::Address;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Topic};
use crate::websocket::{Received, WebSocket};

/// A connection to the market streams.
#[derive(Debug)]
pub struct MarketProtocol {
    address: Address,
    tls: Arc<ClientConfig>,
    symbols: Arc<SymbolTable>,
    socket: Option<WebSocket>,
}

/// A message of the market streams.
#[derive(Debug)]
pub enum Message {
    /// A text frame.
    Text(Utf8Bytes),
    /// A pong.
    Pong,
    /// Something of no use.
    Other,
}

impl From<Received> for Message {
    fn from(received: Received) -> Self {
        match received {
            Received::Text(text) => Self::Text(text),
            Received::Pong => Self::Pong,
            Received::Other => Self::Other,
        }
    }
}

impl MarketProtocol {
    /// A connection that is not open yet. `address` is the streams' own, such as `wss://stream.binance.com:9443`.
    #[must_use]
    pub const fn new(address: Address, tls: Arc<ClientConfig>, symbols: Arc<SymbolTable>) -> Self {
        Self {
            address,
            tls,
            symbols,
            socket: None,
        }
    }

    async fn request(
        &mut self,
        method: &str,
        request: u64,
        topics: &[Topic],
    ) -> Result<(), ProtocolError> {
        let streams: Vec<String> = topics
            .iter()
            .filter_map(|topic| stream_name(*topic, &self.symbols))
            .collect();
        let text = serde_json::json!({"method": method, "params": streams, "id": request});
        self.socket()?.send(text.to_string()).await
    }

    fn socket(&mut self) -> Result<&mut WebSocket, ProtocolError> {
        self.socket
            .as_mut()
            .ok_or_else(|| ProtocolError("not connected".to_owned()))
    }
}

/// The venue's name for a topic; `None` for an instrument it does not have.
fn stream_name(topic: Topic, symbols: &SymbolTable) -> Option<String> {
    let symbol = symbols.stream(topic.instrument()?)?;
    match topic {
        Topic::Quotes(_) => Some(format!("{symbol}@bookTicker")),
        Topic::Trades(_) => Some(format!("{symbol}@trade")),
        Topic::Candles(_, interval) => Some(format!("{symbol}@kline_{}", interval.name())),
        Topic::Depth(_) => Some(format!("{symbol}@depth20@100ms")),
        Topic::Account(_) => None,
    }
}

impl Protocol for MarketProtocol {
    type Message = Message;
    type Event = MarketEvent;

    async fn connect(&mut self) -> Result<(), ProtocolError> {
        self.socket = Some(WebSocket::connect(&self.address, "/stream", &self.tls).await?);
        Ok(())
    }

    async fn subscribe(&mut self, request: u64, topics: &[Topic]) -> Result<(), ProtocolError> {
        self.request("SUBSCRIBE", request, topics).await
    }

    async fn unsubscribe(&mut self, request: u64, topics: &[Topic]) -> Result<(), ProtocolError> {
        self.request("UNSUBSCRIBE", request, topics).await
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
        received_at: Timestamp,
        out: &mut impl FnMut(Incoming<MarketEvent>),
    ) -> usize {
        match message {
            Message::Text(text) => {
                codec::decode(text.as_bytes(), received_at, &self.symbols, out);
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
