//! `ws_stream_payloads.json`.

use serde_json::json;

use super::{Examples, check};
use crate::client::{TestServer, next, say};

const LEFT_OUT: [(&str, &str); 2] = [
    (
        "Reference Price Streams",
        "no instrument has a reference price",
    ),
    ("Block Trade Streams", "there are no block trades"),
];

#[tokio::test]
async fn streams_are_as_documented() {
    let ours = |example: &serde_json::Value| example.get("method").is_none();
    let Some(examples) = Examples::read("ws_stream_payloads.json", ours) else {
        return;
    };
    let server = TestServer::start();
    for (section, stream) in [
        ("Aggregate Trade Streams", "btcusdt@aggTrade"),
        ("Trade Streams", "btcusdt@trade"),
        ("Kline/Candlestick Streams for UTC", "btcusdt@kline_1m"),
        (
            "Kline/Candlestick Streams with timezone offset",
            "btcusdt@kline_1d@+08:00",
        ),
        ("Individual Symbol Mini Ticker Stream", "btcusdt@miniTicker"),
        ("All Market Mini Tickers Stream", "!miniTicker@arr"),
        ("Individual Symbol Ticker Streams", "btcusdt@ticker"),
        (
            "Individual Symbol Rolling Window Statistics Streams",
            "btcusdt@ticker_1h",
        ),
        (
            "All Market Rolling Window Statistics Streams",
            "!ticker_1h@arr",
        ),
        (
            "Individual Symbol Book Ticker Streams",
            "btcusdt@bookTicker",
        ),
        ("Average Price", "btcusdt@avgPrice"),
        ("Partial Book Depth Streams", "btcusdt@depth5@100ms"),
        ("Diff. Depth Stream", "btcusdt@depth@100ms"),
    ] {
        let mut socket = server.socket(&format!("/ws/{stream}")).await;
        check(examples.get(section, 0), &next(&mut socket).await, stream);
    }
    let mut socket = server.socket("/ws/btcusdt@aggTrade").await;
    for (section, request) in [
        (
            "Subscribe to a stream",
            json!({"method": "SUBSCRIBE", "params": ["x"], "id": 1}),
        ),
        (
            "Unsubscribe to a stream",
            json!({"method": "UNSUBSCRIBE", "params": ["x"], "id": 1}),
        ),
        (
            "Listing Subscriptions",
            json!({"method": "LIST_SUBSCRIPTIONS", "id": 1}),
        ),
        (
            "Setting Properties",
            json!({"method": "SET_PROPERTY", "params": ["combined", true], "id": 1}),
        ),
        (
            "Retrieving Properties",
            json!({"method": "GET_PROPERTY", "params": ["combined"], "id": 1}),
        ),
    ] {
        say(&mut socket, &request.to_string()).await;
        let answer = crate::client::until(&mut socket, |frame| frame["id"] == 1).await;
        assert_eq!(
            answer["result"],
            examples.get(section, 0)["result"],
            "{section}"
        );
    }
    let mut raw = server.socket("/ws").await;
    let mut combined = server.socket("/stream").await;
    // Both are served once they were answered.
    for socket in [&mut raw, &mut combined] {
        say(
            socket,
            &json!({"method": "LIST_SUBSCRIPTIONS", "id": 1}).to_string(),
        )
        .await;
        next(socket).await;
    }
    server.stop().await;
    check(
        examples.get("Server Shutdown", 0),
        &next(&mut raw).await,
        "raw",
    );
    check(
        examples.get("Server Shutdown", 1),
        &next(&mut combined).await,
        "combined",
    );
    examples.assert_complete(&LEFT_OUT);
}
