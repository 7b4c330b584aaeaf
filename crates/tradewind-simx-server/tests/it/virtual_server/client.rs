//! Clients of a server without sockets: the other side's bytes by httparse and by tungstenite in the client's role.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tradewind_model::{ManualClock, Timestamp};
use tradewind_simx::FillModel;
use tradewind_simx_server::{
    Conduct, ConnectionNumber, HISTORY, Limits, MarketChoice, ServerOptions, VirtualServer,
};
use tungstenite::protocol::{Role, WebSocketContext};
use tungstenite::{Error, Message};

use crate::client::{KEY, SECRET, sign};

pub(super) const START: Timestamp = Timestamp::from_secs(1_700_000_000);

pub(super) fn options(limits: Limits) -> ServerOptions {
    ServerOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        data_dir: None,
        accounts: vec![format!("{KEY}:{SECRET}:USDT=100000,BTC=2").parse().unwrap()],
        market: MarketChoice::Generated { seed: 7 },
        limits,
        fill: FillModel::Book,
        history: HISTORY,
        clock: Arc::new(ManualClock::new(START)),
    }
}

/// A server, the time, and every byte that it has sent.
pub(super) struct World {
    pub(super) server: VirtualServer,
    pub(super) now: Timestamp,
    pub(super) sent: Vec<u8>,
}

impl World {
    pub(super) fn new(script: &str) -> Self {
        Self::with(Limits::Off, script)
    }

    pub(super) fn with(limits: Limits, script: &str) -> Self {
        let conduct = Conduct {
            seed: 1,
            faults: script.parse().unwrap(),
            ..Conduct::default()
        };
        Self {
            server: VirtualServer::new(&options(limits), conduct).unwrap(),
            now: START,
            sent: Vec::new(),
        }
    }

    pub(super) fn pass(&mut self, span: Duration) {
        self.now = self.now + span;
        self.server.advance(self.now);
    }

    pub(super) fn connect(&mut self) -> ConnectionNumber {
        self.server.connect(self.now).expect("the server listens")
    }

    pub(super) fn write(&mut self, connection: ConnectionNumber, bytes: &[u8]) {
        self.server.receive(self.now, connection, bytes);
    }

    pub(super) fn take(&mut self, connection: ConnectionNumber) -> Vec<u8> {
        let bytes = self.server.take(connection);
        self.sent.extend_from_slice(&bytes);
        bytes
    }

    /// The answer to a request over a connection that stays open; `None` when none came.
    pub(super) fn ask(&mut self, connection: ConnectionNumber, request: &str) -> Option<Answer> {
        self.write(connection, request.as_bytes());
        let bytes = self.take(connection);
        Answer::read(&bytes).map(|(answer, used)| {
            assert_eq!(used, bytes.len(), "one request has one answer");
            answer
        })
    }

    pub(super) fn get(&mut self, connection: ConnectionNumber, target: &str) -> Answer {
        self.ask(connection, &get(target)).expect("an answer")
    }

    /// A signed request with everything in the query.
    pub(super) fn signed(&self, method: &str, path: &str, query: &str) -> String {
        let target = format!("{path}?{}", signed(query, self.now.as_millis()));
        format!("{method} {target} HTTP/1.1\r\nhost: simx\r\nX-MBX-APIKEY: {KEY}\r\n\r\n")
    }

    /// A signed POST with everything in the body.
    pub(super) fn posted(&self, path: &str, form: &str) -> String {
        posted(self.now, path, form)
    }
}

/// A signed POST of a client whose clock shows `now`.
pub(super) fn posted(now: Timestamp, path: &str, form: &str) -> String {
    let body = signed(form, now.as_millis());
    format!(
        "POST {path} HTTP/1.1\r\nhost: simx\r\nX-MBX-APIKEY: {KEY}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(super) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: simx\r\n\r\n")
}

fn signed(query: &str, millis: i64) -> String {
    let separator = if query.is_empty() { "" } else { "&" };
    let payload = format!("{query}{separator}timestamp={millis}&recvWindow=60000");
    format!("{payload}&signature={}", sign(&payload))
}

/// An answer over HTTP.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    /// The first answer in `bytes`, if all of it is there, and its length.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(head) = response.parse(bytes).unwrap() else {
            return None;
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let fields: Vec<(String, String)> = response
            .headers
            .iter()
            .map(|field| (field.name.to_owned(), text(field.value)))
            .collect();
        let length = fields.iter().find(|(name, _)| name == "content-length");
        let end = head + length.map_or(0, |(_, length)| length.parse().unwrap());
        Some((
            Self {
                status: response.code.unwrap(),
                fields,
                body: text(bytes.get(head..end)?),
            },
            end,
        ))
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A WebSocket to the server.
pub(super) struct Socket {
    pub(super) number: ConnectionNumber,
    frames: WebSocketContext,
    pipe: Pipe,
}

#[derive(Default)]
struct Pipe {
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Socket {
    pub(super) fn open(world: &mut World, path: &str) -> Self {
        let number = world.connect();
        world.write(number, upgrade(path).as_bytes());
        let bytes = world.take(number);
        let (answer, used) = Answer::read(&bytes).expect("an answer to the upgrade");
        assert_eq!(answer.status, 101, "{answer:?}");
        assert_eq!(
            answer.field("sec-websocket-accept"),
            Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            "the example of RFC 6455"
        );
        Self {
            number,
            frames: WebSocketContext::new(Role::Client, None),
            pipe: Pipe {
                input: bytes[used..].to_vec(),
                output: Vec::new(),
            },
        }
    }

    pub(super) fn say(&mut self, world: &mut World, text: &str) {
        self.frames
            .write(&mut self.pipe, Message::text(text))
            .unwrap();
        self.flush(world);
    }

    pub(super) fn flush(&mut self, world: &mut World) {
        drop(self.frames.flush(&mut self.pipe));
        let bytes = std::mem::take(&mut self.pipe.output);
        world.write(self.number, &bytes);
    }

    /// All messages that have come. Pings are answered.
    pub(super) fn messages(&mut self, world: &mut World) -> Vec<Message> {
        self.pipe.input.extend(world.take(self.number));
        let mut messages = Vec::new();
        loop {
            match self.frames.read(&mut self.pipe) {
                Ok(message) => messages.push(message),
                Err(Error::Io(_) | Error::ConnectionClosed) => break,
                Err(error) => panic!("{error}"),
            }
        }
        if !self.pipe.output.is_empty() {
            self.flush(world);
        }
        messages
    }

    pub(super) fn texts(&mut self, world: &mut World) -> Vec<Value> {
        let messages = self.messages(world);
        let text = |message: &Message| {
            message
                .to_text()
                .map(|text| serde_json::from_str(text).unwrap())
        };
        messages
            .iter()
            .filter(|message| message.is_text())
            .map(|message| text(message).unwrap())
            .collect()
    }

    /// Calls a method of the WebSocket API; its answer, and what came before it.
    pub(super) fn call(&mut self, world: &mut World, method: &str, params: &Value) -> Vec<Value> {
        let request = json!({ "id": method, "method": method, "params": params });
        self.say(world, &request.to_string());
        self.texts(world)
    }
}

pub(super) fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: simx\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.input.as_slice().read(buffer)?;
        self.input.drain(..count);
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
