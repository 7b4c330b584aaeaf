//! Commands: what reaches the desk, and what does not.

use crate::common::client::{Running, TOKEN};
use crate::common::world::{BTC, ETH, ORDER};
use tradewind_api::DeskError;
use tradewind_events::{Action, CommandResult, Principal, StopMode};
use tradewind_model::{AccountId, BotId, OrderKind, Price, Quantity, Side, TimeInForce, VenueId};
use tradewind_risk::Scope;

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
async fn check(method: &str, path: &str, body: &str, wanted: Action) {
    let desk = Running::start().await;
    *desk.desk.answer.lock().unwrap() = Ok(CommandResult::Accepted(Some(ORDER)));
    let got = desk.ask(method, path, body).await;
    assert_eq!(got.status, 200, "{got:?}");
    assert_eq!(got.json()["accepted"], true);
    assert_eq!(got.json()["client_id"], ORDER.to_string());
    let commands = desk.desk.commands.lock().unwrap();
    let [command] = commands.as_slice() else {
        panic!("one command: {commands:?}");
    };
    assert_eq!(command.action, wanted);
    assert_eq!(command.principal, Principal::Token("operator".into()));
    let ageless = matches!(
        wanted,
        Action::StopBot { .. } | Action::Kill { .. } | Action::KillScope { .. }
    );
    assert_eq!(command.expires_at.is_none(), ageless);
}

#[tokio::test]
async fn each_request_becomes_its_command() {
    let bot = BotId(0);
    check(
        "POST",
        "/api/v1/bots/rsi-btc/start",
        "",
        Action::StartBot(bot),
    )
    .await;
    check(
        "POST",
        "/api/v1/bots/rsi-btc/pause",
        "",
        Action::PauseBot(bot),
    )
    .await;
    let stop = |mode| Action::StopBot { bot, mode };
    check(
        "POST",
        "/api/v1/bots/rsi-btc/stop",
        "",
        stop(StopMode::Keep),
    )
    .await;
    let close = r#"{"mode":"close"}"#;
    check(
        "POST",
        "/api/v1/bots/rsi-btc/stop",
        close,
        stop(StopMode::Close),
    )
    .await;
    let cancel = format!("/api/v1/orders/{ORDER}");
    check("DELETE", &cancel, "", Action::CancelOrder(ORDER)).await;
    let closing = |bot| Action::ClosePosition {
        account: AccountId(0),
        bot,
        instrument: BTC,
    };
    let position = r#"{"instrument":"binance:BTC/USDT","bot":"rsi-btc"}"#;
    check(
        "POST",
        "/api/v1/positions/close",
        position,
        closing(Some(bot)),
    )
    .await;
    let position = r#"{"instrument":"binance:BTC/USDT"}"#;
    check("POST", "/api/v1/positions/close", position, closing(None)).await;
    let scope = Scope::Venue(VenueId(0));
    let reason = "drill".into();
    let part = r#"{"reason":"drill","scope":{"kind":"venue","name":"binance"}}"#;
    check(
        "POST",
        "/api/v1/kill",
        part,
        Action::KillScope { scope, reason },
    )
    .await;
    let kill = Action::Kill {
        reason: "drill".into(),
        flatten: true,
        include_external: true,
    };
    check(
        "POST",
        "/api/v1/kill",
        r#"{"reason":"drill","flatten":true,"include_external":true}"#,
        kill,
    )
    .await;
}

#[tokio::test]
async fn an_order_is_read_to_the_digit() {
    let order = |kind| Action::PlaceOrder {
        account: AccountId(0),
        instrument: ETH,
        side: Side::Sell,
        quantity: Quantity(150_000),
        kind,
    };
    let body =
        r#"{"instrument":"binance:ETH/USDT","side":"sell","type":"market","quantity":"1.5"}"#;
    check("POST", "/api/v1/orders", body, order(OrderKind::Market)).await;
    let limit = OrderKind::Limit {
        price: Price(250_010),
        time_in_force: TimeInForce::ImmediateOrCancel,
    };
    let body = r#"{"instrument":"binance:ETH/USDT","side":"sell","type":"limit","quantity":"1.5","price":"2500.1",
                   "time_in_force":"immediate_or_cancel","account":"paper"}"#;
    check("POST", "/api/v1/orders", body, order(limit)).await;
    let maker = OrderKind::PostOnly {
        price: Price(250_010),
    };
    let body = r#"{"instrument":"binance:ETH/USDT","side":"sell","type":"post_only","quantity":"1.5","price":"2500.10"}"#;
    check("POST", "/api/v1/orders", body, order(maker)).await;
}

#[tokio::test]
async fn a_bad_request_reaches_nobody() {
    let desk = Running::start().await;
    let order = |rest: &str| format!(r#"{{"instrument":"binance:BTC/USDT","side":"buy",{rest}}}"#);
    let cases = [
        (
            "/api/v1/orders",
            order(r#""type":"market","quantity":"0.000001""#),
            "bad_number",
        ),
        (
            "/api/v1/orders",
            order(r#""type":"market","quantity":"1e3""#),
            "bad_number",
        ),
        (
            "/api/v1/orders",
            order(r#""type":"limit","quantity":"1","price":"1.001""#),
            "bad_number",
        ),
        (
            "/api/v1/orders",
            order(r#""type":"limit","quantity":"1""#),
            "bad_request",
        ),
        (
            "/api/v1/orders",
            order(r#""type":"market","quantity":"1","price":"1""#),
            "bad_request",
        ),
        (
            "/api/v1/orders",
            order(r#""type":"market","quantity":1"#),
            "bad_request",
        ),
        (
            "/api/v1/orders",
            order(r#""type":"stop","quantity":"1""#),
            "bad_request",
        ),
        (
            "/api/v1/orders",
            order(r#""type":"market","quantity":"1","hold":1"#),
            "bad_request",
        ),
        (
            "/api/v1/orders",
            order(r#""type":"market","quantity":"1","account":"live""#),
            "unknown_account",
        ),
        (
            "/api/v1/positions/close",
            r#"{"instrument":"binance:XRP/USDT"}"#.into(),
            "unknown_instrument",
        ),
        (
            "/api/v1/positions/close",
            r#"{"instrument":"binance:BTC/USDT","bot":"x"}"#.into(),
            "unknown_bot",
        ),
        ("/api/v1/bots/x/start", String::new(), "unknown_bot"),
        (
            "/api/v1/bots/rsi-btc/stop",
            r#"{"mode":"sell"}"#.into(),
            "bad_request",
        ),
        ("/api/v1/kill", r#"{"reason":"  "}"#.into(), "bad_request"),
        ("/api/v1/kill", "{".into(), "bad_request"),
        (
            "/api/v1/reset",
            r#"{"reason":"x","nonce":"x"}"#.into(),
            "bad_nonce",
        ),
    ];
    for (path, body, code) in cases {
        let got = desk.ask("POST", path, &body).await;
        assert!((400..500).contains(&got.status), "{body}: {got:?}");
        assert_eq!(got.code(), code, "{path} {body}");
    }
    let got = desk.ask("DELETE", "/api/v1/orders/XYZ", "").await;
    assert_eq!((got.status, got.code().as_str()), (400, "bad_request"));
    assert!(desk.desk.actions().is_empty());
}

#[tokio::test]
async fn a_person_clears_what_risk_holds_back() {
    let desk = Running::start().await;
    let body = r#"{"scope":{"kind":"bot","name":"rsi-btc"},"reason":"looked at it"}"#;
    let got = desk.ask("POST", "/api/v1/risk/clear", body).await;
    assert_eq!(got.status, 200, "{got:?}");
    let cases = [
        (
            r#"{"scope":{"kind":"bot","name":"x"},"reason":"y"}"#,
            "unknown_bot",
        ),
        (
            r#"{"scope":{"kind":"bot","name":null},"reason":"y"}"#,
            "bad_request",
        ),
        (
            r#"{"scope":{"kind":"desk","name":null},"reason":" "}"#,
            "bad_request",
        ),
    ];
    for (body, code) in cases {
        assert_eq!(
            desk.ask("POST", "/api/v1/risk/clear", body).await.code(),
            code
        );
    }
    let clear = Action::ClearRisk {
        scope: tradewind_risk::Scope::Bot(BotId(0)),
        reason: "looked at it".into(),
    };
    assert_eq!(desk.desk.actions(), [clear]);
}

#[tokio::test]
async fn the_same_key_is_the_same_command() {
    let desk = Running::start().await;
    for key in ["a", "a", "b"] {
        let head = format!("Authorization: Bearer {TOKEN}\r\nIdempotency-Key: {key}\r\n");
        let path = "/api/v1/bots/rsi-btc/start";
        let got = desk.ask_with("POST", path, &desk.host(), &head, "").await;
        assert_eq!(got.status, 200);
    }
    let commands = desk.desk.commands.lock().unwrap();
    assert_eq!(commands[0].id, commands[1].id);
    assert_ne!(commands[0].id, commands[2].id);
}

#[tokio::test]
async fn a_reset_wants_a_fresh_nonce_each_time() {
    let desk = Running::start().await;
    let nonce = desk.get("/api/v1/reset").await.json()["nonce"].clone();
    let body = format!(r#"{{"reason":"drill over","nonce":{nonce}}}"#);
    let got = desk.ask("POST", "/api/v1/reset", &body).await;
    assert_eq!(got.status, 200, "{got:?}");
    let got = desk.ask("POST", "/api/v1/reset", &body).await;
    assert_eq!((got.status, got.code().as_str()), (403, "bad_nonce"));
    let nonce = desk.get("/api/v1/reset").await.json()["nonce"].clone();
    let scope = r#"{"kind":"bot","name":"rsi-btc"}"#;
    let body = format!(r#"{{"reason":"drill over","nonce":{nonce},"scope":{scope}}}"#);
    let got = desk.ask("POST", "/api/v1/reset", &body).await;
    assert_eq!(got.status, 200, "{got:?}");
    let [Action::Reset { reason }, Action::ResetScope { scope, .. }] = &desk.desk.actions()[..]
    else {
        panic!("{:?}", desk.desk.actions());
    };
    assert_eq!(reason, "drill over");
    assert!(matches!(scope, Scope::Bot(_)));
}

/// H04, H05: whether a kill is durable, and how much is still open.
#[tokio::test]
async fn a_kill_tells_whether_it_is_durable_and_what_is_open() {
    let desk = Running::start().await;
    *desk.desk.answer.lock().unwrap() = Ok(CommandResult::Killed {
        open_orders: 3,
        durable: false,
    });
    let got = desk
        .ask("POST", "/api/v1/kill", r#"{"reason":"drill"}"#)
        .await
        .json();
    assert_eq!(
        (&got["durable"], &got["open_orders"]),
        (&false.into(), &3.into())
    );
}

#[tokio::test]
async fn a_refusal_a_timeout_and_an_absence_are_told_apart() {
    let desk = Running::start().await;
    let refused = "R13: position could reach 5210, at most 5000 allowed";
    let cases = [
        (Ok(CommandResult::Refused(refused.into())), 409, "refused"),
        (Err(DeskError::Timeout), 504, "timeout"),
        (
            Err(DeskError::Unavailable("the engine".into())),
            503,
            "unavailable",
        ),
    ];
    for (answer, status, code) in cases {
        *desk.desk.answer.lock().unwrap() = answer;
        let got = desk.ask("POST", "/api/v1/bots/rsi-btc/start", "").await;
        assert_eq!((got.status, got.code().as_str()), (status, code));
    }
    let got = desk
        .get("/api/v1/candles?instrument=binance:ETH/USDT")
        .await;
    assert_eq!((got.status, got.code().as_str()), (503, "unavailable"));
}

#[tokio::test]
async fn errors_have_one_shape() {
    let desk = Running::start().await;
    let large = format!(r#"{{"reason":"{}"}}"#, "x".repeat(1024 * 1024));
    let cases = [
        ("GET", "/api/v1/nothing", "", 404, "not_found"),
        ("GET", "/api/v1/bots/x", "", 404, "unknown_bot"),
        ("PUT", "/api/v1/orders", "", 405, "method_not_allowed"),
        ("POST", "/", "", 405, "method_not_allowed"),
        ("POST", "/api/v1/kill", &large, 413, "body_too_large"),
        (
            "POST",
            "/api/v1/kill",
            r#"{"reason":"drill","scope":{"kind":"venue","name":"x"}}"#,
            404,
            "unknown_venue",
        ),
        (
            "POST",
            "/api/v1/kill",
            r#"{"reason":"drill","flatten":true,"scope":{"kind":"venue","name":"binance"}}"#,
            400,
            "bad_request",
        ),
        ("GET", "/api/v1/orders?status=half", "", 400, "bad_request"),
        ("GET", "/api/v1/fills?bots=x", "", 400, "bad_request"),
        ("GET", "/api/v1/candles", "", 400, "bad_request"),
        (
            "GET",
            "/api/v1/candles?instrument=binance:BTC/USDT&interval=7m",
            "",
            400,
            "bad_request",
        ),
        ("GET", "/api/v1/why", "", 400, "bad_request"),
        (
            "GET",
            "/api/v1/events?types=order_filed",
            "",
            400,
            "bad_request",
        ),
        ("GET", "/api/v1/equity?since=noon", "", 400, "bad_request"),
    ];
    for (method, path, body, status, code) in cases {
        let got = desk.ask(method, path, body).await;
        assert_eq!(
            (got.status, got.code().as_str()),
            (status, code),
            "{method} {path}"
        );
    }
    let head = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: text/plain\r\n");
    let got = desk
        .ask_with("POST", "/api/v1/kill", &desk.host(), &head, "{}")
        .await;
    assert_eq!(
        (got.status, got.code().as_str()),
        (415, "unsupported_media_type")
    );
}
