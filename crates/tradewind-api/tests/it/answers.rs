//! What the routes answer, as people and programs read it.

use crate::common::client::Running;
use insta::assert_json_snapshot;

macro_rules! answers {
    ($($name:ident: $path:literal;)*) => {
        $(#[tokio::test]
        async fn $name() {
            let desk = Running::start().await;
            let got = desk.get($path).await;
            assert_eq!(got.status, 200, "{got:?}");
            assert_json_snapshot!(stringify!($name), got.json());
        })*
    };
}

answers! {
    status: "/api/v1/status";
    bots: "/api/v1/bots";
    bot: "/api/v1/bots/rsi-btc";
    open_orders: "/api/v1/orders";
    closed_orders: "/api/v1/orders?status=closed";
    fills: "/api/v1/fills";
    positions: "/api/v1/positions?bot=rsi-btc";
    balances_before_the_exchange_was_read: "/api/v1/balances";
    equity: "/api/v1/equity";
    candles: "/api/v1/candles?instrument=binance:BTC/USDT&bot=rsi-btc";
    risk: "/api/v1/risk";
    risk_events: "/api/v1/risk/events";
    feeds: "/api/v1/feeds";
    numbers: "/api/v1/numbers";
    targets: "/api/v1/targets";
    queues: "/api/v1/queues";
    why_a_bot: "/api/v1/why?bot=rsi-btc";
    logs: "/api/v1/logs?limit=1";
    config: "/api/v1/config";
    audit: "/api/v1/audit";
    tokens: "/api/v1/tokens";
}

#[tokio::test]
async fn balances_show_exchange_desk_and_difference() {
    let desk = Running::start().await;
    *desk.desk.venue_btc.lock().unwrap() = Some("1.02997".parse().unwrap());
    let got = desk.get("/api/v1/balances").await.json();
    assert_json_snapshot!("balances", got);
    *desk.desk.venue_btc.lock().unwrap() = Some("1.02998".parse().unwrap());
    let got = desk.get("/api/v1/balances").await.json();
    assert_eq!(got["equal"], false);
    assert_eq!(got["items"][0]["difference"], "0.00001");
}

#[tokio::test]
async fn trades_are_fills_by_the_exchanges_word() {
    let desk = Running::start().await;
    let fills = desk
        .get("/api/v1/fills?client_id=5457deadbeef00000001000000000007")
        .await;
    assert_eq!(desk.get("/api/v1/trades").await.json(), fills.json());
}

#[tokio::test]
async fn a_chain_of_causes_leads_from_a_fill_to_its_candle() {
    let desk = Running::start().await;
    let desk = &desk;
    let types = |path: &'static str| async move {
        let got = desk.get(path).await.json();
        assert_eq!(got["complete"], true, "{path}");
        let chain = got["chain"].as_array().unwrap().clone();
        let types = chain
            .iter()
            .map(|event| event["type"].as_str().unwrap().to_owned());
        types.collect::<Vec<_>>()
    };
    let whole = [
        "order_filled",
        "order_placed",
        "signal_generated",
        "candle_closed",
    ];
    assert_eq!(types("/api/v1/why?event=102.0").await, whole);
    assert_eq!(types("/api/v1/events/101.0").await, whole);
    let got = desk.get("/api/v1/events/7.0").await;
    assert_eq!((got.status, got.code().as_str()), (404, "unknown_event"));
}

#[tokio::test]
async fn history_comes_in_pages_that_neither_repeat_nor_skip() {
    let desk = Running::start().await;
    let mut seen = Vec::new();
    let mut path = "/api/v1/fills?limit=1".to_owned();
    loop {
        let got = desk.get(&path).await.json();
        let items = got["items"].as_array().unwrap();
        assert!(items.len() <= 1);
        seen.extend(
            items
                .iter()
                .map(|fill| fill["trade_id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = got["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/fills?limit=1&before={next}");
    }
    assert_eq!(seen, ["2", "1"]);
    for bad in ["limit=0", "limit=1001", "before=yesterday"] {
        let got = desk.get(&format!("/api/v1/fills?{bad}")).await;
        assert_eq!(
            (got.status, got.code().as_str()),
            (400, "bad_page"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn health_is_bare() {
    let desk = Running::start().await;
    let host = desk.host();
    let bare = |path| desk.ask_with("GET", path, &host, "", "");
    assert_eq!(bare("/healthz").await.body, "ok\n");
    let got = bare("/readyz").await;
    assert_eq!((got.status, got.body.as_str()), (200, "ready\n"));
    *desk.desk.ready.lock().unwrap() = false;
    let got = bare("/readyz").await;
    assert_eq!((got.status, got.body.as_str()), (503, "not ready\n"));
}

#[tokio::test]
async fn metrics_are_open_metrics() {
    let desk = Running::start().await;
    let got = desk.get("/metrics").await;
    assert!(
        got.head.contains("application/openmetrics-text"),
        "{}",
        got.head
    );
    for line in [
        "tradewind_seq 48213.0",
        "tradewind_equity{account=\"paper\"} 450012.3821",
        "tradewind_orders{state=\"partially_filled\"} 1.0",
        "tradewind_bots{state=\"running\"} 1.0",
        "tradewind_bot_lateness_seconds_max{bot=\"rsi-btc\"} 0.00184",
        "tradewind_queue_conflated_total{queue=\"lane.quotes\"} 108",
        "tradewind_feed_messages_total{feed=\"quotes\"} 30100",
        "tradewind_engine_thread_cpu_seconds_total 2.5",
        "tradewind_stage_seconds_bucket{le=\"0.000004\",stage=\"engine\"} 1",
        "tradewind_stage_seconds_count{stage=\"sse\"} 0",
        "# EOF",
    ] {
        assert!(
            got.body.lines().any(|one| one == line),
            "{line}\n{}",
            got.body
        );
    }
}

#[tokio::test]
async fn the_dashboard_or_a_page_that_says_how_to_get_it_is_served_without_a_token() {
    let desk = Running::start().await;
    for path in ["/", "/login?code=x", "/bots/rsi-btc"] {
        let got = desk.ask_with("GET", path, &desk.host(), "", "").await;
        assert_eq!(got.status, 200, "{path}");
        assert!(got.head.contains("content-type: text/html"), "{}", got.head);
        assert!(
            got.body.to_ascii_lowercase().contains("<!doctype html>"),
            "{}",
            got.body
        );
    }
    let got = desk
        .ask_with("GET", "/assets/gone.js", &desk.host(), "", "")
        .await;
    assert_eq!((got.status, got.code().as_str()), (404, "not_found"));
}

#[test]
fn the_contract_is_the_one_checked_in() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let now = tradewind_api::openapi_json();
    if std::env::var_os("TRADEWIND_UPDATE").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        now == checked_in,
        "docs/openapi.json is not what the routes say; TRADEWIND_UPDATE=1 writes it anew"
    );
}
