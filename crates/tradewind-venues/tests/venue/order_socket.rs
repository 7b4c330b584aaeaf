//! New orders over the WebSocket API: the same promises as over REST, and those of a connection that is kept.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_model::{ExecutionReport, NotSentReason, ReportKind, Timestamp};
use tradewind_risk::ApprovedOrder;
use tradewind_venues::binance::{OrderEntry, sign_hmac};

use crate::orders::kinds;
use crate::rig::{Rig, SECRET, START_MS, entry_order, exit_order, rig_with};
use crate::websocket::{Connection, Server};

const PATIENT: Duration = Duration::from_secs(20);
const HASTY: Duration = Duration::from_millis(300);

/// A desk whose orders go over a socket, and the task that keeps it.
struct Desk {
    rig: Rig,
    stop: CancellationToken,
    keeper: JoinSet<()>,
}

/// An order on its way.
struct Sent(JoinSet<Vec<ExecutionReport>>);

impl Sent {
    async fn reports(mut self) -> Vec<ExecutionReport> {
        self.0.join_next().await.unwrap().unwrap()
    }
}

impl Desk {
    fn start(server: &Server, within: Duration) -> Self {
        let rig = rig_with(
            server.address,
            server.address,
            within,
            OrderEntry::WebSocket,
        );
        let (venue, stop) = (Arc::clone(&rig.venue), CancellationToken::new());
        let stopped = stop.clone();
        let mut keeper = JoinSet::new();
        keeper.spawn(async move { venue.keep_order_entry(stopped).await });
        Self { rig, stop, keeper }
    }

    fn submit(&self, order: ApprovedOrder) -> Sent {
        let (venue, mut task) = (Arc::clone(&self.rig.venue), JoinSet::new());
        task.spawn(async move { venue.submit(&order).await });
        Sent(task)
    }

    async fn stop(mut self) {
        self.stop.cancel();
        self.keeper.join_next().await.unwrap().unwrap();
    }
}

fn answer(request: &Value, status: &str, fills: &Value) -> String {
    let params = &request["params"];
    let executed: f64 = if fills == &json!([]) { 0.0 } else { 0.5 };
    json!({"id": request["id"], "status": 200, "result": {
        "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": params["newClientOrderId"],
        "transactTime": START_MS, "price": "61837.63", "origQty": "0.5", "executedQty": executed.to_string(),
        "status": status, "timeInForce": "GTC", "type": "LIMIT", "side": "SELL", "fills": fills, "fromTheFuture": {},
    }, "rateLimits": []})
    .to_string()
}

fn accepted(request: &Value) -> String {
    answer(request, "NEW", &json!([]))
}

async fn order_on(connection: &mut Connection) -> Value {
    connection.request().await.expect("an order")
}

#[tokio::test]
async fn an_order_goes_out_signed_and_comes_back_with_its_fills() {
    let server = Server::start().await;
    let desk = Desk::start(&server, PATIENT);
    let mut venue = server.accept().await;
    let order = exit_order(1);
    let sent = desk.submit(order);
    let request = order_on(&mut venue).await;
    assert_eq!(
        (venue.path.as_str(), &request["method"]),
        ("/ws-api/v3", &json!("order.place"))
    );
    let mut params = request["params"].as_object().unwrap().clone();
    let signature = params.remove("signature").unwrap();
    let pairs = params.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        number => format!("{name}={number}"),
    });
    let mut pairs: Vec<String> = pairs.collect();
    pairs.sort();
    assert_eq!(signature, sign_hmac(SECRET, &pairs.join("&")));
    assert_eq!(params["timestamp"], START_MS);
    assert_eq!(
        params["newClientOrderId"],
        order.terms().client_id.to_string()
    );

    let fill = json!([{"price": "61837.63", "qty": "0.5", "commission": "1", "commissionAsset": "USDT", "tradeId": 56}]);
    venue.say(answer(&request, "FILLED", &fill)).await;
    assert_eq!(kinds(&sent.reports().await), ["accepted", "filled 56"]);
    desk.stop().await;
}

#[tokio::test]
async fn answers_find_their_orders_by_number_in_whatever_order_they_come() {
    let server = Server::start().await;
    let desk = Desk::start(&server, PATIENT);
    let mut venue = server.accept().await;
    let first = desk.submit(exit_order(1));
    let to_first = order_on(&mut venue).await;
    let second = desk.submit(exit_order(2));
    let to_second = order_on(&mut venue).await;
    venue
        .say(json!({"id": 999, "status": 200, "result": {}}).to_string())
        .await;
    venue.say(accepted(&to_second)).await;
    assert_eq!(kinds(&second.reports().await), ["accepted"]);
    let refusal =
        json!({"code": -2010, "msg": "Account has insufficient balance for requested action."});
    let refused = json!({"id": to_first["id"], "status": 400, "error": refusal});
    venue.say(refused.to_string()).await;
    assert_eq!(kinds(&first.reports().await), ["rejected -2010"]);
    desk.stop().await;
}

#[tokio::test]
async fn each_answer_means_the_same_as_over_rest() {
    let error = |status: u16, code: i32, text: &str| json!({"status": status, "error": {"code": code, "msg": text}});
    let cases = [
        (
            error(400, -1013, "Filter failure: LOT_SIZE"),
            "rejected -1013",
        ),
        (error(400, -2010, "Duplicate order sent."), "unknown"),
        (
            error(400, -1007, "Timeout waiting for response."),
            "unknown",
        ),
        (error(500, -1000, "An unknown error occurred."), "unknown"),
        (error(400, -7_777, "A code from the future."), "unknown"),
        (json!({"status": 200, "result": {"symbol": 5}}), "unknown"),
        (json!({"status": 200}), "unknown"),
    ];
    let server = Server::start().await;
    let desk = Desk::start(&server, PATIENT);
    let mut venue = server.accept().await;
    for (sequence, (mut answer, wanted)) in (1..).zip(cases) {
        let sent = desk.submit(exit_order(sequence));
        answer["id"] = order_on(&mut venue).await["id"].clone();
        venue.say(answer.to_string()).await;
        assert_eq!(kinds(&sent.reports().await), [wanted], "{answer}");
    }
    desk.stop().await;
}

#[tokio::test]
async fn a_lost_socket_leaves_its_orders_unknown_and_nothing_is_sent_again() {
    let server = Server::start().await;
    let desk = Desk::start(&server, PATIENT);
    let mut venue = server.accept().await;
    let lost = desk.submit(exit_order(1));
    order_on(&mut venue).await;
    drop(venue);
    assert_eq!(kinds(&lost.reports().await), ["unknown"]);

    let mut venue = server.accept().await;
    let next = exit_order(2);
    let sent = desk.submit(next);
    let request = order_on(&mut venue).await;
    let id = next.terms().client_id.to_string();
    assert_eq!(
        request["params"]["newClientOrderId"], id,
        "only the new order"
    );
    venue.say(accepted(&request)).await;
    assert_eq!(kinds(&sent.reports().await), ["accepted"]);
    desk.stop().await;
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_leaves_the_order_unknown_and_the_socket_up() {
    let server = Server::start().await;
    let desk = Desk::start(&server, HASTY);
    let mut venue = server.accept().await;
    let slow = desk.submit(exit_order(1));
    order_on(&mut venue).await;
    assert_eq!(kinds(&slow.reports().await), ["unknown"]);
    let sent = desk.submit(exit_order(2));
    let request = order_on(&mut venue).await;
    venue.say(accepted(&request)).await;
    assert_eq!(kinds(&sent.reports().await), ["accepted"]);
    desk.stop().await;
}

#[tokio::test]
async fn a_killed_desk_writes_no_order_and_its_socket_serves_again_after_the_reset() {
    let server = Server::start().await;
    let desk = Desk::start(&server, PATIENT);
    let mut venue = server.accept().await;
    let waiting = desk.submit(exit_order(1));
    let request = order_on(&mut venue).await;
    assert!(desk.rig.venue.gate().kill());
    let reports = desk.submit(exit_order(2)).reports().await;
    assert_eq!(reports[0].kind, ReportKind::NotSent(NotSentReason::Killed));
    // What had left whole before the kill still learns its fate.
    venue.say(accepted(&request)).await;
    assert_eq!(kinds(&waiting.reports().await), ["accepted"]);

    desk.rig.latch.clear();
    let sent = desk.submit(exit_order(3));
    let request = order_on(&mut venue).await;
    let id = exit_order(3).terms().client_id.to_string();
    assert_eq!(request["params"]["newClientOrderId"], id);
    venue.say(accepted(&request)).await;
    assert_eq!(kinds(&sent.reports().await), ["accepted"]);
    desk.stop().await;
}

#[tokio::test]
async fn an_entry_too_old_stays_here_and_an_exit_does_not() {
    let server = Server::start().await;
    let desk = Desk::start(&server, PATIENT);
    let mut venue = server.accept().await;
    desk.rig
        .clock
        .advance_to(Timestamp::from_millis(START_MS + 2_000));
    let reports = desk.submit(entry_order(1)).reports().await;
    assert_eq!(reports[0].kind, ReportKind::NotSent(NotSentReason::Expired));
    let sent = desk.submit(exit_order(2));
    let request = order_on(&mut venue).await;
    venue.say(accepted(&request)).await;
    assert_eq!(kinds(&sent.reports().await), ["accepted"]);
    desk.stop().await;
}

#[tokio::test]
async fn n05_an_announced_shutdown_moves_new_orders_and_loses_no_answer() {
    let server = Server::start().await;
    let desk = Desk::start(&server, PATIENT);
    let mut old = server.accept().await;
    let early = desk.submit(exit_order(1));
    let to_early = order_on(&mut old).await;
    old.say(json!({"event": {"e": "serverShutdown", "E": START_MS}}).to_string())
        .await;
    let mut new = server.accept().await;

    // The desk uses the successor once its handshake is complete; until then an order may still take the old one.
    let (mut sequence, mut moved) = (2, false);
    while !moved {
        let sent = desk.submit(exit_order(sequence));
        let request = tokio::select! {
            request = old.request() => request,
            request = new.request() => { moved = true; request }
        };
        let request = request.expect("an order");
        let connection = if moved { &mut new } else { &mut old };
        connection.say(accepted(&request)).await;
        assert_eq!(kinds(&sent.reports().await), ["accepted"]);
        sequence += 1;
    }
    old.say(accepted(&to_early)).await;
    assert_eq!(kinds(&early.reports().await), ["accepted"]);
    assert_eq!(old.request().await, None, "it is let go afterwards");
    desk.stop().await;
}

#[tokio::test]
async fn without_a_connection_orders_come_back_unsent() {
    let server = Server::start().await;
    let idle = rig_with(
        server.address,
        server.address,
        PATIENT,
        OrderEntry::WebSocket,
    );
    let reports = idle.venue.submit(&exit_order(1)).await;
    assert_eq!(kinds(&reports), ["not sent Unreachable"]);

    let desk = Desk::start(&server, PATIENT);
    let venue = server.accept().await;
    drop((venue, server));
    let reports = desk.submit(exit_order(2)).reports().await;
    assert!(
        ["unknown", "not sent Unreachable"].contains(&kinds(&reports)[0].as_str()),
        "{reports:?}"
    );
    let reports = desk.submit(exit_order(3)).reports().await;
    assert_eq!(kinds(&reports), ["not sent Unreachable"]);
    desk.stop().await;
}

#[tokio::test]
async fn v12_a_ban_reported_over_the_socket_closes_the_budget() {
    let server = Server::start().await;
    let desk = Desk::start(&server, HASTY);
    let mut venue = server.accept().await;
    let sent = desk.submit(exit_order(1));
    let request = order_on(&mut venue).await;
    let data = json!({"serverTime": START_MS, "retryAfter": START_MS + 120_000});
    let error = json!({"code": -1003, "msg": "Way too much request weight used.", "data": data});
    venue
        .say(json!({"id": request["id"], "status": 418, "error": error}).to_string())
        .await;
    assert_eq!(kinds(&sent.reports().await), ["rejected -1003"]);
    let reports = desk.submit(exit_order(2)).reports().await;
    assert_eq!(kinds(&reports), ["not sent Expired"]);
    desk.stop().await;
}
