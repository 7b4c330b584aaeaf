//! Desks whose faults are chosen: rows of faults one by one, and what two runs of the same leave behind.

mod checks;
mod covers;
mod diffs;
mod found;
mod kills;
mod pairs;
mod released;
mod replays;
mod rows;
mod seeds;
mod stops;
mod unlisted;

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_events::Input;
use tradewind_journal::{Loss, MemoryStorage};
use tradewind_model::Ppm;
use tradewind_simx_server::simulation::{Direction, LinkFault, Occasion, Rule, Segment};
use tradewind_venues::OrderEntry;

use crate::world::{Choices, World};

/// What a run leaves behind.
#[derive(Debug)]
struct Traces {
    segments: Vec<Segment>,
    files: BTreeMap<String, Vec<u8>>,
    fills: u64,
}

/// Trades for `span`, then lets everything settle, compares the books and stops the desk.
fn trade(choices: Choices, span: Duration, mischief: impl FnOnce(&mut World)) -> Traces {
    assert!(tokio::runtime::Handle::try_current().is_err());
    let mut world = World::new(choices);
    world.start_desk();
    world.run(span / 2);
    mischief(&mut world);
    world.run(span / 2);
    world.input(Input::Stopping);
    world.run(Duration::from_secs(30));
    world.assert_settles(Duration::ZERO);
    let fills = world.view().counters.fills;
    world.stop_desk();
    Traces {
        segments: world.network.with(|network, _| network.take_segments()),
        files: world.files(),
        fills,
    }
}

/// What two runs of the same leave behind, each in a thread of its own.
fn twice(run: impl Fn() -> Traces + Sync) -> (Traces, Traces) {
    std::thread::scope(|scope| {
        let other = scope.spawn(&run);
        (run(), other.join().unwrap())
    })
}

/// The first difference is shown, not two hours of bytes.
fn assert_same(first: &Traces, second: &Traces) {
    let pairs = first.segments.iter().zip(&second.segments);
    for (number, (one, other)) in pairs.enumerate() {
        assert_eq!(one, other, "segment {number}");
    }
    assert_eq!(first.segments.len(), second.segments.len());
    assert!(first.files.keys().eq(second.files.keys()));
    for (name, bytes) in &first.files {
        assert!(*bytes == second.files[name], "{name} differs");
    }
}

fn bytes(traces: &Traces, direction: Direction) -> usize {
    let segments = traces.segments.iter();
    segments
        .filter(|segment| segment.direction == direction)
        .map(|segment| segment.length)
        .sum()
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn an_hour_of_the_whole_desk_is_the_same_twice_to_the_byte() {
    let choices = Choices::calm(42);
    let hour = || trade(choices, HOUR, |_| {});
    let (first, second) = twice(hour);
    assert!(first.fills > 20, "{} fills", first.fills);
    for direction in [Direction::ToServer, Direction::ToClient] {
        assert!(bytes(&first, direction) > 10_000, "{direction:?}");
    }
    assert_same(&first, &second);
    let other = trade(
        Choices {
            seed: 43,
            ..choices
        },
        HOUR / 30,
        |_| {},
    );
    assert!(
        other.segments[..100] != first.segments[..100],
        "the seed decides"
    );
}

/// N01: every connection breaks at once, and later nothing arrives for half a minute.
#[test]
fn a_desk_that_lost_its_connections_has_the_exchanges_books_again() {
    for order_entry in [OrderEntry::Rest, OrderEntry::WebSocket] {
        let choices = Choices {
            order_entry,
            ..Choices::calm(7)
        };
        let trades = || {
            trade(choices, HOUR / 6, |world| {
                world.network.cut_all();
                world.run(Duration::from_secs(60));
                let silence = LinkFault::Silence(Direction::ToClient);
                world.network.with(|network, _| {
                    let connections: Vec<_> = network.connections().collect();
                    for connection in connections {
                        network.strike(connection, silence);
                    }
                    network.add_rule(Rule::share(Occasion::Connect, Ppm::ONE, silence));
                });
                world.run(Duration::from_secs(30));
                world.heal();
            })
        };
        let (first, second) = twice(trades);
        assert_same(&first, &second);
    }
}

#[test]
fn a_desk_that_died_starts_again_on_its_disk_with_the_exchanges_books() {
    let choices = Choices::calm(11);
    let trades = || {
        trade(choices, HOUR / 6, |world| {
            world.kill_desk();
            world.run(Duration::from_secs(30));
            world.start_desk();
        })
    };
    let (first, second) = twice(trades);
    assert_same(&first, &second);
}

/// The comparison of books can fail: here is money of which no report reaches the desk.
#[test]
#[should_panic(expected = "I03")]
fn books_that_differ_are_found() {
    let mut world = World::new(Choices::calm(5));
    world.start_desk();
    world.run(Duration::from_secs(10));
    world.assert_settles(Duration::ZERO);
    world.network.with(|network, now| {
        let until = now + Duration::from_secs(60);
        network.partition(now, until);
    });
    world.deposit_one_coin();
    world.run(Duration::from_secs(10));
    world.assert_settles(Duration::ZERO);
}

/// I05 can fail: here the network looks at a disk on which no intent ever is.
#[test]
#[should_panic(expected = "I05")]
fn an_order_that_leaves_before_its_intent_is_on_the_disk_is_found() {
    let mut world = World::new(Choices::busy(5));
    world.start_desk();
    world.network.use_disk(MemoryStorage::new(), Loss::Process);
    world.run(Duration::from_secs(60));
    world.assert_settles(Duration::ZERO);
}
