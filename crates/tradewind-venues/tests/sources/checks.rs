//! The list of checks, the table of them, and what holds for some transports only.

use std::time::Duration;

use crate::each;
use crate::servers::Dialect;
use crate::world::World;

const MINUTE: Duration = Duration::from_secs(60);

macro_rules! checks {
    ($($name:ident: $title:literal,)*) => {
        /// All checks, by what the table calls them.
        const ALL: &[(&str, fn(Dialect))] = &[$(($title, each::$name),)*];

        $(#[test]
        fn $name() {
            for dialect in Dialect::ALL {
                // Shown with a failure only.
                eprintln!("{dialect:?}");
                each::$name(dialect);
            }
        })*
    };
}

checks! {
    quotes_and_trades_arrive_exactly_and_in_order: "quotes and trades arrive exactly and in order",
    numbers_of_series_arrive_exactly_and_those_of_others_do_not: "numbers of series arrive exactly",
    targets_arrive_exactly_and_unreadable_ones_with_their_cause: "targets arrive exactly, unreadable ones with their cause",
    the_health_of_a_source_follows_its_connection_and_its_gaps: "the source's health follows its connection and its gaps",
    waits_grow_to_a_minute_with_jitter_and_start_over_after_healthy_data_only: "waits grow from 1 to 60 s with jitter; only healthy data resets them",
    subscriptions_are_restored_on_the_next_connection: "subscriptions are restored on the next connection",
    one_request_is_under_way_for_each_key: "one request is under way for each key",
    a_subscription_that_is_refused_ten_times_is_reported_once_and_tried_on: "a subscription refused ten times is shown and tried on",
    ten_attempts_to_connect_that_failed_are_shown_and_it_is_tried_on: "ten failed connects are shown and tried on",
    a_server_that_answers_nothing_is_left: "a missing heartbeat ends the connection",
    a_quiet_feed_keeps_its_connection_and_its_instruments_are_stale: "a quiet feed stays connected and is STALE",
    a_gap_is_announced_and_what_can_be_asked_for_is_filled: "a gap is announced, and filled where it can be",
    what_was_published_while_the_connection_was_away_is_read_or_announced: "what was missed while away is read or announced",
    it_stops_at_once_whatever_it_does_and_leaves_nothing_open: "it stops at once in every phase and leaves nothing open",
    one_turn_takes_no_more_than_one_reading_of_a_stream_that_is_full: "one turn takes 64 KiB of a full stream",
    what_is_no_message_is_ignored_and_the_next_one_taken: "malformed, nested, non-UTF-8 and foreign messages are ignored",
    a_bad_message_with_a_number_is_passed_over_whenever_it_is_sent_again: "a bad message with a number is passed over",
    what_is_too_long_ends_the_connection_before_it_came: "what is too long ends the connection before it came",
    a_message_that_comes_byte_by_byte_is_taken_once: "a message byte by byte is taken once",
}

/// The table of this suite: every check for every transport, none left out.
#[expect(clippy::print_stdout, reason = "the table is what the suite shows")]
#[test]
fn every_check_holds_for_every_transport() {
    let names = Dialect::ALL.map(Dialect::title).join(" | ");
    let columns = "---|".repeat(Dialect::ALL.len());
    let mut table = format!("| check | {names} |\n|---|{columns}\n");
    for (title, check) in ALL {
        let cells = Dialect::ALL.map(|dialect| {
            check(dialect);
            "holds"
        });
        table += &format!("| {title} | {} |\n", cells.join(" | "));
    }
    println!("{table}");
    let documented = include_str!("../../../../docs/sources.md");
    assert!(
        documented.contains(&table),
        "the table of docs/sources.md is another; it should be:\n\n{table}"
    );
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
