//! Socket → sink: quotes a second through the real market source, over a loopback WebSocket:
//! `cargo bench -p tradewind-venues --bench stream`.
//!
//! A thread sends frames that were encoded beforehand as fast as they are taken; the source connects, subscribes, reads
//! and decodes them and hands quotes to a sink that counts. Beside it, from the same sender in the same run: the same
//! WebSocket library reading and dropping messages, and the least there is, stepping from frame header to frame header.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run says so")]

#[path = "common/listing.rs"]
mod listing;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use tradewind_model::{Candle, Depth, ManualClock, Quote, Trade};
use tradewind_venues::binance::MarketProtocol;
use tradewind_venues::{
    Address, DataSource, HealthChange, MarketSink, Scheme, SourceSettings, TcpConnector,
    ToMarketSink, Topic, client_config,
};

const FRAMES: u64 = 500_000;
const RUNS: usize = 3;

fn main() {
    let frames: Arc<[u8]> = encoded().into();
    println!(
        "frames/s over loopback, {FRAMES} book tickers of {} bytes, median of {RUNS}",
        frames.len() as u64 / FRAMES
    );
    let limit = median(|| headers_only(&frames));
    let library = median(|| library_only(&frames));
    let ours = median(|| source(&frames));
    let line = |name: &str, rate: f64| {
        println!(
            "{name:<44} {:>5.2} M, {:.2} x the library",
            rate / 1e6,
            rate / library
        );
    };
    line("frame headers only, blocking", limit);
    line("tokio-tungstenite, messages dropped", library);
    line("market source, quotes into a sink", ours);
}

fn median(mut run: impl FnMut() -> f64) -> f64 {
    let mut rates: Vec<f64> = (0..RUNS).map(|_| run()).collect();
    rates.sort_by(f64::total_cmp);
    rates[RUNS / 2]
}

/// Every frame with a number of its own, since the source drops repetitions, and WebSocket framing around it.
fn encoded() -> Vec<u8> {
    let mut all = Vec::new();
    for number in 0..FRAMES {
        let cents = number % 100;
        let update = 50_093_239_212 + number;
        let text = format!(
            r#"{{"stream":"btcusdt@bookTicker","data":{{"u":{update},"s":"BTCUSDT","b":"61837.{cents:02}000000","B":"3.78826000","a":"61838.{cents:02}000000","A":"1.54698000"}}}}"#
        );
        let length = u16::try_from(text.len()).unwrap();
        all.extend([0x81, 126]);
        all.extend(length.to_be_bytes());
        all.extend(text.into_bytes());
    }
    all
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Accepts one WebSocket, grants its subscription if it asks for one, and then sends from a thread of its own.
async fn send(listener: TcpListener, asks: bool, frames: Arc<[u8]>) -> thread::JoinHandle<()> {
    let (socket, _) = listener.accept().await.unwrap();
    let mut stream = accept_async(socket).await.unwrap();
    if asks {
        let request = stream.next().await.unwrap().unwrap().into_text().unwrap();
        let request: serde_json::Value = serde_json::from_str(&request).unwrap();
        let granted = serde_json::json!({"result": null, "id": request["id"]}).to_string();
        stream.send(Message::text(granted)).await.unwrap();
    }
    let socket = stream.into_inner().into_std().unwrap();
    socket.set_nonblocking(false).unwrap();
    thread::spawn(move || pour(socket, &frames))
}

fn pour(mut socket: TcpStream, frames: &[u8]) {
    socket.write_all(frames).unwrap();
    // The other side closes first, so that nothing under way is lost.
    let mut rest = [0; 64];
    while socket.read(&mut rest).is_ok_and(|length| length > 0) {}
}

/// Counts quotes; says when the first and the last came.
#[derive(Debug, Default)]
struct Counting {
    quotes: AtomicU64,
    all: Notify,
}

impl MarketSink for Counting {
    fn quote(&self, quote: Quote) {
        std::hint::black_box(quote);
        if self.quotes.fetch_add(1, Ordering::Relaxed) + 1 == FRAMES {
            self.all.notify_one();
        }
    }

    fn trade(&self, _trade: Trade) {}

    fn candle(&self, _candle: Candle) {}

    fn depth(&self, _depth: Box<Depth>) {}

    fn health(&self, _change: &HealthChange) {}

    fn failed(&self, topic: Topic, reason: &str) {
        panic!("{topic:?}: {reason}");
    }
}

/// The source as the desk uses it.
fn source(frames: &Arc<[u8]>) -> f64 {
    let runtime = runtime();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let address = Address::parse(&url, Scheme::WebSocket).unwrap();
        let symbols = Arc::new(listing::symbols());
        let sink = Arc::new(Counting::default());
        let mut source = DataSource::new(
            "bench",
            move || MarketProtocol::new(address.clone(), Arc::clone(&symbols)),
            ToMarketSink(Arc::clone(&sink)),
            SourceSettings::default(),
            TcpConnector::shared(client_config(None).unwrap()),
            Arc::<ManualClock>::default(),
            1,
        );
        source.want([Topic::Quotes(listing::BTC)]);
        let (handle, stop, mut running) =
            (source.handle(), CancellationToken::new(), JoinSet::new());
        let until = stop.clone();
        running.spawn(async move { source.run(until).await });
        let sender = send(listener, true, Arc::clone(frames)).await;
        let started = Instant::now();
        let waiting = tokio::time::timeout(Duration::from_secs(60), sink.all.notified());
        if waiting.await.is_err() {
            let stats = handle.stats().snapshot();
            panic!(
                "{} of {FRAMES} quotes came: {stats:?}",
                sink.quotes.load(Ordering::Relaxed)
            );
        }
        let rate = FRAMES as f64 / started.elapsed().as_secs_f64();
        stop.cancel();
        running.join_all().await;
        sender.join().unwrap();
        rate
    })
}

/// What the WebSocket library alone makes of the same frames.
fn library_only(frames: &Arc<[u8]>) -> f64 {
    let runtime = runtime();
    runtime.block_on(async {
        let (listener, address) = listen().await;
        let url = format!("ws://{address}/stream");
        let connecting = tokio_tungstenite::connect_async(url);
        let (sender, connected) =
            tokio::join!(send(listener, false, Arc::clone(frames)), connecting);
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let (mut stream, _) = connected.unwrap();
            for _ in 0..FRAMES {
                std::hint::black_box(stream.next().await.unwrap().unwrap());
            }
        });
        tasks.join_all().await;
        let rate = FRAMES as f64 / started.elapsed().as_secs_f64();
        sender.join().unwrap();
        rate
    })
}

/// The least work there is: a blocking read, and steps from header to header.
fn headers_only(frames: &Arc<[u8]>) -> f64 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    let frames = Arc::clone(frames);
    let sender = thread::spawn(move || pour(accepted, &frames));
    let started = Instant::now();
    let mut buffer = vec![0; 64 * 1024];
    let (mut kept, mut count) = (0, 0);
    while count < FRAMES {
        kept += socket.read(&mut buffer[kept..]).unwrap();
        let mut at = 0;
        while let Some([_, _, high, low]) = buffer.get(at..kept).and_then(|rest| rest.first_chunk())
        {
            let end = at + 4 + usize::from(u16::from_be_bytes([*high, *low]));
            if end > kept {
                break;
            }
            (at, count) = (end, count + 1);
        }
        buffer.copy_within(at..kept, 0);
        kept -= at;
    }
    let rate = FRAMES as f64 / started.elapsed().as_secs_f64();
    drop(socket);
    sender.join().unwrap();
    rate
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}
