//! What the exchange's wires cost over loopback, beside bare servers that send as many bytes: `cargo bench -p tradewind-simx-server`.
//!
//! Orders: one client with a kept connection and blocking reads places a post-only order far from the market, and cancels
//! it, over REST and over the WebSocket API; the baseline answers with a text of the same length and does nothing. Market
//! data: all 25 book tickers of a generated market whose clock runs fast, to one connection and to 50, whose readers count
//! frames; the baseline sends one encoded frame over and over.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run says so")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use axum::serve::ListenerExt as _;
use data_encoding::HEXLOWER;
use futures_util::{SinkExt as _, StreamExt as _};
use ring::hmac;
use tokio_tungstenite::tungstenite::{self, client, handshake::client::generate_key};
use tokio_util::sync::{CancellationToken, DropGuard};
use tradewind_model::{DeskClock, Ppm, Timestamp};
use tradewind_simx::FillModel;
use tradewind_simx_server::{HISTORY, Limits, MarketChoice, Server, ServerOptions};

const KEY: &str = "bench";
const SECRET: &str = "secret";
const ROUNDS: usize = 10_000;
const FLOOD_SECONDS: u64 = 5;
/// About as long as the answer to a new order.
const ANSWER: usize = 420;

fn main() {
    let bare = serve_bare();
    percentiles("REST, bare", &rest(bare));
    let (exchange, running) = serve(None, Ppm::ONE);
    percentiles("REST, new order or cancel, in memory", &rest(exchange));
    percentiles("WebSocket, bare", &ws_api(bare));
    percentiles(
        "WebSocket API, new order or cancel, in memory",
        &ws_api(exchange),
    );
    let folder = tempfile::tempdir_in(".").unwrap();
    drop(running);
    let (kept, running) = serve(Some(folder.path().to_owned()), Ppm::ONE);
    percentiles("REST, new order or cancel, synced to disk", &rest(kept));
    drop(running);
    flood(
        "bare, one frame over and over, connections: 1",
        bare,
        "/flood",
        1,
    );
    for (speed, connections) in [(1_000, 1), (1_250, 1), (1_500, 1), (50, 50)] {
        let (exchange, _running) = serve(None, Ppm(speed * Ppm::ONE.0));
        let name = format!("book tickers, clock at {speed} x, connections: {connections}");
        flood(&name, exchange, &tickers(), connections);
    }
}

// Servers, each on a runtime of its own.

/// An exchange that runs until the guard is dropped.
fn serve(data_dir: Option<PathBuf>, speed: Ppm) -> (SocketAddr, DropGuard) {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let server = Server::bind(ServerOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        data_dir,
        accounts: vec![format!("{KEY}:{SECRET}:USDT=100000000").parse().unwrap()],
        market: MarketChoice::Generated { seed: 7 },
        limits: Limits::Off,
        fill: FillModel::Book,
        history: HISTORY,
        clock: Arc::new(DeskClock::new(Timestamp::EPOCH + since, speed)),
    })
    .unwrap();
    let (address, shutdown) = (server.local_addr(), CancellationToken::new());
    let ends = shutdown.clone();
    run(async move { server.run(ends).await.unwrap() });
    (address, shutdown.drop_guard())
}

fn serve_bare() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let text = "x".repeat(ANSWER);
    let echo = |upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(answer_each) };
    let flood = |upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(send_on) };
    let router = Router::new()
        .route("/ws-api/v3", any(echo))
        .route("/flood", any(flood))
        .fallback(move |body: String| async move {
            drop(body);
            text
        });
    run(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        axum::serve(listener, router).await.unwrap();
    });
    address
}

async fn answer_each(mut socket: WebSocket) {
    let text = "x".repeat(ANSWER);
    while let Some(Ok(_)) = socket.next().await {
        if socket.send(Message::text(text.clone())).await.is_err() {
            return;
        }
    }
}

async fn send_on(mut socket: WebSocket) {
    let frame = Message::text("x".repeat(150));
    loop {
        for _ in 0..200 {
            if socket.feed(frame.clone()).await.is_err() {
                return;
            }
        }
        if socket.flush().await.is_err() {
            return;
        }
    }
}

fn run(serving: impl Future<Output = ()> + Send + 'static) {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime.unwrap().block_on(serving);
    });
}

// Orders.

/// What a round asks: a new order, then its cancel.
fn terms(round: usize) -> String {
    let stamp = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let name = round / 2;
    let what = if round.is_multiple_of(2) {
        format!(
            "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&quantity=0.001&price=20000&newClientOrderId=order-{name}&newOrderRespType=RESULT"
        )
    } else {
        format!("symbol=BTCUSDT&origClientOrderId=order-{name}")
    };
    format!("{what}&timestamp={stamp}")
}

fn sign(payload: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    HEXLOWER.encode(hmac::sign(&key, payload.as_bytes()).as_ref())
}

fn rest(address: SocketAddr) -> Vec<Duration> {
    let stream = connect(address);
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone().unwrap()), stream);
    let mut rounds = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let method = if round.is_multiple_of(2) {
            "POST"
        } else {
            "DELETE"
        };
        let payload = terms(round);
        let started = Instant::now();
        let signature = sign(&payload);
        let request = format!(
            "{method} /api/v3/order?{payload}&signature={signature} HTTP/1.1\r\nHost: bench\r\nX-MBX-APIKEY: {KEY}\r\nContent-Length: 0\r\n\r\n"
        );
        writer.write_all(request.as_bytes()).unwrap();
        let body = response(&mut reader);
        rounds.push(started.elapsed());
        assert!(!body.contains("\"code\""), "{body}");
    }
    rounds
}

fn response(reader: &mut BufReader<TcpStream>) -> String {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

fn ws_api(address: SocketAddr) -> Vec<Duration> {
    let url = format!("ws://{address}/ws-api/v3?returnRateLimits=false");
    let (mut socket, _) = client::client(url, connect(address)).unwrap();
    let mut rounds = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let method = if round.is_multiple_of(2) {
            "order.place"
        } else {
            "order.cancel"
        };
        let payload = format!("apiKey={KEY}&{}", terms(round).replace("order-", "socket-"));
        let started = Instant::now();
        let mut pairs: Vec<(&str, &str)> = payload
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        pairs.sort_unstable();
        let sorted: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let signature = sign(&sorted.join("&"));
        let params: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("\"{name}\":\"{value}\""))
            .collect();
        let params = params.join(",");
        let request = format!(
            "{{\"id\":{round},\"method\":\"{method}\",\"params\":{{{params},\"signature\":\"{signature}\"}}}}"
        );
        socket.send(tungstenite::Message::text(request)).unwrap();
        let answer = socket.read().unwrap().into_text().unwrap();
        rounds.push(started.elapsed());
        assert!(!answer.contains("\"error\""), "{answer}");
    }
    rounds
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn percentiles(what: &str, rounds: &[Duration]) {
    // The first tenth warms up.
    let mut rounds = rounds.get(rounds.len() / 10..).unwrap().to_vec();
    rounds.sort_unstable();
    let at = |share: usize| rounds[rounds.len() * share / 100].as_micros();
    println!("{what}: p50 {} us, p99 {} us", at(50), at(99));
}

// Market data.

/// The path of all 25 book tickers.
fn tickers() -> String {
    let listed = tradewind_simx::universe("simx", tradewind_model::VenueId(0));
    let names = listed.instruments.iter().map(|instrument| {
        let product = instrument.name.split_once(':').unwrap().1;
        format!("{}@bookTicker", product.replace('/', "").to_lowercase())
    });
    format!("/ws/{}", names.collect::<Vec<_>>().join("/"))
}

/// Counts what arrives at so many connections.
fn flood(what: &str, address: SocketAddr, path: &str, connections: usize) {
    let readers: Vec<_> = (0..connections)
        .map(|_| {
            let path = path.to_owned();
            thread::spawn(move || count(&path, address))
        })
        .collect();
    let counted: Vec<Option<u64>> = readers
        .into_iter()
        .map(|reader| reader.join().unwrap())
        .collect();
    let cut = counted.iter().filter(|count| count.is_none()).count();
    let frames: u64 = counted.into_iter().flatten().sum();
    println!(
        "{what}: {} frames/s in all, {cut} cut",
        frames / FLOOD_SECONDS
    );
}

/// Frames of one connection, by their headers alone; `None` if it was cut.
fn count(path: &str, address: SocketAddr) -> Option<u64> {
    let mut stream = connect(address);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n",
        generate_key()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::with_capacity(1 << 20, stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
    let (mut frames, mut began) = (0, None);
    let mut header = [0; 2];
    let mut payload = vec![0; 1 << 16];
    loop {
        reader.read_exact(&mut header).ok()?;
        let length = match header[1] & 0x7F {
            126 => {
                let mut long = [0; 2];
                reader.read_exact(&mut long).ok()?;
                usize::from(u16::from_be_bytes(long))
            }
            short => usize::from(short),
        };
        if header[0] & 0xF == 8 {
            return None;
        }
        reader.read_exact(&mut payload[..length]).ok()?;
        // Counting begins a second after the first frame.
        let began: &mut Instant =
            began.get_or_insert_with(|| Instant::now() + Duration::from_secs(1));
        let now = Instant::now();
        if now >= *began {
            frames += 1;
            if now >= *began + Duration::from_secs(FLOOD_SECONDS) {
                return Some(frames);
            }
        }
    }
}
