//! The control port: who gets in, and what each request does.

use serde_json::{Value, json};
use tradewind_simx_server::{ControlError, ControlPort, OrderLog};

use crate::client::{KEY, TestServer, options};

const TOKEN: &str = "a-token-of-the-test";

struct Operator {
    server: TestServer,
    url: String,
}

impl Operator {
    fn start() -> Self {
        let port = ControlPort::bind(([127, 0, 0, 1], 0).into(), Some(TOKEN.to_owned())).unwrap();
        let url = format!("http://{}", port.local_addr());
        let server = TestServer::start_as(options(None), |server| server.with_control(port));
        Self { server, url }
    }

    async fn ask(&self, method: &str, path: &str, body: &str, token: &str) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self
            .server
            .http
            .request(method, format!("{}{path}", self.url));
        let response = request
            .bearer_auth(token)
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask("POST", path, &body.to_string(), TOKEN).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn state(&self) -> Value {
        self.ask("GET", "/state", "", TOKEN).await.1
    }
}

#[tokio::test]
async fn only_loopback_and_only_with_the_token() {
    let wide = ControlPort::bind(([0, 0, 0, 0], 0).into(), None);
    assert!(matches!(wide, Err(ControlError::NotLoopback(_))));
    let short = ControlPort::bind(([127, 0, 0, 1], 0).into(), Some("short".to_owned()));
    assert!(matches!(short, Err(ControlError::ShortToken)));
    let (one, other) = (
        ControlPort::bind(([127, 0, 0, 1], 0).into(), None).unwrap(),
        ControlPort::bind(([127, 0, 0, 1], 0).into(), None).unwrap(),
    );
    assert!(one.token().len() == 64 && one.token() != other.token());
    assert!(!format!("{one:?}").contains(one.token()));

    let operator = Operator::start();
    for (method, path) in [
        ("GET", "/state"),
        ("POST", "/pause"),
        ("DELETE", "/faults"),
        ("POST", "/trade"),
    ] {
        let (status, answer) = operator
            .ask(method, path, "{}", "a-token-of-the-tesT")
            .await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (401, &"unauthorized".into()),
            "{path}"
        );
    }
    assert_eq!(operator.ask("GET", "/state", "", TOKEN).await.0, 200);
    operator.server.stop().await;
}

#[tokio::test]
async fn a_human_trades_deposits_and_withdraws() {
    let operator = Operator::start();
    operator.server.touch("BTCUSDT").await;
    let order = json!({"account": KEY, "symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.5"});
    assert_eq!(operator.post("/trade", order).await["status"], "FILLED");
    operator
        .post(
            "/deposit",
            json!({"account": KEY, "asset": "BNB", "amount": "1.5"}),
        )
        .await;
    operator
        .post(
            "/withdraw",
            json!({"account": KEY, "asset": "USDT", "amount": "all"}),
        )
        .await;
    let waiting = json!({"account": KEY, "symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "quantity": "0.5", "price": "200000"});
    operator.post("/trade", waiting).await;
    let state = operator.state().await;
    let account = &state["accounts"][0];
    assert_eq!(account["key"], KEY);
    let held = account["balances"].as_array().unwrap();
    let of = |asset: &str| held.iter().find(|balance| balance["asset"] == asset);
    assert_eq!(of("BNB").unwrap()["free"], "1.50000000");
    assert_eq!(of("BTC").unwrap()["locked"], "0.50000000");
    assert!(of("USDT").is_none(), "{held:?}");
    assert_eq!(account["open_orders"][0]["price"], "200000.00000000");
    operator
        .post(
            "/fill",
            json!({"account": KEY, "symbol": "BTCUSDT", "quantity": "0.2"}),
        )
        .await;
    assert_eq!(
        operator.state().await["accounts"][0]["open_orders"][0]["filled"],
        "0.20000000"
    );
    operator
        .post("/cancel", json!({"account": KEY, "symbol": "BTCUSDT"}))
        .await;
    assert_eq!(
        operator.state().await["accounts"][0]["open_orders"],
        json!([])
    );
    operator.server.stop().await;
}

#[tokio::test]
async fn a_paused_market_moves_by_steps_and_no_other_does() {
    let operator = Operator::start();
    operator.server.touch("BTCUSDT").await;
    let (status, answer) = operator
        .ask("POST", "/step", r#"{"millis":500}"#, TOKEN)
        .await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (400, &"malformed".into())
    );
    operator.post("/pause", json!({"paused": true})).await;
    let before = operator.state().await;
    assert_eq!(before["paused"], true);
    assert_eq!(
        operator.state().await["counters"]["market_events"],
        before["counters"]["market_events"]
    );
    operator.post("/step", json!({"millis": 5_000})).await;
    let after = operator.state().await;
    assert!(
        after["counters"]["market_events"].as_u64() > before["counters"]["market_events"].as_u64()
    );
    operator.post("/pause", json!({"paused": false})).await;
    assert_eq!(operator.state().await["paused"], false);
    operator.server.stop().await;
}

#[tokio::test]
async fn filters_and_halts_are_in_force_at_once() {
    let operator = Operator::start();
    operator.server.touch("BTCUSDT").await;
    operator
        .post(
            "/filters",
            json!({"symbol": "BTCUSDT", "tickSize": "0.5", "minNotional": "50"}),
        )
        .await;
    let (_, info) = operator
        .server
        .get("/api/v3/exchangeInfo?symbol=BTCUSDT")
        .await;
    assert_eq!(
        info["symbols"][0]["filters"][0]["tickSize"], "0.50000000",
        "{info}"
    );
    operator
        .post("/halt", json!({"symbol": "BTCUSDT", "status": "HALT"}))
        .await;
    let (_, info) = operator
        .server
        .get("/api/v3/exchangeInfo?symbol=BTCUSDT")
        .await;
    assert_eq!(info["symbols"][0]["status"], "HALT");
    let order = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.1";
    assert_eq!(
        operator.server.post("/api/v3/order", order).await.1["code"],
        -2010
    );
    operator
        .post("/halt", json!({"symbol": "BTCUSDT", "status": "TRADING"}))
        .await;
    assert_eq!(operator.server.post("/api/v3/order", order).await.0, 200);
    operator.server.stop().await;
}

#[tokio::test]
async fn faults_come_and_go_while_it_runs() {
    let operator = Operator::start();
    let script = "[[fault]]\nname = \"no time\"\ndo = \"answer\"\ncall = \"time\"\nstatus = 500\n";
    let (status, answer) = operator.ask("POST", "/faults", script, TOKEN).await;
    assert_eq!((status, &answer["added"]), (200, &1.into()));
    assert_eq!(operator.server.get("/api/v3/time").await.0, 500);
    let state = operator.state().await;
    let fault = &state["conduct"]["faults"][0];
    assert_eq!(
        (&fault["name"], &fault["hits"]),
        (&"no time".into(), &1.into())
    );
    let (status, answer) = operator
        .ask("POST", "/faults", r#"[{"do":"dorp"}]"#, TOKEN)
        .await;
    assert!(
        status == 400
            && answer["error"]["message"]
                .as_str()
                .unwrap()
                .contains("did you mean \"drop\""),
        "{answer}"
    );
    assert_eq!(operator.ask("DELETE", "/faults", "", TOKEN).await.0, 200);
    assert_eq!(operator.server.get("/api/v3/time").await.0, 200);
    operator.server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_in_one_shape() {
    let operator = Operator::start();
    operator.server.touch("BTCUSDT").await;
    let check = async |path: &str, body: Value, wanted: (u16, &str), part: &str| {
        let (status, answer) = operator.ask("POST", path, &body.to_string(), TOKEN).await;
        let error = &answer["error"];
        assert_eq!(
            (status, error["code"].as_str().unwrap()),
            wanted,
            "{answer}"
        );
        assert!(
            error["message"].as_str().unwrap().contains(part),
            "{answer}"
        );
        assert!(!error["hint"].as_str().unwrap().is_empty());
    };
    check(
        "/pause",
        json!({"pause": true}),
        (400, "malformed"),
        "did you mean \"paused\"?",
    )
    .await;
    check(
        "/deposit",
        json!({"account": "x", "asset": "BNB", "amount": "1"}),
        (404, "unknown"),
        "account \"x\"",
    )
    .await;
    check(
        "/deposit",
        json!({"account": KEY, "asset": "XYZ", "amount": "1"}),
        (404, "unknown"),
        "asset \"XYZ\"",
    )
    .await;
    check(
        "/filters",
        json!({"symbol": "BTCUSDT", "tickSize": "x"}),
        (400, "number"),
        "BTCUSDT",
    )
    .await;
    check(
        "/halt",
        json!({"symbol": "NOPE", "status": "HALT"}),
        (404, "unknown"),
        "NOPE",
    )
    .await;
    let order = json!({"account": KEY, "symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "70"});
    check("/trade", order, (409, "refused"), "-2010").await;
    check(
        "/teleport",
        json!({}),
        (400, "malformed"),
        "no act \"teleport\"",
    )
    .await;
    operator.server.stop().await;
}

/// What a thread writes, for the test to read.
#[derive(Clone, Default)]
struct Page(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn every_order_event_and_every_strike_is_a_line_of_the_log() {
    let page = Page::default();
    let log = OrderLog::to(page.clone()).unwrap();
    let server = TestServer::start_as(options(None), |server| server.with_order_log(log));
    server.touch("BTCUSDT").await;
    let script = "[[fault]]\nname = \"here\"\ndo = \"delay\"\nby = \"1ms\"\non = \"answer\"\ncall = \"time\"\n";
    server
        .handle
        .add_faults(script.parse().unwrap())
        .await
        .unwrap();
    server.get("/api/v3/time").await;
    let terms = "symbol=BTCUSDT&side=SELL";
    server
        .post(
            "/api/v3/order",
            // So little that one level has it.
            &format!("{terms}&type=MARKET&quantity=0.0002"),
        )
        .await;
    server
        .post(
            "/api/v3/order",
            &format!(
                "{terms}&type=LIMIT&timeInForce=GTC&quantity=0.01&price=200000&newClientOrderId=w"
            ),
        )
        .await;
    server
        .signed(
            "DELETE",
            "/api/v3/order",
            "symbol=BTCUSDT&origClientOrderId=w",
        )
        .await;
    server
        .post(
            "/api/v3/order",
            &format!("{terms}&type=LIMIT&timeInForce=IOC&quantity=0.01&price=200000"),
        )
        .await;
    server
        .post("/api/v3/order", &format!("{terms}&type=MARKET&quantity=70"))
        .await;
    server.stop().await;
    let wanted = [
        "fault",
        "order_accepted",
        "order_filled",
        "order_accepted",
        "order_cancelled",
        "order_accepted",
        "order_expired",
        "order_refused",
    ];
    let written = async {
        loop {
            let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
            if text.lines().count() >= wanted.len() {
                break text;
            }
            tokio::task::yield_now().await;
        }
    };
    let lines = tokio::time::timeout(std::time::Duration::from_secs(20), written).await;
    let lines =
        lines.unwrap_or_else(|_| String::from_utf8(page.0.lock().unwrap().clone()).unwrap());
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events: Vec<&str> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(events, wanted);
    assert_eq!(
        (&lines[2]["account"], &lines[2]["trade"]["quantity"]),
        (&KEY.into(), &"0.00020000".into())
    );
    assert_eq!(lines[7]["code"], -2010);
}
