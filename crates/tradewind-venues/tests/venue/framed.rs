//! The second protocol behind the same source, from end to end.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tradewind_model::{
    InstrumentId, ManualClock, Price, Quantity, Quote, Side, Timestamp, Trade, TradeId,
};
use tradewind_venues::framed::{Frame, FramedProtocol, decode, encode};
use tradewind_venues::{
    ConnectionSettings, DataSource, SourceSettings, TcpConnector, ToMarketSink, Topic,
    client_config,
};

use crate::rig::Running;
use crate::websocket::Recorder;

const GOLD: InstrumentId = InstrumentId(3);

async fn read(socket: &mut TcpStream) -> Option<Frame> {
    let length = socket.read_u32().await.ok()?;
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    socket.read_exact(&mut bytes).await.ok()?;
    decode(&bytes, Timestamp::EPOCH).ok()
}

async fn write(socket: &mut TcpStream, frames: &[Frame]) {
    let mut bytes = Vec::new();
    for frame in frames {
        encode(frame, &mut bytes);
    }
    // In two pieces, so that a frame arrives cut.
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    socket.write_all(head).await.unwrap();
    socket.flush().await.unwrap();
    socket.write_all(tail).await.unwrap();
}

async fn serve_subscription(listener: &TcpListener) -> TcpStream {
    let (mut socket, _) = listener.accept().await.unwrap();
    let Some(Frame::Subscribe { request, topics }) = read(&mut socket).await else {
        panic!("a subscription comes first")
    };
    assert_eq!(topics, [Topic::Quotes(GOLD), Topic::Trades(GOLD)]);
    write(&mut socket, &[Frame::Acked { request }]).await;
    socket
}

fn quote(bid: i64) -> Quote {
    Quote {
        instrument: GOLD,
        bid: Price(bid),
        ask: Price(bid + 1),
        bid_quantity: Quantity(5),
        ask_quantity: Quantity(6),
        event_time: None,
        received_at: Timestamp::EPOCH,
    }
}

fn trade(id: u64) -> Trade {
    Trade {
        instrument: GOLD,
        taker: Side::Buy,
        id: TradeId(id),
        price: Price(7),
        quantity: Quantity(1),
        event_time: None,
        received_at: Timestamp::EPOCH,
    }
}

#[tokio::test]
async fn a_binary_feed_is_a_source_like_any_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let recorder = Recorder::new();
    let settings = SourceSettings {
        connection: ConnectionSettings {
            ping_every: Duration::from_millis(20),
            backoff_first: Duration::from_millis(1),
            backoff_cap: Duration::from_millis(1),
            ..ConnectionSettings::default()
        },
        ..SourceSettings::default()
    };
    let mut source = DataSource::new(
        "gold",
        move || FramedProtocol::new(address).expect("a loopback address"),
        ToMarketSink(Arc::clone(&recorder)),
        settings,
        TcpConnector::shared(client_config(None).unwrap()),
        Arc::<ManualClock>::default(),
        1,
    );
    source.want([Topic::Quotes(GOLD), Topic::Trades(GOLD)]);
    let source = Running::start(source);

    let mut socket = serve_subscription(&listener).await;
    let data = [
        Frame::Quote(1, quote(100)),
        Frame::Trade(trade(9)),
        Frame::Quote(2, quote(101)),
    ];
    write(&mut socket, &data).await;
    let lines = recorder.lines(5).await;
    assert_eq!(
        lines,
        [
            "3 Resync",
            "3 Live",
            "quote 100/101",
            "trade 9",
            "quote 101/102"
        ]
    );
    assert_eq!(read(&mut socket).await, Some(Frame::Ping));
    write(&mut socket, &[Frame::Pong]).await;
    drop(socket);

    assert_eq!(recorder.line().await, "3 Stale");
    let mut socket = serve_subscription(&listener).await;
    write(&mut socket, &[Frame::Trade(trade(12))]).await;
    assert_eq!(recorder.lines(3).await, ["3 Resync", "3 Gap", "trade 12"]);
    source.stop().await;
}
