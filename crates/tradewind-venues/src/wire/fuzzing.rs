//! Doors for the fuzzers of `fuzz/`: bytes in, whether they were understood out. No part of the interface.
//!
//! The first byte says where the rest is split; a machine must come to the same result either way.

use super::buffers::Buffers;
use super::http::{HttpConnection, HttpError, Method, Request, Response};
use super::websocket::{Received, WebSocket};
use crate::address::{Address, Scheme};

const BODY_BYTES_MAX: usize = 10_000;

/// An answer over HTTP.
#[must_use]
pub fn http(bytes: &[u8]) -> bool {
    let (whole, pieces) = split(bytes);
    let response = answer(&whole);
    assert_eq!(response, answer(&pieces), "a split changed the answer");
    response.is_ok()
}

/// Frames over an open WebSocket.
#[must_use]
pub fn websocket(bytes: &[u8]) -> bool {
    let (whole, pieces) = split(bytes);
    let messages = messages(&whole);
    assert_eq!(
        messages,
        self::messages(&pieces),
        "a split changed the messages"
    );
    messages.0.iter().any(Result::is_ok)
}

fn split(bytes: &[u8]) -> ([&[u8]; 2], [&[u8]; 2]) {
    let (at, rest) = bytes
        .split_first()
        .map_or((0, bytes), |(at, rest)| (usize::from(*at), rest));
    let (head, tail) = rest.split_at(at.min(rest.len()));
    ([rest, b""], [head, tail])
}

fn answer(pieces: &[&[u8]]) -> Result<Response, HttpError> {
    let mut connection = HttpConnection::new(BODY_BYTES_MAX);
    let request = Request {
        method: Method::Get,
        target: "/",
        host: "venue",
        fields: &[],
        body: b"",
    };
    connection.send(&request, &mut Vec::new())?;
    let mut buffers = Buffers::default();
    for piece in pieces {
        buffers.fill(piece);
        let received = connection.receive(buffers.input())?;
        buffers.used(received.used);
        if let Some(response) = received.response {
            return Ok(response);
        }
    }
    connection.ended()
}

/// A text, `None` for another kind of message, or how the connection ended.
type Message = Result<Option<Vec<u8>>, String>;

/// The messages, and what is answered.
fn messages(pieces: &[&[u8]]) -> (Vec<Message>, Vec<u8>) {
    let (mut messages, mut out) = (Vec::new(), Vec::new());
    let Some(mut socket) = opened() else {
        return (messages, out);
    };
    let mut buffers = Buffers::default();
    for piece in pieces {
        buffers.fill(piece);
        loop {
            let used = match socket.receive(buffers.input(), &mut out) {
                Ok((0, _)) => break,
                Ok((used, Received::Text(text))) => {
                    messages.push(Ok(Some(text.to_vec())));
                    used
                }
                Ok((used, Received::Pong | Received::Other)) => {
                    messages.push(Ok(None));
                    used
                }
                Ok((used, Received::Nothing | Received::Opened)) => used,
                Err(error) => {
                    messages.push(Err(error.0));
                    return (messages, out);
                }
            };
            buffers.used(used);
        }
    }
    (messages, out)
}

fn opened() -> Option<WebSocket> {
    let address = Address::parse("ws://127.0.0.1:9", Scheme::WebSocket).ok()?;
    let mut socket = WebSocket::new(&address, "");
    let mut out = Vec::new();
    socket.start(1, &mut out);
    let request = String::from_utf8(out).ok()?;
    let (_, key) = request.split_once("Sec-WebSocket-Key: ")?;
    let accept = tungstenite::handshake::derive_accept_key(key.trim().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let (_, received) = socket.receive(answer.as_bytes(), &mut Vec::new()).ok()?;
    (received == Received::Opened).then_some(())?;
    Some(socket)
}
