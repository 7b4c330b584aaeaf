//! WebSocket, the client's side, as a machine over bytes: the handshake, then messages. Source: RFC 6455.
//!
//! Frame headers and the handshake's digest are tungstenite's. Its `WebSocketContext` is not used: it draws masks from a random
//! source of its own, which a simulation could not repeat, and it copies what it reads. Here masks come from a seed, and a
//! message in one frame is handed out where it lies in the read buffer.

use std::io::Cursor;

use data_encoding::BASE64;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::http::{self, Head};
use crate::address::Address;
use crate::protocol::ProtocolError;

/// The longest message taken, where the venue's are not longer; Binance's are below 64 KiB.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// The longest payload of a control frame.
const CONTROL_BYTES_MAX: usize = 125;

/// What the first bytes of the input are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received<'a> {
    /// Not a message yet, or one that was dealt with here.
    Nothing,
    /// The end of the handshake: from here on messages travel.
    Opened,
    /// A text, which is valid UTF-8.
    Text(&'a [u8]),
    Pong,
    /// A ping, which was answered, or a message of an unused kind.
    Other,
}

#[derive(Clone, Debug)]
enum State {
    New,
    /// The answer must hold this digest.
    Handshake(String),
    Open,
}

/// One connection.
#[derive(Clone)]
pub(crate) struct WebSocket {
    target: String,
    host: String,
    /// More lines of the handshake's request.
    fields: String,
    state: State,
    random: Xoshiro256PlusPlus,
    /// The kind of the message whose fragments are being put together.
    fragments: Option<Data>,
    message: Vec<u8>,
    /// The longest message taken.
    message_max: usize,
}

impl std::fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The handshake's fields may hold a secret.
        write!(f, "WebSocket({}{})", self.host, self.target)
    }
}

impl WebSocket {
    /// A connection to `path` at `address` that has not begun.
    pub(crate) fn new(address: &Address, path: &str) -> Self {
        Self {
            target: address.target(path),
            host: address.authority(),
            fields: String::new(),
            state: State::New,
            random: Xoshiro256PlusPlus::seed_from_u64(0),
            fragments: None,
            message: Vec::new(),
            message_max: MESSAGE_BYTES_MAX,
        }
    }

    /// A connection of which only what comes is of interest, behind its handshake.
    pub(crate) fn opened() -> Self {
        Self {
            target: String::new(),
            host: String::new(),
            fields: String::new(),
            state: State::Open,
            random: Xoshiro256PlusPlus::seed_from_u64(0),
            fragments: None,
            message: Vec::new(),
            message_max: MESSAGE_BYTES_MAX,
        }
    }

    /// Takes messages up to this length.
    pub(crate) const fn set_message_max(&mut self, bytes: usize) {
        self.message_max = bytes;
    }

    /// Sends `token` with the handshake. One that would be more than a value is left out.
    pub(crate) fn authorize(&mut self, token: &str) {
        if token.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.fields = format!("Authorization: Bearer {token}\r\n");
        }
    }

    /// Appends the handshake's request. Key and masks follow from `nonce`.
    pub(crate) fn start(&mut self, nonce: u64, out: &mut Vec<u8>) {
        self.random = Xoshiro256PlusPlus::seed_from_u64(nonce);
        let mut key = [0; 16];
        self.random.fill_bytes(&mut key);
        let key = BASE64.encode(&key);
        let (target, host, fields) = (&self.target, &self.host, &self.fields);
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{fields}\r\n"
        );
        out.extend_from_slice(request.as_bytes());
        self.state = State::Handshake(derive_accept_key(key.as_bytes()));
    }

    /// Whether the handshake is over.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Appends a text message.
    pub(crate) fn send(&mut self, text: &str, out: &mut Vec<u8>) {
        self.frame(OpCode::Data(Data::Text), text.as_bytes(), out);
    }

    /// Appends a ping.
    pub(crate) fn ping(&mut self, out: &mut Vec<u8>) {
        self.frame(OpCode::Control(Control::Ping), b"", out);
    }

    /// Appends a close frame, if messages travel. Nothing may follow it.
    pub(crate) fn close(&mut self, out: &mut Vec<u8>) {
        if self.is_open() {
            self.frame(
                OpCode::Control(Control::Close),
                &1000_u16.to_be_bytes(),
                out,
            );
        }
    }

    /// Takes in the first frame, or the handshake's answer; returns how many bytes are done with, 0 if it is not whole yet. An
    /// answer to a ping goes to `out`.
    ///
    /// # Errors
    /// The other side has closed, or broken the protocol; the connection is over.
    pub(crate) fn receive<'a>(
        &'a mut self,
        bytes: &'a [u8],
        out: &mut Vec<u8>,
    ) -> Result<(usize, Received<'a>), ProtocolError> {
        if let State::Handshake(accept) = &self.state {
            let Some(head) = http::parse_head(bytes).map_err(ProtocolError::new)? else {
                return Ok((0, Received::Nothing));
            };
            check(&head, accept)?;
            self.state = State::Open;
            return Ok((head.bytes.len(), Received::Opened));
        }
        let mut cursor = Cursor::new(bytes);
        let Some((header, length)) = FrameHeader::parse(&mut cursor).map_err(ProtocolError::new)?
        else {
            return Ok((0, Received::Nothing));
        };
        self.allows(&header, length)?;
        let start = usize::try_from(cursor.position()).map_err(ProtocolError::new)?;
        let end = start + usize::try_from(length).map_err(ProtocolError::new)?;
        let Some(payload) = bytes.get(start..end) else {
            return Ok((0, Received::Nothing));
        };
        let received = match header.opcode {
            OpCode::Control(control) => self.control(control, payload, out)?,
            OpCode::Data(data) => self.data(data, header.is_final, payload)?,
        };
        Ok((end, received))
    }

    fn allows(&self, header: &FrameHeader, length: u64) -> Result<(), ProtocolError> {
        let broken = |what: &str| Err(ProtocolError(format!("WebSocket broken: {what}")));
        if header.rsv1 || header.rsv2 || header.rsv3 || header.mask.is_some() {
            return broken("reserved bits or a mask");
        }
        match header.opcode {
            OpCode::Control(_) if !header.is_final || length > CONTROL_BYTES_MAX as u64 => {
                broken("a control frame of several parts or too long")
            }
            OpCode::Data(Data::Continue) if self.fragments.is_none() => {
                broken("a continuation of nothing")
            }
            OpCode::Data(Data::Text | Data::Binary) if self.fragments.is_some() => {
                broken("a message within a message")
            }
            OpCode::Data(_) if length > (self.message_max.saturating_sub(self.held())) as u64 => {
                broken("a message that is too long")
            }
            OpCode::Data(_) | OpCode::Control(_) => Ok(()),
        }
    }

    /// Bytes of the message that is being put together.
    const fn held(&self) -> usize {
        match self.fragments {
            Some(_) => self.message.len(),
            None => 0,
        }
    }

    fn control(
        &mut self,
        control: Control,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Received<'static>, ProtocolError> {
        match control {
            Control::Ping => {
                self.frame(OpCode::Control(Control::Pong), payload, out);
                Ok(Received::Other)
            }
            Control::Pong => Ok(Received::Pong),
            Control::Close | Control::Reserved(_) => {
                self.frame(OpCode::Control(Control::Close), payload, out);
                let (code, words) = payload.split_at(payload.len().min(2));
                let code = code
                    .iter()
                    .fold(0, |code, byte| code << 8 | u32::from(*byte));
                let words = String::from_utf8_lossy(words);
                Err(ProtocolError(format!(
                    "closed by the venue: {code} {words}"
                )))
            }
        }
    }

    fn data<'a>(
        &'a mut self,
        data: Data,
        is_final: bool,
        payload: &'a [u8],
    ) -> Result<Received<'a>, ProtocolError> {
        if is_final && self.fragments.is_none() {
            return message(data, payload);
        }
        let kind = *self.fragments.get_or_insert_with(|| {
            self.message.clear();
            data
        });
        self.message.extend_from_slice(payload);
        if !is_final {
            return Ok(Received::Nothing);
        }
        self.fragments = None;
        message(kind, &self.message)
    }

    fn frame(&mut self, opcode: OpCode, payload: &[u8], out: &mut Vec<u8>) {
        let mask = self.random.next_u32().to_le_bytes();
        let header = FrameHeader {
            opcode,
            mask: Some(mask),
            ..FrameHeader::default()
        };
        header
            .format(payload.len() as u64, out)
            .expect("writing to a Vec cannot fail");
        let masked = payload.iter().zip(mask.iter().cycle());
        out.extend(masked.map(|(byte, mask)| byte ^ mask));
    }
}

fn message(kind: Data, payload: &[u8]) -> Result<Received<'_>, ProtocolError> {
    match kind {
        Data::Text => match std::str::from_utf8(payload) {
            Ok(_) => Ok(Received::Text(payload)),
            Err(_) => Err(ProtocolError(
                "WebSocket broken: a text not in UTF-8".to_owned(),
            )),
        },
        Data::Binary | Data::Continue | Data::Reserved(_) => Ok(Received::Other),
    }
}

/// Checks that the handshake's answer accepts exactly the requested upgrade.
fn check(head: &Head<'_>, accept: &str) -> Result<(), ProtocolError> {
    if head.status != 101 {
        return Err(ProtocolError(format!(
            "no WebSocket: status {}",
            head.status
        )));
    }
    let more = ["sec-websocket-extensions", "sec-websocket-protocol"];
    let accepted = head.lists("upgrade", "websocket")
        && head.lists("connection", "upgrade")
        && head.values("sec-websocket-accept").eq([accept])
        && more.iter().all(|name| head.values(name).next().is_none());
    accepted
        .then_some(())
        .ok_or_else(|| ProtocolError("no WebSocket: the answer accepts something else".to_owned()))
}

#[cfg(test)]
mod tests;
