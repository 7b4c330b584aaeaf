//! What the venue documents, read from the shared known answers: signatures, payloads, error codes.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tradewind_model::{InstrumentId, MarketEvent, Timestamp, VenueId};
use tradewind_venues::binance::{
    Assets, SymbolTable, Verdict, decode, decode_listings, judge_order, sign_hmac,
};
use tradewind_venues::{Ignored, Incoming, SourceSettings};

use crate::http::{Server, ok};
use crate::rig::{Running, instrument, rig};
use crate::websocket;

/// A file of the shared data; `None`, loudly, where there is none.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let Ok(root) = std::env::var("TRADEWIND_TEST_DATA") else {
        assert!(
            std::env::var("CI").is_err(),
            "TRADEWIND_TEST_DATA is not set, and CI must not skip"
        );
        eprintln!("SKIPPED: TRADEWIND_TEST_DATA is not set, so {path} was not checked");
        return None;
    };
    Some(PathBuf::from(root).join(path))
}

fn examples(file: &str) -> Vec<(String, Value)> {
    let Some(path) = shared(&format!("known_answers/{file}")) else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(path).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let examples = document["examples"].as_array().unwrap().iter();
    examples
        .filter(|example| example.get("json").is_some())
        .map(|example| {
            (
                example["section"].as_str().unwrap().to_owned(),
                example["json"].clone(),
            )
        })
        .collect()
}

/// The documents' instruments.
fn documented() -> SymbolTable {
    let names = ["BNBBTC", "BNBUSDT", "BTCUSDT", "ETHBTC", "BAZUSD"];
    let listings = (0..).zip(names);
    SymbolTable::new(listings.map(|(id, name)| (name.to_owned(), instrument(id, 8, 8)))).unwrap()
}

#[test]
fn signatures_are_the_documented_ones() {
    let Some(path) = shared("known_answers/signing.json") else {
        return;
    };
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert!(cases.len() >= 5);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        assert_eq!(
            sign_hmac(text("secret"), text("payload")),
            text("signature"),
            "{}",
            text("name")
        );
    }
}

#[test]
fn every_documented_stream_payload_is_understood_or_left_alone() {
    let symbols = documented();
    let mut understood = Vec::new();
    for (section, json) in examples("ws_stream_payloads.json") {
        decode(
            json.to_string().as_bytes(),
            Timestamp::EPOCH,
            &symbols,
            &mut |incoming| match incoming {
                Incoming::Ignored(Ignored::Malformed) => {
                    assert!(json.is_array(), "{section}: {json}");
                }
                Incoming::Ignored(_) => {}
                Incoming::Event { event, .. } => understood.push(match event {
                    MarketEvent::Quote(quote) => {
                        assert_eq!(
                            (quote.bid.0, quote.ask_quantity.0),
                            (2_535_190_000, 4_066_000_000)
                        );
                        "quote"
                    }
                    MarketEvent::Trade(trade) => {
                        assert_eq!((trade.price.0, trade.id.0), (100_000, 12_345));
                        assert_eq!(trade.taker, tradewind_model::Side::Sell);
                        "trade"
                    }
                    _ => "other",
                }),
                Incoming::Acked { .. } => understood.push("acked"),
                Incoming::ClosingSoon => understood.push("closing"),
                Incoming::Alive { .. } => understood.push("open candle"),
                other => panic!("{section}: {other:?}"),
            },
        );
    }
    if !understood.is_empty() {
        for wanted in ["quote", "trade", "acked", "closing", "open candle"] {
            assert!(understood.contains(&wanted), "{wanted}");
        }
        assert!(!understood.contains(&"other"));
    }
}

#[tokio::test]
async fn every_documented_account_event_is_read() {
    let documented = examples("user_data_payloads.json");
    if documented.is_empty() {
        return;
    }
    let server = websocket::Server::start().await;
    let recorder = websocket::Recorder::new();
    let rig = rig(server.address, server.address, Duration::from_secs(5));
    rig.venue
        .use_instruments([("ETHBTC".to_owned(), instrument(0, 8, 8))])
        .unwrap();
    let source = rig.venue.user_source(&recorder, SourceSettings::default());
    let source = Running::start(source.unwrap());
    let mut venue = server.accept().await;
    let request = venue.request().await.unwrap();
    venue
        .say(format!(
            r#"{{"id":{},"status":200,"result":{{"subscriptionId":0}}}}"#,
            request["id"]
        ))
        .await;
    let count = documented.len();
    for (_, json) in documented {
        venue.say(json.to_string()).await;
    }
    let lines = recorder.lines(4).await;
    assert_eq!(lines[0], "resync");
    assert_eq!(lines[1], "free 10000 locked 0");
    assert_eq!(lines[2], "transfer 100");
    assert!(lines[3].ends_with(" accepted"), "{lines:?}");
    // The last of them announces the end, so by the time a successor connects all have been read.
    let _successor = server.accept().await;
    let stats = source.handle().stats().snapshot();
    assert_eq!(stats.malformed, 0);
    assert_eq!(stats.messages, 1 + u64::try_from(count).unwrap());
    source.stop().await;
}

#[tokio::test]
async fn documented_answers_are_read() {
    let documented = examples("rest_payloads.json");
    if documented.is_empty() {
        return;
    }
    let body = |section: &str, list: bool| {
        let mut found = documented.iter().filter(|(name, json)| {
            name.ends_with(section) && json.is_array() == list && json.get("code").is_none()
        });
        found.next_back().expect("documented").1.to_string()
    };
    let bodies = [
        (
            "/api/v3/account",
            body("Account information (USER_DATA)", false),
        ),
        (
            "/api/v3/openOrders",
            body("Current open orders (USER_DATA)", true),
        ),
        ("/api/v3/allOrders", body("All orders (USER_DATA)", true)),
        (
            "/api/v3/myTrades",
            body("Account trade list (USER_DATA)", true),
        ),
        ("/api/v3/klines", body("Kline/Candlestick data", true)),
        ("/api/v3/time", body("Check server time", false)),
    ];
    let server = Server::start(move |request| {
        // The documented pages are the first ones, and of different orders: there is nothing after them.
        if ["fromId=28458", "orderId=100234"]
            .iter()
            .any(|next| request.query.contains(next))
        {
            return ok("[]");
        }
        let found = bodies.iter().find(|(path, _)| *path == request.path);
        ok(found.expect("a documented path").1.clone())
    })
    .await;
    let rig = rig(server.address, server.address, Duration::from_secs(5));
    let listed = [
        ("LTCBTC".to_owned(), instrument(0, 8, 8)),
        ("BNBBTC".to_owned(), instrument(1, 8, 8)),
    ];
    rig.venue.use_instruments(listed).unwrap();
    assert_eq!(rig.venue.account().await.unwrap().len(), 2);
    assert_eq!(rig.venue.open_orders().await.unwrap().len(), 1);
    let fills = rig
        .venue
        .my_trades(InstrumentId(1), tradewind_model::TradeId(0))
        .await
        .unwrap();
    assert_eq!(
        (fills[0].price.0, fills[0].trade_id.0),
        (400_000_100, 28_457)
    );
    let candles = rig
        .venue
        .candles(
            InstrumentId(0),
            tradewind_model::Interval::Week1,
            tradewind_venues::execution::CandleRange::Latest(5),
        )
        .await
        .unwrap();
    assert_eq!(candles[0].open.0, 1_634_790);
    let time = rig.venue.server_time().await.unwrap();
    assert_eq!(time, Timestamp::from_millis(1_499_827_319_559));
}

/// A real answer of October 2021 with all its symbols.
#[test]
fn a_real_exchange_information_is_read_whole() {
    let Some(path) = shared("data/raw_captures/BINANCE.0") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().next().unwrap();
    let body = line.split_once(": ").unwrap().1;
    let counted = serde_json::from_str::<Value>(body).unwrap()["symbols"]
        .as_array()
        .unwrap()
        .len();
    let listings = decode_listings(body.as_bytes(), VenueId(0), "binance", &Assets::default());
    let listings = listings.unwrap();
    assert_eq!(listings.len(), counted);
    let btc = listings
        .iter()
        .find(|listing| listing.symbol == "BTCUSDT")
        .unwrap();
    assert_eq!(btc.product, "BTC/USDT");
    let decimals = (
        btc.instrument.price_decimals,
        btc.instrument.quantity_decimals,
    );
    assert_eq!(decimals, (2, 5));
    assert!(
        listings
            .iter()
            .all(|listing| listing.instrument.tick.0 >= 1 && listing.instrument.step.0 >= 1)
    );
}

/// Of all documented codes exactly these leave an order's fate open.
#[test]
fn every_documented_code_has_a_verdict() {
    let Some(path) = shared("known_answers/errors.json") else {
        return;
    };
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let codes = document["codes"].as_array().unwrap().iter();
    let codes = codes.map(|code| code["code"].as_i64().unwrap());
    let open = codes.filter(|code| {
        let body = format!(r#"{{"code":{code},"msg":"words"}}"#);
        matches!(judge_order(400, body.as_bytes()), Verdict::Unknown(_))
    });
    let mut open: Vec<i64> = open
        .filter(|code| *code > -1_153 || *code < -2_000)
        .collect();
    open.sort_unstable();
    assert_eq!(
        open,
        [
            -2043, -2042, -2036, -2035, -2026, -2022, -2021, -2013, -2011, -1008, -1007, -1006,
            -1001, -1000
        ]
    );
}
