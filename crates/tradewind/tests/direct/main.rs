//! The desk's engine and executor trade on the matching core linked directly: no socket, no task, a virtual clock.
//!
//! It proves the seam: [`ExecutionVenue`](tradewind_venues::execution::ExecutionVenue) has a second implementation, which
//! answers late, loses answers and takes the same requests as the first. One hour, twice, gives the same bytes.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod desk;
mod venue;

use std::time::Duration;

use tradewind_events::EventType;
use tradewind_model::{AssetId, OrderStatus};
use tradewind_testkit::{ACCOUNT, BTC, USDT};

use crate::desk::World;

const HOUR: Duration = Duration::from_secs(3_600);

/// Runs an hour and gives everything that crossed the executor's border, in words.
fn hour(answers_lost_every: u64) -> World {
    let mut world = World::start(answers_lost_every);
    world.run(HOUR);
    world.settle();
    world
}

/// Desk and exchange show the same total of every asset, and no order is open.
fn assert_reconciled(world: &World) {
    let view = world.desk.engine.view();
    let own = |asset: AssetId| view.balances.iter().filter(move |held| held.asset == asset);
    for asset in [USDT, BTC] {
        let desk: tradewind_model::Amount = own(asset).map(|held| held.amount).sum();
        assert_eq!(desk, world.venue.total(ACCOUNT, asset), "{asset:?}");
    }
    let open = view.orders.iter().map(|order| order.status);
    assert_eq!(open.collect::<Vec<_>>(), [OrderStatus::Filled; 0]);
    assert_eq!(world.executor.pending(), (0, 0));
}

#[test]
fn an_hour_of_trading_through_the_seam_is_the_same_twice() {
    let (first, again) = (hour(0), hour(0));
    assert!(first.desk.count(EventType::OrderFilled) > 100);
    assert_eq!(first.desk.count(EventType::OrderUnknown), 0);
    assert_reconciled(&first);
    assert_eq!(first.trace, again.trace);
}

#[test]
fn lost_answers_become_unknown_are_queried_and_lose_nothing() {
    let (first, again) = (hour(3), hour(3));
    assert!(first.desk.count(EventType::OrderUnknown) > 30);
    assert!(first.trace.contains("Query {"));
    assert_reconciled(&first);
    assert_eq!(first.trace, again.trace);
}
