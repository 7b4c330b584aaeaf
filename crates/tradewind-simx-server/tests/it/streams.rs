//! Market streams: raw, combined, subscribed live, and what happens to those who do not read.

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{TestServer, next, say, until};

#[tokio::test]
async fn a_raw_stream_carries_the_touch() {
    let server = TestServer::start();
    let mut socket = server.socket("/ws/btcusdt@bookTicker").await;
    let frame = next(&mut socket).await;
    assert_eq!(frame["s"], "BTCUSDT");
    assert!(
        frame.get("e").is_none(),
        "the venue gives no event name here"
    );
    let later = next(&mut socket).await;
    assert!(later["u"].as_u64() > frame["u"].as_u64());
    server.stop().await;
}

#[tokio::test]
async fn a_combined_stream_names_its_streams_and_candles_close() {
    let server = TestServer::start();
    let mut socket = server
        .socket("/stream?streams=btcusdt@trade/ethusdt@bookTicker/btcusdt@kline_1m")
        .await;
    let trade = until(&mut socket, |frame| frame["stream"] == "btcusdt@trade").await;
    assert_eq!(trade["data"]["e"], "trade");
    let kline = until(&mut socket, |frame| frame["stream"] == "btcusdt@kline_1m").await;
    assert_eq!(kline["data"]["k"]["i"], "1m");
    until(&mut socket, |frame| frame["stream"] == "ethusdt@bookTicker").await;
    server.stop().await;
}

#[tokio::test]
async fn streams_are_subscribed_and_left_on_an_open_connection() {
    let server = TestServer::start();
    let mut socket = server.socket("/ws/0").await;
    say(
        &mut socket,
        r#"{"method":"SUBSCRIBE","params":["btcusdt@bookTicker","btcusdt@depth@100ms"],"id":1}"#,
    )
    .await;
    until(&mut socket, |frame| frame["id"] == 1).await;
    until(&mut socket, |frame| frame["s"] == "BTCUSDT").await;
    say(
        &mut socket,
        r#"{"method":"UNSUBSCRIBE","params":["btcusdt@bookTicker"],"id":2}"#,
    )
    .await;
    until(&mut socket, |frame| frame["id"] == 2).await;
    let mut last = None;
    for _ in 0..5 {
        let update = until(&mut socket, |frame| frame["e"] == "depthUpdate").await;
        let (first, end) = (update["U"].as_u64().unwrap(), update["u"].as_u64().unwrap());
        assert!(
            last.is_none_or(|last| first == last + 1),
            "no gap between updates"
        );
        last = Some(end);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_clients_close_is_answered_before_the_connection_ends() {
    let server = TestServer::start();
    for path in ["/ws/btcusdt@bookTicker", "/ws-api/v3"] {
        let mut socket = server.socket(path).await;
        socket.close(None).await.unwrap();
        let mut answered = false;
        while let Some(message) = socket.next().await {
            answered |= message.unwrap().is_close();
        }
        assert!(answered, "{path} just ended");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_sixth_message_in_a_second_ends_a_connection_with_limits() {
    let mut options = crate::client::options(None);
    options.limits = tradewind_simx_server::Limits::Venue;
    let server = TestServer::start_with(options);
    let mut socket = server.socket("/ws").await;
    for id in 0..6 {
        say(
            &mut socket,
            &format!(r#"{{"method":"LIST_SUBSCRIPTIONS","id":{id}}}"#),
        )
        .await;
    }
    use futures_util::StreamExt as _;
    let texts = socket.by_ref().take_while(|message| {
        let open = message
            .as_ref()
            .is_ok_and(tokio_tungstenite::tungstenite::Message::is_text);
        std::future::ready(open)
    });
    assert_eq!(texts.count().await, 5);
    server.stop().await;
}

/// What the client says beyond the limit may still be under way when the exchange has had enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_closed_behind_its_first_five_answers() {
    let mut options = crate::client::options(None);
    options.limits = tradewind_simx_server::Limits::Venue;
    let server = TestServer::start_with(options);
    for _ in 0..10 {
        let mut socket = server.socket("/ws").await;
        let ask = |id: u64| format!(r#"{{"method":"LIST_SUBSCRIPTIONS","id":{id}}}"#);
        for id in 0..20 {
            say(&mut socket, &ask(id)).await;
            tokio::task::yield_now().await;
        }
        for id in 0..5 {
            assert_eq!(next(&mut socket).await["id"], id);
        }
        // The close frame is under way: these find no connection unless it lingers.
        for id in 20..30 {
            say(&mut socket, &ask(id)).await;
            tokio::task::yield_now().await;
        }
        let last = socket.next().await;
        let Some(Ok(Message::Close(Some(frame)))) = last else {
            panic!("no close frame but {last:?}");
        };
        assert_eq!(u16::from(frame.code), 1008);
    }
    server.stop().await;
}

#[tokio::test]
async fn stamps_are_microseconds_for_those_who_ask() {
    const FIRST_MICROS: i64 = 100_000_000_000_000;
    let server = TestServer::start();
    for path in [
        "/ws/btcusdt@depth@100ms?timeUnit=MICROSECOND",
        "/stream?streams=btcusdt@depth@100ms&timeUnit=microsecond",
    ] {
        let mut socket = server.socket(path).await;
        let frame = next(&mut socket).await;
        let event = frame.get("data").unwrap_or(&frame);
        assert!(event["E"].as_i64().unwrap() > FIRST_MICROS, "{frame}");
    }
    let mut socket = server.socket("/ws/btcusdt@depth@100ms").await;
    let event = next(&mut socket).await;
    assert!(event["E"].as_i64().unwrap() < FIRST_MICROS, "{event}");
    let wrong = format!("ws://{}/ws/x?timeUnit=HOUR", server.address);
    let refused = tokio_tungstenite::connect_async(wrong).await.unwrap_err();
    assert!(refused.to_string().contains("400"), "{refused}");

    let mut socket = server.socket("/ws-api/v3?timeUnit=MICROSECOND").await;
    let method = "userDataStream.subscribe.signature";
    let params = crate::client::signed_params(serde_json::json!({}));
    crate::client::call(&mut socket, method, params).await;
    let order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=20000";
    server.post("/api/v3/order", order).await;
    let report = until(&mut socket, |frame| {
        frame["event"]["e"] == "executionReport"
    })
    .await;
    for stamp in ["E", "T", "O", "W"] {
        assert!(
            report["event"][stamp].as_i64().unwrap() > FIRST_MICROS,
            "{stamp}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_under_its_id() {
    let server = TestServer::start();
    let mut api = server.socket("/ws-api/v3").await;
    for (text, id, code) in [
        (r#"[7,"ping",{}]"#, Value::Null, Some(-1135)),
        (r#""ping""#, Value::Null, Some(-1135)),
        (r#"{"id":7}"#, 7.into(), Some(-1135)),
        (r#"{"id":"a","method":8}"#, "a".into(), Some(-1135)),
        (
            r#"{"id":8,"method":"ping","params":[]}"#,
            8.into(),
            Some(-1135),
        ),
        (r#"{"id":[8],"method":"ping"}"#, Value::Null, Some(-1135)),
        (r#"{"id":9,"method":"ping","params":null}"#, 9.into(), None),
        (
            r#"{"id":10,"method":"depth","params":{"symbol":""}}"#,
            10.into(),
            Some(-1105),
        ),
        (
            r#"{"id":11,"method":"ticker.price","params":{"symbol":null}}"#,
            11.into(),
            None,
        ),
    ] {
        say(&mut api, text).await;
        let answer = next(&mut api).await;
        assert_eq!(answer["id"], id, "{text}: {answer}");
        assert_eq!(answer["error"]["code"].as_i64(), code, "{text}: {answer}");
    }
    let mut market = server.socket("/ws/0").await;
    say(&mut market, r#"["SUBSCRIBE",["btcusdt@trade"],7]"#).await;
    let refused = next(&mut market).await;
    assert_eq!(refused["error"]["code"], 2, "{refused}");
    say(
        &mut market,
        r#"{"method":"LIST_SUBSCRIPTIONS","params":null,"id":8}"#,
    )
    .await;
    assert_eq!(next(&mut market).await["result"], serde_json::json!(["0"]));
    server.stop().await;
}
