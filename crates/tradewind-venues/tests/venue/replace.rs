//! V10: cancel-replace has four outcomes, and each of its two orders a fate of its own.

use std::time::Duration;

use tradewind_model::ClientOrderId;
use tradewind_venues::binance::{IfCancelFails, Replacement};

use crate::http::{Reply, Server};
use crate::orders::kinds;
use crate::rig::{Rig, exit_order, rig};

const HASTY: Duration = Duration::from_millis(300);

fn old() -> ClientOrderId {
    exit_order(1).terms().client_id
}

fn cancelled() -> String {
    format!(
        r#"{{"symbol":"BTCUSDT","origClientOrderId":"{}","orderId":9,"clientOrderId":"x","transactTime":1,"executedQty":"0.2",
        "status":"CANCELED"}}"#,
        old()
    )
}

fn placed() -> String {
    format!(
        r#"{{"symbol":"BTCUSDT","orderId":10,"clientOrderId":"{}","transactTime":2,"executedQty":"0","status":"NEW","fills":[]}}"#,
        exit_order(2).terms().client_id
    )
}

const NOTHING_TO_CANCEL: &str = r#"{"code":-2011,"msg":"Unknown order sent."}"#;
const NO_MONEY: &str =
    r#"{"code":-2010,"msg":"Account has insufficient balance for requested action."}"#;
const TIMED_OUT: &str =
    r#"{"code":-1007,"msg":"Timeout waiting for response from backend server."}"#;

fn outcome(cancel: &str, cancel_body: &str, order: &str, order_body: &str) -> String {
    format!(
        r#"{{"cancelResult":"{cancel}","newOrderResult":"{order}","cancelResponse":{cancel_body},"newOrderResponse":{order_body}}}"#
    )
}

fn failed(code: i32, outcome: &str) -> String {
    format!(r#"{{"code":{code},"msg":"Order cancel-replace failed.","data":{outcome}}}"#)
}

async fn replace(reply: Reply, mode: IfCancelFails) -> (Replacement, Rig, Server) {
    let reply = std::sync::Mutex::new(Some(reply));
    let server = Server::start(move |_| reply.lock().unwrap().take().unwrap_or(Reply::Close)).await;
    let rig = rig(server.address, server.address, HASTY);
    let replacement = rig.venue.replace(old(), &exit_order(2), mode).await;
    (replacement, rig, server)
}

#[tokio::test]
async fn v10_each_leg_has_its_own_fate() {
    let both = outcome("SUCCESS", &cancelled(), "SUCCESS", &placed());
    let half = |one: &str, one_body: &str, other: &str, other_body: &str| {
        failed(-2021, &outcome(one, one_body, other, other_body))
    };
    let cases = [
        ("both done", 200, both.clone(), "cancelled", "accepted"),
        (
            "cancelled only",
            409,
            half("SUCCESS", &cancelled(), "FAILURE", NO_MONEY),
            "cancelled",
            "rejected -2010",
        ),
        (
            "placed only",
            409,
            half("FAILURE", NOTHING_TO_CANCEL, "SUCCESS", &placed()),
            "cancel rejected -2011",
            "accepted",
        ),
        (
            "neither, the second not tried",
            400,
            failed(
                -2022,
                &outcome("FAILURE", NOTHING_TO_CANCEL, "NOT_ATTEMPTED", "null"),
            ),
            "cancel rejected -2011",
            "rejected -2022",
        ),
        (
            "neither, both tried",
            400,
            failed(
                -2022,
                &outcome("FAILURE", NOTHING_TO_CANCEL, "FAILURE", NO_MONEY),
            ),
            "cancel rejected -2011",
            "rejected -2010",
        ),
        (
            "cancelled, the second timed out there",
            409,
            half("SUCCESS", &cancelled(), "FAILURE", TIMED_OUT),
            "cancelled",
            "unknown",
        ),
        (
            "a word from the future",
            409,
            half("DREAMING", "null", "SUCCESS", &placed()),
            "unknown",
            "accepted",
        ),
        (
            "another order's answer",
            200,
            outcome("SUCCESS", &placed(), "SUCCESS", &cancelled()),
            "unknown",
            "unknown",
        ),
        (
            "refused at the door",
            429,
            r#"{"code":-1015,"msg":"Too many new orders."}"#.to_owned(),
            "cancel rejected -1015",
            "rejected -1015",
        ),
        (
            "half done, no word of which",
            409,
            r#"{"code":-2021,"msg":"?"}"#.to_owned(),
            "unknown",
            "unknown",
        ),
        (
            "broken there, whatever it says",
            503,
            failed(-2021, &both),
            "unknown",
            "unknown",
        ),
        ("garbage", 200, "<html>".to_owned(), "unknown", "unknown"),
    ];
    for (name, status, body, cancel, order) in cases {
        let (replacement, _rig, server) =
            replace(Reply::Answer(status, body), IfCancelFails::Place).await;
        assert_eq!(kinds(&replacement.cancelled), [cancel], "{name}");
        assert_eq!(kinds(&replacement.placed), [order], "{name}");
        assert_eq!(replacement.cancelled[0].client_id, old(), "{name}");
        let new = exit_order(2).terms().client_id;
        assert!(
            replacement
                .placed
                .iter()
                .all(|report| report.client_id == new)
        );
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn v10_without_an_answer_both_are_unknown() {
    for reply in [Reply::Hang, Reply::Close] {
        let (replacement, _rig, server) = replace(reply, IfCancelFails::Stop).await;
        assert_eq!(kinds(&replacement.cancelled), ["unknown"]);
        assert_eq!(kinds(&replacement.placed), ["unknown"]);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn v10_the_request_names_both_orders_and_the_mode() {
    for (mode, word) in [
        (IfCancelFails::Stop, "STOP_ON_FAILURE"),
        (IfCancelFails::Place, "ALLOW_FAILURE"),
    ] {
        let (_, _rig, server) = replace(Reply::Close, mode).await;
        let request = &server.requests()[0];
        assert_eq!(request.path, "/api/v3/order/cancelReplace");
        let id = exit_order(2).terms().client_id;
        for part in [
            format!("cancelReplaceMode={word}"),
            format!("cancelOrigClientOrderId={}", old()),
            format!("newClientOrderId={id}"),
        ] {
            assert!(request.body.contains(&part), "{part}: {}", request.body);
        }
    }
}

#[tokio::test]
async fn v10_a_killed_desk_replaces_nothing() {
    let (_, rig, server) = replace(Reply::Close, IfCancelFails::Stop).await;
    rig.venue.gate().kill();
    let kept = rig
        .venue
        .replace(old(), &exit_order(2), IfCancelFails::Stop)
        .await;
    assert_eq!(kinds(&kept.cancelled), ["cancel rejected 0"]);
    assert_eq!(kinds(&kept.placed), ["not sent Killed"]);
    assert_eq!(server.requests().len(), 1);
}
