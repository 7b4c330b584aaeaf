//! Puts the messages of a tapped connection together again, off the task that reads it.

use super::Missing;
use crate::address::Scheme;
use crate::wire::http;
use crate::wire::websocket::{Received, WebSocket};

/// A message of a tapped connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A text of a WebSocket.
    Text(&'a [u8]),
    /// A binary frame of a WebSocket, or bytes of any other transport, as they were read.
    Bytes(&'a [u8]),
}

/// The messages of one connection.
#[derive(Debug)]
pub struct Messages {
    socket: Option<WebSocket>,
    /// The answer to the handshake has yet to come.
    is_opening: bool,
    rest: Vec<u8>,
}

impl Messages {
    /// Those of a connection that was just opened.
    #[must_use]
    pub fn new(scheme: Scheme) -> Self {
        let is_socket = scheme == Scheme::WebSocket;
        Self {
            socket: is_socket.then(WebSocket::opened),
            is_opening: is_socket,
            rest: Vec::new(),
        }
    }

    /// Takes what was read, and hands on each message that is whole. After a gap, what was begun before it is dropped.
    /// What cannot be a message ends there: the connection has broken its protocol and is closed by who reads it.
    pub fn read(
        &mut self,
        bytes: &[u8],
        missing: Option<Missing>,
        mut on: impl FnMut(Message<'_>),
    ) {
        if missing.is_some() {
            self.rest.clear();
            self.is_opening = false;
            self.socket = self.socket.as_ref().map(|_| WebSocket::opened());
        }
        let Some(socket) = &mut self.socket else {
            return on(Message::Bytes(bytes));
        };
        self.rest.extend_from_slice(bytes);
        let mut at = 0;
        if self.is_opening {
            match http::parse_head(&self.rest) {
                Ok(Some(head)) => at = head.bytes.len(),
                Ok(None) => return,
                Err(_) => return self.rest.clear(),
            }
            self.is_opening = false;
        }
        // Answers to pings are the reader's business.
        let mut answers = Vec::new();
        while let Some(rest) = self.rest.get(at..).filter(|rest| !rest.is_empty()) {
            match socket.receive(rest, &mut answers) {
                Ok((0, _)) | Err(_) => break,
                Ok((used, received)) => {
                    at += used;
                    match received {
                        Received::Text(text) => on(Message::Text(text)),
                        // A binary message in one frame: as it was read, its head included.
                        Received::Other if rest.first().is_some_and(|head| head & 0x0f == 2) => {
                            on(Message::Bytes(rest.get(..used).unwrap_or_default()));
                        }
                        _ => {}
                    }
                }
            }
            answers.clear();
        }
        self.rest.drain(..at);
    }
}
