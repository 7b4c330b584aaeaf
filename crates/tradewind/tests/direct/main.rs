//! The desk's engine and executor trade on the matching core linked directly: no socket, no task, a virtual clock.
//!
//! It proves the seam: [`ExecutionVenue`](tradewind_venues::execution::ExecutionVenue) has a second implementation, which
//! answers late, loses answers and takes the same requests as the first. One hour, twice, gives the same bytes.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod desk;
mod venue;

use std::time::Duration;

use tradewind_events::{EventType, Output};
use tradewind_model::{AssetId, OrderStatus};
use tradewind_testkit::{ACCOUNT, BTC, USDT};

use crate::desk::World;

const HOUR: Duration = Duration::from_secs(3_600);

/// Runs an hour and gives everything that crossed the executor's border, in words.
fn hour(answers_lost_every: u64) -> World {
    hour_of(World::start(answers_lost_every))
}

fn hour_of(mut world: World) -> World {
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

/// How many orders of the hour were stops, and how many took the place of one.
fn stops(world: &World) -> (usize, usize) {
    let sent = world.desk.log.iter().filter_map(|output| match output {
        Output::Submit(intent, _) => Some(intent),
        _ => None,
    });
    let sent: Vec<_> = sent.collect();
    let stops = sent.iter().filter(|of| of.terms.kind.trigger().is_some());
    let exits = sent.iter().filter(|of| of.replaces.is_some());
    (stops.count(), exits.count())
}

/// I23, R12: each position has its stop, and each exit takes its place.
#[test]
fn an_hour_with_stops_at_the_venue_reconciles_and_leaves_none_behind() {
    let world = hour_of(World::with_stops(0));
    let (stops, exits) = stops(&world);
    assert!(stops > 100 && exits + 1 >= stops, "{stops} {exits}");
    assert_eq!(world.desk.count(EventType::OrderRejected), 0);
    assert_eq!(world.desk.count(EventType::PositionUnprotected), 0);
    assert_reconciled(&world);
}

/// V10, V21: the answers to entries, stops and exits are lost in turn.
#[test]
fn with_lost_answers_the_stops_lose_nothing_either() {
    for lost_every in [2, 3, 4, 5, 7] {
        let (first, again) = (
            hour_of(World::with_stops(lost_every)),
            hour_of(World::with_stops(lost_every)),
        );
        assert!(first.desk.count(EventType::OrderUnknown) > 20);
        assert_reconciled(&first);
        assert_eq!(first.trace, again.trace);
    }
}
