//! Each kind of fault that a socket can feel, felt by clients that are not ours.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tradewind_simx_server::{Conduct, Latencies, ServerHandle};

use crate::client::{Socket, TestServer, call, next, options, say, signed_params, until};

const PATIENCE: Duration = Duration::from_secs(20);

fn broken(script: &str) -> TestServer {
    TestServer::start_conducted(
        options(None),
        Conduct {
            seed: 1,
            faults: script.parse().unwrap(),
            ..Conduct::default()
        },
    )
}

/// Reads until the connection ends, and says how: `None` is an end without a closing handshake.
async fn ending(socket: &mut Socket) -> Option<u16> {
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await;
        match message.expect("an end in time") {
            Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return None,
        }
    }
}

/// Tries until somebody listens, or nobody does.
async fn until_listening(server: &TestServer, wanted: bool) {
    let tries = async {
        while TcpStream::connect(server.address).await.is_ok() != wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, tries)
        .await
        .expect("in time");
}

/// How often the first fault struck.
async fn hits(handle: &ServerHandle) -> u64 {
    let state = handle.state().await.unwrap();
    state["conduct"]["faults"][0]["hits"].as_u64().unwrap()
}

#[tokio::test]
async fn a_frame_is_cut_in_its_middle() {
    let server = broken("[[fault]]\ndo = \"cut\"\nframe = \"bookTicker\"\nbytes = 20\nnth = 3\n");
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let upgrade = "GET /ws/btcusdt@bookTicker HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    // A reset is an end like any other.
    drop(
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all))
            .await
            .expect("an end in time"),
    );
    let text = String::from_utf8_lossy(&all);
    assert_eq!(
        text.matches("{\"u\"").count(),
        3,
        "two whole and one in pieces: {text}"
    );
    let last = text.rfind("{\"u\"").unwrap();
    assert!(
        text.len() - last < 20 && !text.ends_with('}'),
        "the third is in pieces: {text}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_half_open_connection_says_nothing_any_more_and_stays() {
    let server = broken("[[fault]]\ndo = \"half-open\"\nframe = \"bookTicker\"\nnth = 3\n");
    let mut socket = server.socket("/ws/btcusdt@bookTicker").await;
    next(&mut socket).await;
    next(&mut socket).await;
    let silence = tokio::time::timeout(Duration::from_millis(500), socket.next()).await;
    assert!(silence.is_err(), "neither a frame nor an end: {silence:?}");
    say(&mut socket, r#"{"method":"LIST_SUBSCRIPTIONS","id":1}"#).await;
    let silence = tokio::time::timeout(Duration::from_millis(200), socket.next()).await;
    assert!(silence.is_err(), "no answer either");
    server.stop().await;
}

#[tokio::test]
async fn connections_are_refused_for_a_while_and_control_stays() {
    let server = broken("[[fault]]\ndo = \"refuse\"\nafter = \"100ms\"\nfor = \"700ms\"\n");
    until_listening(&server, false).await;
    assert_eq!(hits(&server.handle).await, 1);
    until_listening(&server, true).await;
    assert_eq!(server.get("/api/v3/ping").await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_flapping_server_lets_in_and_throws_out() {
    let server =
        broken("[[fault]]\ndo = \"flap\"\nleast = \"20ms\"\nmost = \"60ms\"\nafter = \"50ms\"\n");
    while hits(&server.handle).await == 0 {
        tokio::task::yield_now().await;
    }
    let mut ends = 0;
    while ends < 5 {
        // It may end before the upgrade is through.
        let url = format!("ws://{}/ws/btcusdt@bookTicker", server.address);
        match tokio_tungstenite::connect_async(url).await {
            // One that came before the door began to flap stays, and is left.
            Ok((mut socket, _)) => {
                let ended = tokio::time::timeout(Duration::from_secs(1), ending(&mut socket)).await;
                ends += u32::from(ended == Ok(None));
            }
            Err(Error::Io(_) | Error::Protocol(_)) => ends += 1,
            Err(other) => panic!("{other}"),
        }
    }
    server.handle.clear_faults().await.unwrap();
    server.touch("BTCUSDT").await;
    server.stop().await;
}

#[tokio::test]
async fn a_lost_reply_leaves_an_order_behind() {
    for (hang_up, executed) in [(true, true), (true, false), (false, true)] {
        let script = format!(
            "[[fault]]\ndo = \"lose-reply\"\ncall = \"order.place\"\nexecuted = {executed}\nhang-up = {hang_up}\n"
        );
        let server = broken(&script);
        server.touch("BTCUSDT").await;
        let order = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001&newClientOrderId=lost";
        let sent = tokio::time::timeout(
            Duration::from_millis(600),
            server.try_post("/api/v3/order", order),
        )
        .await;
        match sent {
            Ok(outcome) => assert!(hang_up && outcome.is_err(), "{outcome:?}"),
            Err(_) => assert!(
                !hang_up,
                "it only keeps us waiting when it does not hang up"
            ),
        }
        let (status, found) = server
            .signed(
                "GET",
                "/api/v3/order",
                "symbol=BTCUSDT&origClientOrderId=lost",
            )
            .await;
        assert_eq!(status == 200, executed, "{found}");
        server.stop().await;
    }
}

#[tokio::test]
async fn answers_5xx_429_and_418_arrive_as_told() {
    let server = broken(
        r#"
        [[fault]]
        do = "answer"
        call = "order.place"
        status = 503
        code = -1006
        executed = true
        nth = 1
        [[fault]]
        do = "answer"
        call = "order.place"
        status = 504
        code = -1007
        executed = false
        nth = 2
        [[fault]]
        do = "answer"
        call = "time"
        status = 429
        code = -1003
        retry-after = "7s"
        nth = 1
        [[fault]]
        do = "answer"
        call = "time"
        status = 418
        code = -1003
        for = "2m"
        nth = 2
        "#,
    );
    server.touch("BTCUSDT").await;
    for (name, wanted) in [("yes", (503, -1006)), ("no", (504, -1007))] {
        let order =
            format!("symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001&newClientOrderId={name}");
        let (status, body) = server.post("/api/v3/order", &order).await;
        assert_eq!((status, body["code"].as_i64().unwrap()), wanted);
        let (found, _) = server
            .signed(
                "GET",
                "/api/v3/order",
                &format!("symbol=BTCUSDT&origClientOrderId={name}"),
            )
            .await;
        assert_eq!(found == 200, name == "yes");
    }
    assert_eq!(server.retry_after("/api/v3/time").await, (429, Some(7)));
    let (status, after) = server.retry_after("/api/v3/time").await;
    assert!(
        status == 418 && after.is_some_and(|seconds| (100..=120).contains(&seconds)),
        "{after:?}"
    );
    assert_eq!(server.get("/api/v3/time").await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_missing_fill_is_missing_on_the_wire_alone() {
    let server = broken("[[fault]]\ndo = \"drop\"\nframe = \"executionReport/TRADE\"\n");
    server.touch("BTCUSDT").await;
    let mut socket = server.socket("/ws-api/v3").await;
    call(
        &mut socket,
        "userDataStream.subscribe.signature",
        signed_params(json!({})),
    )
    .await;
    let order = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001";
    assert_eq!(
        server.post("/api/v3/order", order).await.1["status"],
        "FILLED"
    );
    let first = next(&mut socket).await;
    assert_eq!(first["event"]["x"], "NEW");
    assert_eq!(
        next(&mut socket).await["event"]["e"],
        "outboundAccountPosition"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_shutdown_is_announced_and_every_stroke_spares_the_others() {
    let server = broken("[[fault]]\ndo = \"shutdown\"\nwire = \"market\"\nafter = \"300ms\"\n");
    let mut api = server.socket("/ws-api/v3").await;
    let mut socket = server.socket("/stream?streams=btcusdt@bookTicker").await;
    until(&mut socket, |frame| frame["data"]["e"] == "serverShutdown").await;
    assert_eq!(ending(&mut socket).await, Some(1001));
    let time = call(&mut api, "time", json!({})).await;
    assert_eq!(time["status"], 200);
    server.stop().await;
}

#[tokio::test]
async fn latency_is_felt() {
    let latencies: Latencies = "request=60ms,report=uniform(40ms,60ms)".parse().unwrap();
    let server = TestServer::start_conducted(
        options(None),
        Conduct {
            latencies,
            ..Conduct::default()
        },
    );
    let begun = std::time::Instant::now();
    assert_eq!(server.get("/api/v3/ping").await.0, 200);
    assert!(begun.elapsed() >= Duration::from_millis(100));
    server.stop().await;
}
