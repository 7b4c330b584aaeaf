//! Each check of the suite, for one transport. `checks.rs` has the list of them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tradewind_model::FeedHealth;
use tradewind_venues::house::tcp::encode;

use crate::checks::{has, live, waits};
use crate::servers::Dialect;
use crate::servers::tcp::frame;
use crate::world::{Door, HEARTBEAT, World};

const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn quotes_and_trades_arrive_exactly_and_in_order(dialect: Dialect) {
    let mut world = live(dialect);
    world.publisher.trade("B", 12_345);
    world.publisher.quote("A", 7);
    world.settle();
    assert_eq!(world.lines(), ["trade 1 12345", "quote 0 7"]);
}

pub(crate) fn numbers_of_series_arrive_exactly_and_those_of_others_do_not(dialect: Dialect) {
    let mut world = live(dialect);
    world.publisher.number("fear", 1_250);
    world.publisher.number("greed", 1);
    world.publisher.trade("A", 5);
    world.settle();
    let lines = world.lines();
    assert_eq!(lines, ["house:fear 12.5 60s", "trade 0 5"], "{dialect:?}");
}

pub(crate) fn targets_arrive_exactly_and_unreadable_ones_with_their_cause(dialect: Dialect) {
    let mut world = live(dialect);
    world.publisher.target("trend", "-0.25");
    world.publisher.target("trend", "NaN");
    world.publisher.trade("A", 5);
    world.settle();
    let wrong = match dialect {
        Dialect::Tcp => "\"1 with 99 places\", which is no number of at most 18 places",
        _ => "\"NaN\", which is no number",
    };
    let lines = world.lines();
    let wanted = [
        "target of house: trend simx:BTC/USDT -0.25 of 1700000000 until 1700000060, 3".to_owned(),
        format!("no target of house: the exposure of a target is {wrong}"),
        "trade 0 5".to_owned(),
    ];
    assert_eq!(lines, wanted, "{dialect:?}");
}

pub(crate) fn the_health_of_a_source_follows_its_connection_and_its_gaps(dialect: Dialect) {
    let mut world = live(dialect);
    assert_eq!(world.health(), [FeedHealth::Live], "{dialect:?}");
    world.publisher.dropped("A", 1);
    world.publisher.trade("A", 2);
    world.pass(Duration::from_secs(1));
    world.publisher.trade("A", 3);
    world.pass(Duration::from_secs(1));
    // What lies there until it is read has no gap.
    let has_gaps = !matches!(dialect, Dialect::RedisStreams | Dialect::Http);
    let gaps = world.health();
    assert_eq!(gaps.contains(&FeedHealth::Gap), has_gaps, "{dialect:?}");
    *world.network.door.lock().unwrap() = Door::Refuses;
    world.cut();
    world.pass(MINUTE);
    let down = world.health();
    assert_eq!(down.last(), Some(&FeedHealth::Stale), "{dialect:?}");
    *world.network.door.lock().unwrap() = Door::Open;
    world.pass(2 * MINUTE);
    let up = world.health();
    assert!(up.contains(&FeedHealth::Live), "{dialect:?} {up:?}");
}

pub(crate) fn waits_grow_to_a_minute_with_jitter_and_start_over_after_healthy_data_only(
    dialect: Dialect,
) {
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
}

pub(crate) fn subscriptions_are_restored_on_the_next_connection(dialect: Dialect) {
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
}

pub(crate) fn a_subscription_that_is_refused_ten_times_is_reported_once_and_tried_on(
    dialect: Dialect,
) {
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
}

pub(crate) fn a_server_that_answers_nothing_is_left(dialect: Dialect) {
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
}

pub(crate) fn a_quiet_feed_keeps_its_connection_and_its_instruments_are_stale(dialect: Dialect) {
    let mut world = live(dialect);
    world.pass(10 * MINUTE);
    assert_eq!(waits(&world).len(), 0, "{dialect:?}");
    assert!(has(&world.lines(), "0 Stale: no data"), "{dialect:?}");
}

pub(crate) fn a_gap_is_announced_and_what_can_be_asked_for_is_filled(dialect: Dialect) {
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
}

pub(crate) fn what_was_published_while_the_connection_was_away_is_read_or_announced(
    dialect: Dialect,
) {
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
}

pub(crate) fn it_stops_at_once_whatever_it_does_and_leaves_nothing_open(dialect: Dialect) {
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
}

pub(crate) fn what_is_no_message_is_ignored_and_the_next_one_taken(dialect: Dialect) {
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
}

pub(crate) fn a_bad_message_with_a_number_is_passed_over_whenever_it_is_sent_again(
    dialect: Dialect,
) {
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
}

pub(crate) fn what_is_too_long_ends_the_connection_before_it_came(dialect: Dialect) {
    let mut world = live(dialect);
    world.send_bytes(&dialect.oversized());
    assert!(has(&world.lines(), "0 Stale: broken"), "{dialect:?}");
    let before = world.now();
    world.pass(Duration::from_secs(3));
    assert_eq!(world.open(), 1, "{dialect:?} since {before:?}");
}

pub(crate) fn a_message_that_comes_byte_by_byte_is_taken_once(dialect: Dialect) {
    let mut world = live(dialect);
    world.publisher.is_silent = true;
    let good = crate::publisher::Message {
        symbol: "A",
        is_quote: true,
        price: 300,
        value: None,
        exposure: None,
        is_dropped: false,
        bad: None,
    };
    let text = good.json(3);
    let bytes = match dialect {
        Dialect::Tcp => {
            let mut bytes = Vec::new();
            encode(&frame(&good, 3), &mut bytes);
            bytes
        }
        Dialect::RedisStreams => {
            let head = "*1\r\n*2\r\n$6\r\nprices\r\n*1\r\n*2\r\n$3\r\n3-0\r\n*2\r\n$4\r\njson\r\n";
            format!("{head}${}\r\n{text}\r\n", text.len()).into_bytes()
        }
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
}

pub(crate) fn one_request_is_under_way_for_each_key(dialect: Dialect) {
    let mut world = World::new(dialect);
    world.publisher.refuses = true;
    world.pass(Duration::from_millis(100));
    // All topics in one request, and none again before its pause is over.
    assert_eq!(world.publisher.requests, 1, "{dialect:?}");
    world.publisher.refuses = false;
    world.pass(MINUTE);
    let requests = world.publisher.requests;
    world.pass(MINUTE);
    assert_eq!(world.publisher.requests, requests, "{dialect:?}");
}

pub(crate) fn ten_attempts_to_connect_that_failed_are_shown_and_it_is_tried_on(dialect: Dialect) {
    let mut world = World::behind(dialect, Door::Refuses);
    world.pass(10 * MINUTE);
    let lines = world.lines();
    let failed = lines.iter().filter(|line| line.starts_with("failed"));
    // Quotes and trades of two instruments, once.
    assert_eq!(failed.count(), 4, "{dialect:?}: {lines:?}");
    *world.network.door.lock().unwrap() = Door::Open;
    world.pass(2 * MINUTE);
    world.publisher.quote("A", 300);
    world.pass(Duration::from_secs(1));
    assert!(has(&world.lines(), "0 Live"), "{dialect:?}");
}

pub(crate) fn one_turn_takes_no_more_than_one_reading_of_a_stream_that_is_full(dialect: Dialect) {
    let mut world = World::new(dialect);
    world.network.pipe.store(4 << 20, Ordering::Relaxed);
    world.cut();
    world.pass(Duration::from_secs(3));
    for price in 1..=20_000 {
        world.publisher.trade("A", price);
    }
    world.serve();
    world.lines();
    world.poll_source();
    let taken = world.lines().len();
    // 64 KiB of the shortest messages.
    assert!((50..=2_000).contains(&taken), "{dialect:?}: {taken}");
    world.settle();
    assert!(has(&world.lines(), "trade 0 20000"), "{dialect:?}");
}
