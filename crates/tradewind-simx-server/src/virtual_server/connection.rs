//! One connection of a [`VirtualServer`](super::VirtualServer): HTTP at first, a WebSocket after an upgrade.

use std::io::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Bytes;
use tradewind_model::Timestamp;
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Message as Packet, Utf8Bytes};

use super::http::{self, Call, Upgrade};
use super::pipe::Pipe;
use crate::core::In;
use crate::faults::{Stroke, WireKind};
use crate::http::SILENCE;
use crate::rest::{RestAnswer, RestRequest};
use crate::streams::frames::Frame;
use crate::streams::life::Due;
use crate::websocket::{LINGER_WITHIN, MESSAGE_BYTES_MAX, Message, SHUTDOWN, Session, Step};

/// A connection and what it waits for.
#[derive(Debug)]
pub(super) struct Connection {
    pipe: Pipe,
    protocol: Protocol,
    /// When a flapping listener ends it.
    ends_at: Option<Timestamp>,
}

#[derive(Debug)]
enum Protocol {
    Http(Http),
    Socket(Box<Socket>),
    /// The server has ended it.
    Ended,
}

#[derive(Debug)]
struct Http {
    state: HttpState,
    /// Whether the answer to the request at hand is the last.
    is_last: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum HttpState {
    Reading,
    /// The exchange has a request of it.
    Waiting,
    /// Its answer is lost.
    Silent {
        until: Timestamp,
    },
}

#[derive(Debug)]
struct Socket {
    frames: WebSocketContext,
    session: Session,
    /// Until when it is read behind a close frame of the server.
    lingers: Option<Timestamp>,
}

/// What the client wants.
#[derive(Debug)]
pub(super) enum Wanted {
    Rest(RestRequest),
    Upgrade(Upgrade),
    Input(In),
}

/// The server's time in both of its measures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    pub(super) now: Timestamp,
    pub(super) origin: Timestamp,
}

impl Time {
    pub(super) fn elapsed(self) -> Duration {
        self.now.since(self.origin)
    }
}

/// The connection has ended.
struct Over;

impl From<tungstenite::Error> for Over {
    fn from(_: tungstenite::Error) -> Self {
        Self
    }
}

impl Connection {
    pub(super) const fn new(ends_at: Option<Timestamp>) -> Self {
        Self {
            pipe: Pipe::new(),
            protocol: Protocol::Http(Http {
                state: HttpState::Reading,
                is_last: false,
            }),
            ends_at,
        }
    }

    /// Appends bytes of the client.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        if !self.has_ended() {
            self.pipe.receive(bytes);
        }
    }

    /// The next thing that the client wants, if all of it was received.
    pub(super) fn next(&mut self, time: Time, address: IpAddr) -> Option<Wanted> {
        loop {
            let read = match &mut self.protocol {
                Protocol::Http(http) => match http.next(&mut self.pipe, address) {
                    Some(Call::Refused(error)) => {
                        self.answer(&RestAnswer::refusal(&error), time.now);
                        continue;
                    }
                    Some(Call::Rest(request)) => return Some(Wanted::Rest(request)),
                    Some(Call::Upgrade(upgrade)) => return Some(Wanted::Upgrade(upgrade)),
                    None => return None,
                },
                Protocol::Socket(socket) => socket.next(&mut self.pipe, time),
                Protocol::Ended => return None,
            };
            match read {
                Ok(Some(input)) => return Some(Wanted::Input(input)),
                Ok(None) => return None,
                Err(Over) => self.end(),
            }
        }
    }

    /// Answers the HTTP request at hand.
    pub(super) fn answer(&mut self, answer: &RestAnswer, now: Timestamp) {
        let Protocol::Http(http) = &mut self.protocol else {
            return;
        };
        let mut bytes = Vec::with_capacity(answer.body.len() + 256);
        http::write(&mut bytes, answer, now, http.is_last);
        http.state = HttpState::Reading;
        let is_last = http.is_last;
        if self.pipe.write_all(&bytes).is_err() || is_last {
            self.end();
        }
    }

    /// Answers the HTTP request at hand, and lets only this many bytes out from now on.
    pub(super) fn cut(&mut self, answer: &RestAnswer, bytes: u64, now: Timestamp) {
        self.pipe.switch.cut_after(bytes);
        self.answer(answer, now);
    }

    /// Never answers the HTTP request at hand.
    pub(super) fn fall_silent(&mut self, now: Timestamp) {
        if let Protocol::Http(http) = &mut self.protocol {
            let until = now + SILENCE;
            http.state = HttpState::Silent { until };
        }
    }

    /// Becomes a WebSocket.
    pub(super) fn open(&mut self, upgrade: &Upgrade, session: Session, now: Timestamp) {
        let mut bytes = Vec::new();
        http::write_upgrade(&mut bytes, upgrade, now);
        let config = WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES_MAX));
        self.protocol = Protocol::Socket(Box::new(Socket {
            frames: WebSocketContext::new(Role::Server, Some(config)),
            session,
            lingers: None,
        }));
        if self.pipe.write_all(&bytes).is_err() {
            self.end();
        }
    }

    /// The inputs with which its session begins.
    pub(super) fn begin(&mut self) -> Vec<In> {
        match &mut self.protocol {
            Protocol::Socket(socket) => socket.session.begin(),
            Protocol::Http(_) | Protocol::Ended => Vec::new(),
        }
    }

    /// Sends a frame of the exchange.
    pub(super) fn send(&mut self, frame: Frame) {
        self.with_socket(|socket, pipe| socket.send(pipe, frame));
    }

    /// Suffers what a fault does to a connection.
    pub(super) fn suffer(&mut self, stroke: Stroke, now: Timestamp) {
        self.with_socket(|socket, pipe| {
            // What went before leaves before.
            socket.frames.flush(pipe)?;
            match stroke {
                Stroke::CutAfter(bytes) => {
                    pipe.switch.cut_after(bytes);
                    if bytes == 0 { Err(Over) } else { Ok(()) }
                }
                Stroke::Mute => {
                    pipe.switch.mute();
                    Ok(())
                }
                Stroke::Close(code) => {
                    let frame = socket.session.close_frame(code);
                    socket.obey(pipe, frame, now)
                }
                Stroke::Shutdown => {
                    let event = socket.session.shutdown_event(now.as_millis());
                    socket.send(pipe, event.into())?;
                    socket.obey(pipe, SHUTDOWN, now)
                }
            }
        });
    }

    /// Hands all frames to the pipe.
    pub(super) fn flush(&mut self) {
        self.with_socket(|socket, pipe| Ok(socket.frames.flush(pipe)?));
    }

    /// Does what is due at this time.
    pub(super) fn wake(&mut self, time: Time) {
        let is_due = |at: Timestamp| at <= time.now;
        let ends = match &self.protocol {
            Protocol::Http(http) => {
                matches!(http.state, HttpState::Silent { until } if is_due(until))
            }
            Protocol::Socket(socket) => socket.lingers.is_some_and(is_due),
            Protocol::Ended => return,
        };
        if ends || self.ends_at.is_some_and(is_due) {
            return self.end();
        }
        self.with_socket(|socket, pipe| {
            while let Some(due) = socket.session.poll(time.elapsed()) {
                socket.obey(pipe, due, time.now)?;
            }
            Ok(())
        });
    }

    /// When [`wake`](Self::wake) has something to do next.
    pub(super) fn wakes_at(&self, origin: Timestamp) -> Option<Timestamp> {
        let own = match &self.protocol {
            Protocol::Http(Http {
                state: HttpState::Silent { until },
                ..
            }) => Some(*until),
            Protocol::Http(_) => None,
            Protocol::Socket(socket) => {
                let session = || origin + socket.session.wakes_at();
                Some(socket.lingers.unwrap_or_else(session))
            }
            Protocol::Ended => return None,
        };
        [own, self.ends_at].into_iter().flatten().min()
    }

    /// Ends it. Bytes that were written before can still be taken.
    pub(super) fn end(&mut self) {
        self.protocol = Protocol::Ended;
    }

    /// Takes the bytes to be sent.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.pipe.take()
    }

    pub(super) const fn has_ended(&self) -> bool {
        matches!(self.protocol, Protocol::Ended)
    }

    /// Whether it has ended and all of its bytes are taken.
    pub(super) const fn is_done(&self) -> bool {
        self.has_ended() && self.pipe.is_empty()
    }

    /// Whether it was cut because its bytes were not taken.
    pub(super) const fn is_full(&self) -> bool {
        self.pipe.is_full()
    }

    /// Which kind of WebSocket it is, while the exchange may send frames to it.
    pub(super) fn open_socket(&self) -> Option<WireKind> {
        match &self.protocol {
            Protocol::Socket(socket) if socket.lingers.is_none() => Some(socket.session.kind()),
            _ => None,
        }
    }

    /// Does something to a WebSocket that the server has not closed.
    fn with_socket(&mut self, work: impl FnOnce(&mut Socket, &mut Pipe) -> Result<(), Over>) {
        if let Protocol::Socket(socket) = &mut self.protocol
            && socket.lingers.is_none()
            && work(socket, &mut self.pipe).is_err()
        {
            self.end();
        }
    }
}

impl Http {
    /// The next request; none while an answer is pending.
    fn next(&mut self, pipe: &mut Pipe, address: IpAddr) -> Option<Call> {
        if self.state != HttpState::Reading {
            return None;
        }
        let request = http::read(pipe.input(), address)?;
        pipe.used(request.bytes);
        (self.state, self.is_last) = (HttpState::Waiting, request.is_last);
        Some(request.call)
    }
}

impl Socket {
    /// The next message's input to the exchange.
    fn next(&mut self, pipe: &mut Pipe, time: Time) -> Result<Option<In>, Over> {
        loop {
            let packet = match self.frames.read(pipe) {
                Ok(packet) => packet,
                Err(tungstenite::Error::Io(error))
                    if error.kind() == std::io::ErrorKind::WouldBlock =>
                {
                    return Ok(None);
                }
                Err(_) => return Err(Over),
            };
            if self.lingers.is_some() {
                continue;
            }
            let message = match &packet {
                Packet::Text(text) => Message::Text(text),
                Packet::Ping(_) => Message::Ping,
                Packet::Pong(payload) => Message::Pong(payload),
                Packet::Close(_) => Message::Close,
                Packet::Binary(_) | Packet::Frame(_) => Message::Binary,
            };
            match self.session.on_message(time.elapsed(), message) {
                None => {}
                Some(Step::Input(input)) => return Ok(Some(input)),
                Some(Step::Send(due)) => self.obey(pipe, due, time.now)?,
                Some(Step::Flush) => self.frames.flush(pipe)?,
                Some(Step::FlushAndEnd) => {
                    self.frames.flush(pipe)?;
                    return Err(Over);
                }
            }
        }
    }

    fn send(&mut self, pipe: &mut Pipe, frame: Frame) -> Result<(), Over> {
        let text = Utf8Bytes::try_from(Bytes::from(frame)).map_err(|_| Over)?;
        Ok(self.frames.write(pipe, Packet::Text(text))?)
    }

    fn obey(&mut self, pipe: &mut Pipe, due: Due, now: Timestamp) -> Result<(), Over> {
        let packet = match due {
            Due::Ping(payload) => Packet::Ping(payload.into()),
            Due::Close(code, reason) => {
                self.lingers = Some(now + LINGER_WITHIN);
                Packet::Close(Some(CloseFrame {
                    code: code.into(),
                    reason: reason.into(),
                }))
            }
        };
        self.frames.write(pipe, packet)?;
        Ok(self.frames.flush(pipe)?)
    }
}
