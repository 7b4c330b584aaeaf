//! A server on a loopback port and as little of an HTTP client as its tests need.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use tradewind_api::{Secrets, Server, ServerOptions};

use super::desk::FakeDesk;

pub(crate) const TOKEN: &str = "5f2c";
pub(crate) const CODE: &str = "once";

/// Nothing in these tests may take this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server with the desk behind it.
pub(crate) struct Running {
    pub(crate) desk: Arc<FakeDesk>,
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: JoinSet<()>,
    _stop: DropGuard,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// The code of an error, nothing for another answer.
    pub(crate) fn code_or_empty(&self) -> String {
        let json: Value = serde_json::from_str(&self.body).unwrap_or_default();
        json["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The code of an error in the one shape there is.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        let error = json["error"].as_object().expect("an error has its shape");
        for field in ["code", "message", "hint"] {
            assert!(error[field].is_string(), "{json}");
        }
        error["code"].as_str().unwrap().to_owned()
    }
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut ServerOptions)) -> Self {
        let desk = FakeDesk::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let mut options = ServerOptions::new(Secrets {
            token: TOKEN.into(),
            login_code: Some(CODE.into()),
        });
        change(&mut options);
        let behind = Arc::<FakeDesk>::clone(&desk);
        let server = Server::new(listener, behind, options, shutdown.clone()).unwrap();
        let mut tasks = JoinSet::new();
        let _ = tasks.spawn(async move { server.run().await.unwrap() });
        Self {
            desk,
            address,
            _stop: shutdown.clone().drop_guard(),
            shutdown,
            tasks,
        }
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// A GET with the token.
    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.ask("GET", path, "").await
    }

    /// Any request with the token; a body is declared as JSON.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answered {
        let mut head = format!("Authorization: Bearer {TOKEN}\r\n");
        if !body.is_empty() {
            head += "Content-Type: application/json\r\n";
        }
        self.ask_with(method, path, &self.host(), &head, body).await
    }

    /// A request with every header chosen.
    pub(crate) async fn ask_with(
        &self,
        method: &str,
        path: &str,
        host: &str,
        head: &str,
        body: &str,
    ) -> Answered {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n{body}"
        );
        // A server that refuses a large body may close before it has read it all.
        drop(stream.write_all(request.as_bytes()).await);
        let mut answer = Vec::new();
        drop(
            tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
                .await
                .unwrap(),
        );
        parse(&answer)
    }

    /// Opens the event stream.
    pub(crate) async fn stream(&self, query: &str, head: &str) -> Stream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let mut stream = BufReader::new(stream);
        let host = self.host();
        let request = format!(
            "GET /api/v1/events{query} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n{head}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut opened = Stream { stream };
        let status = opened.line().await;
        assert_eq!(status, "HTTP/1.1 200 OK");
        while !opened.line().await.is_empty() {}
        opened
    }
}

fn parse(answer: &[u8]) -> Answered {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    Answered {
        status: status.unwrap_or(0),
        head: head.to_ascii_lowercase(),
        body: if chunked {
            unchunk(body)
        } else {
            body.to_owned()
        },
    }
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        let (chunk, rest) = rest.split_at(size);
        whole.push_str(chunk);
        body = rest.strip_prefix("\r\n").unwrap_or(rest);
    }
    whole
}

/// An open event stream.
pub(crate) struct Stream {
    stream: BufReader<TcpStream>,
}

/// A message of the stream.
#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) id: Option<String>,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Stream {
    /// The next message, pings and chunk sizes passed over; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        let (mut id, mut event, mut data) = (None, None, None);
        loop {
            let line = self.try_line().await?;
            if let Some(value) = line.strip_prefix("id: ") {
                id = Some(value.to_owned());
            } else if let Some(value) = line.strip_prefix("event: ") {
                event = Some(value.to_owned());
            } else if let Some(value) = line.strip_prefix("data: ") {
                data = Some(serde_json::from_str(value).unwrap());
            } else if line.is_empty() && event.is_some() {
                return Some(Message {
                    id,
                    event: event?,
                    data: data?,
                });
            }
        }
    }

    /// Ids of the next `count` messages.
    pub(crate) async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let message = self.next().await.expect("the stream continues");
            ids.push(message.id.unwrap_or(message.event));
        }
        ids
    }

    /// Waits for the next ping.
    pub(crate) async fn ping(&mut self) {
        while self.line().await != ": ping" {}
    }

    async fn line(&mut self) -> String {
        self.try_line().await.expect("the stream continues")
    }

    async fn try_line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        let read = tokio::time::timeout(PATIENCE, read).await.expect("in time");
        (read.unwrap_or(0) > 0).then(|| line.trim_end().to_owned())
    }
}
