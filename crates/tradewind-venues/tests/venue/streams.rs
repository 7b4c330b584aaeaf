//! Streams over real sockets: subscribed, restored, renewed, stopped; market data and an account's events alike.

use std::time::Duration;

use serde_json::json;
use tradewind_model::{InstrumentId, Interval};
use tradewind_venues::binance::{MarketSource, sign_hmac};
use tradewind_venues::{ConnectionSettings, SourceSettings, SubscriptionSettings, Topic};

use crate::rig::{Running, SECRET, START_MS, rig};
use crate::websocket::{Connection, Recorder, Server};

const BTC: InstrumentId = InstrumentId(0);
const TOPICS: [Topic; 3] = [
    Topic::Quotes(BTC),
    Topic::Trades(BTC),
    Topic::Candles(BTC, Interval::Minute1),
];

/// The ordinary settings, but without waits that a test would have to sit through.
fn quick() -> SourceSettings {
    SourceSettings {
        connection: ConnectionSettings {
            backoff_first: Duration::from_millis(1),
            backoff_cap: Duration::from_millis(1),
            ..ConnectionSettings::default()
        },
        ..SourceSettings::default()
    }
}

fn source(
    server: &Server,
    recorder: &std::sync::Arc<Recorder>,
    settings: SourceSettings,
) -> Running<MarketSource<Recorder>> {
    let rig = rig(server.address, server.address, Duration::from_secs(5));
    let mut sources = rig.venue.market_sources(&TOPICS, recorder, settings);
    assert_eq!(sources.len(), 1);
    Running::start(sources.remove(0))
}

fn ticker(update: u64, bid: &str, ask: &str) -> String {
    json!({"stream": "btcusdt@bookTicker",
        "data": {"u": update, "s": "BTCUSDT", "b": bid, "B": "1.00000000", "a": ask, "A": "2.00000000"}})
    .to_string()
}

fn trade(id: u64) -> String {
    json!({"stream": "btcusdt@trade", "data": {"e": "trade", "E": 1, "s": "BTCUSDT", "t": id, "p": "1.00",
        "q": "1.00000", "T": 1, "m": true, "M": true}})
    .to_string()
}

fn candle(closed: bool, close: &str) -> String {
    json!({"stream": "btcusdt@kline_1m", "data": {"e": "kline", "E": 1, "s": "BTCUSDT", "k": {"t": 60_000, "T": 119_999,
        "s": "BTCUSDT", "i": "1m", "f": 1, "L": 2, "o": "1.00", "c": close, "h": "3.00", "l": "0.50", "v": "10",
        "n": 2, "x": closed, "q": "1", "V": "1", "Q": "1", "B": "0"}}})
    .to_string()
}

#[tokio::test]
async fn frames_become_events_and_a_lost_connection_is_restored() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let source = source(&server, &recorder, quick());
    let mut venue = server.accept().await;
    assert_eq!(venue.path, "/stream");
    let wanted = json!(["btcusdt@bookTicker", "btcusdt@trade", "btcusdt@kline_1m"]);
    assert_eq!(venue.grant().await, wanted);
    for frame in [
        ticker(7, "61837.63", "61837.64"),
        ticker(6, "1.00", "2.00"),
        trade(41),
        candle(false, "1.50"),
        candle(true, "2.00"),
        r#"{"stream":"btcusdt@bookTicker","data":{"u":9,"s":"ETHUSDT","b":"1","B":"1","a":"2","A":"1"}}"#.to_owned(),
        "not even JSON".to_owned(),
        trade(44),
    ] {
        venue.say(frame).await;
    }
    let lines = recorder.lines(7).await;
    let expected = [
        "0 Resync",
        "0 Live",
        "quote 6183763/6183764",
        "trade 41",
        "candle 1m 200",
        "0 Gap",
        "trade 44",
    ];
    assert_eq!(lines, expected);
    drop(venue);

    assert_eq!(recorder.line().await, "0 Stale");
    let mut venue = server.accept().await;
    assert_eq!(venue.grant().await, wanted);
    venue.say(trade(45)).await;
    assert_eq!(recorder.lines(3).await, ["0 Resync", "0 Live", "trade 45"]);
    let stats = source.handle().stats().snapshot();
    assert_eq!((stats.connects, stats.losses), (2, 1));
    assert_eq!((stats.events, stats.repeated, stats.missing), (5, 1, 2));
    assert_eq!((stats.wrong_symbol, stats.malformed), (1, 1));
    source.stop().await;
}

#[tokio::test]
async fn of_many_frames_that_wait_none_is_lost() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let source = source(&server, &recorder, quick());
    let mut venue = server.accept().await;
    venue.grant().await;
    venue.say_all((1..=300).map(trade)).await;
    let trades = (1..=300).map(|id| format!("trade {id}"));
    let expected: Vec<String> = ["0 Resync".to_owned(), "0 Live".to_owned()]
        .into_iter()
        .chain(trades)
        .collect();
    assert_eq!(recorder.lines(302).await, expected);
    source.stop().await;
}

#[tokio::test]
async fn n02_of_a_frame_that_is_cut_anywhere_nothing_is_derived() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let source = source(&server, &recorder, quick());
    let (mut after, mut length) = (1, usize::MAX);
    while after < length {
        let mut venue = server.accept().await;
        venue.grant().await;
        venue.say(trade(u64::try_from(after).unwrap())).await;
        assert_eq!(
            recorder.lines(3).await,
            ["0 Resync", "0 Live", &format!("trade {after}")]
        );
        length = venue.cut(&trade(1_000_000), after).await;
        assert_eq!(recorder.line().await, "0 Stale", "cut after {after}");
        after += 1;
    }
    assert!(length > 100, "every place of a whole frame");
    source.stop().await;
}

#[tokio::test]
async fn n07_a_request_without_an_answer_is_repeated() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let settings = SourceSettings {
        subscriptions: SubscriptionSettings {
            answer_within: Duration::from_millis(20),
            retry_pause: Duration::ZERO,
            spacing: Duration::from_millis(1),
            ..SubscriptionSettings::default()
        },
        ..quick()
    };
    let source = source(&server, &recorder, settings);
    let mut venue = server.accept().await;
    let first = venue.request().await.unwrap();
    let second = venue.request().await.unwrap();
    assert_eq!(first["params"], second["params"]);
    assert_ne!(first["id"], second["id"]);
    source.stop().await;
}

#[tokio::test]
async fn a_source_stops_at_once_and_starts_again() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let source = source(&server, &recorder, quick());
    let mut venue = server.accept().await;
    venue.grant().await;
    let stopped = source.stop().await;
    assert_eq!(venue.request().await, None);

    let source = Running::start(stopped);
    let mut venue = server.accept().await;
    venue.grant().await;
    assert!(source.handle().want(Topic::Depth(BTC)));
    assert_eq!(venue.grant().await, json!(["btcusdt@depth20@100ms"]));
    assert!(source.handle().unwant(Topic::Trades(BTC)));
    assert_eq!(venue.grant().await, json!(["btcusdt@trade"]));
    let book = r#"{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":1,"bids":[["1.00","2"]],"asks":[]}}"#;
    venue.say(book).await;
    let last = recorder.lines(5).await;
    assert_eq!(last[2..], ["0 Resync", "0 Live", "depth 1+0"]);
    source.stop().await;
}

#[tokio::test]
async fn a_renewal_connects_before_it_lets_go() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let settings = SourceSettings {
        connection: ConnectionSettings {
            renew_after: Duration::from_millis(50),
            ..quick().connection
        },
        ..quick()
    };
    let source = source(&server, &recorder, settings);
    let mut old = server.accept().await;
    old.grant().await;
    old.say(trade(1)).await;
    assert_eq!(recorder.lines(3).await[2], "trade 1");

    let mut new = server.accept().await;
    let request = new.request().await.unwrap();
    old.say(trade(2)).await;
    assert_eq!(recorder.line().await, "trade 2");
    new.say(json!({"result": null, "id": request["id"]}).to_string())
        .await;
    assert_eq!(old.request().await, None);
    new.say(trade(2)).await;
    new.say(trade(3)).await;
    assert_eq!(recorder.line().await, "trade 3");
    assert_eq!(source.handle().stats().snapshot().losses, 0);
    source.stop().await;
}

async fn subscribe_account(server: &Server) -> Connection {
    let mut venue = server.accept().await;
    assert_eq!(venue.path, "/ws-api/v3");
    let request = venue.request().await.unwrap();
    assert_eq!(request["method"], "userDataStream.subscribe.signature");
    let params = &request["params"];
    let payload = format!("apiKey=the key&recvWindow=5000&timestamp={START_MS}");
    assert_eq!(params["timestamp"], START_MS);
    assert_eq!(params["signature"], sign_hmac(SECRET, &payload).as_str());
    venue
        .say(
            json!({"id": request["id"], "status": 200, "result": {"subscriptionId": 0}})
                .to_string(),
        )
        .await;
    venue
}

fn execution(happened: &str, status: &str, original: &str, trade: i64) -> String {
    json!({"subscriptionId": 0, "event": {"e": "executionReport", "E": 1, "s": "BTCUSDT",
        "c": if original.is_empty() { OURS } else { "the cancel's own" }, "S": "SELL", "o": "LIMIT", "f": "GTC",
        "q": "1.00000", "p": "5.00", "P": "0", "F": "0", "g": -1, "C": original, "x": happened, "X": status,
        "r": "NONE", "i": 7, "l": "0.5", "z": "0.5", "L": "5.00", "n": "0.0025", "N": "USDT", "T": 2, "t": trade,
        "I": 1, "w": true, "m": true, "M": true, "O": 1, "Z": "2.5", "Y": "2.5", "Q": "0", "W": 1, "V": "NONE"}})
    .to_string()
}

const OURS: &str = "54570000000100000001000000000001";

#[tokio::test]
async fn an_accounts_events_arrive_and_a_reconnect_asks_for_a_resync() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let rig = rig(server.address, server.address, Duration::from_secs(5));
    let source = Running::start(rig.venue.user_source(&recorder, quick()).unwrap());
    let mut venue = subscribe_account(&server).await;
    for frame in [
        execution("NEW", "NEW", "", -1),
        execution("TRADE", "PARTIALLY_FILLED", "", 56),
        execution("CANCELED", "CANCELED", OURS, -1),
        execution("EXPIRED", "EXPIRED_IN_MATCH", "", -1),
        execution("SOMETHING_NEW", "NEW", "", -1),
        execution("NEW", "SOMETHING_NEW", "", -1),
        json!({"subscriptionId": 0, "event": {"e": "outboundAccountPosition", "E": 1, "u": 1,
            "B": [{"a": "BTC", "f": "1.5", "l": "0.25"}]}})
        .to_string(),
        json!({"subscriptionId": 0, "event": {"e": "balanceUpdate", "E": 1, "a": "BTC", "d": "-3", "T": 1}})
            .to_string(),
    ] {
        venue.say(frame).await;
    }
    let ours = |what: &str| format!("{OURS} {what}");
    let expected = [
        "resync".to_owned(),
        ours("accepted"),
        ours("filled 56"),
        ours("cancelled"),
        ours("expired"),
        ours("unknown"),
        ours("unknown"),
        "free 1.5 locked 0.25".to_owned(),
        "transfer -3".to_owned(),
    ];
    assert_eq!(recorder.lines(9).await, expected);
    drop(venue);
    assert!(recorder.line().await.starts_with("down: broken"));
    let _venue = subscribe_account(&server).await;
    assert_eq!(recorder.line().await, "resync");
    source.stop().await;
}

/// R24: the venue lists the subscription with every ping. One that is not listed, or whose list does not come, is made anew.
#[tokio::test]
async fn a_subscription_that_is_not_listed_any_more_is_made_anew() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let rig = rig(server.address, server.address, Duration::from_secs(5));
    let settings = SourceSettings {
        connection: ConnectionSettings {
            ping_every: Duration::from_millis(50),
            ..quick().connection
        },
        ..quick()
    };
    let source = Running::start(rig.venue.user_source(&recorder, settings).unwrap());
    for is_answered in [true, false] {
        let mut venue = subscribe_account(&server).await;
        assert_eq!(recorder.line().await, "resync");
        for listed in [json!([{"subscriptionId": 0}]), json!([])] {
            let request = venue.request().await.unwrap();
            assert_eq!(request["method"], "session.subscriptions");
            let answer = json!({"id": request["id"], "status": 200, "result": listed});
            if is_answered {
                venue.say(answer.to_string()).await;
            }
        }
        // Reading answers its pings.
        while venue.request().await.is_some() {}
        let why = match is_answered {
            true => "the venue does not list the subscription any more",
            false => "the list of subscriptions was not answered before the next ping",
        };
        assert_eq!(recorder.line().await, format!("down: broken: {why}"));
    }
    source.stop().await;
}

#[tokio::test]
async fn an_account_that_may_not_listen_says_so_in_the_end() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let rig = rig(server.address, server.address, Duration::from_secs(5));
    let settings = SourceSettings {
        subscriptions: SubscriptionSettings {
            attempts_max: 3,
            retry_pause: Duration::ZERO,
            spacing: Duration::from_millis(1),
            ..SubscriptionSettings::default()
        },
        ..quick()
    };
    let source = Running::start(rig.venue.user_source(&recorder, settings).unwrap());
    let mut venue = server.accept().await;
    for _ in 0..3 {
        let request = venue.request().await.unwrap();
        let refusal = json!({"id": request["id"], "status": 401,
            "error": {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}});
        venue.say(refusal.to_string()).await;
    }
    let line = recorder.line().await;
    assert_eq!(
        line,
        "down: -2015 Invalid API-key, IP, or permissions for action."
    );
    source.stop().await;
}

#[tokio::test]
async fn n05_while_one_account_stream_replaces_another_each_execution_counts_once() {
    let (server, recorder) = (Server::start().await, Recorder::new());
    let rig = rig(server.address, server.address, Duration::from_secs(5));
    let source = Running::start(rig.venue.user_source(&recorder, quick()).unwrap());
    let mut old = subscribe_account(&server).await;
    assert_eq!(recorder.line().await, "resync");
    old.say(json!({"event": {"e": "serverShutdown", "E": 1}}).to_string())
        .await;
    // The successor is connected, and the old one still delivers, before the successor is subscribed.
    let mut new = server.accept().await;
    let request = new.request().await.unwrap();
    let fill = |trade| execution("TRADE", "PARTIALLY_FILLED", "", trade);
    old.say(fill(56)).await;
    assert!(recorder.line().await.ends_with("filled 56"));
    new.say(fill(56)).await;
    new.say(json!({"id": request["id"], "status": 200, "result": {}}).to_string())
        .await;
    new.say(fill(57)).await;
    assert_eq!(recorder.line().await, "resync");
    assert!(recorder.line().await.ends_with("filled 57"));
    assert_eq!(old.request().await, None, "the old one is closed last");
    source.stop().await;
}
