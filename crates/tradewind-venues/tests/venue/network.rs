//! The adapter on a network that is not there: another connector, the same machines, the same gate. Plain and over TLS.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tradewind_model::InstrumentId;
use tradewind_venues::binance::{BinanceConfig, OrderEntry};
use tradewind_venues::{
    Address, Connector, Opening, RealTime, SendPermit, Sleeping, SourceSettings, Topic,
    client_config, layer,
};

use crate::orders::kinds;
use crate::rig::{Rig, Running, entry_order, exit_order, rig_over};
use crate::websocket::Recorder;

const CERTIFICATE: &[u8] = include_bytes!("data/localhost.pem");
const KEY: &[u8] = include_bytes!("data/localhost.key.pem");

/// Sends the other end of each connection to the test, which acts as the venue.
#[derive(Debug)]
struct Network {
    capacity: usize,
    origin: Instant,
    accepted: mpsc::UnboundedSender<DuplexStream>,
    tls: Arc<ClientConfig>,
}

impl Connector for Network {
    fn open<'a>(&'a self, address: &'a Address, permit: Option<Arc<SendPermit>>) -> Opening<'a> {
        Box::pin(async move {
            let (ours, theirs) = duplex(self.capacity);
            self.accepted
                .send(theirs)
                .expect("somebody plays the venue");
            layer(ours, address, &self.tls, permit).await
        })
    }

    fn nonce(&self) -> u64 {
        7
    }
}

impl RealTime for Network {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn sleep(&self, wait: Duration) -> Sleeping<'_> {
        // tidy: sleep: it is what the adapter waits by, not what the test does
        Box::pin(tokio::time::sleep(wait))
    }
}

/// A desk on a network whose pipes hold so many bytes.
fn desk(capacity: usize, scheme: &str) -> (Rig, mpsc::UnboundedReceiver<DuplexStream>) {
    desk_with(capacity, scheme, OrderEntry::Rest)
}

fn desk_with(
    capacity: usize,
    scheme: &str,
    order_entry: OrderEntry,
) -> (Rig, mpsc::UnboundedReceiver<DuplexStream>) {
    let (accepted, connections) = mpsc::unbounded_channel();
    let network = Network {
        capacity,
        origin: Instant::now(),
        accepted,
        tls: client_config(Some(CERTIFICATE)).unwrap(),
    };
    let config = BinanceConfig {
        rest_url: format!("http{scheme}://localhost:1"),
        ws_url: format!("ws{scheme}://localhost:2"),
        ws_api_url: format!("ws{scheme}://localhost:3"),
        order_entry,
        request_timeout: Duration::from_secs(20),
        order_timeout: Duration::from_secs(20),
        ..BinanceConfig::default()
    };
    (rig_over(Arc::new(network), config), connections)
}

fn acceptor() -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        );
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

/// Reads the head of a request and not a byte more.
pub(crate) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

async fn submitted() -> (String, Vec<String>) {
    let (rig, mut connections) = desk(10_000, "");
    let order = exit_order(1);
    let (reports, request) = tokio::join!(rig.venue.submit(&order), async {
        let mut venue = connections.recv().await.unwrap();
        let mut request = head(&mut venue).await;
        let (_, length) = request.split_once("content-length: ").unwrap();
        let mut form = vec![0; length.trim().parse().unwrap()];
        venue.read_exact(&mut form).await.unwrap();
        request.push_str(&String::from_utf8(form).unwrap());
        let answer =
            b"HTTP/1.1 400 Bad\r\nContent-Length: 26\r\n\r\n{\"code\":-1013,\"msg\":\"low\"}";
        venue.write_all(answer).await.unwrap();
        request
    });
    (request, kinds(&reports))
}

#[tokio::test]
async fn an_order_goes_the_same_way_to_the_byte() {
    let (request, reports) = submitted().await;
    assert!(request.starts_with("POST /api/v3/order HTTP/1.1\r\nhost: localhost:1\r\n"));
    assert_eq!(reports, ["rejected -1013"]);
    assert_eq!(submitted().await, (request, reports));
}

/// Answers a WebSocket's handshake; its request.
pub(crate) async fn shake(venue: &mut DuplexStream) -> String {
    let request = head(venue).await;
    let (_, key) = request.split_once("Sec-WebSocket-Key: ").unwrap();
    let accept = tungstenite::handshake::derive_accept_key(key.trim().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    venue.write_all(answer.as_bytes()).await.unwrap();
    request
}

/// All that a market source writes until it has subscribed.
async fn subscribed() -> Vec<u8> {
    let (rig, mut connections) = desk(10_000, "");
    let recorder = Recorder::new();
    let topics = [Topic::Quotes(InstrumentId(0))];
    let mut sources = rig
        .venue
        .market_sources(&topics, &recorder, SourceSettings::default());
    let source = Running::start(sources.remove(0));
    let mut venue = connections.recv().await.unwrap();
    let request = shake(&mut venue).await;
    let mut header = [0; 6];
    venue.read_exact(&mut header).await.unwrap();
    let mut text = vec![0; usize::from(header[1] & 0x7f)];
    venue.read_exact(&mut text).await.unwrap();
    source.stop().await;
    [request.into_bytes(), header.to_vec(), text].concat()
}

#[tokio::test]
async fn a_source_writes_the_same_bytes_on_the_same_network() {
    let bytes = subscribed().await;
    assert_eq!(subscribed().await, bytes);
}

#[tokio::test]
async fn a_request_is_answered_over_tls() {
    let (rig, mut connections) = desk(10_000, "s");
    let (time, ()) = tokio::join!(rig.venue.server_time(), async {
        let pipe = connections.recv().await.unwrap();
        let mut venue = acceptor().accept(pipe).await.unwrap();
        let request = head(&mut venue).await;
        assert!(request.starts_with("GET /api/v3/time HTTP/1.1\r\nhost: localhost:1\r\n"));
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"serverTime\":77\r\n1\r\n}\r\n0\r\n\r\n";
        venue.write_all(answer).await.unwrap();
        venue.flush().await.unwrap();
    });
    assert_eq!(time.unwrap().as_millis(), 77);
}

#[tokio::test]
async fn a_plain_text_answer_where_tls_is_due_is_refused() {
    let (rig, mut connections) = desk(10_000, "s");
    let (time, ()) = tokio::join!(rig.venue.server_time(), async {
        let mut pipe = connections.recv().await.unwrap();
        pipe.write_all(b"HTTP/1.1 200 OK\r\n\r\n{}").await.unwrap();
    });
    assert!(
        time.unwrap_err()
            .to_string()
            .contains("no TLS with localhost")
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_that_a_websocket_takes_in_part_is_unknown_after_a_kill_or_after_five_seconds() {
    const CAPACITY: usize = 300;
    for kill in [true, false] {
        let (rig, mut connections) = desk_with(CAPACITY, "", OrderEntry::WebSocket);
        let order = exit_order(1);
        let walk = async {
            let mut venue = connections.recv().await.unwrap();
            shake(&mut venue).await;
            let mut first = [0; 1];
            let (reports, ()) = tokio::join!(rig.venue.submit(&order), async {
                venue.read_exact(&mut first).await.unwrap();
                assert!(!kill || rig.venue.gate().kill());
            });
            assert_eq!(kinds(&reports), ["unknown"], "{kill}");
            let mut rest = Vec::new();
            venue.read_to_end(&mut rest).await.unwrap();
            assert!(rest.len() <= CAPACITY, "{} bytes left", rest.len());
        };
        tokio::select! {
            () = rig.venue.keep_order_entry(CancellationToken::new()) => panic!("it was not stopped"),
            () = walk => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn hung_entries_leave_connections_for_exits() {
    let (rig, mut connections) = desk(10_000, "");
    let mut hung = JoinSet::new();
    let mut pipes = Vec::new();
    for number in 0..8 {
        let (venue, order) = (Arc::clone(&rig.venue), entry_order(number));
        hung.spawn(async move { venue.submit(&order).await });
    }
    for _ in 0..6 {
        let mut pipe = connections.recv().await.unwrap();
        head(&mut pipe).await;
        pipes.push(pipe);
    }
    for number in [100, 101] {
        let (venue, order) = (Arc::clone(&rig.venue), exit_order(number));
        hung.spawn(async move { venue.submit(&order).await });
        let mut pipe = connections.recv().await.unwrap();
        let request = head(&mut pipe).await;
        assert!(request.starts_with("POST /api/v3/order"), "{request}");
        pipes.push(pipe);
    }
}

#[tokio::test]
async fn a_kill_cuts_an_order_that_fills_the_pipe_plain_and_over_tls() {
    const CAPACITY: usize = 300;
    for scheme in ["", "s"] {
        let (rig, mut connections) = desk(CAPACITY, scheme);
        let order = exit_order(1);
        let (reports, left) = tokio::join!(rig.venue.submit(&order), async {
            let mut pipe = connections.recv().await.unwrap();
            if scheme == "s" {
                let venue = acceptor().accept(pipe).await.unwrap();
                pipe = venue.into_inner().0;
            }
            let mut first = [0; 1];
            pipe.read_exact(&mut first).await.unwrap();
            // The order waits for space in the pipe; a part of it has left.
            assert!(rig.venue.gate().kill());
            let mut rest = Vec::new();
            pipe.read_to_end(&mut rest).await.unwrap();
            1 + rest.len()
        });
        assert_eq!(kinds(&reports), ["unknown"], "{scheme}");
        assert!(
            left <= CAPACITY + 1,
            "{left} bytes left, most of them after the kill"
        );
    }
}
