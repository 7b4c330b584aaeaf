//! The checks, each for every transport.

use std::time::Duration;

use crate::servers::Dialect;
use crate::world::{Door, HEARTBEAT, World};

const MINUTE: Duration = Duration::from_secs(60);

/// Runs a check for every transport and says which one fails it.
fn for_all(check: impl Fn(Dialect)) {
    for dialect in Dialect::ALL {
        // Shown with a failure only.
        eprintln!("{dialect:?}");
        check(dialect);
    }
}

/// A source whose instruments are both live.
pub(crate) fn live(dialect: Dialect) -> World {
    let mut world = World::new(dialect);
    world.pass(Duration::from_secs(1));
    world.publisher.quote("A", 100);
    world.publisher.quote("B", 200);
    world.pass(Duration::from_secs(1));
    let lines = world.lines();
    for wanted in ["0 Live: data", "1 Live: data", "quote 0 100", "quote 1 200"] {
        assert!(
            lines.iter().any(|line| line == wanted),
            "{wanted}: {lines:?}"
        );
    }
    world
}

pub(crate) fn has(lines: &[String], part: &str) -> bool {
    lines.iter().any(|line| line.contains(part))
}

pub(crate) fn waits(world: &World) -> Vec<Duration> {
    let attempts = world.network.attempts.lock().unwrap();
    attempts.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn quotes_and_trades_arrive_exactly_and_in_order() {
    for_all(|dialect| {
        let mut world = live(dialect);
        world.publisher.trade("B", 12_345);
        world.publisher.quote("A", 7);
        world.settle();
        assert_eq!(world.lines(), ["trade 1 12345", "quote 0 7"]);
    });
}

#[test]
fn waits_grow_to_a_minute_with_jitter_and_start_over_after_healthy_data_only() {
    for_all(|dialect| {
        let mut world = World::behind(dialect, Door::Refuses);
        world.pass(20 * MINUTE);
        let refused = waits(&world);
        assert!(refused.len() > 15, "{refused:?}");
        assert!(refused.iter().all(|wait| *wait <= MINUTE), "{refused:?}");
        assert!(refused[0] <= Duration::from_secs(1), "{refused:?}");
        let late = &refused[7..];
        assert!(late.iter().any(|wait| *wait > MINUTE / 2), "{late:?}");
        assert!(late.windows(2).any(|pair| pair[0] != pair[1]), "{late:?}");

        // It opens and closes at once: the waits stay.
        *world.network.door.lock().unwrap() = Door::Slams;
        let before = waits(&world).len();
        world.pass(5 * MINUTE);
        assert!(waits(&world).len() - before < 40, "{dialect:?}");

        // Data for a minute: they start over.
        *world.network.door.lock().unwrap() = Door::Open;
        world.pass(2 * MINUTE);
        for price in 1..100 {
            world.publisher.quote("A", price);
            world.pass(Duration::from_secs(1));
        }
        let before = waits(&world).len();
        world.cut();
        world.pass(Duration::from_secs(1));
        assert_eq!(waits(&world).len(), before + 1, "{dialect:?}");
    });
}

#[test]
fn subscriptions_are_restored_on_the_next_connection() {
    for_all(|dialect| {
        let mut world = live(dialect);
        let requests = world.publisher.requests;
        world.cut();
        world.settle();
        assert!(has(&world.lines(), "0 Stale"), "{dialect:?}");
        world.pass(Duration::from_secs(3));
        assert!(world.publisher.requests > requests);
        world.publisher.quote("A", 300);
        world.publisher.quote("B", 400);
        world.pass(Duration::from_secs(1));
        let lines = world.lines();
        assert!(
            has(&lines, "0 Resync") && has(&lines, "quote 0 300"),
            "{lines:?}"
        );
        assert!(has(&lines, "0 Live") && has(&lines, "1 Live"), "{lines:?}");
    });
}

#[test]
fn a_subscription_that_is_refused_ten_times_is_reported_once_and_tried_on() {
    for_all(|dialect| {
        let mut world = World::new(dialect);
        world.publisher.refuses = true;
        world.pass(5 * MINUTE);
        let lines = world.lines();
        let failed = lines.iter().filter(|line| line.starts_with("failed"));
        // Quotes and trades of two instruments.
        assert_eq!(failed.count(), 4, "{dialect:?}: {lines:?}");
        world.publisher.refuses = false;
        world.pass(2 * MINUTE);
        world.publisher.quote("A", 300);
        world.pass(Duration::from_secs(1));
        assert!(has(&world.lines(), "0 Live"), "{dialect:?}");
    });
}

#[test]
fn a_server_that_answers_nothing_is_left() {
    for_all(|dialect| {
        let mut world = live(dialect);
        world.publisher.is_silent = true;
        world.pass(2 * HEARTBEAT + Duration::from_secs(1));
        let lines = world.lines();
        assert!(has(&lines, "ping not answered"), "{dialect:?}: {lines:?}");
        world.publisher.is_silent = false;
        world.pass(MINUTE);
        world.publisher.quote("A", 300);
        world.pass(Duration::from_secs(1));
        assert!(has(&world.lines(), "0 Live"), "{dialect:?}");
    });
}

#[test]
fn a_quiet_feed_keeps_its_connection_and_its_instruments_are_stale() {
    for_all(|dialect| {
        let mut world = live(dialect);
        world.pass(10 * MINUTE);
        assert_eq!(waits(&world).len(), 0, "{dialect:?}");
        assert!(has(&world.lines(), "0 Stale: no data"), "{dialect:?}");
    });
}

#[test]
fn a_gap_is_announced_and_what_can_be_asked_for_is_filled() {
    for_all(|dialect| {
        let mut world = live(dialect);
        world.publisher.dropped("A", 1);
        world.publisher.dropped("B", 2);
        world.publisher.trade("A", 3);
        world.pass(Duration::from_secs(1));
        world.publisher.quote("A", 4);
        world.publisher.quote("B", 5);
        world.pass(Duration::from_secs(1));
        let lines = world.lines();
        let prices: Vec<_> = lines
            .iter()
            .filter(|line| line.starts_with("trade"))
            .collect();
        if dialect.refills() {
            assert_eq!(
                prices,
                ["trade 0 1", "trade 1 2", "trade 0 3"],
                "{dialect:?}"
            );
        } else {
            assert_eq!(prices, ["trade 0 3"], "{dialect:?}");
        }
        // A stream has no gap: its entries lie there until they are read, and so does what is polled.
        if !matches!(dialect, Dialect::RedisStreams | Dialect::Http) {
            let gaps = lines
                .iter()
                .filter(|line| line.ends_with("Gap: 2 messages are missing"));
            assert_eq!(gaps.count(), 2, "{dialect:?}: {lines:?}");
            assert!(has(&lines, "0 Live") && has(&lines, "1 Live"), "{lines:?}");
        }
    });
}

#[test]
fn what_was_published_while_the_connection_was_away_is_read_or_announced() {
    for_all(|dialect| {
        let mut world = live(dialect);
        world.cut();
        *world.network.door.lock().unwrap() = Door::Refuses;
        world.pass(MINUTE);
        for price in 1..=250 {
            world.publisher.trade("A", price);
        }
        *world.network.door.lock().unwrap() = Door::Open;
        world.lines();
        world.pass(2 * MINUTE);
        world.publisher.trade("A", 251);
        world.pass(Duration::from_secs(1));
        let lines = world.lines();
        let trades = lines
            .iter()
            .filter(|line| line.starts_with("trade"))
            .count();
        let announced = has(&lines, "Gap: 250 messages are missing");
        let wanted = if dialect.refills() {
            (251, false)
        } else {
            (1, true)
        };
        assert_eq!((trades, announced), wanted, "{dialect:?}: {lines:?}");
        if dialect.refills() {
            // What is read of the past is not current.
            let live = lines.iter().position(|line| line.starts_with("0 Live"));
            let last = lines.iter().position(|line| line == "trade 0 250");
            assert!(live > last, "{dialect:?}: {live:?} {last:?}");
        }
    });
}

#[test]
fn it_stops_at_once_whatever_it_does_and_leaves_nothing_open() {
    for_all(|dialect| {
        for door in [Door::Hangs, Door::Refuses, Door::Slams, Door::Open] {
            let mut world = World::behind(dialect, door);
            world.settle();
            assert!(world.stop(), "{dialect:?} {door:?}");
            assert_eq!(world.open(), 0, "{dialect:?} {door:?}");
        }
        let mut subscribing = World::new(dialect);
        subscribing.publisher.is_silent = true;
        subscribing.settle();
        assert!(subscribing.stop() && subscribing.open() == 0, "{dialect:?}");
        let mut receiving = live(dialect);
        assert!(receiving.stop() && receiving.open() == 0, "{dialect:?}");
        let attempts = waits(&receiving).len();
        receiving.pass(10 * MINUTE);
        assert_eq!(waits(&receiving).len(), attempts);
    });
}

#[test]
fn what_is_no_message_is_ignored_and_the_next_one_taken() {
    for_all(|dialect| {
        let mut world = live(dialect);
        for payload in dialect.malformed() {
            world.send_payload(&payload);
            let shown = String::from_utf8_lossy(&payload).into_owned();
            assert_eq!(world.lines(), [""; 0], "{dialect:?} {shown}");
            assert_eq!(world.open(), 1, "{dialect:?} {shown}");
        }
        world.publisher.quote("A", 300);
        world.pass(Duration::from_secs(1));
        assert_eq!(world.lines(), ["quote 0 300"], "{dialect:?}");
    });
}

#[test]
fn a_bad_message_with_a_number_is_passed_over_whenever_it_is_sent_again() {
    for_all(|dialect| {
        let mut world = live(dialect);
        for payload in dialect.malformed_with_a_number() {
            world.publisher.bad(payload);
        }
        world.publisher.trade("A", 1);
        world.pass(Duration::from_secs(1));
        assert!(has(&world.lines(), "trade 0 1"), "{dialect:?}");
        // They are sent again with what was missed.
        world.cut();
        world.publisher.dropped("A", 2);
        for payload in dialect.malformed_with_a_number() {
            world.publisher.bad(payload);
        }
        world.publisher.trade("A", 3);
        world.pass(Duration::from_secs(3));
        world.publisher.quote("A", 300);
        world.pass(3 * HEARTBEAT);
        let lines = world.lines();
        assert!(has(&lines, "quote 0 300"), "{dialect:?}: {lines:?}");
        assert_eq!(waits(&world).len(), 1, "{dialect:?}: {lines:?}");
        if dialect.refills() {
            assert!(
                has(&lines, "trade 0 2") && has(&lines, "trade 0 3"),
                "{lines:?}"
            );
        }
    });
}

#[test]
fn what_is_too_long_ends_the_connection_before_it_came() {
    for_all(|dialect| {
        let mut world = live(dialect);
        world.send_bytes(&dialect.oversized());
        assert!(has(&world.lines(), "0 Stale: broken"), "{dialect:?}");
        let before = world.now();
        world.pass(Duration::from_secs(3));
        assert_eq!(world.open(), 1, "{dialect:?} since {before:?}");
    });
}

#[test]
fn a_message_that_comes_byte_by_byte_is_taken_once() {
    for_all(|dialect| {
        let mut world = live(dialect);
        world.publisher.is_silent = true;
        let good = crate::publisher::Message {
            symbol: "A",
            is_quote: true,
            price: 300,
            is_dropped: false,
            bad: None,
        };
        let text = good.json(3);
        let bytes = match dialect {
            Dialect::Tcp | Dialect::RedisStreams => return,
            Dialect::Http => {
                let body = [b"<feed next=\"9\">", &good.xml(3)[..], b"</feed>"].concat();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                [head.as_bytes(), &body].concat()
            }
            Dialect::WebSocket => {
                let length = u16::try_from(text.len()).unwrap().to_be_bytes();
                [&[0x81, 126][..], &length, text.as_bytes()].concat()
            }
            Dialect::RedisChannels => {
                let head = format!("*3\r\n$7\r\nmessage\r\n$6\r\nprices\r\n${}\r\n", text.len());
                [head.as_bytes(), text.as_bytes(), b"\r\n"].concat()
            }
        };
        for byte in bytes {
            assert_eq!(world.lines(), [""; 0]);
            world.send_bytes(&[byte]);
        }
        assert_eq!(world.lines(), ["quote 0 300"]);
    });
}

#[test]
fn a_stream_that_may_not_be_read_is_reported_and_read_once_it_may() {
    let mut world = live(Dialect::RedisStreams);
    world.publisher.refuses_reading = true;
    world.publisher.quote("A", 300);
    world.pass(MINUTE);
    let lines = world.lines();
    assert!(has(&lines, "broken: Redis refused: NOPERM no"), "{lines:?}");
    world.publisher.refuses_reading = false;
    world.publisher.quote("A", 400);
    world.pass(2 * MINUTE);
    world.publisher.quote("A", 500);
    world.pass(Duration::from_secs(1));
    let lines = world.lines();
    let wanted = ["quote 0 400", "quote 0 500", "0 Live"];
    assert!(wanted.iter().all(|line| has(&lines, line)), "{lines:?}");
}

/// A source with two connections, because the end of the first was announced and nothing is granted on the second yet.
fn overlapping(mut world: World, dialect: Dialect) -> World {
    world.publisher.refuses = true;
    world.announce_closing();
    assert_eq!(world.open(), 2, "{dialect:?}");
    world.lines();
    world
}

#[test]
fn an_announced_end_neither_doubles_nor_loses_a_message() {
    for dialect in [Dialect::Tcp, Dialect::WebSocket] {
        let mut world = overlapping(live(dialect), dialect);
        let mut wanted = Vec::new();
        for price in 1..=5 {
            world.publisher.trade("A", price);
            world.settle();
            wanted.push(format!("trade 0 {price}"));
        }
        assert_eq!(world.lines(), wanted, "{dialect:?}");
        world.publisher.refuses = false;
        world.pass(MINUTE);
        assert_eq!(world.open(), 1, "{dialect:?}");
        world.lines();
        world.publisher.trade("A", 6);
        world.settle();
        let lines = world.lines();
        let trades = lines.iter().filter(|line| line.starts_with("trade"));
        assert_eq!(trades.collect::<Vec<_>>(), ["trade 0 6"], "{dialect:?}");
        assert!(!has(&lines, "Gap"), "{dialect:?}: {lines:?}");
    }
}

#[test]
fn a_publisher_that_is_replaced_by_one_that_counts_anew_is_read_on() {
    for dialect in [Dialect::Tcp, Dialect::WebSocket] {
        let mut world = live(dialect);
        for price in 1..500 {
            world.publisher.trade("A", price);
        }
        world.settle();
        world.publisher.base = world.publisher.messages.len();
        let mut world = overlapping(world, dialect);
        world.publisher.trade("A", 1);
        world.settle();
        world.publisher.refuses = false;
        world.pass(MINUTE);
        assert_eq!(world.open(), 1, "{dialect:?}");
        world.lines();
        for price in 2..150 {
            world.publisher.trade("A", price);
        }
        world.publisher.quote("B", 300);
        world.settle();
        let lines = world.lines();
        assert!(has(&lines, "trade 0 149"), "{dialect:?}: {lines:?}");
        assert!(has(&lines, "quote 1 300"), "{dialect:?}: {lines:?}");
    }
}
