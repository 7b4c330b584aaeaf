//! Stops against the exchange's own rules: its cap of them, and a stop that no list shows.

use std::time::Duration;

use tradewind_events::{EventKind, OrderView};
use tradewind_model::{OrderStatus, OwnerId};
use tradewind_risk::PositionEffect;
use tradewind_venues::OrderEntry;

use crate::tests::pairs::{DIP, held, run_until};
use crate::tests::rows::in_order;
use crate::tests::stops::{ALONE, Cover, world};
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// What the exchange allows of stops in an instrument.
const CAP: usize = 5;

macro_rules! crowd {
    ($($id:literal),*) => {
        concat!($(
            "\n[[bots]]\nid = \"ada-", $id, "\"\nstrategy = \"momentum_timer\"\naccount = \"paper\"\n\
             instruments = [\"ADA/USDT\"]\nwake = \"every ", $id, "m\"\nbudget = 100\n\
             exit = { stop = \"", $id, "%\" }\nparams = { lookback = 1, full_rise = 0.001 }\n"
        ),*)
    };
}

/// Twelve bots whose stops are at twelve distances.
const CROWD: &str = crowd!(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);

/// Stops that rest at the exchange.
fn stops(world: &World) -> usize {
    let books = world.venue_books();
    let open = books.orders.iter().filter(|order| order.is_open);
    open.filter(|order| !order.guards.is_zero()).count()
}

/// V19: twelve bots with stops in one instrument, of which the exchange takes five. All they hold is covered, no stop is refused for the
/// cap, and what one bot's exit takes away is back within two seconds.
#[test]
fn twelve_bots_share_the_stops_that_the_exchange_allows() {
    let mut world = world(OrderEntry::Rest, CROWD);
    assert!(world.start_desk());
    let holders = |world: &mut World| {
        let positions = world.view().positions.into_iter();
        let of_bots = positions.filter(|one| matches!(one.owner, OwnerId::Bot(_)));
        of_bots.count()
    };
    run_until(&mut world, 3 * HOUR, |world| holders(world) > CAP + 2);
    let mut cover = Cover::default();
    cover.watch(&mut world, 3 * SECOND, |_| false);
    assert_eq!(stops(&world), CAP, "the cap binds");
    let exits = |world: &World| {
        let events = world.events().into_iter();
        let sold = events.filter(|kind| {
            matches!(
                kind,
                EventKind::OrderPlaced {
                    purpose: PositionEffect::Exit,
                    ..
                }
            )
        });
        sold.count()
    };
    let before = exits(&world);
    world.add_faults(DIP);
    cover.watch(&mut world, 60 * SECOND, |world| exits(world) > before + 1);
    cover.watch(&mut world, 5 * SECOND, |_| false);
    assert!(stops(&world) <= CAP);
    assert!(cover.longest <= 2 * SECOND, "{cover:?}");
    assert!(holders(&mut world) > 0, "some are left");
    let refused = world.events().into_iter().find(|kind| {
        let EventKind::OrderRejected { reason, .. } = kind else {
            return false;
        };
        reason.text.contains("MAX_NUM_ALGO_ORDERS")
    });
    assert_eq!(refused, None);
    in_order(&mut world);
}

/// Orders that protect a position, as they were placed.
fn placed_stops(world: &World) -> usize {
    let events = world.events().into_iter();
    let placed = events.filter(|kind| {
        matches!(
            kind,
            EventKind::OrderPlaced {
                purpose: PositionEffect::Protect,
                ..
            }
        )
    });
    placed.count()
}

/// V02: the reply to a stop is lost, and no list shows it. While the exchange holds what it would sell, no other takes its place; one that
/// was never executed is replaced.
#[test]
fn a_stop_that_no_list_shows_is_not_replaced_while_its_asset_is_locked() {
    for is_live in [true, false] {
        let mut world = world(OrderEntry::Rest, ALONE);
        world.add_faults(&format!(
            "[[fault]]\ndo = \"lose-reply\"\ncall = \"order.place\"\ntype = \"STOP_LOSS\"\nexecuted = {is_live}\nnth = 1\n\
             [[fault]]\ndo = \"drop\"\nframe = \"executionReport/NEW\"\n\
             [[fault]]\ndo = \"hide-orders\"\nlag = \"1h\"\n"
        ));
        assert!(world.start_desk());
        run_until(&mut world, HOUR / 2, |world| placed_stops(world) > 0);
        world.run(90 * SECOND);
        let unknown = |world: &mut World| {
            let orders = world.view().orders;
            let is_unknown = |order: &&OrderView| {
                order.purpose == PositionEffect::Protect && order.status == OrderStatus::Unknown
            };
            orders.iter().filter(is_unknown).count()
        };
        if is_live {
            assert_eq!((placed_stops(&world), unknown(&mut world)), (1, 1));
            assert_eq!(stops(&world), 1);
        } else {
            assert!(
                placed_stops(&world) > 1,
                "the lists agree with what is locked"
            );
            assert_eq!(stops(&world), 1, "it has another one");
        }
        world.heal();
        run_until(&mut world, 120 * SECOND, |world| unknown(world) == 0);
        assert_eq!(stops(&world), usize::from(held(&mut world) > 0));
        in_order(&mut world);
    }
}
