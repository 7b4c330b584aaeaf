//! Orders and trades of the past, read to their end, and what a key may do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tradewind_model::{Fill, InstrumentId, ReportKind, Timestamp, TradeId, VenueOrderId};
use tradewind_venues::VenueError;
use tradewind_venues::binance::{KeyRefusal, UnfitKey};
use tradewind_venues::execution::OrderQuery;

use crate::http::{Asked, Reply, Server, ok};
use crate::rig::{Rig, exit_order, rig};

const BTC: InstrumentId = InstrumentId(0);
const DAY_MS: i64 = 24 * 3600 * 1_000;

fn rig_at(server: &Server) -> Rig {
    rig(server.address, server.address, Duration::from_secs(5))
}

fn number(request: &Asked, name: &str) -> Option<i64> {
    let mut pairs = request
        .query
        .split('&')
        .filter_map(|field| field.split_once('='));
    pairs.find(|(key, _)| *key == name)?.1.parse().ok()
}

/// Order and trade number `id` are one; it happened at `id` times `apart_ms`.
fn entry(request: &Asked, id: i64, apart_ms: i64) -> String {
    let at = id * apart_ms;
    if request.path.ends_with("myTrades") {
        format!(
            r#"{{"symbol":"BTCUSDT","id":{id},"orderId":{id},"price":"2.00","qty":"1","commission":"0.1",
            "commissionAsset":"USDT","time":{at},"isBuyer":true,"isMaker":false,"isBestMatch":true}}"#
        )
    } else {
        format!(
            r#"{{"symbol":"BTCUSDT","orderId":{id},"clientOrderId":"{id:032x}","origQty":"1","executedQty":"1","side":"BUY",
            "status":"FILLED","type":"MARKET","time":{at}}}"#
        )
    }
}

/// A venue with entries 1 to `last`. It never returns more than `page` of them, whatever the limit.
async fn venue(last: i64, page: i64, apart_ms: i64) -> Server {
    Server::start(move |request| {
        let from = number(request, "fromId").or_else(|| number(request, "orderId"));
        let first = from.unwrap_or_else(|| {
            let start = number(request, "startTime").unwrap();
            let end = number(request, "endTime").unwrap();
            assert!(end - start < DAY_MS, "no more than 24 h at once");
            let first = (start + apart_ms - 1) / apart_ms;
            if first * apart_ms <= end {
                first
            } else {
                last + 1
            }
        });
        let first = first.max(1);
        let count = page.min(number(request, "limit").unwrap());
        let entries = (first..=last.min(first + count - 1)).map(|id| entry(request, id, apart_ms));
        ok(format!("[{}]", entries.collect::<Vec<_>>().join(",")))
    })
    .await
}

#[tokio::test]
async fn v05_a_short_page_is_not_taken_for_the_last() {
    for (last, page) in [
        (0, 1_000),
        (999, 1_000),
        (1_000, 1_000),
        (2_300, 1_000),
        (57, 7),
        (7, 7),
    ] {
        let server = venue(last, page, 1).await;
        let rig = rig_at(&server);
        let orders = rig.venue.orders_since(BTC, VenueOrderId(0)).await.unwrap();
        let ids: Vec<u64> = orders.iter().map(|order| order.venue_order_id.0).collect();
        let wanted: Vec<u64> = (1..=u64::try_from(last).unwrap()).collect();
        assert_eq!(ids, wanted, "{last} in pages of {page}");
        let fills = rig.venue.my_trades(BTC, TradeId(0)).await.unwrap();
        let ids: Vec<u64> = fills.iter().map(|fill| fill.trade_id.0).collect();
        assert_eq!(ids, wanted, "{last} in pages of {page}");
        assert!(
            fills
                .iter()
                .all(|fill| fill.client_id.0 == u128::from(fill.trade_id.0))
        );
    }
}

/// What an order is called is looked up once: the list of orders weighs as much as that of trades.
#[tokio::test]
async fn an_order_whose_name_is_known_is_not_looked_up() {
    let lookups = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&lookups);
    let server = Server::start(move |request| {
        let first = number(request, "fromId").or(number(request, "orderId"));
        if request.path.ends_with("allOrders") {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        let entries = (first.unwrap().max(1)..=3).map(|id| entry(request, id, 1));
        ok(format!("[{}]", entries.collect::<Vec<_>>().join(",")))
    })
    .await;
    let rig = rig_at(&server);
    for (from, wanted) in [(1, 1), (3, 1), (1, 1)] {
        let fills = rig.venue.my_trades(BTC, TradeId(from)).await.unwrap();
        let named = |fill: &Fill| fill.client_id.0 == u128::from(fill.trade_id.0);
        assert!(fills.iter().all(named));
        assert_eq!(lookups.load(Ordering::SeqCst), wanted, "from {from}");
    }
}

/// Both sides of a trade with oneself have one number: two entries, and neither is a page out of order.
#[tokio::test]
async fn both_sides_of_a_trade_with_oneself_are_read() {
    let server = Server::start(|request| {
        let entries = [1, 2, 2, 3].map(|id| entry(request, id, 1));
        let all = number(request, "fromId").is_none_or(|from| from <= 1);
        ok(if all && request.path.ends_with("myTrades") {
            format!("[{}]", entries.join(","))
        } else {
            "[]".to_owned()
        })
    })
    .await;
    let trades = rig_at(&server).venue.my_trades(BTC, TradeId(1)).await;
    let ids: Vec<u64> = trades.unwrap().iter().map(|fill| fill.trade_id.0).collect();
    assert_eq!(ids, [1, 2, 2, 3]);
}

#[tokio::test]
async fn v05_a_page_that_cannot_be_read_on_from_is_an_error() {
    for page in [[3, 2], [2, 2], [1, 2]] {
        let server = Server::start(move |request| {
            let entries = page.map(|id| entry(request, id, 1));
            ok(format!("[{}]", entries.join(",")))
        })
        .await;
        let read = rig_at(&server)
            .venue
            .orders_since(BTC, VenueOrderId(2))
            .await;
        assert!(
            matches!(read, Err(VenueError::Unreadable { .. })),
            "{page:?}: {read:?}"
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_span_of_days_is_found_day_by_day_and_read_by_number() {
    // An entry every 7 hours: 34 of them begin in the ten days from the third on.
    const APART_MS: i64 = 7 * 3600 * 1_000;
    let server = venue(200, 10, APART_MS).await;
    let rig = rig_at(&server);
    let (start, end) = (
        Timestamp::from_millis(3 * DAY_MS),
        Timestamp::from_millis(13 * DAY_MS),
    );
    let wanted: Vec<i64> = (1..=200)
        .filter(|id| (3 * DAY_MS..13 * DAY_MS).contains(&(id * APART_MS)))
        .collect();
    let orders = rig.venue.orders_between(BTC, start, end).await.unwrap();
    let ids: Vec<i64> = orders
        .iter()
        .map(|order| order.venue_order_id.0.cast_signed())
        .collect();
    assert_eq!(ids, wanted);
    let fills = rig.venue.trades_between(BTC, start, end).await.unwrap();
    let ids: Vec<i64> = fills
        .iter()
        .map(|fill| fill.trade_id.0.cast_signed())
        .collect();
    assert_eq!(ids, wanted);

    let after = Timestamp::from_millis(300 * APART_MS);
    let none = rig
        .venue
        .trades_between(BTC, after, after + Duration::from_secs(3 * 86_400));
    assert_eq!(none.await.unwrap(), []);
}

/// An order of which 5 was executed, in trades of 1 that come `page` at a time and of which there are `kept`.
async fn executed_five(kept: i64, page: i64) -> Server {
    Server::start(move |request| {
        if request.path.ends_with("/order") {
            return ok(r#"{"symbol":"BTCUSDT","orderId":7,"clientOrderId":"x","price":"2","origQty":"5","executedQty":"5",
                "status":"FILLED","timeInForce":"GTC","type":"LIMIT","side":"BUY","time":7,"updateTime":8}"#);
        }
        let first = number(request, "fromId").unwrap_or(1);
        let entries = (first..=kept.min(first + page - 1)).map(|id| entry(request, id, 1));
        ok(format!("[{}]", entries.collect::<Vec<_>>().join(",")))
    })
    .await
}

#[tokio::test]
async fn v05_an_orders_trades_are_read_until_they_make_up_what_was_executed() {
    let id = exit_order(1).terms().client_id;
    for (page, requests) in [(1_000, 2), (5, 2), (2, 4)] {
        let server = executed_five(5, page).await;
        let found = rig_at(&server).venue.query(BTC, id).await.unwrap();
        let OrderQuery::Found(reports) = found else {
            panic!("found")
        };
        let fills = reports
            .iter()
            .filter(|report| matches!(report.kind, ReportKind::Filled(_)));
        assert_eq!(fills.count(), 5);
        assert_eq!(server.requests().len(), requests);
    }
    let server = executed_five(4, 1_000).await;
    let read = rig_at(&server).venue.query(BTC, id).await;
    assert!(matches!(read, Err(VenueError::Incomplete(_))), "{read:?}");
}

#[tokio::test]
async fn v05_an_archived_order_is_reported() {
    let server = Server::start(|_| {
        let body = r#"{"code":-2026,"msg":"Order was canceled or expired with no executed qty over 90 days ago and has been archived."}"#;
        Reply::Answer(400, body.to_owned())
    })
    .await;
    let id = exit_order(1).terms().client_id;
    let read = rig_at(&server).venue.query(BTC, id).await.unwrap();
    assert_eq!(read, OrderQuery::Archived);
}

#[tokio::test]
async fn x07_a_key_is_refused_for_what_it_may_do_and_for_what_is_not_told() {
    let answer = |ip: bool, withdrawals: bool| {
        format!(
            r#"{{"ipRestrict":{ip},"createTime":1,"enableReading":true,"enableSpotAndMarginTrading":true,
            "enableWithdrawals":{withdrawals},"enableMargin":false}}"#
        )
    };
    let cases = [
        (200, answer(true, false), "fit"),
        (200, answer(true, true), "MayWithdraw"),
        (200, answer(false, false), "AnyAddress"),
        (404, "<html>".to_owned(), "NotTold"),
        // Nothing that is missing counts as harmless.
        (
            200,
            r#"{"ipRestrict":true,"enableReading":true,"enableSpotAndMarginTrading":true}"#
                .to_owned(),
            "unasked",
        ),
        (200, "{}".to_owned(), "unasked"),
        (
            401,
            r#"{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}"#.to_owned(),
            "unasked",
        ),
    ];
    for (status, body, wanted) in cases {
        let said = body.clone();
        let server = Server::start(move |_| Reply::Answer(status, body.clone())).await;
        let got = match rig_at(&server).venue.check_key().await {
            Ok(()) => "fit".to_owned(),
            Err(KeyRefusal::Unfit(reason)) => format!("{reason:?}"),
            Err(_) => "unasked".to_owned(),
        };
        assert_eq!(got, wanted, "{status} {said}");
    }
    assert!(
        UnfitKey::NotTold
            .to_string()
            .contains("does not count as live")
    );
}
