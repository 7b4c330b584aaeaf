//! Stops and take profits of one bot against the exchange: pairs that rest there, and a stop whose answer is lost.

use std::time::Duration;

use tradewind_events::{EventKind, SignalSource};
use tradewind_model::{ClientOrderId, Liquidity, OrderKind, OrderStatus, OwnerId};
use tradewind_risk::PositionEffect;
use tradewind_venues::OrderEntry;

use crate::tests::rows::in_order;
use crate::world::{Choices, World};

const SECOND: Duration = Duration::from_secs(1);
/// One bot that buys when the price rises, with its stop and its take profit at the venue.
const BOTS: &str = include_str!("pair_bots.toml");

fn started(order_entry: OrderEntry) -> World {
    let mut world = World::new(Choices {
        order_entry,
        bots: BOTS,
        ..Choices::busy(3)
    });
    assert!(world.start_desk());
    world
}

/// Lets time pass in steps until `is_met`.
pub(crate) fn run_until(
    world: &mut World,
    within: Duration,
    is_met: impl Fn(&mut World) -> bool,
) -> Duration {
    let began = world.now();
    while !is_met(world) {
        let passed = world.now().since(began);
        if passed >= within {
            let events = world.events();
            let last = &events[events.len().saturating_sub(12)..];
            panic!("not within {within:?}; the last events: {last:#?}");
        }
        world.run(SECOND / 10);
    }
    world.now().since(began)
}

/// The order that takes the profit and its stop, if both rest at the venue.
pub(crate) fn resting_pair(world: &mut World) -> Option<(ClientOrderId, ClientOrderId)> {
    let orders = world.view().orders;
    let accepted = |order: &&tradewind_events::OrderView| order.status == OrderStatus::Accepted;
    let limit = orders.iter().filter(accepted).find_map(|order| {
        let is_limit = matches!(order.terms.kind, OrderKind::PostOnly { .. });
        is_limit.then_some(order.terms.client_id)
    });
    let stop = orders.iter().filter(accepted).find_map(|order| {
        let is_stop = order.terms.kind.trigger().is_some();
        is_stop.then_some(order.terms.client_id)
    });
    limit.zip(stop)
}

/// The sum of the fills of an order, and whether all were a maker's.
fn fills_of(world: &World, id: ClientOrderId) -> (i64, bool) {
    let events = world.events();
    let fills = events.iter().filter_map(|kind| match kind {
        EventKind::OrderFilled { fill, .. } if fill.client_id == id => Some(fill),
        _ => None,
    });
    fills.fold((0, true), |(sum, makers), fill| {
        let is_maker = fill.liquidity == Liquidity::Maker;
        (sum + fill.quantity.0, makers && is_maker)
    })
}

/// The quantity of an open order.
fn ordered(world: &mut World, id: ClientOrderId) -> i64 {
    let orders = world.view().orders;
    let found = orders.iter().find(|order| order.terms.client_id == id);
    found.unwrap().terms.quantity.0
}

pub(crate) fn held(world: &mut World) -> i64 {
    let positions = world.view().positions.into_iter();
    let bots = positions.filter(|position| matches!(position.owner, OwnerId::Bot(_)));
    bots.map(|position| position.quantity.0).sum()
}

const RISE: &str = "[[fault]]\ndo = \"price\"\npath = [[\"0s\", 1], [\"4s\", 1.03]]\n";
const FALL: &str = "[[fault]]\ndo = \"price\"\npath = [[\"0s\", 1], [\"4s\", 0.97]]\n";

/// Below the bot's stop and above the one at the venue.
pub(crate) const DIP: &str = "[[fault]]\ndo = \"price\"\npath = [[\"0s\", 1], [\"4s\", 0.978]]\n";

/// The venue takes the profit and ends the stop; the desk books it and sends nothing.
#[test]
fn a_take_profit_at_the_venue_fills_and_its_stop_is_gone() {
    for order_entry in [OrderEntry::Rest, OrderEntry::WebSocket] {
        let mut world = started(order_entry);
        run_until(&mut world, 1_800 * SECOND, |world| {
            resting_pair(world).is_some()
        });
        let (limit, stop) = resting_pair(&mut world).unwrap();
        let bought = ordered(&mut world, limit);
        world.add_faults(RISE);
        run_until(&mut world, 30 * SECOND, |world| {
            fills_of(world, limit).0 == bought
        });
        assert_eq!(fills_of(&world, limit), (bought, true), "as a maker");
        let orders = world.view().orders;
        assert!(orders.iter().all(|order| order.terms.client_id != stop));
        let exits = world.events().into_iter().filter(|kind| {
            matches!(
                kind,
                EventKind::OrderPlaced {
                    purpose: PositionEffect::Exit,
                    ..
                }
            )
        });
        assert_eq!(exits.count(), 0, "the desk sold nothing itself");
        in_order(&mut world);
    }
}

/// The desk is dead while the venue takes the profit: it books the fill and finds neither order open.
#[test]
fn a_take_profit_fills_while_the_desk_is_dead() {
    let mut world = started(OrderEntry::Rest);
    run_until(&mut world, 1_800 * SECOND, |world| {
        resting_pair(world).is_some()
    });
    let (limit, stop) = resting_pair(&mut world).unwrap();
    let bought = ordered(&mut world, limit);
    world.kill_desk();
    world.add_faults(RISE);
    world.run(20 * SECOND);
    assert!(world.start_desk());
    run_until(&mut world, 60 * SECOND, |world| {
        fills_of(world, limit).0 == bought
    });
    let orders = world.view().orders;
    assert!(orders.iter().all(|order| order.terms.client_id != stop));
    in_order(&mut world);
}

/// The desk dies with a pair at the venue, finds both again and exits by cancelling them.
#[test]
fn a_pair_is_found_again_after_a_death_and_its_position_can_be_left() {
    let mut world = started(OrderEntry::Rest);
    run_until(&mut world, 1_800 * SECOND, |world| {
        resting_pair(world).is_some()
    });
    let pair = resting_pair(&mut world);
    world.kill_desk();
    world.run(5 * SECOND);
    assert!(world.start_desk());
    run_until(&mut world, 30 * SECOND, |world| {
        resting_pair(world).is_some()
    });
    assert_eq!(resting_pair(&mut world), pair, "its own, and no others");
    let bought = held(&mut world);
    world.add_faults(FALL);
    run_until(&mut world, 60 * SECOND, |world| held(world) < bought);
    in_order(&mut world);
}

/// V21: the answer to a stop is lost, which is live or absent. The exit waits for it 10 s at most; what was bought is sold once.
#[test]
fn an_exit_waits_ten_seconds_at_most_for_a_stop_whose_answer_is_lost() {
    for is_live in [true, false] {
        let mut world = started(OrderEntry::Rest);
        let script = format!(
            "[[fault]]\ndo = \"lose-reply\"\ncall = \"orderList.place.oco\"\nexecuted = {is_live}\nnth = 1\n\
             [[fault]]\ndo = \"drop\"\nframe = \"executionReport/NEW\"\n\
             [[fault]]\ndo = \"hide-orders\"\nlag = \"120s\"\n\
             [[fault]]\ndo = \"answer\"\ncall = \"order.cancel\"\nstatus = 503\ncode = -1000\nexecuted = false\n"
        );
        world.add_faults(&script);
        let is_unknown = |world: &mut World| {
            let orders = world.view().orders;
            let mut stops = orders
                .iter()
                .filter(|order| order.terms.kind.trigger().is_some());
            stops.any(|order| order.status == OrderStatus::Unknown)
        };
        run_until(&mut world, 1_800 * SECOND, is_unknown);
        // Without the dust of the fee, which nothing can sell.
        let orders = world.view().orders;
        let mut stops = orders.iter().map(|order| order.terms);
        let stop = stops.find(|terms| terms.kind.trigger().is_some()).unwrap();
        assert!(held(&mut world) > 0, "{is_live}");
        world.add_faults(DIP);
        let decided = |world: &mut World| {
            world.events().iter().any(|kind| match kind {
                EventKind::SignalGenerated { details, .. } => details
                    .as_deref()
                    .is_some_and(|details| details.source == SignalSource::ExitPlan),
                _ => false,
            })
        };
        run_until(&mut world, 30 * SECOND, decided);
        let exits = |world: &World| {
            let events = world.events().into_iter();
            events
                .filter(|kind| {
                    matches!(
                        kind,
                        EventKind::OrderPlaced {
                            purpose: PositionEffect::Exit,
                            ..
                        }
                    )
                })
                .count()
        };
        let waited = run_until(&mut world, 11 * SECOND, |world| exits(world) > 0);
        assert!(
            waited > 5 * SECOND,
            "{is_live}: it waited for an answer, {waited:?}"
        );
        world.heal();
        run_until(&mut world, 60 * SECOND, |world| held(world) == 0);
        let sold: i64 = world
            .events()
            .iter()
            .map(|kind| match kind {
                EventKind::OrderFilled { fill, .. } if fill.side == tradewind_model::Side::Sell => {
                    fill.quantity.0
                }
                _ => 0,
            })
            .sum();
        assert_eq!(sold, stop.quantity.0, "{is_live}: sold once");
        in_order(&mut world);
    }
}
