//! The server without sockets: what it does to bytes, and that it answers as the server on sockets does.

mod alike;
mod client;
mod network;

use std::time::Duration;

use serde_json::{Value, json};
use tradewind_simx_server::{Command, Conduct, Limits, VirtualServer};
use tungstenite::Message;

use crate::client::KEY;
use client::{Answer, START, Socket, World, get, options, upgrade};

const SECOND: Duration = Duration::from_secs(1);
const BUY: &str = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&newClientOrderId=buy-1";
const ORDER: &str = "/api/v3/order";

/// What `params` needs to be signed at the world's time.
fn signed_params(world: &World, params: Value) -> Value {
    crate::client::signed_params_at(KEY, crate::client::sign, params, world.now.as_millis())
}

/// A minute of a client that does a bit of everything; all bytes that the server has sent.
fn session(chunk: usize) -> Vec<u8> {
    let mut world =
        World::new("[[fault]]\ndo = \"duplicate\"\nframe = \"executionReport\"\nchance = 0.5\n");
    let rest = world.connect();
    let mut quotes = Socket::open(
        &mut world,
        "/stream?streams=btcusdt@bookTicker/ethusdt@kline_1m",
    );
    let mut api = Socket::open(&mut world, "/ws-api/v3");
    let login = signed_params(&world, json!({}));
    api.call(&mut world, "userDataStream.subscribe.signature", &login);
    for second in 0..60 {
        world.pass(SECOND);
        quotes.messages(&mut world);
        let order = BUY.replace("buy-1", &format!("buy-{second}"));
        let request = match second % 3 {
            0 => get("/api/v3/depth?symbol=BTCUSDT"),
            1 => world.posted(ORDER, &order),
            _ => world.signed("GET", "/api/v3/myTrades", "symbol=BTCUSDT"),
        };
        for part in request.as_bytes().chunks(chunk) {
            world.write(rest, part);
        }
        world.take(rest);
        api.messages(&mut world);
    }
    world.sent
}

#[test]
fn the_same_session_gives_the_same_bytes_however_it_is_cut_into_pieces() {
    let whole = session(usize::MAX);
    let text = String::from_utf8_lossy(&whole);
    for part in [
        "btcusdt@bookTicker",
        "\"executionReport\"",
        "\"buy-58\"",
        "lastUpdateId",
    ] {
        assert!(
            text.contains(part),
            "{part} is not in {} bytes",
            whole.len()
        );
    }
    assert!(whole == session(usize::MAX));
    assert!(whole == session(7));
}

#[test]
fn time_may_be_cut_into_any_pieces() {
    let run = |step: Duration| {
        let mut world = World::new("");
        let mut quotes = Socket::open(&mut world, "/ws/btcusdt@bookTicker/btcusdt@trade");
        while world.now < START + Duration::from_secs(30) {
            world.pass(step);
            quotes.messages(&mut world);
        }
        world.sent
    };
    let whole = run(Duration::from_secs(5));
    assert!(whole.len() > 10_000);
    assert!(whole == run(Duration::from_millis(1)));
}

#[test]
fn requests_that_come_together_are_answered_in_order() {
    let mut world = World::new("");
    let rest = world.connect();
    let both = get("/api/v3/time") + &get("/api/v3/ping") + "GET /api/v3/ti";
    world.write(rest, both.as_bytes());
    let bytes = world.take(rest);
    let (time, used) = Answer::read(&bytes).unwrap();
    let (ping, end) = Answer::read(&bytes[used..]).unwrap();
    assert_eq!(time.json()["serverTime"], world.now.as_millis());
    assert_eq!((ping.body.as_str(), used + end), ("{}", bytes.len()));
    let rest_of_it = "me HTTP/1.1\r\nconnection: close\r\n\r\n";
    let last = world.ask(rest, rest_of_it).unwrap();
    assert_eq!(
        (last.status, last.field("connection")),
        (200, Some("close"))
    );
    assert!(world.server.is_closed(rest));
}

#[test]
fn what_is_no_request_ends_the_connection() {
    for (bytes, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        (
            "GET / HTTP/1.1\r\ncontent-length: two\r\n\r\n".to_owned(),
            400,
        ),
        (
            "POST / HTTP/1.1\r\ncontent-length: 65537\r\n\r\n".to_owned(),
            413,
        ),
        (
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
            411,
        ),
        (
            format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(70_000)),
            431,
        ),
    ] {
        let mut world = World::new("");
        let rest = world.connect();
        assert_eq!(world.ask(rest, &bytes).unwrap().status, status);
        assert!(world.server.is_closed(rest));
    }
    let mut world = World::new("");
    let rest = world.connect();
    for (request, status) in [
        (get("/ws"), 400),
        (get("/api/v3/nothing"), 404),
        ("PATCH /api/v3/order HTTP/1.1\r\n\r\n".to_owned(), 405),
        (upgrade("/ws?timeUnit=DAYS"), 400),
    ] {
        assert_eq!(
            world.ask(rest, &request).unwrap().status,
            status,
            "{request}"
        );
    }
    assert!(!world.server.is_closed(rest), "these can be read");
}

/// N10, V01: the request arrives and the reply does not.
#[test]
fn a_lost_reply_leaves_the_order_at_the_exchange() {
    let script = "[[fault]]\ndo = \"lose-reply\"\ncall = \"order.place\"\nnth = 1\n\
                  [[fault]]\ndo = \"lose-reply\"\ncall = \"order.place\"\nexecuted = false\nhang-up = true\nnth = 2\n";
    let mut world = World::new(script);
    world.pass(SECOND);
    let (first, second) = (world.connect(), world.connect());
    let request = world.posted(ORDER, BUY);
    assert_eq!(world.ask(first, &request), None);
    assert!(!world.server.is_closed(first), "it stays, silent");
    let request = world.posted(ORDER, &BUY.replace("buy-1", "buy-2"));
    assert_eq!(world.ask(second, &request), None);
    assert!(world.server.is_closed(second), "it hangs up");

    let account = world.server.account(KEY).unwrap();
    let fills: Vec<_> = world
        .server
        .exchange()
        .executions(account)
        .copied()
        .collect();
    assert_eq!(fills.len(), 1, "the second was not executed");
    assert_eq!(world.server.symbol(fills[0].instrument), "BTCUSDT");
    let (requests, dropped) = world.server.take_order_requests();
    let ids: Vec<&str> = requests
        .iter()
        .flat_map(|request| request.client_ids())
        .collect();
    assert_eq!(
        (ids, dropped),
        (vec!["buy-1", "buy-2"], 0),
        "both were received"
    );
    assert_eq!(requests[1].connection, second);
    world.pass(Duration::from_secs(601));
    assert!(world.server.is_closed(first), "silence has an end");
}

/// N02: the first `k` bytes arrive and nothing after them.
#[test]
fn an_answer_and_a_frame_are_cut_at_their_byte() {
    let script = "[[fault]]\ndo = \"cut\"\non = \"answer\"\ncall = \"GET /api/v3/time\"\nbytes = 30\n\
                  [[fault]]\ndo = \"cut\"\nframe = \"bookTicker\"\nbytes = 20\nnth = 3\n";
    let mut world = World::new(script);
    let rest = world.connect();
    world.write(rest, get("/api/v3/time").as_bytes());
    assert_eq!(world.take(rest).len(), 30);
    assert!(world.server.is_closed(rest));

    let stream = world.connect();
    world.write(stream, upgrade("/ws/btcusdt@bookTicker").as_bytes());
    world.take(stream);
    let mut bytes = Vec::new();
    while !world.server.is_closed(stream) {
        world.pass(Duration::from_millis(20));
        bytes.extend(world.take(stream));
    }
    let frame = 2 + usize::from(bytes[1]);
    let second = frame + 2 + usize::from(bytes[frame + 1]);
    assert_eq!(
        bytes.len(),
        second + 20,
        "two frames and 20 bytes of the third"
    );
    assert_eq!(world.server.state()["conduct"]["faults"][1]["hits"], 1);
}

/// N03, N04: half-open with and without heartbeats.
#[test]
fn a_mute_connection_stays_open_and_a_quiet_one_answers_pings() {
    let script = "[[fault]]\ndo = \"half-open\"\nwire = \"market\"\nafter = \"1s\"\n\
                  [[fault]]\ndo = \"half-open\"\npings = true\non = \"time\"\nwire = \"ws-api\"\nafter = \"1s\"\n";
    let mut world = World::new(script);
    let mut quotes = Socket::open(&mut world, "/ws/btcusdt@bookTicker");
    let mut api = Socket::open(&mut world, "/ws-api/v3");
    let login = signed_params(&world, json!({}));
    api.call(&mut world, "userDataStream.subscribe.signature", &login);
    world.pass(SECOND);
    assert!(!quotes.messages(&mut world).is_empty());
    world.pass(Duration::from_secs(30));
    assert_eq!(quotes.messages(&mut world), []);
    assert!(!world.server.is_closed(quotes.number));
    let rest = world.connect();
    let request = world.posted(ORDER, BUY);
    assert_eq!(world.ask(rest, &request).unwrap().status, 200);
    let came = api.messages(&mut world);
    assert_eq!(
        came,
        [Message::Ping("1".into())],
        "the fill is kept back, the ping is not"
    );
    let time = api.call(&mut world, "time", &json!({}));
    assert_eq!(time[0]["status"], 200, "and requests are answered");
}

#[test]
fn a_client_that_answers_no_ping_is_closed_after_a_minute() {
    let mut world = World::new("");
    let mut socket = Socket::open(&mut world, "/ws/btcusdt@nothing");
    let other = Socket::open(&mut world, "/ws/btcusdt@nothing");
    for _ in 0..79 {
        world.pass(SECOND);
        socket.messages(&mut world);
    }
    assert_eq!(world.server.status().connections, 2);
    world.pass(SECOND);
    assert_eq!(world.server.status().connections, 1);
    world.pass(SECOND);
    assert!(world.server.is_closed(other.number));
    assert!(!world.server.is_closed(socket.number));
    let bytes = world.take(other.number);
    assert!(
        bytes.ends_with(b"\x03\xf0Pong timeout"),
        "status 1008 and its reason"
    );
}

/// N05, N06, N01, N11: the server announces its end, flaps, refuses, and is cut off.
#[test]
fn the_listener_flaps_refuses_and_recovers() {
    let script = "[[fault]]\ndo = \"shutdown\"\nwire = \"market\"\nafter = \"2s\"\n\
                  [[fault]]\ndo = \"flap\"\nleast = \"200ms\"\nmost = \"1s\"\nafter = \"3s\"\nfor = \"2s\"\n\
                  [[fault]]\ndo = \"partition\"\nafter = \"6s\"\nfor = \"10s\"\n";
    let mut world = World::new(script);
    let mut quotes = Socket::open(&mut world, "/ws/btcusdt@nothing");
    let kept = world.connect();
    world.pass(SECOND * 2);
    let came = quotes.messages(&mut world);
    assert!(
        came[0].to_text().unwrap().contains("serverShutdown"),
        "{came:?}"
    );
    assert!(came[1].is_close());
    world.pass(SECOND * 2);
    let flapping = world.connect();
    world.pass(SECOND);
    assert!(world.server.is_closed(flapping));
    world.pass(SECOND * 2);
    assert_eq!(world.server.connect(world.now), None, "nobody listens");
    assert_eq!(
        world.ask(kept, &get("/api/v3/time")),
        None,
        "nothing arrives"
    );
    world.pass(SECOND * 10);
    let healed = world.connect();
    assert_eq!(world.get(healed, "/api/v3/time").status, 200);
}

#[test]
fn limits_count_connections_messages_and_weight() {
    let mut world = World::with(Limits::Venue, "");
    let mut socket = Socket::open(&mut world, "/ws");
    for _ in 0..6 {
        socket.say(&mut world, r#"{"method":"LIST_SUBSCRIPTIONS","id":1}"#);
    }
    let came = socket.messages(&mut world);
    assert_eq!(came.iter().filter(|message| message.is_text()).count(), 5);
    assert!(came[5].is_close(), "the sixth in a second ends it");
    for _ in 1..300 {
        let socket = Socket::open(&mut world, "/ws");
        world.server.close(world.now, socket.number);
    }
    let rest = world.connect();
    let refused = world.ask(rest, &upgrade("/ws")).unwrap();
    assert_eq!(
        (refused.status, refused.json()["code"].clone()),
        (429, (-1034).into())
    );
    let depth = world.get(rest, "/api/v3/depth?symbol=BTCUSDT&limit=5000");
    assert_eq!(depth.field("x-mbx-used-weight-1m"), Some("250"));
}

#[test]
fn an_operator_acts_on_it_and_the_account_is_told() {
    let mut world = World::new("");
    let mut api = Socket::open(&mut world, "/ws-api/v3");
    let login = signed_params(&world, json!({}));
    api.call(&mut world, "userDataStream.subscribe.signature", &login);
    let deposit = json!({ "account": KEY, "asset": "BNB", "amount": "1.5" });
    let deposit = Command::from_json("deposit", &deposit.to_string()).unwrap();
    world.server.command(world.now, &deposit).unwrap();
    let told = api.texts(&mut world);
    assert_eq!(told[0]["event"]["e"], "balanceUpdate", "{told:?}");
    let (account, bnb) = (
        world.server.account(KEY).unwrap(),
        world.server.assets().find("BNB").unwrap(),
    );
    assert_eq!(
        world
            .server
            .exchange()
            .balance(account, bnb)
            .free
            .to_string(),
        "1.5"
    );
    world.server.pause(world.now);
    world.pass(SECOND);
    assert!(world.server.status().paused);
    let added = world
        .server
        .add_faults(world.now, "[[fault]]\ndo = \"refuse\"\n".parse().unwrap());
    world.pass(SECOND);
    assert_eq!((added, world.server.connect(world.now)), (1, None));
    world.server.clear_faults(world.now);
    assert!(world.server.connect(world.now).is_some());
}

#[test]
fn a_folder_for_its_state_is_refused() {
    let mut options = options(Limits::Off);
    options.data_dir = Some("nowhere".into());
    let refused = VirtualServer::new(&options, Conduct::default()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot keep the exchange's state in nowhere"
    );
}
