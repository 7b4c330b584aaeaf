//! Every decoder that reads what others wrote, one target each.

use std::collections::BTreeMap;

use tradewind_model::Timestamp;
use tradewind_simx::recorded::{CapturePlayer, CaptureSurvey};
use tradewind_simx_server::fuzzing as exchange;
use tradewind_venues::binance::fuzzing as adapter;
use tradewind_venues::{framed, fuzzing as wire};

type Run = Box<dyn FnMut(&[u8]) -> bool>;

/// A decoder and what it is fed.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Examples of our own.
    pub(crate) own: &'static [&'static [u8]],
    /// Files of documented examples.
    pub(crate) documented: &'static [&'static str],
    /// Makes a run: bytes in, whether they were understood out.
    pub(crate) open: fn() -> Run,
}

const ORDER: &[u8] = br#"{"symbol":"BTCUSDT","orderId":28,"clientOrderId":"54570000000100000007000000000001","transactTime":5,
"price":"2.0","origQty":"0.5","executedQty":"0.5","status":"FILLED","timeInForce":"GTC","type":"LIMIT","side":"SELL",
"fills":[{"price":"2.0","qty":"0.5","commission":"0.1","commissionAsset":"BNB","tradeId":56}]}"#;
const TRADE: &[u8] = br#"[{"id":5,"orderId":7,"price":"2.0","qty":"1","commission":"0.1","commissionAsset":"USDT","time":5,
"isBuyer":true,"isMaker":false}]"#;
const CANDLE: &[u8] = br#"[[60000,"1.0","3.0","0.5","2.0","10",119999,"1",2,"1","1","0"]]"#;
const DIFF: &[u8] =
    br#"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":5,"u":7,"b":[["1.0","2"]],"a":[["1.1","0"]]}"#;
const PARTIAL: &[u8] = br#"{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":5,"bids":[["1.0","2"]],"asks":[["1.1","3"]]}}"#;
const REPORT: &[u8] = br#"{"subscriptionId":0,"event":{"e":"executionReport","E":1,"s":"BTCUSDT","c":"x","S":"BUY","o":"LIMIT",
"q":"1","p":"2","C":"","x":"TRADE","X":"FILLED","r":"NONE","i":7,"l":"1","z":"1","L":"2","n":"0","N":null,"T":2,"t":5,"m":true}}"#;
const ANSWER: &[u8] = br#"{"id":1,"status":200,"result":{"symbol":"BTCUSDT","orderId":5,"clientOrderId":"x","transactTime":1},
"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":1}]}"#;
const REST: &[&[u8]] = &[
    b"POST /api/v3/order symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=20000&newOrderRespType=FULL",
    b"POST /api/v3/order symbol=BTCUSDT&side=SELL&type=MARKET&quoteOrderQty=50",
    b"POST /api/v3/order symbol=BTCUSDT&side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.1&price=1&stopPrice=1.5",
    b"POST /api/v3/order/cancelReplace symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&quantity=0.001&price=9&cancelReplaceMode=ALLOW_FAILURE&cancelOrderId=1",
    b"DELETE /api/v3/order symbol=BTCUSDT&orderId=1&newClientOrderId=x",
    b"GET /api/v3/order symbol=BTCUSDT&origClientOrderId=x",
    b"GET /api/v3/myTrades symbol=BTCUSDT&fromId=0&limit=5",
    b"GET /api/v3/allOrders symbol=BTCUSDT&startTime=1699999999000&endTime=1700000000000",
    b"GET /api/v3/klines symbol=BTCUSDT&interval=1m&startTime=1699999999000&limit=5&timeZone=%2B08:00",
    b"GET /api/v3/ticker/24hr symbols=%5B%22BTCUSDT%22%5D&type=MINI",
    b"GET /api/v3/account omitZeroBalances=true",
    b"GET /api/v3/depth symbol=ETHUSDT&limit=5",
];

// The first byte of these says where the rest is split.
const HTTP: &[&[u8]] = &[
    b"\x10HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"\x50HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"\x20HTTP/1.0 200 OK\r\n\r\nto the end",
];
const FRAMES: &[&[u8]] = &[
    b"\x03\x81\x05hello\x89\x01p\x8a\x00",
    b"\x02\x01\x02he\x89\x00\x80\x03llo\x88\x04\x03\xe9ab",
    b"\x05\x82\x7e\x00\x80aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// All of them.
#[rustfmt::skip] // one row a target
pub(crate) fn all() -> Vec<Target> {
    const STREAM: &[&str] = &["ws_stream_payloads.json"];
    const BODIES: &[&str] = &["rest_payloads.json"];
    const WS_API: &[&str] = &["ws_api_payloads.json"];
    const REPLACED: &[u8] = br#"{"cancelResult":"SUCCESS","newOrderResult":"FAILURE","cancelResponse":{},"newOrderResponse":{"code":-2010,"msg":"m"}}"#;
    vec![
        Target { name: "venue-market", own: &[PARTIAL, DIFF], documented: STREAM, open: || adapter(|door, bytes| door.market(bytes)) },
        Target { name: "venue-book-update", own: &[DIFF], documented: STREAM, open: || adapter(|door, bytes| door.book_update(bytes)) },
        Target { name: "venue-account-stream", own: &[REPORT], documented: &["user_data_payloads.json"], open: || adapter(|door, bytes| door.account(bytes)) },
        Target { name: "venue-socket-answer", own: &[ANSWER], documented: WS_API, open: || adapter(|door, bytes| door.socket_answer(bytes)) },
        Target { name: "venue-order", own: &[ORDER], documented: BODIES, open: || adapter(|door, bytes| door.order(bytes)) },
        Target { name: "venue-trades", own: &[TRADE], documented: BODIES, open: || adapter(|door, bytes| door.trades(bytes)) },
        Target { name: "venue-balances", own: &[br#"{"balances":[{"asset":"BTC","free":"1.5","locked":"0"}]}"#], documented: BODIES, open: || adapter(|door, bytes| door.balances(bytes)) },
        Target { name: "venue-candles", own: &[CANDLE], documented: BODIES, open: || adapter(|door, bytes| door.candles(bytes)) },
        Target { name: "venue-listings", own: &[br#"{"symbols":[]}"#], documented: BODIES, open: || adapter(|door, bytes| door.listings(bytes)) },
        Target { name: "venue-verdict", own: &[b"\x01\x90{\"code\":-2010,\"msg\":\"m\"}"], documented: BODIES, open: || Box::new(adapter::verdict) },
        Target { name: "venue-replacement", own: &[REPLACED], documented: BODIES, open: || Box::new(adapter::replacement) },
        Target { name: "venue-framed", own: &[b"P", b"A\x01\0\0\0\0\0\0\0", b"R\x01\0\0\0\0\0\0\0no", b"S\x01\0\0\0\0\0\0\0\0\0"], documented: &[], open: || Box::new(|bytes| framed::decode(bytes, Timestamp::EPOCH).is_ok()) },
        Target { name: "wire-http", own: HTTP, documented: &[], open: || Box::new(wire::http) },
        Target { name: "wire-websocket", own: FRAMES, documented: &[], open: || Box::new(wire::websocket) },
        Target { name: "simx-rest", own: REST, documented: &[], open: || exchange(exchange::Door::rest) },
        Target { name: "simx-ws-api", own: &[br#"{"id":1,"method":"depth","params":{"symbol":"BTCUSDT","limit":5}}"#], documented: WS_API, open: || exchange(exchange::Door::ws_api) },
        Target { name: "simx-market-request", own: &[br#"{"id":1,"method":"SUBSCRIBE","params":["btcusdt@kline_1m"]}"#, br#"{"id":"a","method":"SET_PROPERTY","params":["combined",true]}"#], documented: STREAM, open: || Box::new(exchange::market_request) },
        Target { name: "simx-record", own: &[b"\x01\0\0\0\0\0\0\0\0"], documented: &[], open: || Box::new(exchange::record) },
        Target { name: "recorded-capture", own: &[br#"1700000000000000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":5,"p":"1","q":"2","T":1,"m":true}}"#], documented: STREAM, open: capture },
        Target { name: "recorded-candles", own: &[b"1700000000000,1,3,0.5,2,10\n1700000060000,2,2,2,2,0\n", b"date,open,high,low,close,volume\n2024-10-01 00:00:00+00:00,1,2,1,2,5\n", b"[[1700000000000,1,3,0.5,2,10]]"], documented: &[], open: || table("BTC_USDT-1m.csv") },
        Target { name: "recorded-ticks", own: &[b"timestamp,bid,ask,bid_size,ask_size\n1700000000,1,2,1,1\n", b"timestamp,price,quantity,buyer_maker,trade_id\n1700000000,1,2,True,5\n"], documented: &[], open: || table("BTC_USDT.csv") },
        Target { name: "rules", own: &[b"close > highest(high, 20)[1] and (adx(14) > 25)@4h", b"a > 0.6 and book.imbalance(5) > 0.3 and spread < 0.02% and hour in 7..20", b"close + close\na + a\nb + b\nc > sma(b, 5)", b"rank(roc(30)@1d) <= 5 or macd(12, 26, 9).signal > 0"], documented: &[], open: || Box::new(rules) },
        Target { name: "recorded-packed", own: &[b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"], documented: &[], open: || table("BTC_USDT-1m") },
    ]
}

fn adapter(run: fn(&adapter::Door, &[u8]) -> bool) -> Run {
    let door = adapter::Door::open().expect("the examples' symbols are symbols");
    Box::new(move |bytes| run(&door, bytes))
}

fn exchange(run: fn(&mut exchange::Door, &[u8]) -> bool) -> Run {
    let mut door = exchange::Door::open().expect("an exchange in memory starts");
    Box::new(move |bytes| run(&mut door, bytes))
}

/// A rule to enter: read, checked and compiled.
fn rules(bytes: &[u8]) -> bool {
    // Lines before the last are names: a, b, c.
    let whole = String::from_utf8_lossy(bytes);
    let mut lines: Vec<&str> = whole.split('\n').collect();
    let when = lines.pop().unwrap_or_default().to_owned();
    let clause = tradewind_rules::ClauseText { tag: None, when };
    let names = ('a'..='z').map(String::from);
    let text = tradewind_rules::RuleText {
        timeframe: Some(tradewind_model::Interval::Minute5),
        lets: names.zip(lines.into_iter().map(str::to_owned)).collect(),
        // The only one that may rank.
        wake: tradewind_rules::WakeText::Timer,
        enter: vec![clause],
        stop: Some("none".to_owned()),
        ..tradewind_rules::RuleText::default()
    };
    tradewind_rules::Rules::compile(&text).is_ok()
}

fn capture() -> Run {
    let mut survey = CaptureSurvey::default();
    let mut player = CapturePlayer::new(BTreeMap::new(), 0);
    Box::new(move |bytes| {
        let line = String::from_utf8_lossy(bytes);
        survey.read(&line).is_ok() & player.feed(&line).is_ok()
    })
}

/// A table is a file: it is written to a folder in memory where there is one.
fn table(name: &'static str) -> Run {
    let memory = std::path::Path::new("/dev/shm");
    let parent = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let folder = tempfile::tempdir_in(parent).expect("a folder for the files");
    Box::new(move |bytes| tradewind_data::fuzzing::read(folder.path(), name, bytes))
}
