//! What a source may be configured to do: no requests, numbers of each symbol, long readings, a Sentinel.

use std::time::Duration;

use tradewind_venues::house::{Mapping, Numbering, Redis, RedisUse, SubscribeMode, Transport};

use crate::checks::{has, live, waits};
use crate::servers::Dialect;
use crate::world::{Door, World};

#[test]
fn a_feed_that_is_not_asked_is_live_and_a_gap_is_of_the_symbol_alone_whose_number_is_missing() {
    let transport = Transport::WebSocket {
        mapping: Mapping {
            numbering: Numbering::Symbol,
            ..Mapping::default()
        },
        subscribe: SubscribeMode::Nothing,
    };
    let mut world = World::over(Dialect::WebSocket, transport, Door::Refuses);
    world.publisher.sends_unrequested = true;
    *world.network.door.lock().unwrap() = Door::Open;
    world.pass(Duration::from_secs(3));
    for _ in 0..2 {
        world.publisher.quote("A", 100);
        world.publisher.quote("B", 200);
        world.publisher.trade("A", 1);
    }
    world.settle();
    let lines = world.lines();
    assert!(has(&lines, "0 Live") && has(&lines, "1 Live"), "{lines:?}");
    assert_eq!(world.publisher.requests, 0);
    world.publisher.dropped("A", 2);
    world.publisher.quote("B", 201);
    world.publisher.trade("A", 3);
    world.settle();
    assert_eq!(
        world.lines(),
        ["quote 1 201", "0 Gap: 1 messages are missing", "trade 0 3"]
    );
}

#[test]
fn a_stream_with_more_entries_than_one_reply_may_have_is_read_on_with_fewer_at_a_time() {
    let mut world = live(Dialect::RedisStreams);
    world.cut();
    for price in 1..=60 {
        world.publisher.bad(vec![b'x'; 300_000]);
        world.publisher.trade("A", price);
    }
    world.pass(Duration::from_secs(10));
    let lines = world.lines();
    let trades = lines.iter().filter(|line| line.starts_with("trade"));
    assert_eq!(trades.count(), 60, "{lines:?}");
    assert!(
        has(&lines, "more entries than are taken at a time"),
        "{lines:?}"
    );
    assert!(waits(&world).len() < 4);
}

#[test]
fn a_stream_whose_last_entry_is_too_long_is_read_from_the_next_one_on() {
    let mut world = World::behind(Dialect::RedisStreams, Door::Refuses);
    world.publisher.bad(vec![b'x'; 9 << 20]);
    *world.network.door.lock().unwrap() = Door::Open;
    world.pass(Duration::from_secs(10));
    world.publisher.trade("A", 7);
    world.pass(Duration::from_secs(10));
    assert!(has(&world.lines(), "trade 0 7"));
}

#[test]
fn an_entry_that_is_too_long_by_itself_is_a_gap_and_is_passed_over() {
    let mut world = live(Dialect::RedisStreams);
    world.publisher.bad(vec![b'x'; 9 << 20]);
    world.publisher.trade("A", 7);
    world.pass(Duration::from_secs(30));
    let lines = world.lines();
    assert!(has(&lines, "0 Gap: 1 messages are missing"), "{lines:?}");
    assert!(has(&lines, "trade 0 7"), "{lines:?}");
    assert!(waits(&world).len() < 5);
}

/// A source behind a Sentinel that names a master.
fn behind_a_sentinel(master: &str) -> World {
    let transport = Transport::Redis {
        mapping: Mapping::default(),
        redis: Redis {
            user: None,
            reads: RedisUse::Streams(vec!["prices".to_owned()]),
            sentinel: Some(master.to_owned()),
        },
    };
    World::over(Dialect::RedisStreams, transport, Door::Open)
}

#[test]
fn a_sentinel_names_the_master_before_each_connection_and_no_entry_is_lost() {
    let mut world = behind_a_sentinel("prices");
    world.pass(Duration::from_secs(3));
    world.publisher.quote("A", 100);
    world.pass(Duration::from_secs(1));
    assert!(has(&world.lines(), "0 Live"));
    world.cut();
    for price in 1..=250 {
        world.publisher.trade("A", price);
    }
    world.pass(Duration::from_secs(10));
    let lines = world.lines();
    let trades = lines.iter().filter(|line| line.starts_with("trade"));
    assert_eq!(trades.count(), 250, "{lines:?}");
    assert!(!has(&lines, "Gap"), "{lines:?}");
    let (sentinel, master) = ("redis://127.0.0.1", "redis://127.0.0.1:6380");
    let places = world.network.places.lock().unwrap();
    assert_eq!(*places, [sentinel, master, sentinel, master]);
    drop(places);
    // The master is connected to at once, and asking for it is no failure.
    let waits = waits(&world);
    assert_eq!((waits[0], waits[2]), (Duration::ZERO, Duration::ZERO));
    assert!(waits[1] <= Duration::from_secs(5), "{waits:?}");
}

#[test]
fn a_master_that_a_sentinel_does_not_know_is_a_failure_with_a_clear_word() {
    let mut world = behind_a_sentinel("another");
    world.pass(Duration::from_secs(600));
    assert!(has(&world.lines(), "failed"));
    let places = world.network.places.lock().unwrap();
    assert!(places.iter().all(|place| place == "redis://127.0.0.1"));
}
