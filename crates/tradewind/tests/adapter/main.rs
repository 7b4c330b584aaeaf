//! The adapter and the simulated exchange, which share no code above the vocabulary, meet here on a socket: every kind of
//! message that the exchange sends to a desk is read, over both ways of entering orders.
//!
//! What is compared are three tellings of the same: the answers to requests, the account's stream, and the history.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod orders;
mod world;

use tradewind_model::{
    ExecutionReport, Fill, OrderKind, Price, Quantity, ReportKind, Side, TimeInForce, TradeId,
    VenueOrderId,
};
use tradewind_risk::ApprovedOrder;
use tradewind_venues::Topic;
use tradewind_venues::binance::{IfCancelFails, OrderEntry};
use tradewind_venues::execution::OrderQuery;

use crate::world::{BTC, World};

/// Reports in words.
fn words(reports: &[ExecutionReport]) -> String {
    let word = |report: &ExecutionReport| match &report.kind {
        ReportKind::Filled(_) => "filled".to_owned(),
        ReportKind::Rejected(reason) => format!("rejected {}", reason.code),
        ReportKind::CancelRejected(reason) => format!("cancel rejected {}", reason.code),
        other => format!("{other:?}").to_lowercase(),
    };
    let mut words: Vec<String> = reports.iter().map(word).collect();
    words.dedup();
    words.join(", ")
}

fn fills(reports: &[ExecutionReport]) -> Vec<Fill> {
    let fill = |report: &ExecutionReport| match &report.kind {
        ReportKind::Filled(fill) => Some(*fill),
        _ => None,
    };
    reports.iter().filter_map(fill).collect()
}

/// Orders and what is to become of them.
fn cases(world: &World) -> [(Side, OrderKind, Quantity, &'static str); 7] {
    let quote = world.quote();
    let far = Price(quote.bid.0 - quote.bid.0 / 50);
    let through = Price(quote.ask.0 + quote.ask.0 / 50);
    let little = Quantity(100);
    let limit = |price, time_in_force| OrderKind::Limit {
        price,
        time_in_force,
    };
    [
        (Side::Buy, OrderKind::Market, little, "accepted, filled"),
        (Side::Sell, OrderKind::Market, little, "accepted, filled"),
        (
            Side::Buy,
            limit(through, TimeInForce::GoodTillCancel),
            little,
            "accepted, filled",
        ),
        (
            Side::Buy,
            limit(far, TimeInForce::ImmediateOrCancel),
            little,
            "accepted, expired",
        ),
        (
            Side::Buy,
            limit(far, TimeInForce::FillOrKill),
            little,
            "accepted, expired",
        ),
        (
            Side::Buy,
            OrderKind::PostOnly { price: through },
            little,
            "rejected -2010",
        ),
        (
            Side::Buy,
            limit(far, TimeInForce::GoodTillCancel),
            Quantity(2_000_000),
            "rejected -2010",
        ),
    ]
}

async fn walk(entry: OrderEntry) {
    let mut world = World::start(entry).await;
    world.venue.check_key().await.unwrap();
    world
        .heard(|heard| {
            let kinds = ["quote", "trade", "depth", "resync"];
            kinds.iter().all(|kind| heard.count(kind) > 0)
        })
        .await;

    let mut told = Vec::new();
    for (side, kind, quantity, wanted) in cases(&world) {
        let order = world.order(side, kind, quantity);
        let reports = world.venue.submit(&order).await;
        assert_eq!(words(&reports), wanted, "{kind:?}");
        let asked = world
            .venue
            .query(BTC, order.terms().client_id)
            .await
            .unwrap();
        match asked {
            OrderQuery::Found(found) => {
                assert_eq!(fills(&found), fills(&reports), "{kind:?}");
                assert_eq!(words(&found), wanted);
            }
            OrderQuery::Absent { .. } => assert!(wanted.starts_with("rejected")),
            OrderQuery::Archived => panic!("it is of today"),
        }
        told.extend(fills(&reports));
    }

    // Three tellings of the same fills.
    let ids = |fills: &[Fill]| fills.iter().map(|fill| fill.trade_id).collect::<Vec<_>>();
    world.heard(|heard| ids(&heard.fills()) == ids(&told)).await;
    assert_eq!(world.fills(), told);
    assert_eq!(world.venue.my_trades(BTC, TradeId(0)).await.unwrap(), told);

    rest_and_cancel(&world).await;
    history(&world).await;
    world.stop().await;
}

/// Resting orders: one is cancelled, one replaced and then cancelled, all seen from outside.
async fn rest_and_cancel(world: &World) {
    let far = world.quote().bid;
    let kind = OrderKind::PostOnly {
        price: Price(far.0 - far.0 / 50),
    };
    let [first, second, third] =
        [1, 2, 3].map(|count| world.order(Side::Buy, kind, Quantity(count * 100)));
    for order in [&first, &second] {
        assert_eq!(words(&world.venue.submit(order).await), "accepted");
    }
    let cancelled = world.venue.cancel(BTC, first.terms().client_id).await;
    assert_eq!(cancelled[0].kind, ReportKind::Cancelled);
    let again = world.venue.cancel(BTC, first.terms().client_id).await;
    assert_eq!(words(&again), "cancel rejected -2011");

    replace(world, &second, &third).await;
}

/// V10: two orders, two fates, as the exchange tells them.
async fn replace(world: &World, second: &ApprovedOrder, third: &ApprovedOrder) {
    let kind = second.terms().kind;
    let old = second.terms().client_id;
    let replaced = world.venue.replace(old, third, IfCancelFails::Stop).await;
    assert_eq!(words(&replaced.cancelled), "cancelled");
    assert_eq!(words(&replaced.placed), "accepted");
    let open = world.venue.open_orders().await.unwrap();
    let open: Vec<_> = open.iter().map(|order| order.client_id).collect();
    assert_eq!(open, [third.terms().client_id]);

    // V10: what is gone cannot be cancelled, and its replacement is then not placed.
    let fourth = world.order(Side::Buy, kind, Quantity(400));
    let failed = world.venue.replace(old, &fourth, IfCancelFails::Stop).await;
    assert_eq!(words(&failed.cancelled), "cancel rejected -2011");
    assert_eq!(words(&failed.placed), "rejected -2022");
    let half = world.order(Side::Buy, kind, Quantity(500));
    let placed = world.venue.replace(old, &half, IfCancelFails::Place).await;
    assert_eq!(words(&placed.cancelled), "cancel rejected -2011");
    assert_eq!(words(&placed.placed), "accepted");
    for order in [*third, half] {
        let cancelled = world.venue.cancel(BTC, order.terms().client_id).await;
        assert_eq!(cancelled[0].kind, ReportKind::Cancelled);
    }
    world.heard(|heard| heard.count("cancelled") >= 4).await;
}

async fn history(world: &World) {
    let all = world
        .venue
        .orders_since(BTC, VenueOrderId(0))
        .await
        .unwrap();
    assert!(all.len() >= 7, "{all:?}");
    let (first, last) = (all[0].placed_at, all[all.len() - 1].placed_at);
    let end = last + std::time::Duration::from_millis(1);
    let between = world.venue.orders_between(BTC, first, end).await.unwrap();
    assert_eq!(between, all);
    let trades = world.venue.my_trades(BTC, TradeId(0)).await.unwrap();
    let between = world.venue.trades_between(BTC, first, end).await.unwrap();
    assert_eq!(between, trades);
    assert!(!world.venue.account().await.unwrap().is_empty());
    assert_eq!(world.venue.changed_instruments().await.unwrap(), []);
}

#[tokio::test]
async fn everything_the_exchange_says_is_read_with_orders_over_rest() {
    world::within_a_minute(walk(OrderEntry::Rest)).await;
}

#[tokio::test]
async fn everything_the_exchange_says_is_read_with_orders_over_the_websocket_api() {
    world::within_a_minute(walk(OrderEntry::WebSocket)).await;
}

/// The topics a desk subscribes to, all kinds.
fn topics() -> [Topic; 4] {
    [
        Topic::Quotes(BTC),
        Topic::Trades(BTC),
        Topic::Depth(BTC),
        Topic::Candles(BTC, tradewind_model::Interval::Minute1),
    ]
}
