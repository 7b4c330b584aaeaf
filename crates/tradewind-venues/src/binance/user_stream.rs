//! The user data stream as a [`Protocol`]: one subscription on the WebSocket API, signed.
//!
//! The subscription is the topic [`Topic::Account`], so what keeps market data alive keeps this alive too. Source:
//! user-data-stream.md and web-socket-api.md of the venue's documentation, July 2026.

use tradewind_model::Timestamp;

use super::requests::Params;
use super::session::read;
use super::signing::Signer;
use super::user_events::AccountReader;
use crate::address::Address;
use crate::protocol::{Incoming, Protocol, ProtocolError, Topic};
use crate::sink::UserEvent;
use crate::wire::websocket::WebSocket;

/// A connection for one account's events.
#[derive(Debug)]
pub struct UserProtocol {
    address: Address,
    signer: Signer,
    reader: AccountReader,
    socket: WebSocket,
}

impl UserProtocol {
    /// A connection that is not open yet. `address` is the WebSocket API's.
    pub(super) fn new(address: Address, signer: Signer, reader: AccountReader) -> Self {
        Self {
            socket: WebSocket::new(&address, ""),
            address,
            signer,
            reader,
        }
    }
}

impl Protocol for UserProtocol {
    type Event = UserEvent;

    fn address(&self) -> &Address {
        &self.address
    }

    fn start(&mut self, nonce: u64, out: &mut Vec<u8>) {
        self.socket.start(nonce, out);
    }

    fn is_ready(&self) -> bool {
        self.socket.is_open()
    }

    fn subscribe(&mut self, request: u64, _topics: &[Topic], out: &mut Vec<u8>) {
        let text = serde_json::json!({
            "id": request,
            "method": "userDataStream.subscribe.signature",
            "params": self.signer.message(Params::default()),
        });
        self.socket.send(&text.to_string(), out);
    }

    fn unsubscribe(&mut self, request: u64, _topics: &[Topic], out: &mut Vec<u8>) {
        let text = serde_json::json!({"id": request, "method": "userDataStream.unsubscribe"});
        self.socket.send(&text.to_string(), out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        self.socket.ping(out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.socket.close(out);
    }

    fn receive(
        &mut self,
        bytes: &[u8],
        _received_at: Timestamp,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<UserEvent>),
    ) -> Result<usize, ProtocolError> {
        let (used, received) = self.socket.receive(bytes, out)?;
        read(received, on, |text, on| self.reader.decode(text, on));
        Ok(used)
    }
}
