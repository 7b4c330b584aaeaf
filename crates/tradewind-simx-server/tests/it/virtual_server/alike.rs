//! The same requests and messages to the server on sockets and to the one without.

use std::sync::Arc;

use serde_json::{Value, json};
use tradewind_model::{Clock as _, ManualClock};
use tradewind_simx_server::Limits;

use super::client::{Answer, START, Socket, World, options, upgrade};
use super::{BUY, ORDER, SECOND, signed_params};
use crate::client::{self as sockets, KEY, TestServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A server on sockets whose market stands a second behind its start, as the other one's.
async fn on_sockets() -> TestServer {
    let clock = Arc::new(ManualClock::new(START));
    let mut options = options(Limits::Off);
    options.clock = clock.clone();
    let server = TestServer::start_with(options);
    clock.advance(SECOND);
    while server.handle.status().await.unwrap().now < clock.now() {
        tokio::task::yield_now().await;
    }
    server
}

/// The bytes of an answer whose date is left out: one server takes it from the system, the other from the caller.
async fn answered(stream: &mut TcpStream, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        stream.read_buf(&mut bytes).await.unwrap();
        if let Some((answer, used)) = Answer::read(&bytes) {
            assert_eq!(used, bytes.len());
            return without_date(answer);
        }
    }
}

fn without_date(mut answer: Answer) -> Answer {
    let fields = answer.fields.len();
    answer.fields.retain(|(name, _)| name != "date");
    assert_eq!(answer.fields.len() + 1, fields, "every answer has its date");
    answer
}

#[tokio::test]
async fn rest_answers_are_the_same_to_the_byte() {
    let server = on_sockets().await;
    let mut world = World::new("");
    world.pass(SECOND);
    let (mut stream, rest) = (
        TcpStream::connect(server.address).await.unwrap(),
        world.connect(),
    );
    let requests = [
        super::get("/api/v3/time"),
        super::get("/api/v3/exchangeInfo?symbol=BTCUSDT"),
        super::get("/api/v3/depth?symbol=BTCUSDT&limit=20"),
        super::get("/api/v3/klines?symbol=ETHUSDT&interval=1h&limit=3"),
        super::get("/api/v3/depth"),
        super::get("/nowhere"),
        "PATCH /api/v3/order HTTP/1.1\r\nhost: simx\r\n\r\n".to_owned(),
        world.posted(ORDER, BUY),
        world.signed("GET", ORDER, "symbol=BTCUSDT&origClientOrderId=buy-1"),
        world.signed("GET", "/api/v3/myTrades", "symbol=BTCUSDT"),
        world.signed("GET", "/api/v3/account", ""),
        world.signed("DELETE", ORDER, "symbol=BTCUSDT&origClientOrderId=unknown"),
        upgrade("/ws-api/v3?timeUnit=DAYS"),
    ];
    for request in &requests {
        let real = answered(&mut stream, request).await;
        let answer = without_date(world.ask(rest, request).unwrap());
        assert_eq!(answer, real, "{request}");
    }
    server.stop().await;
}

#[tokio::test]
async fn websockets_carry_the_same_texts() {
    let server = on_sockets().await;
    let mut world = World::new("");
    world.pass(SECOND);
    let login = signed_params(&world, json!({}));
    let order = json!({
        "symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01", "newClientOrderId": "over-ws",
    });
    let order = signed_params(&world, order);
    let calls = [
        ("session.status", json!({})),
        ("userDataStream.subscribe.signature", login),
        ("order.place", order),
        ("ticker.book", json!({ "symbol": "BTCUSDT" })),
        ("nothing", json!({})),
    ];
    let mut real = server.socket("/ws-api/v3").await;
    let mut socket = Socket::open(&mut world, "/ws-api/v3");
    for (method, params) in &calls {
        let texts = socket.call(&mut world, method, params);
        let request = json!({ "id": method, "method": method, "params": params });
        sockets::say(&mut real, &request.to_string()).await;
        for text in texts {
            assert_eq!(text, sockets::next(&mut real).await, "{method} of {KEY}");
        }
    }

    let mut real = server.socket("/stream?streams=btcusdt@depth20").await;
    let mut socket = Socket::open(&mut world, "/stream?streams=btcusdt@depth20");
    for text in [
        r#"{"method":"SUBSCRIBE","params":["btcusdt@bookTicker"],"id":1}"#,
        r#"{"method":"LIST_SUBSCRIPTIONS","id":2}"#,
        r#"{"method":"SET_PROPERTY","params":["combined",false],"id":"x"}"#,
        "nonsense",
    ] {
        socket.say(&mut world, text);
        sockets::say(&mut real, text).await;
        let is_answer = |frame: &Value| frame.get("id").is_some();
        let answer = socket.texts(&mut world).into_iter().find(is_answer);
        assert_eq!(
            answer,
            Some(sockets::until(&mut real, is_answer).await),
            "{text}"
        );
    }
    server.stop().await;
}
