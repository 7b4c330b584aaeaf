//! A server on a free port and just enough client to talk to it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use futures_util::{SinkExt as _, StreamExt as _};
use ring::hmac;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;
use tradewind_model::DeskClock;
use tradewind_simx::FillModel;
use tradewind_simx_server::{
    Conduct, HISTORY, Limits, MarketChoice, Server, ServerError, ServerHandle, ServerOptions,
};

pub(crate) const KEY: &str = "test-key";
pub(crate) const SECRET: &str = "test-secret";
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) handle: ServerHandle,
    shutdown: CancellationToken,
    tasks: JoinSet<Result<(), ServerError>>,
    pub(crate) http: reqwest::Client,
}

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) fn options(data_dir: Option<PathBuf>) -> ServerOptions {
    ServerOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        data_dir,
        accounts: vec![format!("{KEY}:{SECRET}:USDT=100000,BTC=2").parse().unwrap()],
        market: MarketChoice::Generated { seed: 7 },
        limits: Limits::Off,
        fill: FillModel::Book,
        history: HISTORY,
        clock: Arc::new(DeskClock::system()),
    }
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_with(options(None))
    }

    pub(crate) fn start_with(options: ServerOptions) -> Self {
        Self::start_as(options, |server| server)
    }

    pub(crate) fn start_conducted(options: ServerOptions, conduct: Conduct) -> Self {
        Self::start_as(options, |server| server.with_conduct(conduct))
    }

    pub(crate) fn start_as(options: ServerOptions, made: impl FnOnce(Server) -> Server) -> Self {
        // The client insists on a provider even where nothing is encrypted; a second test finds it installed.
        drop(rustls::crypto::ring::default_provider().install_default());
        let server = made(Server::bind(options).unwrap());
        let (address, handle, shutdown) = (
            server.local_addr(),
            server.handle(),
            CancellationToken::new(),
        );
        let mut tasks = JoinSet::new();
        tasks.spawn(server.run(shutdown.clone()));
        let roots = rustls::RootCertStore::empty();
        let tls = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(PATIENCE)
            .build()
            .unwrap();
        Self {
            address,
            handle,
            shutdown,
            tasks,
            http,
        }
    }

    /// Stops it and waits until it has stored everything.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        self.tasks.join_next().await.unwrap().unwrap().unwrap();
    }

    pub(crate) async fn get(&self, path_and_query: &str) -> (u16, Value) {
        self.send(
            self.http
                .get(format!("http://{}{path_and_query}", self.address)),
        )
        .await
    }

    /// A signed request with everything in the query.
    pub(crate) async fn signed(&self, method: &str, path: &str, query: &str) -> (u16, Value) {
        self.signed_at(method, path, query, now_millis()).await
    }

    /// The same, stamped for an exchange whose clock shows something else.
    pub(crate) async fn signed_at(
        &self,
        method: &str,
        path: &str,
        query: &str,
        millis: i64,
    ) -> (u16, Value) {
        let payload = stamped(query, millis);
        let url = format!(
            "http://{}{path}?{payload}&signature={}",
            self.address,
            sign(&payload)
        );
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.send(self.http.request(method, url).header("X-MBX-APIKEY", KEY))
            .await
    }

    /// A request of another key, signed by `sign` and with everything in the query.
    pub(crate) async fn signed_by(
        &self,
        (key, sign): (&str, impl Fn(&str) -> String),
        method: &str,
        path: &str,
        query: &str,
    ) -> (u16, Value) {
        let payload = stamped(query, now_millis());
        let signature = sign(&payload)
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        let url = format!(
            "http://{}{path}?{payload}&signature={signature}",
            self.address
        );
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.send(self.http.request(method, url).header("X-MBX-APIKEY", key))
            .await
    }

    /// Status and Retry-After of an answer.
    pub(crate) async fn retry_after(&self, path: &str) -> (u16, Option<u64>) {
        let url = format!("http://{}{path}", self.address);
        let response = self.http.get(url).send().await.unwrap();
        let after = response.headers().get("retry-after");
        let after = after.map(|after| after.to_str().unwrap().parse().unwrap());
        (response.status().as_u16(), after)
    }

    /// A signed POST that may never be answered.
    pub(crate) async fn try_post(&self, path: &str, form: &str) -> Result<u16, reqwest::Error> {
        let payload = stamped(form, now_millis());
        let url = format!(
            "http://{}{path}?{payload}&signature={}",
            self.address,
            sign(&payload)
        );
        let response = self
            .http
            .post(url)
            .header("X-MBX-APIKEY", KEY)
            .send()
            .await?;
        Ok(response.status().as_u16())
    }

    /// A signed POST with everything in the body.
    pub(crate) async fn post(&self, path: &str, form: &str) -> (u16, Value) {
        self.post_at(path, form, now_millis()).await
    }

    /// The same, stamped for an exchange whose clock shows something else.
    pub(crate) async fn post_at(&self, path: &str, form: &str, millis: i64) -> (u16, Value) {
        let payload = stamped(form, millis);
        let body = format!("{payload}&signature={}", sign(&payload));
        let request = self
            .http
            .post(format!("http://{}{path}", self.address))
            .header("X-MBX-APIKEY", KEY);
        self.send(
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body),
        )
        .await
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        assert!(
            response.headers().contains_key("x-mbx-used-weight-1m"),
            "every answer tells the weight"
        );
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn socket(&self, path: &str) -> Socket {
        tokio_tungstenite::connect_async(format!("ws://{}{path}", self.address))
            .await
            .unwrap()
            .0
    }

    /// Waits until something was traded: a trigger is compared with the last trade.
    pub(crate) async fn first_trade(&self, symbol: &str) {
        let path = format!("/api/v3/trades?symbol={symbol}&limit=1");
        while self.get(&path).await.1.as_array().is_none_or(Vec::is_empty) {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the market has a price.
    pub(crate) async fn touch(&self, symbol: &str) -> Value {
        loop {
            let (_, book) = self
                .get(&format!("/api/v3/ticker/bookTicker?symbol={symbol}"))
                .await;
            if book["bidPrice"] != "0.00000000" && book["askPrice"] != "0.00000000" {
                return book;
            }
            tokio::task::yield_now().await;
        }
    }
}

fn stamped(query: &str, millis: i64) -> String {
    let separator = if query.is_empty() { "" } else { "&" };
    format!("{query}{separator}timestamp={millis}&recvWindow=60000")
}

pub(crate) fn now_millis() -> i64 {
    let since_epoch = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    i64::try_from(since_epoch.as_millis()).unwrap()
}

pub(crate) fn sign(payload: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    HEXLOWER.encode(hmac::sign(&key, payload.as_bytes()).as_ref())
}

/// The next text frame.
pub(crate) async fn next(socket: &mut Socket) -> Value {
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next())
            .await
            .expect("a frame in time");
        if let Message::Text(text) = message.expect("an open connection").unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// Skips frames until one is as wanted.
pub(crate) async fn until(socket: &mut Socket, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let frame = next(socket).await;
        if wanted(&frame) {
            return frame;
        }
    }
}

pub(crate) async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

/// Calls a WebSocket API method and waits for its answer.
pub(crate) async fn call(socket: &mut Socket, method: &str, params: Value) -> Value {
    say(
        socket,
        &serde_json::json!({"id": method, "method": method, "params": params}).to_string(),
    )
    .await;
    until(socket, |frame| frame["id"] == method).await
}

/// `params` with key, time and signature.
pub(crate) fn signed_params(params: Value) -> Value {
    signed_params_by(KEY, sign, params)
}

/// The same for another key.
pub(crate) fn signed_params_by(key: &str, sign: impl Fn(&str) -> String, params: Value) -> Value {
    signed_params_at(key, sign, params, now_millis())
}

/// The same, stamped for an exchange whose clock shows something else.
pub(crate) fn signed_params_at(
    key: &str,
    sign: impl Fn(&str) -> String,
    mut params: Value,
    millis: i64,
) -> Value {
    params["apiKey"] = key.into();
    params["timestamp"] = millis.into();
    let mut pairs: Vec<(String, String)> = params
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            (
                name.clone(),
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            )
        })
        .collect();
    pairs.sort();
    let payload: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    params["signature"] = sign(&payload.join("&")).into();
    params
}
