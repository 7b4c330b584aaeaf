//! A WebSocket server that a test plays by hand, and a sink that writes down what reaches it.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tradewind_model::{
    AccountId, Amount, AssetId, Candle, Depth, ExecutionReport, Quote, ReportKind, Timestamp, Trade,
};
use tradewind_venues::{AccountSink, AssetBalance, HealthChange, MarketSink, Topic, UnlistedTrade};

pub(crate) struct Server {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

pub(crate) struct Connection {
    stream: WebSocketStream<TcpStream>,
    pub(crate) path: String,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    pub(crate) async fn accept(&self) -> Connection {
        let (socket, _) = self.listener.accept().await.unwrap();
        let mut path = String::new();
        #[expect(clippy::result_large_err, reason = "the library's own callback type")]
        let note = |request: &Request, response: Response| {
            path = request.uri().path().to_owned();
            Ok(response)
        };
        let stream = tokio_tungstenite::accept_hdr_async(socket, note)
            .await
            .unwrap();
        Connection { stream, path }
    }
}

impl Connection {
    /// The next request; `None` once the other side has closed.
    pub(crate) async fn request(&mut self) -> Option<Value> {
        loop {
            match self.stream.next().await? {
                Ok(Message::Text(text)) => return serde_json::from_str(&text).ok(),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    pub(crate) async fn say(&mut self, text: impl Into<String>) {
        self.stream.send(Message::text(text.into())).await.unwrap();
    }

    /// Sends many messages at once, so that the other side finds them all waiting.
    pub(crate) async fn say_all(&mut self, texts: impl IntoIterator<Item = String>) {
        for text in texts {
            self.stream.feed(Message::text(text)).await.unwrap();
        }
        self.stream.flush().await.unwrap();
    }

    /// Sends the first bytes of a frame and stops. Returns the length of the whole frame.
    pub(crate) async fn cut(mut self, text: &str, after: usize) -> usize {
        let length = u16::try_from(text.len()).unwrap();
        let mut frame = vec![0x81, 126];
        frame.extend(length.to_be_bytes());
        frame.extend(text.as_bytes());
        let socket = self.stream.get_mut();
        socket
            .write_all(&frame[..after.min(frame.len())])
            .await
            .unwrap();
        socket.shutdown().await.unwrap();
        frame.len()
    }

    /// Grants a request and returns its parameters.
    pub(crate) async fn grant(&mut self) -> Value {
        let request = self.request().await.expect("a request");
        self.say(json!({"result": null, "id": request["id"]}).to_string())
            .await;
        request["params"].clone()
    }
}

/// Writes down, in words, what it is given.
#[derive(Debug)]
pub(crate) struct Recorder {
    lines: mpsc::UnboundedSender<String>,
    read: Mutex<mpsc::UnboundedReceiver<String>>,
}

impl Recorder {
    pub(crate) fn new() -> Arc<Self> {
        let (lines, read) = mpsc::unbounded_channel();
        Arc::new(Self {
            lines,
            read: Mutex::new(read),
        })
    }

    pub(crate) async fn line(&self) -> String {
        self.read.lock().await.recv().await.expect("a line")
    }

    pub(crate) async fn lines(&self, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.len() < count {
            lines.push(self.line().await);
        }
        lines
    }

    fn note(&self, line: String) {
        self.lines.send(line).expect("the test reads along");
    }
}

impl MarketSink for Recorder {
    fn quote(&self, quote: Quote) {
        self.note(format!("quote {}/{}", quote.bid.0, quote.ask.0));
    }

    fn trade(&self, trade: Trade) {
        self.note(format!("trade {}", trade.id.0));
    }

    fn candle(&self, candle: Candle) {
        self.note(format!("candle {} {}", candle.interval, candle.close.0));
    }

    fn depth(&self, depth: Box<Depth>) {
        self.note(format!("depth {}+{}", depth.bids.len(), depth.asks.len()));
    }

    fn health(&self, change: &HealthChange) {
        self.note(format!("{} {:?}", change.instrument.0, change.health));
    }

    fn failed(&self, topic: Topic, reason: &str) {
        self.note(format!("failed {topic:?}: {reason}"));
    }
}

impl AccountSink for Recorder {
    fn report(&self, report: ExecutionReport) {
        let kind = match report.kind {
            ReportKind::Filled(fill) => format!("filled {}", fill.trade_id.0),
            other => format!("{other:?}").to_lowercase(),
        };
        self.note(format!("{} {kind}", report.client_id));
    }

    fn balances(&self, _account: AccountId, balances: &[AssetBalance], _at: Timestamp) {
        for balance in balances {
            self.note(format!("free {} locked {}", balance.free, balance.locked));
        }
    }

    fn transfer(&self, _account: AccountId, _asset: AssetId, amount: Amount, _at: Timestamp) {
        self.note(format!("transfer {amount}"));
    }

    fn unlisted_trade(&self, trade: UnlistedTrade) {
        self.note(format!("unlisted {}", trade.symbol));
    }

    fn resync(&self, _account: AccountId) {
        self.note("resync".to_owned());
    }

    fn down(&self, _account: AccountId, reason: &str) {
        self.note(format!("down: {reason}"));
    }
}
