//! Requests that read: paged to the end, repeated when that can help, within the budget, on the venue's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use tradewind_model::{
    Amount, InstrumentId, Interval, OrderStatus, Price, Timestamp, TradeId, VenueOrderId,
};
use tradewind_venues::execution::CandleRange;
use tradewind_venues::{OrdersBlocked, VenueError};

use crate::http::{Asked, Reply, Server, ok};
use crate::orders::kinds;
use crate::rig::{Rig, START_MS, exit_order, rig};

const BTC: InstrumentId = InstrumentId(0);
const PATIENT: Duration = Duration::from_secs(20);

fn rig_at(server: &Server) -> Rig {
    rig(server.address, server.address, PATIENT)
}

fn parameter(request: &Asked, name: &str) -> Option<i64> {
    let mut pairs = request
        .query
        .split('&')
        .filter_map(|field| field.split_once('='));
    pairs.find(|(key, _)| *key == name)?.1.parse().ok()
}

#[tokio::test]
async fn a_read_is_repeated_after_a_failure_and_the_first_error_is_returned() {
    let times = AtomicUsize::new(0);
    let server = Server::start(move |_| match times.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Close,
        1 => Reply::Answer(503, "down".into()),
        _ => ok(r#"{"balances":[{"asset":"BTC","free":"1.5","locked":"0.25"}]}"#),
    })
    .await;
    let rig = rig_at(&server);
    let balances = rig.venue.account().await.unwrap();
    assert_eq!(balances[0].free, "1.5".parse::<Amount>().unwrap());
    assert_eq!(server.requests().len(), 3);

    let server = Server::start(|_| Reply::Answer(502, "bad gateway".into())).await;
    let rig = rig_at(&server);
    let error = rig.venue.account().await.unwrap_err();
    assert!(
        matches!(error, VenueError::Broken { status: 502, .. }),
        "{error}"
    );
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    let body = r#"{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}"#;
    let server = Server::start(move |_| Reply::Answer(401, body.into())).await;
    let error = rig_at(&server).venue.account().await.unwrap_err();
    assert_eq!(error.code(), Some(-2015));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_wrong_clock_is_put_right_and_the_request_made_again() {
    let ahead = START_MS + 3_600_000;
    let server = Server::start(move |request| match request.path.as_str() {
        "/api/v3/time" => ok(format!(r#"{{"serverTime":{ahead}}}"#)),
        _ if parameter(request, "timestamp") == Some(ahead) => ok(r#"{"balances":[]}"#),
        _ => Reply::Answer(
            400,
            r#"{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}"#
                .into(),
        ),
    })
    .await;
    let rig = rig_at(&server);
    assert_eq!(rig.venue.clock_uncertainty(), None);
    assert_eq!(rig.venue.account().await.unwrap(), []);
    assert_eq!(rig.venue.clock_offset_nanos(), 3_600_000_000_000);
    assert!(rig.venue.clock_uncertainty().is_some());
}

/// R24: a refused time stamp alone keeps no exit here; one whose clock cannot be read afterwards does, until it is read.
#[tokio::test]
async fn a_refused_time_stamp_blocks_orders_only_while_the_clock_cannot_be_read() {
    let is_silent = Arc::new(AtomicBool::new(false));
    let silent = Arc::clone(&is_silent);
    let server = Server::start(move |request| match request.path.as_str() {
        "/api/v3/time" if silent.load(Ordering::Relaxed) => Reply::Answer(502, "gone".into()),
        "/api/v3/time" => ok(format!(r#"{{"serverTime":{START_MS}}}"#)),
        _ => Reply::Answer(400, r#"{"code":-1021,"msg":"Timestamp."}"#.into()),
    })
    .await;
    let rig = rig_at(&server);
    assert!(rig.venue.account().await.is_err());
    assert_eq!(rig.venue.orders_blocked(), None, "its clock was read");
    is_silent.store(true, Ordering::Relaxed);
    assert!(rig.venue.server_time().await.is_err());
    assert_eq!(
        rig.venue.orders_blocked(),
        None,
        "no time stamp was refused since"
    );
    let id = exit_order(1).terms().client_id;
    assert!(!rig.venue.cancel(BTC, id).await.is_empty());
    assert_eq!(
        rig.venue.orders_blocked(),
        None,
        "it may be that this one was late"
    );
    assert!(rig.venue.server_time().await.is_err());
    assert_eq!(rig.venue.orders_blocked(), Some(OrdersBlocked::Clock));
    is_silent.store(false, Ordering::Relaxed);
    assert!(rig.venue.server_time().await.is_ok());
    assert_eq!(rig.venue.orders_blocked(), None);
}

#[tokio::test]
async fn v12_after_a_limit_the_budget_is_closed() {
    let server = Server::start(|_| {
        Reply::Headers(
            429,
            "Retry-After: 30\r\n",
            r#"{"code":-1003,"msg":"Too much."}"#.into(),
        )
    })
    .await;
    let rig = rig_at(&server);
    let first = rig.venue.account().await.unwrap_err();
    assert_eq!(first.code(), Some(-1003));
    let second = rig.venue.account().await.unwrap_err();
    assert!(matches!(second, VenueError::Limited(wait) if wait > Duration::from_secs(20)));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_cancel_waits_for_no_page_of_history() {
    let server = Server::start(|request| match request.path.as_str() {
        "/api/v3/klines" => Reply::Hang,
        _ => Reply::Answer(400, r#"{"code":-2011,"msg":"Unknown order sent."}"#.into()),
    })
    .await;
    let rig = rig_at(&server);
    let mut readers = JoinSet::new();
    for _ in 0..40 {
        let venue = Arc::clone(&rig.venue);
        readers.spawn(async move {
            let range = CandleRange::Latest(1);
            venue.candles(BTC, Interval::Minute1, range).await.is_ok()
        });
    }
    // As many as there are connections for what is not urgent.
    server.asked_times(16).await;
    let id = exit_order(1).terms().client_id;
    let reports = rig.venue.cancel(BTC, id).await;
    assert_eq!(kinds(&reports), ["cancel rejected -2011"]);
    assert_eq!(server.requests().len(), 17);
}

#[tokio::test]
async fn candles_come_closed_and_to_the_last_page() {
    // The venue has a candle each minute from 0; the one that is open now closes after the present.
    let open_minute = START_MS / 60_000 * 60_000;
    let server = Server::start(move |request| {
        let limit = parameter(request, "limit").unwrap();
        let newest = parameter(request, "endTime").unwrap_or(open_minute);
        let from = parameter(request, "startTime").unwrap_or(newest - (limit - 1) * 60_000);
        let row = |open: i64| {
            format!(
                r#"[{open},"1.00","3.00","0.50","2.00","10.5",{},"0",1,"0","0","0"]"#,
                open + 59_999
            )
        };
        let rows: Vec<String> = (0..limit)
            .map(|number| from + number * 60_000)
            .take_while(|open| *open <= newest)
            .map(row)
            .collect();
        ok(format!("[{}]", rows.join(",")))
    })
    .await;
    let rig = rig_at(&server);
    let latest = rig
        .venue
        .candles(BTC, Interval::Minute1, CandleRange::Latest(10))
        .await
        .unwrap();
    assert_eq!(latest.len(), 10);
    let last = latest.last().unwrap();
    assert_eq!(last.close_time(), Timestamp::from_millis(open_minute));
    assert_eq!(
        (last.high, last.volume),
        (Price(300), "10.5".parse().unwrap())
    );
    assert_eq!(server.requests().len(), 1);

    let many = rig
        .venue
        .candles(BTC, Interval::Minute1, CandleRange::Latest(2_500))
        .await
        .unwrap();
    assert_eq!(many.len(), 2_500);
    assert!(
        many.windows(2)
            .all(|pair| pair[0].close_time() == pair[1].open_time)
    );
    assert_eq!(many.last(), latest.last());
}

#[tokio::test]
async fn trades_are_paged_to_the_end_and_named_by_their_orders() {
    let ours = "54570000000100000001000000000001";
    let server = Server::start(move |request| match request.path.as_str() {
        "/api/v3/myTrades" => {
            let from = parameter(request, "fromId").unwrap();
            let trade = |id: i64| {
                format!(
                    r#"{{"symbol":"BTCUSDT","id":{id},"orderId":{},"price":"2.00","qty":"1","commission":"0.1",
                    "commissionAsset":"USDT","time":5,"isBuyer":true,"isMaker":false,"isBestMatch":true}}"#,
                    if id < 2_000 { 7 } else { 9 }
                )
            };
            let trades: Vec<String> = (from..2_300.min(from + 1_000)).map(trade).collect();
            ok(format!("[{}]", trades.join(",")))
        }
        _ => {
            let from = parameter(request, "orderId").unwrap();
            let orders = [(7, ours, "MARKET"), (9, "web_abc", "STOP_LOSS")];
            let orders = orders.iter().filter(|(id, ..)| *id >= from);
            let order = |(id, name, kind): &(i64, &str, &str)| {
                format!(
                    r#"{{"symbol":"BTCUSDT","orderId":{id},"clientOrderId":"{name}","origQty":"1","executedQty":"1",
                    "side":"BUY","status":"FILLED","type":"{kind}","time":4}}"#
                )
            };
            ok(format!("[{}]", orders.map(order).collect::<Vec<_>>().join(",")))
        }
    })
    .await;
    let rig = rig_at(&server);
    let fills = rig.venue.my_trades(BTC, TradeId(0)).await.unwrap();
    assert_eq!(fills.len(), 2_300);
    assert_eq!(fills[0].client_id.to_string(), ours);
    assert!(fills[0].client_id.is_ours() && !fills[2_299].client_id.is_ours());

    let orders = rig.venue.orders_since(BTC, VenueOrderId(1)).await.unwrap();
    assert_eq!(orders[1].client_id, fills[2_299].client_id);
    assert_eq!(
        (orders[1].kind, orders[1].status),
        (None, OrderStatus::Filled)
    );
}

#[tokio::test]
async fn instruments_get_ids_in_the_requested_order_and_missing_ones_are_named() {
    let symbol = |name: &str, base: &str| {
        format!(
            r#"{{"symbol":"{name}","status":"TRADING","baseAsset":"{base}","quoteAsset":"USDT","filters":[
            {{"filterType":"PRICE_FILTER","minPrice":"0.01","maxPrice":"0","tickSize":"0.01"}},
            {{"filterType":"LOT_SIZE","minQty":"0.1","maxQty":"9000","stepSize":"0.1"}}]}}"#
        )
    };
    let all = format!(
        r#"{{"symbols":[{},{}]}}"#,
        symbol("ETHUSDT", "ETH"),
        symbol("BTCUSDT", "BTC")
    );
    let server = Server::start(move |request| {
        if request.query.contains("NOPE") {
            Reply::Answer(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#.into())
        } else {
            ok(all.clone())
        }
    })
    .await;
    let rig = rig_at(&server);
    let error = rig
        .venue
        .instruments(&["BTC/USDT", "NOPE/USDT", "NOPE2/USDT"])
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "binance does not list NOPE/USDT, NOPE2/USDT"
    );
    let instruments = rig
        .venue
        .instruments(&["BTC/USDT", "ethusdt"])
        .await
        .unwrap();
    let named: Vec<(u32, &str)> = instruments
        .iter()
        .map(|instrument| (instrument.id.0, instrument.name.as_str()))
        .collect();
    assert_eq!(named, [(0, "binance:BTC/USDT"), (1, "binance:ETH/USDT")]);
    assert_eq!(rig.venue.changed_instruments().await.unwrap(), []);
}

#[tokio::test]
async fn open_orders_of_others_are_there_too() {
    let server = Server::start(|_| {
        ok(r#"[{"symbol":"BTCUSDT","orderId":1,"clientOrderId":"by hand","price":"0.1","origQty":"1.0","executedQty":"0.0",
        "status":"NEW","timeInForce":"GTC","type":"LIMIT","side":"BUY","time":1499827319559},
        {"symbol":"DOGEUSDT","orderId":2,"clientOrderId":"elsewhere","side":"BUY"}]"#)
    })
    .await;
    let orders = rig_at(&server).venue.open_orders().await.unwrap();
    assert_eq!(orders.len(), 1);
    assert!(!orders[0].client_id.is_ours());
    assert_eq!(orders[0].status, OrderStatus::Accepted);
}
