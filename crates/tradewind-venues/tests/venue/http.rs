//! A tiny HTTP/1.1 server that answers by a test's script and records the requests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// One request, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) head: String,
    pub(crate) body: String,
    pub(crate) connection: usize,
}

/// What to do with a request.
pub(crate) enum Reply {
    Answer(u16, String),
    Headers(u16, &'static str, String),
    /// Send no answer and keep the connection.
    Hang,
    /// Close without an answer.
    Close,
}

pub(crate) fn ok(body: impl Into<String>) -> Reply {
    Reply::Answer(200, body.into())
}

type Script = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Asked>>>,
    news: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let news = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(
            listener,
            Arc::new(script),
            Arc::clone(&requests),
            Arc::clone(&news),
        ));
        Self {
            address,
            requests,
            news,
            _tasks: tasks,
        }
    }

    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until the server has got this many requests.
    pub(crate) async fn asked_times(&self, count: usize) {
        loop {
            let news = self.news.notified();
            if self.requests().len() >= count {
                return;
            }
            news.await;
        }
    }
}

async fn accept(
    listener: TcpListener,
    script: Script,
    requests: Arc<Mutex<Vec<Asked>>>,
    news: Arc<Notify>,
) {
    let mut connections = JoinSet::new();
    for number in 0.. {
        let Ok((socket, _)) = listener.accept().await else {
            return;
        };
        connections.spawn(serve(
            socket,
            number,
            Arc::clone(&script),
            Arc::clone(&requests),
            Arc::clone(&news),
        ));
    }
}

async fn serve(
    mut socket: TcpStream,
    connection: usize,
    script: Script,
    requests: Arc<Mutex<Vec<Asked>>>,
    news: Arc<Notify>,
) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut socket, &mut buffer, connection).await {
        let reply = script(&request);
        requests.lock().unwrap().push(request);
        news.notify_waiters();
        let text = match reply {
            Reply::Answer(status, body) => response(status, "", &body),
            Reply::Headers(status, headers, body) => response(status, headers, &body),
            Reply::Hang => std::future::pending().await,
            Reply::Close => return,
        };
        if socket.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn response(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn read_request(
    socket: &mut TcpStream,
    buffer: &mut Vec<u8>,
    connection: usize,
) -> Option<Asked> {
    loop {
        if let Some(request) = parse(buffer, connection) {
            return Some(request);
        }
        if socket.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

fn parse(buffer: &mut Vec<u8>, connection: usize) -> Option<Asked> {
    let text = String::from_utf8(buffer.clone()).ok()?;
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    let body = rest.get(..length)?.to_owned();
    let mut words = head.split(' ');
    let method = words.next()?.to_owned();
    let target = words.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Asked {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        head: head.to_ascii_lowercase(),
        body,
        connection,
    };
    buffer.drain(..head.len() + 4 + length);
    Some(request)
}
