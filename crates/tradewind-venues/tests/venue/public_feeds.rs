//! OKX, Bybit, Kraken and Coinbase as sources over real sockets: subscribed, a gap in a book, cut, restored.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tradewind_model::{InstrumentId, ManualClock, MarketEvent};
use tradewind_venues::{
    Address, ConnectionSettings, DataSource, Protocol, Scheme, SourceSettings,
    SubscriptionSettings, SymbolTable, TcpConnector, ToMarketSink, Topic, bybit, client_config,
    coinbase, kraken, okx,
};

use crate::rig::{Running, instrument};
use crate::websocket::{Connection, Recorder, Server};

const BTC: InstrumentId = InstrumentId(0);
const TOPICS: [Topic; 2] = [Topic::Quotes(BTC), Topic::Depth(BTC)];

/// A venue's settings without waits that a test would have to sit through.
fn quick(settings: SourceSettings) -> SourceSettings {
    SourceSettings {
        connection: ConnectionSettings {
            backoff_first: Duration::from_millis(1),
            backoff_cap: Duration::from_millis(1),
            ..settings.connection
        },
        subscriptions: SubscriptionSettings {
            spacing: Duration::from_millis(1),
            retry_pause: Duration::from_millis(1),
            ..settings.subscriptions
        },
        ..settings
    }
}

fn start<P, M>(
    recorder: &Arc<Recorder>,
    settings: SourceSettings,
    make: M,
) -> Running<DataSource<P, M, ToMarketSink<Recorder>>>
where
    P: Protocol<Event = MarketEvent> + std::fmt::Debug,
    M: Fn() -> P + Send + 'static,
{
    let mut source = DataSource::new(
        "feed",
        make,
        ToMarketSink(Arc::clone(recorder)),
        quick(settings),
        TcpConnector::shared(client_config(None).unwrap()),
        Arc::<ManualClock>::default(),
        1,
    );
    source.want(TOPICS);
    Running::start(source)
}

fn symbols(name: &str) -> Arc<SymbolTable> {
    let listed = [(name.to_owned(), instrument(0, 1, 8))];
    Arc::new(SymbolTable::new(listed).unwrap())
}

fn address(server: &Server) -> Address {
    Address::parse(&format!("ws://{}", server.address), Scheme::WebSocket).unwrap()
}

/// What one venue says: its answers to a request, a quote, a book's snapshot and a change that does not follow it.
struct Words {
    path: &'static str,
    grants: fn(&Value) -> Vec<String>,
    quote: String,
    snapshot: String,
    gap: String,
}

/// The life of a source, the same for every venue.
async fn lives(server: &Server, recorder: &Recorder, words: &Words, requests: usize) {
    let mut venue = connect(server, words, requests).await;
    venue.say(words.quote.clone()).await;
    venue.say(words.snapshot.clone()).await;
    let lines = recorder.lines(4).await;
    assert_eq!(
        lines,
        ["0 Resync", "quote 1000/1010", "0 Live", "depth 1+1"],
        "not live before its book is there"
    );
    venue.say(words.gap.clone()).await;
    assert_eq!(recorder.lines(2).await, ["0 Gap", "0 Resync"]);
    for verb in ["unsubscribe", "subscribe"] {
        let request = venue.request().await.unwrap().to_string();
        assert!(request.contains(&format!("\"{verb}\"")), "{request}");
    }
    venue.say(words.gap.clone()).await;
    venue.say(words.snapshot.clone()).await;
    assert_eq!(recorder.lines(2).await, ["0 Live", "depth 1+1"]);
    drop(venue);

    assert_eq!(recorder.line().await, "0 Stale");
    let mut venue = connect(server, words, requests).await;
    venue.say(words.gap.clone()).await;
    venue.say(words.snapshot.clone()).await;
    assert_eq!(recorder.lines(3).await, ["0 Resync", "0 Live", "depth 1+1"]);
}

async fn connect(server: &Server, words: &Words, requests: usize) -> Connection {
    let mut venue = server.accept().await;
    assert_eq!(venue.path, words.path);
    for _ in 0..requests {
        let request = venue.request().await.unwrap();
        venue.say_all((words.grants)(&request)).await;
    }
    venue
}

#[tokio::test]
async fn an_okx_source_lives_through_a_gap_and_a_cut() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let (address, symbols) = (address(&server), symbols("BTC-USDT"));
    let source = start(&recorder, okx::settings(), move || {
        okx::MarketProtocol::new(address.clone(), okx::Endpoint::Public, Arc::clone(&symbols))
    });
    let book = |action: &str, previous: i64, this: i64| {
        json!({"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": action, "data": [{
            "asks": [["101", "1", "0", "1"]], "bids": [["100", "1", "0", "1"]], "ts": "1", "prevSeqId": previous, "seqId": this}]})
        .to_string()
    };
    let words = Words {
        path: "/ws/v5/public",
        grants: |request| {
            let args = request["args"].as_array().unwrap().iter();
            args.map(|arg| json!({"event": "subscribe", "arg": arg, "connId": "x"}).to_string())
                .collect()
        },
        quote: json!({"arg": {"channel": "bbo-tbt", "instId": "BTC-USDT"}, "data": [{
            "asks": [["101", "1", "0", "1"]], "bids": [["100", "1", "0", "1"]], "ts": "1", "seqId": 7}]})
        .to_string(),
        snapshot: book("snapshot", -1, 7),
        gap: book("update", 8, 9),
    };
    lives(&server, &recorder, &words, 1).await;
    assert_eq!(source.handle().stats().snapshot().malformed, 0);
    source.stop().await;
}

#[tokio::test]
async fn a_bybit_source_lives_through_a_gap_and_a_cut() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let (address, symbols) = (address(&server), symbols("BTCUSDT"));
    let source = start(&recorder, bybit::settings(), move || {
        bybit::MarketProtocol::new(address.clone(), Arc::clone(&symbols))
    });
    let book = |depth: u32, kind: &str, number: u64| {
        json!({"topic": format!("orderbook.{depth}.BTCUSDT"), "type": kind, "ts": 1, "data": {
            "s": "BTCUSDT", "b": [["100", "1"]], "a": [["101", "1"]], "u": number, "seq": number}})
        .to_string()
    };
    let words = Words {
        path: "/v5/public/spot",
        grants: |request| {
            vec![json!({"success": true, "ret_msg": "", "req_id": request["req_id"], "op": "subscribe"}).to_string()]
        },
        quote: book(1, "snapshot", 7),
        snapshot: book(50, "snapshot", 7),
        gap: book(50, "delta", 9),
    };
    lives(&server, &recorder, &words, 1).await;
    assert_eq!(source.handle().stats().snapshot().malformed, 0);
    source.stop().await;
}

#[tokio::test]
async fn a_kraken_source_lives_through_a_gap_and_a_cut() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let (address, symbols) = (address(&server), symbols("BTC/USD"));
    let source = start(&recorder, kraken::settings(), move || {
        kraken::MarketProtocol::new(address.clone(), Arc::clone(&symbols))
    });
    // The digits of 101.0, 1.0, 100.0 and 1.0 in the pair's precision of 1 and 8 digits.
    let right = crc32fast::hash(b"10101000000001000100000000");
    let book = |kind: &str, checksum: u32| {
        format!(
            r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD","bids":[{{"price":100.0,"qty":1.0}}],"asks":[{{"price":101.0,"qty":1.0}}],"checksum":{checksum}}}]}}"#
        )
    };
    let words = Words {
        path: "/v2",
        grants: |request| {
            let channel = &request["params"]["channel"];
            vec![json!({"method": "subscribe", "result": {"channel": channel, "symbol": "BTC/USD"}, "success": true,
                "req_id": request["req_id"]}).to_string()]
        },
        quote: r#"{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":100.0,"bid_qty":1.0,"ask":101.0,"ask_qty":1.0}]}"#.to_owned(),
        snapshot: book("snapshot", right),
        gap: book("update", right ^ 1),
    };
    lives(&server, &recorder, &words, 2).await;
    assert_eq!(source.handle().stats().snapshot().malformed, 0);
    source.stop().await;
}

#[tokio::test]
async fn a_coinbase_source_lives_through_a_gap_and_a_cut() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let (address, symbols) = (address(&server), symbols("BTC-USD"));
    let source = start(&recorder, coinbase::settings(), move || {
        coinbase::MarketProtocol::new(address.clone(), Arc::clone(&symbols))
    });
    let level = |side: &str, price: &str| json!({"side": side, "event_time": "2026-04-07T14:30:00Z", "price_level": price, "new_quantity": "1"});
    let message = |number: u64, channel: &str, event: Value| {
        json!({"channel": channel, "client_id": "", "timestamp": "2026-04-07T14:30:00Z", "sequence_num": number, "events": [event]})
            .to_string()
    };
    let listed = message(
        1,
        "subscriptions",
        json!({"subscriptions": {"ticker": ["BTC-USD"], "level2": ["BTC-USD"]}}),
    );
    let updates = json!([level("bid", "100.0"), level("offer", "101.0")]);
    let book = |number: u64, kind: &str| {
        message(
            number,
            "l2_data",
            json!({"type": kind, "product_id": "BTC-USD", "updates": updates}),
        )
    };
    let quote = message(
        2,
        "ticker",
        json!({"type": "update", "tickers": [{"product_id": "BTC-USD", "best_bid": "100.0",
        "best_bid_quantity": "1", "best_ask": "101.0", "best_ask_quantity": "1"}]}),
    );
    let mut venue = server.accept().await;
    assert_eq!(venue.path, "/");
    for wanted in ["heartbeats", "ticker", "level2"] {
        let request = venue.request().await.unwrap();
        assert_eq!(request["channel"], wanted);
    }
    venue
        .say_all(vec![listed, quote, book(3, "snapshot")])
        .await;
    let lines = recorder.lines(5).await;
    let quoted = "quote 1000/1010";
    assert_eq!(lines, ["0 Resync", quoted, "0 Live", "depth 1+1", quoted]);
    venue.say(book(5, "update")).await;
    assert_eq!(recorder.lines(3).await, ["0 Gap", "0 Gap", "0 Resync"]);
    for verb in ["unsubscribe", "subscribe"] {
        let request = venue.request().await.unwrap();
        assert_eq!(
            (&request["type"], &request["channel"]),
            (&json!(verb), &json!("level2"))
        );
    }
    venue.say(book(6, "snapshot")).await;
    assert_eq!(recorder.lines(3).await, ["0 Live", "depth 1+1", quoted]);
    assert_eq!(source.handle().stats().snapshot().malformed, 0);
    source.stop().await;
}
