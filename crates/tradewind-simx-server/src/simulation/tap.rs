//! The messages in what a client sends, read from its bytes alone.

use std::collections::VecDeque;
use std::io::Cursor;
use std::net::{IpAddr, Ipv4Addr};

use tradewind_model::Timestamp;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::virtual_server::http::{self, Call};
use crate::virtual_server::{ConnectionNumber, OrderRequest};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A request that places or changes orders, as it left the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentOrder {
    /// The request; its time is that of its last byte.
    pub request: OrderRequest,
    /// When its first byte left.
    pub first_byte_at: Timestamp,
    /// The network's mark when its first byte left: how much of the client's journal was durable.
    pub mark: u64,
}

/// Reads what one client sends over one connection.
///
/// It takes a WebSocket's opening for granted. A connection whose upgrade the server refuses is read wrongly from there on.
#[derive(Debug)]
pub(super) struct ClientTap {
    connection: ConnectionNumber,
    protocol: Protocol,
    input: Vec<u8>,
    /// When the bytes left that are still in `input`.
    pieces: VecDeque<Piece>,
    /// A WebSocket message whose fragments are being put together, and when it began.
    message: Vec<u8>,
    began: Option<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http,
    Socket,
    /// What comes cannot be read.
    Unknown,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    bytes: usize,
    at: Timestamp,
    mark: u64,
}

impl ClientTap {
    pub(super) const fn new(connection: ConnectionNumber) -> Self {
        Self {
            connection,
            protocol: Protocol::Http,
            input: Vec::new(),
            pieces: VecDeque::new(),
            message: Vec::new(),
            began: None,
        }
    }

    /// Reads bytes that leave at `at`. Gives an entry for each message that they complete, with the order request that it is.
    pub(super) fn read(
        &mut self,
        at: Timestamp,
        mark: u64,
        bytes: &[u8],
    ) -> Vec<Option<SentOrder>> {
        self.input.extend_from_slice(bytes);
        let bytes = bytes.len();
        self.pieces.push_back(Piece { bytes, at, mark });
        let mut messages = Vec::new();
        loop {
            let message = match self.protocol {
                Protocol::Http => self.read_http(at),
                Protocol::Socket => self.read_frame(at),
                Protocol::Unknown => None,
            };
            match message {
                Some(Message::Whole(order)) => messages.push(order),
                Some(Message::Part) => {}
                None => break,
            }
        }
        messages
    }

    fn read_http(&mut self, at: Timestamp) -> Option<Message> {
        let request = http::read(&self.input, CLIENT)?;
        let began = self.used(request.bytes);
        let order = match &request.call {
            Call::Rest(request) => OrderRequest::rest(at, self.connection, request),
            Call::Upgrade(_) => {
                self.protocol = Protocol::Socket;
                None
            }
            Call::Refused(_) => None,
        };
        if request.bytes == 0 {
            self.protocol = Protocol::Unknown;
        }
        Some(Message::of(order, began?))
    }

    fn read_frame(&mut self, at: Timestamp) -> Option<Message> {
        let mut cursor = Cursor::new(&self.input);
        let Ok(header) = FrameHeader::parse(&mut cursor) else {
            self.protocol = Protocol::Unknown;
            return None;
        };
        let (header, length) = header?;
        let start = usize::try_from(cursor.position()).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        let payload = self.input.get(start..end)?;
        let is_data = matches!(header.opcode, OpCode::Data(Data::Text | Data::Continue));
        if is_data {
            let mask = header.mask.unwrap_or_default();
            let plain = payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask);
            self.message.extend(plain);
        }
        let began = self.used(end)?;
        if !is_data {
            return Some(Message::Whole(None));
        }
        let began = *self.began.get_or_insert(began);
        if !header.is_final {
            return Some(Message::Part);
        }
        self.began = None;
        let text = String::from_utf8_lossy(&self.message);
        let order = OrderRequest::ws(at, self.connection, &text);
        self.message.clear();
        Some(Message::of(order, began))
    }

    /// Marks the first `count` bytes as read; gives the piece that they began in.
    fn used(&mut self, count: usize) -> Option<Piece> {
        self.input.drain(..count);
        let first = self.pieces.front().copied();
        let mut left = count;
        while let Some(piece) = self.pieces.front_mut() {
            if piece.bytes > left {
                piece.bytes -= left;
                break;
            }
            left -= piece.bytes;
            self.pieces.pop_front();
        }
        first
    }
}

/// What was read.
enum Message {
    Whole(Option<SentOrder>),
    /// A frame that is not the last of its message.
    Part,
}

impl Message {
    fn of(order: Option<OrderRequest>, began: Piece) -> Self {
        Self::Whole(order.map(|request| SentOrder {
            request,
            first_byte_at: began.at,
            mark: began.mark,
        }))
    }
}
