//! The order path: sent once, through the gate, and its answer understood.

use std::time::Duration;

use tradewind_model::{
    ExecutionReport, InstrumentId, NotSentReason, Quantity, ReportKind, Timestamp,
};
use tradewind_venues::binance::sign_hmac;
use tradewind_venues::execution::OrderQuery;

use crate::http::{Asked, Reply, Server, ok};
use crate::rig::{Rig, SECRET, START_MS, entry_order, exit_order, rig};

const PATIENT: Duration = Duration::from_secs(20);
const HASTY: Duration = Duration::from_millis(300);

fn rig_at(server: &Server, within: Duration) -> Rig {
    rig(server.address, server.address, within)
}

fn form(request: &Asked, name: &str) -> Option<String> {
    let fields = request.body.split('&').chain(request.query.split('&'));
    let mut pairs = fields.filter_map(|field| field.split_once('='));
    pairs
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

fn full_answer(request: &Asked, status: &str, executed: &str, fills: &str) -> String {
    let id = form(request, "newClientOrderId").unwrap();
    format!(
        r#"{{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"{id}","transactTime":1700000000005,
        "price":"61837.63","origQty":"0.50000000","executedQty":"{executed}","status":"{status}","timeInForce":"GTC",
        "type":"LIMIT","side":"SELL","aFieldFromTheFuture":{{}},"fills":[{fills}]}}"#
    )
}

const FILL_1: &str = r#"{"price":"61837.64","qty":"0.20000","commission":"12.36","commissionAsset":"USDT","tradeId":56}"#;
const FILL_2: &str = r#"{"price":"61837.63","qty":"0.30000","commission":"0.001","commissionAsset":"BNB","tradeId":57}"#;

pub(crate) fn kinds(reports: &[ExecutionReport]) -> Vec<String> {
    let name = |report: &ExecutionReport| match &report.kind {
        ReportKind::Filled(fill) => format!("filled {}", fill.trade_id.0),
        ReportKind::Rejected(reason) => format!("rejected {}", reason.code),
        ReportKind::CancelRejected(reason) => format!("cancel rejected {}", reason.code),
        ReportKind::NotSent(reason) => format!("not sent {reason:?}"),
        other => format!("{other:?}").to_lowercase(),
    };
    reports.iter().map(name).collect()
}

#[tokio::test]
async fn an_order_goes_out_signed_and_comes_back_with_its_fills() {
    let server = Server::start(|request| {
        ok(full_answer(
            request,
            "FILLED",
            "0.50000000",
            &format!("{FILL_1},{FILL_2}"),
        ))
    })
    .await;
    let rig = rig_at(&server, PATIENT);
    let order = exit_order(1);
    let reports = rig.venue.submit(&order).await;
    assert_eq!(kinds(&reports), ["accepted", "filled 56", "filled 57"]);
    assert_eq!(reports[2].cumulative, Some(Quantity(50_000)));
    let ReportKind::Filled(fill) = &reports[2].kind else {
        panic!("a fill")
    };
    assert_eq!(fill.client_id, order.terms().client_id);
    assert_eq!(rig.venue.assets().snapshot().name(fill.fee.asset), "BNB");

    let request = &server.requests()[0];
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/api/v3/order")
    );
    assert!(request.head.contains("x-mbx-apikey: the key"));
    let (payload, signature) = request.body.split_once("&signature=").unwrap();
    assert_eq!(signature, sign_hmac(SECRET, payload));
    assert_eq!(form(request, "timestamp"), Some(START_MS.to_string()));
    assert_eq!(form(request, "quantity").as_deref(), Some("0.5"));
    assert_eq!(
        form(request, "newClientOrderId"),
        Some(order.terms().client_id.to_string())
    );
}

#[tokio::test]
async fn v14_each_answer_means_what_the_venue_documents_and_no_order_is_sent_twice() {
    type Script = fn(&Asked) -> Reply;
    let cases: [(&str, Script, &[&str]); 11] = [
        (
            "partly filled",
            |a| ok(full_answer(a, "PARTIALLY_FILLED", "0.2", FILL_1)),
            &["accepted", "filled 56"],
        ),
        (
            "expired",
            |a| ok(full_answer(a, "EXPIRED", "0", "")),
            &["accepted", "expired"],
        ),
        (
            "word from the future",
            |a| ok(full_answer(a, "DREAMING", "0", "")),
            &["unknown"],
        ),
        ("garbage", |_| ok("<html>"), &["unknown"]),
        (
            "another order's answer",
            |_| ok(r#"{"symbol":"BTCUSDT","orderId":1,"clientOrderId":"x"}"#),
            &["unknown"],
        ),
        (
            "no money",
            |_| {
                Reply::Answer(400, r#"{"code":-2010,"msg":"Account has insufficient balance for requested action."}"#.into())
            },
            &["rejected -2010"],
        ),
        (
            "duplicate",
            |_| {
                Reply::Answer(
                    400,
                    r#"{"code":-2010,"msg":"Duplicate order sent."}"#.into(),
                )
            },
            &["unknown"],
        ),
        (
            "time-out there",
            |_| {
                Reply::Answer(
                    400,
                    r#"{"code":-1007,"msg":"Timeout waiting for response."}"#.into(),
                )
            },
            &["unknown"],
        ),
        (
            "broken there",
            |_| Reply::Answer(503, "Service Unavailable".into()),
            &["unknown"],
        ),
        ("no answer", |_| Reply::Hang, &["unknown"]),
        ("cut off", |_| Reply::Close, &["unknown"]),
    ];
    for (name, script, wanted) in cases {
        let server = Server::start(script).await;
        let rig = rig_at(&server, HASTY);
        let reports = rig.venue.submit(&exit_order(1)).await;
        assert_eq!(kinds(&reports), wanted, "{name}");
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn an_unreachable_venue_means_not_sent() {
    let server = Server::start(|_| Reply::Hang).await;
    let address = server.address;
    drop(server);
    let rig = rig(address, address, PATIENT);
    let reports = rig.venue.submit(&exit_order(1)).await;
    assert_eq!(kinds(&reports), ["not sent Unreachable"]);
}

#[tokio::test]
async fn orders_share_a_connection_that_is_kept() {
    let server = Server::start(|request| ok(full_answer(request, "NEW", "0", ""))).await;
    let rig = rig_at(&server, PATIENT);
    for sequence in 1..=5 {
        let reports = rig.venue.submit(&exit_order(sequence)).await;
        assert_eq!(kinds(&reports), ["accepted"]);
    }
    let connections: Vec<usize> = server
        .requests()
        .iter()
        .map(|request| request.connection)
        .collect();
    assert_eq!(connections, [0; 5]);
}

#[tokio::test]
async fn a_killed_desk_sends_no_order_but_cancels() {
    let server = Server::start(|request| match request.method.as_str() {
        "DELETE" => ok(format!(
            r#"{{"symbol":"BTCUSDT","origClientOrderId":"{}","orderId":28,"clientOrderId":"x","transactTime":1,
            "executedQty":"0.2","status":"CANCELED"}}"#,
            form(request, "origClientOrderId").unwrap()
        )),
        _ => Reply::Close,
    })
    .await;
    let rig = rig_at(&server, PATIENT);
    assert!(rig.venue.gate().kill());
    assert!(!rig.venue.gate().kill());
    let order = exit_order(1);
    let reports = rig.venue.submit(&order).await;
    assert_eq!(kinds(&reports), ["not sent Killed"]);
    assert_eq!(server.requests(), []);

    let reports = rig
        .venue
        .cancel(InstrumentId(0), order.terms().client_id)
        .await;
    let [report] = &reports[..] else {
        panic!("{reports:?}");
    };
    assert_eq!(report.kind, ReportKind::Cancelled);
    assert_eq!(report.client_id, order.terms().client_id);
    assert_eq!(report.cumulative, Some(Quantity(20_000)));

    rig.latch.clear();
    assert_eq!(kinds(&rig.venue.submit(&order).await), ["unknown"]);
}

#[tokio::test]
async fn a_kill_cuts_what_waits_for_an_answer() {
    let server = Server::start(|_| Reply::Hang).await;
    let rig = rig_at(&server, PATIENT);
    let order = exit_order(1);
    let (reports, ()) = tokio::join!(rig.venue.submit(&order), async {
        server.asked_times(1).await;
        rig.venue.gate().kill();
    });
    assert_eq!(kinds(&reports), ["unknown"]);
}

#[tokio::test]
async fn an_entry_too_old_stays_here_and_an_exit_does_not() {
    let server = Server::start(|request| ok(full_answer(request, "NEW", "0", ""))).await;
    let rig = rig_at(&server, PATIENT);
    rig.clock
        .advance_to(Timestamp::from_millis(START_MS + 1_999));
    assert_eq!(
        kinds(&rig.venue.submit(&entry_order(1)).await),
        ["accepted"]
    );
    rig.clock
        .advance_to(Timestamp::from_millis(START_MS + 2_000));
    let reports = rig.venue.submit(&entry_order(2)).await;
    assert_eq!(reports[0].kind, ReportKind::NotSent(NotSentReason::Expired));
    assert_eq!(kinds(&rig.venue.submit(&exit_order(3)).await), ["accepted"]);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn v12_after_a_ban_nothing_leaves() {
    let server = Server::start(|_| {
        let body = r#"{"code":-1003,"msg":"Way too much request weight used; IP banned."}"#;
        Reply::Headers(418, "Retry-After: 120\r\n", body.to_owned())
    })
    .await;
    let rig = rig_at(&server, HASTY);
    assert_eq!(
        kinds(&rig.venue.submit(&exit_order(1)).await),
        ["rejected -1003"]
    );
    assert_eq!(
        kinds(&rig.venue.submit(&exit_order(2)).await),
        ["not sent Expired"]
    );
    let reports = rig
        .venue
        .cancel(InstrumentId(0), exit_order(1).terms().client_id)
        .await;
    assert_eq!(kinds(&reports), ["unknown"]);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_cancel_says_what_it_found() {
    let cases = [
        (
            Reply::Answer(400, r#"{"code":-2011,"msg":"Unknown order sent."}"#.into()),
            "cancel rejected -2011",
        ),
        (Reply::Answer(500, String::new()), "unknown"),
        (
            Reply::Answer(400, r#"{"code":-1006,"msg":"?"}"#.into()),
            "unknown",
        ),
        (Reply::Hang, "unknown"),
    ];
    for (reply, wanted) in cases {
        let reply = std::sync::Mutex::new(Some(reply));
        let server =
            Server::start(move |_| reply.lock().unwrap().take().unwrap_or(Reply::Close)).await;
        let rig = rig_at(&server, HASTY);
        let id = exit_order(1).terms().client_id;
        let reports = rig.venue.cancel(InstrumentId(0), id).await;
        assert_eq!(kinds(&reports), [wanted]);
        assert_eq!(server.requests().len(), 1, "{wanted}");
    }
}

/// The venue ends both orders of a pair by one cancel, and its answer names both: neither has to be requested again.
#[tokio::test]
async fn a_cancel_reports_the_other_order_of_the_pair_too() {
    let (stop, limit) = (
        exit_order(1).terms().client_id,
        exit_order(2).terms().client_id,
    );
    let order = |id: &str, number: u32| {
        format!(
            r#"{{"symbol":"BTCUSDT","origClientOrderId":"{id}","orderId":{number},"orderListId":7,"clientOrderId":"x",
            "transactTime":1,"executedQty":"0","status":"CANCELED"}}"#
        )
    };
    let (first, second) = (limit.to_string(), stop.to_string());
    let body = format!(
        r#"{{"orderListId":7,"orderReports":[{},{},{}]}}"#,
        order(&first, 1),
        order("by-hand", 2),
        order(&second, 3)
    );
    let server = Server::start(move |_| ok(body.clone())).await;
    let rig = rig_at(&server, PATIENT);
    let reports = rig.venue.cancel(InstrumentId(0), stop).await;
    assert_eq!(kinds(&reports), ["cancelled"; 2]);
    let ids: Vec<_> = reports.iter().map(|report| report.client_id).collect();
    assert_eq!(ids, [stop, limit], "the one that was cancelled is first");
}

#[tokio::test]
async fn a_query_brings_the_fills_between_beginning_and_end() {
    let server = Server::start(|request| match request.path.as_str() {
        "/api/v3/order" => ok(format!(
            r#"{{"symbol":"BTCUSDT","orderId":28,"clientOrderId":"{}","price":"61837.63","origQty":"0.5",
            "executedQty":"0.2","status":"CANCELED","timeInForce":"GTC","type":"LIMIT","side":"SELL","time":7,
            "updateTime":8}}"#,
            form(request, "origClientOrderId").unwrap()
        )),
        "/api/v3/myTrades" => ok(
            r#"[{"symbol":"BTCUSDT","id":56,"orderId":28,"price":"61837.64","qty":"0.2","commission":"1",
            "commissionAsset":"USDT","time":8,"isBuyer":false,"isMaker":true,"isBestMatch":true}]"#,
        ),
        _ => Reply::Close,
    })
    .await;
    let rig = rig_at(&server, PATIENT);
    let id = exit_order(1).terms().client_id;
    let OrderQuery::Found(reports) = rig.venue.query(InstrumentId(0), id).await.unwrap() else {
        panic!("found")
    };
    assert_eq!(kinds(&reports), ["accepted", "filled 56", "cancelled"]);
    assert!(reports.iter().all(|report| report.client_id == id));
}

#[tokio::test]
async fn an_order_the_venue_does_not_know_is_absent_and_not_refused() {
    let server = Server::start(|_| {
        Reply::Answer(
            400,
            r#"{"code":-2013,"msg":"Order does not exist."}"#.into(),
        )
    })
    .await;
    let rig = rig_at(&server, PATIENT);
    let id = exit_order(1).terms().client_id;
    let answer = rig.venue.query(InstrumentId(0), id).await.unwrap();
    assert!(matches!(answer, OrderQuery::Absent { .. }));
}
