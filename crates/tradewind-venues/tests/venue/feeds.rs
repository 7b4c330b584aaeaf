//! Venues that are read without an account, whole: what their streams miss is read by request, and so are rules that changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_model::{
    AccountId, Clock, Instrument, InstrumentId, Interval, ManualClock, Price, Timestamp, VenueId,
};
use tradewind_venues::binance::{Assets, BookSource, OrderEntry};
use tradewind_venues::{
    MarketData, MarketSink, OrderGate, RateBudget, SourceSettings, TcpConnector, Topic,
    VenueContext, VenueKind, VenueSettings, build_feed, client_config,
};

use crate::http::{self, Reply, ok};
use crate::websocket::{Connection, Recorder, Server};

const BTC: InstrumentId = InstrumentId(0);
const MINUTE_MS: i64 = 60_000;
/// Minute 0 of the tests.
const BEGIN_MS: i64 = 1_700_000_040_000;

/// A feed of this kind with one instrument in use, at these addresses.
async fn feed(
    kind: VenueKind,
    rest: &http::Server,
    streams: &Server,
) -> (Arc<dyn MarketData>, Instrument) {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_millis(
        BEGIN_MS + 100 * MINUTE_MS,
    )));
    let settings = VenueSettings {
        kind,
        venue: VenueId(1),
        name: "feed".to_owned(),
        account: AccountId(0),
        rest_url: format!("http://{}", rest.address),
        ws_url: format!("ws://{}", streams.address),
        ws_api_url: String::new(),
        key: None,
        order_entry: OrderEntry::Rest,
        books: BookSource::Top20,
        seed: 1,
    };
    let context = VenueContext {
        connector: TcpConnector::shared(client_config(None).unwrap()),
        gate: OrderGate::new(Arc::default(), Arc::clone(&clock)),
        clock,
        budget: Arc::new(std::sync::Mutex::new(RateBudget::new(6_000))),
        assets: Arc::new(Assets::default()),
    };
    let feed = build_feed(settings, context).unwrap();
    let mut listed = feed.listings().await.unwrap();
    let instrument = listed.remove(0);
    assert_eq!(instrument.id, BTC);
    feed.use_instruments(std::slice::from_ref(&instrument))
        .unwrap();
    (feed, instrument)
}

/// Runs all sources of a feed until it is dropped.
fn run(feed: &Arc<dyn MarketData>, topics: &[Topic], recorder: &Arc<Recorder>) -> JoinSet<()> {
    let sink: Arc<dyn MarketSink> = Arc::clone(recorder) as _;
    let mut tasks = JoinSet::new();
    for source in feed.market_sources(topics, &sink, SourceSettings::default()) {
        tasks.spawn(async move { source.run(CancellationToken::new()).await });
    }
    tasks
}

fn okx_instruments(tick: &str) -> String {
    json!({"code": "0", "msg": "", "data": [{"instType": "SPOT", "instId": "BTC-USDT", "baseCcy": "BTC", "quoteCcy": "USDT",
        "state": "live", "tickSz": tick, "lotSz": "0.00000001", "minSz": "0.00001", "maxLmtSz": "9999"}]})
    .to_string()
}

fn okx_row(minute: i64) -> Value {
    let start = BEGIN_MS + minute * MINUTE_MS;
    // The recorder writes the close down: it tells the minute.
    let close = format!("{}.{}", (10 + minute) / 10, (10 + minute) % 10);
    json!([start.to_string(), "1", "9", "1", close, "3", "4", "4", "1"])
}

async fn grant_okx(connection: &mut Connection) {
    let request = connection.request().await.unwrap();
    for arg in request["args"].as_array().unwrap() {
        let grant = json!({"event": "subscribe", "arg": arg, "connId": "x"});
        connection.say(grant.to_string()).await;
    }
}

#[tokio::test]
async fn candles_that_a_stream_missed_are_read_and_come_in_order() {
    let rest = http::Server::start(|request| {
        if request.path.ends_with("instruments") {
            return ok(okx_instruments("0.1"));
        }
        assert!(
            request.path.ends_with("history-candles"),
            "{}",
            request.path
        );
        let (_, after) = request.query.split_once("after=").unwrap();
        let end: i64 = after.split('&').next().unwrap().parse().unwrap();
        let minutes = (0..4).map(|back| (end - BEGIN_MS) / MINUTE_MS - 1 - back);
        let rows: Vec<Value> = minutes.map(okx_row).collect();
        ok(json!({"code": "0", "msg": "", "data": rows}).to_string())
    })
    .await;
    let (streams, recorder) = (Server::start().await, Recorder::new());
    let (feed, _) = feed(VenueKind::Okx, &rest, &streams).await;
    let _tasks = run(&feed, &[Topic::Candles(BTC, Interval::Minute1)], &recorder);
    let mut venue = streams.accept().await;
    assert_eq!(venue.path, "/ws/v5/business");
    grant_okx(&mut venue).await;
    let candle = |minute: i64| {
        json!({"arg": {"channel": "candle1m", "instId": "BTC-USDT"}, "data": [okx_row(minute)]})
            .to_string()
    };
    let minutes = async |count: usize| {
        let lines = recorder.lines(count).await;
        let minute = |line: &String| {
            let close = line.strip_prefix("candle 1m ").unwrap();
            close.parse::<i64>().unwrap() - 10
        };
        lines.iter().map(minute).collect::<Vec<_>>()
    };
    venue.say_all([candle(0), candle(1)]).await;
    assert_eq!(minutes(2).await, [0, 1]);
    drop(venue);
    let mut venue = streams.accept().await;
    grant_okx(&mut venue).await;
    venue.say_all([candle(8), candle(9)]).await;
    assert_eq!(minutes(8).await, [2, 3, 4, 5, 6, 7, 8, 9]);
}

#[tokio::test]
async fn a_price_that_is_finer_than_the_tick_has_the_rules_read_again() {
    let is_fine = Arc::new(AtomicBool::new(false));
    let fine = Arc::clone(&is_fine);
    let rest = http::Server::start(move |_| -> Reply {
        // Coarser ticks are known at once; a finer one needs more decimals than there are, and a restart.
        ok(okx_instruments(if fine.load(Ordering::SeqCst) {
            "0.5"
        } else {
            "0.1"
        }))
    })
    .await;
    let (streams, recorder) = (Server::start().await, Recorder::new());
    let (feed, rules) = feed(VenueKind::Okx, &rest, &streams).await;
    assert_eq!(rules.tick, Price(1));
    assert_eq!(feed.changed_instruments().await.unwrap(), []);
    let _tasks = run(&feed, &[Topic::Quotes(BTC)], &recorder);
    let mut venue = streams.accept().await;
    grant_okx(&mut venue).await;
    let doubted = feed.rules_doubted();
    let quote = |bid: &str| {
        json!({"arg": {"channel": "bbo-tbt", "instId": "BTC-USDT"}, "data": [{"asks": [["101", "1", "0", "1"]],
            "bids": [[bid, "1", "0", "1"]], "ts": "1", "seqId": 7}]})
        .to_string()
    };
    venue.say(quote("100.05")).await;
    tokio::time::timeout(Duration::from_secs(20), doubted)
        .await
        .unwrap();
    is_fine.store(true, Ordering::SeqCst);
    let changed = feed.changed_instruments().await.unwrap();
    assert_eq!((changed[0].id, changed[0].tick), (BTC, Price(5)));
    assert_eq!(changed[0].revision, rules.revision + 1);
    assert_eq!(changed[0].status, rules.status, "prices only");
    assert_eq!(feed.changed_instruments().await.unwrap(), []);
}

/// OKX takes three connections a second from an address.
#[tokio::test]
async fn connections_to_okx_are_opened_one_after_the_other() {
    let rest = http::Server::start(|_| ok(okx_instruments("0.1"))).await;
    let (streams, recorder) = (Server::start().await, Recorder::new());
    let (feed, _) = feed(VenueKind::Okx, &rest, &streams).await;
    let topics = [Topic::Quotes(BTC), Topic::Candles(BTC, Interval::Minute1)];
    let _tasks = run(&feed, &topics, &recorder);
    let _first = streams.accept().await;
    let since = std::time::Instant::now();
    let _second = streams.accept().await;
    assert!(since.elapsed() > Duration::from_millis(300), "{since:?}");
}

fn kraken_pairs(decimals: u8) -> String {
    json!({"error": [], "result": {"XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "pair_decimals": decimals,
        "lot_decimals": 8, "tick_size": "0.5", "ordermin": "0.0001", "costmin": "0.5", "status": "online"}}})
    .to_string()
}

/// A snapshot of a book with one level a side, as the venue writes its prices: with the checksum of their digits.
fn kraken_book(bid: &str, ask: &str) -> String {
    let digits = [ask, "1.00000000", bid, "1.00000000"]
        .concat()
        .replace('.', "");
    let level = |price: &str| format!(r#"[{{"price":{price},"qty":1.00000000}}]"#);
    format!(
        r#"{{"channel":"book","type":"snapshot","data":[{{"symbol":"BTC/USD","bids":{},"asks":{},"checksum":{},"timestamp":"2023-10-06T17:35:55.440295Z"}}]}}"#,
        level(bid),
        level(ask),
        crc32fast::hash(digits.as_bytes())
    )
}

/// Its checksums are of the digits that it writes: with fewer decimals those of the same prices are others.
#[tokio::test]
async fn fewer_decimals_of_kraken_are_followed_while_connected() {
    let decimals = Arc::new(std::sync::atomic::AtomicU8::new(2));
    let now = Arc::clone(&decimals);
    let rest = http::Server::start(move |_| ok(kraken_pairs(now.load(Ordering::SeqCst)))).await;
    let (streams, recorder) = (Server::start().await, Recorder::new());
    let (feed, _) = feed(VenueKind::Kraken, &rest, &streams).await;
    let _tasks = run(&feed, &[Topic::Depth(BTC)], &recorder);
    let mut venue = streams.accept().await;
    let grant = json!({"method": "subscribe", "result": {"channel": "book", "symbol": "BTC/USD"}, "success": true, "req_id": 1});
    venue.request().await.unwrap();
    venue.say(grant.to_string()).await;
    venue.say(kraken_book("100.50", "101.00")).await;
    let shown = async || loop {
        let lines = recorder.lines(1).await;
        if lines.iter().any(|line| line.starts_with("depth")) {
            return;
        }
    };
    shown().await;
    decimals.store(1, Ordering::SeqCst);
    let rules = feed.changed_instruments().await.unwrap();
    assert!(
        rules.iter().all(|one| one.price_decimals == 2),
        "counts stay"
    );
    venue.say(kraken_book("100.5", "101.5")).await;
    tokio::time::timeout(Duration::from_secs(20), feed.rules_doubted())
        .await
        .expect("a wrong checksum has the rules read again");
    for method in ["unsubscribe", "subscribe"] {
        assert_eq!(venue.request().await.unwrap()["method"], method);
    }
    venue.say(kraken_book("100.5", "101.5")).await;
    shown().await;
}
