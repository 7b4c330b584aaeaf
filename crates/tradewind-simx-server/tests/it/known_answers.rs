//! The venue's documented examples: every key of theirs is in our answer, with a value of the same kind.

use serde_json::{Value, json};

use crate::client::{TestServer, call, signed_params, test_data, until};

/// Keys of the examples that only come with what this exchange does not have.
const ABSENT: [&str; 13] = [
    "v",
    "sors",
    "trailingDelta",
    "trailingTime",
    "strategyId",
    "strategyType",
    "preventedMatchId",
    "preventedQuantity",
    "usedSor",
    "workingFloor",
    "matchType",
    "allocId",
    "stopPrice",
];

struct Examples(Vec<Value>);

impl Examples {
    fn read(name: &str) -> Option<Self> {
        let text = std::fs::read_to_string(test_data()?.join("known_answers").join(name)).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        Some(Self(all["examples"].as_array().unwrap().clone()))
    }

    /// The n-th example of a section.
    fn get(&self, section: &str, n: usize) -> &Value {
        let is_it = |name: &str| {
            name == section || name.ends_with(&format!("/ {}", section.trim_start_matches("/ ")))
        };
        let found = self
            .0
            .iter()
            .filter(|example| is_it(example["section"].as_str().unwrap()));
        &found
            .filter(|example| example.get("json").is_some())
            .nth(n)
            .unwrap_or_else(|| panic!("{section} {n}"))["json"]
    }
}

fn check(wanted: &Value, found: &Value, place: &str) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, value) in wanted
                .iter()
                .filter(|(key, _)| !ABSENT.contains(&key.as_str()))
            {
                let found = found
                    .get(key)
                    .unwrap_or_else(|| panic!("{place} lacks {key:?}: {found:?}"));
                check(value, found, &format!("{place}.{key}"));
            }
        }
        (Value::Array(wanted), Value::Array(found)) => {
            if let (Some(wanted), Some(found)) = (wanted.first(), found.first()) {
                check(wanted, found, &format!("{place}[0]"));
            }
        }
        (wanted, found) => {
            let same = std::mem::discriminant(wanted) == std::mem::discriminant(found)
                || wanted.is_null()
                || found.is_null();
            assert!(same, "{place}: {wanted} and {found} are not of one kind");
        }
    }
}

#[tokio::test]
async fn public_answers_have_the_documented_shape() {
    let Some(examples) = Examples::read("rest_payloads.json") else {
        return;
    };
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    // A trade of our own, so that there is one.
    server
        .post(
            "/api/v3/order",
            "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001",
        )
        .await;
    for (section, n, path) in [
        ("Check server time", 0, "time"),
        ("Exchange information", 0, "exchangeInfo?symbol=BTCUSDT"),
        ("/ Order book", 0, "depth?symbol=BTCUSDT"),
        ("Recent trades list", 0, "trades?symbol=BTCUSDT"),
        ("Old trade lookup", 0, "historicalTrades?symbol=BTCUSDT"),
        (
            "Compressed/Aggregate trades list",
            0,
            "aggTrades?symbol=BTCUSDT",
        ),
        (
            "Kline/Candlestick data",
            0,
            "klines?symbol=BTCUSDT&interval=1m",
        ),
        ("Current average price", 0, "avgPrice?symbol=BTCUSDT"),
        (
            "24hr ticker price change statistics",
            0,
            "ticker/24hr?symbol=BTCUSDT",
        ),
        (
            "24hr ticker price change statistics",
            1,
            "ticker/24hr?symbols=%5B%22BTCUSDT%22%5D",
        ),
        (
            "24hr ticker price change statistics",
            2,
            "ticker/24hr?symbol=BTCUSDT&type=MINI",
        ),
        ("Symbol price ticker", 0, "ticker/price?symbol=BTCUSDT"),
        ("Symbol price ticker", 1, "ticker/price"),
        (
            "Symbol order book ticker",
            0,
            "ticker/bookTicker?symbol=BTCUSDT",
        ),
        ("Symbol order book ticker", 1, "ticker/bookTicker"),
    ] {
        let (status, found) = server.get(&format!("/api/v3/{path}")).await;
        assert_eq!(status, 200, "{path}: {found}");
        check(examples.get(section, n), &found, path);
    }
    server.stop().await;
}

#[tokio::test]
async fn signed_answers_have_the_documented_shape() {
    let Some(examples) = Examples::read("rest_payloads.json") else {
        return;
    };
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    let market = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001&newOrderRespType";
    for (n, reply) in ["ACK", "RESULT", "FULL"].into_iter().enumerate() {
        let (_, found) = server
            .post("/api/v3/order", &format!("{market}={reply}"))
            .await;
        check(examples.get("New order (TRADE)", n), &found, reply);
    }
    let resting = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=20000&newClientOrderId";
    server.post("/api/v3/order", &format!("{resting}=a")).await;
    server.post("/api/v3/order", &format!("{resting}=b")).await;
    for (section, method, path, query) in [
        (
            "Query order (USER_DATA)",
            "GET",
            "order",
            "symbol=BTCUSDT&origClientOrderId=a",
        ),
        ("Current open orders (USER_DATA)", "GET", "openOrders", ""),
        (
            "All orders (USER_DATA)",
            "GET",
            "allOrders",
            "symbol=BTCUSDT",
        ),
        ("Account information (USER_DATA)", "GET", "account", ""),
        (
            "Account trade list (USER_DATA)",
            "GET",
            "myTrades",
            "symbol=BTCUSDT",
        ),
        (
            "Query Unfilled Order Count (USER_DATA)",
            "GET",
            "rateLimit/order",
            "",
        ),
        (
            "Query Commission Rates (USER_DATA)",
            "GET",
            "account/commission",
            "symbol=BTCUSDT",
        ),
        (
            "Cancel order (TRADE)",
            "DELETE",
            "order",
            "symbol=BTCUSDT&origClientOrderId=a",
        ),
        (
            "Cancel All Open Orders on a Symbol (TRADE)",
            "DELETE",
            "openOrders",
            "symbol=BTCUSDT",
        ),
    ] {
        let (status, found) = server
            .signed(method, &format!("/api/v3/{path}"), query)
            .await;
        assert_eq!(status, 200, "{path}: {found}");
        check(examples.get(section, 0), &found, path);
    }
    server.stop().await;
}

#[tokio::test]
async fn streams_have_the_documented_shape() {
    let Some(examples) = Examples::read("ws_stream_payloads.json") else {
        return;
    };
    let server = TestServer::start();
    for (section, stream) in [
        ("Aggregate Trade Streams", "aggTrade"),
        ("Trade Streams", "trade"),
        ("Kline/Candlestick Streams for UTC", "kline_1m"),
        ("Individual Symbol Mini Ticker Stream", "miniTicker"),
        ("Individual Symbol Ticker Streams", "ticker"),
        ("Individual Symbol Book Ticker Streams", "bookTicker"),
        ("Partial Book Depth Streams", "depth5@100ms"),
        ("Diff. Depth Stream", "depth@100ms"),
    ] {
        let mut socket = server.socket(&format!("/ws/btcusdt@{stream}")).await;
        check(
            examples.get(section, 0),
            &crate::client::next(&mut socket).await,
            stream,
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn user_data_has_the_documented_shape() {
    let Some(examples) = Examples::read("user_data_payloads.json") else {
        return;
    };
    let server = TestServer::start();
    server.touch("BTCUSDT").await;
    let mut socket = server.socket("/ws-api/v3").await;
    call(
        &mut socket,
        "userDataStream.subscribe.signature",
        signed_params(json!({})),
    )
    .await;
    server
        .post(
            "/api/v3/order",
            "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001",
        )
        .await;
    let report = until(&mut socket, |frame| {
        frame["event"]["e"] == "executionReport"
    })
    .await;
    check(examples.get("Order Update", 0), &report, "executionReport");
    let position = until(&mut socket, |frame| {
        frame["event"]["e"] == "outboundAccountPosition"
    })
    .await;
    check(
        examples.get("Account Update", 0),
        &position,
        "outboundAccountPosition",
    );
    let deposit = tradewind_simx::Action::Deposit {
        account: tradewind_model::AccountId(0),
        asset: tradewind_model::AssetId(0),
        amount: tradewind_model::Amount::whole(5),
    };
    server.handle.act(deposit).unwrap();
    let update = until(&mut socket, |frame| frame["event"]["e"] == "balanceUpdate").await;
    check(examples.get("Balance Update", 0), &update, "balanceUpdate");
    server.stop().await;
}
