//! Kills in a partition and during a start (H04): nothing new leaves once each has returned, and all is in order afterwards.

use std::time::Duration;

use tradewind_events::Action;
use tradewind_risk::TradingState;
use tradewind_simx_server::simulation::VirtualNetwork;

use crate::tests::rows::in_order;
use crate::world::{Choices, World};

const SECOND: Duration = Duration::from_secs(1);

fn kill(world: &mut World) {
    world.give(Action::Kill {
        reason: "a drill".to_owned(),
        flatten: false,
        include_external: false,
    });
}

/// New orders that the exchange has taken so far.
fn taken(world: &World) -> usize {
    world.venue_books().orders.len()
}

/// H04: the kill comes while nothing gets through, with orders on their way; the partition heals, and nothing new arrives.
#[test]
fn a_kill_in_a_partition_holds_when_it_heals() {
    for seed in 3..8 {
        let mut world = World::new(Choices::busy(seed));
        assert!(world.start_desk());
        world.run(60 * SECOND);
        let cut = |network: &mut VirtualNetwork, now| network.partition(now, now + 40 * SECOND);
        world.network.with(cut);
        // Orders of these three seconds wait in sockets that nobody reads.
        world.run(3 * SECOND);
        kill(&mut world);
        world.run(SECOND);
        assert_eq!(world.view().state, TradingState::Killed);
        world.run(120 * SECOND);
        assert_eq!(world.view().state, TradingState::Killed, "{seed}");
        let before = taken(&world);
        in_order(&mut world);
        assert_eq!(taken(&world), before, "{seed}: nothing new");
    }
}

/// H04: the kill comes while a start reads its account, at each tenth of a second of it.
#[test]
fn a_kill_during_a_start_lets_no_order_leave() {
    for tenths in 0..20 {
        let mut world = World::new(Choices::busy(3));
        assert!(world.start_desk());
        world.run(30 * SECOND);
        world.kill_desk();
        world.run(5 * SECOND);
        assert!(world.start_desk());
        world.run(tenths * SECOND / 10);
        kill(&mut world);
        // What left before it arrives.
        world.run(SECOND);
        let before = taken(&world);
        world.run(60 * SECOND);
        assert_eq!(world.view().state, TradingState::Killed);
        assert_eq!(taken(&world), before, "after {tenths} tenths of a second");
        in_order(&mut world);
    }
}
