//! When messages leave: within Telegram's limits, the critical ones whatever happens, memory bounded.

use std::time::Duration;

use tradewind_events::EventKind;
use tradewind_model::BotId;

use super::world::{World, fill, killed, message};
use crate::client::Failure;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

fn down() -> Option<Failure> {
    Some(Failure::Unreachable("connection refused".into()))
}

#[test]
fn a_fill_alone_is_told_at_once_and_a_thousand_in_few_messages() {
    let mut world = World::new();
    world.announce(fill(0));
    assert_eq!(world.delivered.len(), 1);
    assert_eq!(
        world.delivered[0].text,
        "22:13:20 Fill: btc-rsi buy 0.01 binance:BTC/USDT at 60000, 600.00 USDT, fee 0.6 USDT"
    );
    for number in 1..1_000 {
        world.announce(fill(number));
    }
    world.advance(60 * SECOND);
    assert!(world.delivered.len() < 12, "{}", world.delivered.len());
    let all: Vec<_> = world
        .delivered
        .iter()
        .map(|each| each.text.as_str())
        .collect();
    let lines: u64 = all.join("\n").lines().map(events_in).sum();
    assert_eq!(lines, 1_000, "every fill is in a line or in a number");
    for pair in world.delivered.windows(4) {
        assert!(
            pair[3].at - pair[0].at >= SECOND,
            "no more than a short burst"
        );
    }
}

/// How many events a line stands for.
fn events_in(line: &str) -> u64 {
    let number = line
        .strip_prefix("and ")
        .and_then(|rest| rest.split(' ').next());
    number.map_or(1, |number| number.parse().unwrap())
}

#[test]
fn an_hour_without_the_bot_api_loses_no_critical_event() {
    let mut world = World::new();
    world.trouble = down();
    world.polling = None;
    world.put(crate::machine::In::Polled(Err(down().unwrap())));
    for minute in 0..60_u64 {
        for second in 0..60 {
            world.announce(fill(minute * 60 + second));
            world.advance(SECOND);
        }
        world.announce(killed(&format!("reason {minute}")));
        world.announce(EventKind::CircuitBreakerFired {
            name: "rest".into(),
            failures: 5,
        });
    }
    assert!(world.delivered.is_empty());
    assert!(world.attempts < 300, "it backs off: {}", world.attempts);
    world.trouble = None;
    world.advance(2 * 60 * SECOND);
    let all: Vec<_> = world
        .delivered
        .iter()
        .map(|each| each.text.as_str())
        .collect();
    let all = all.join("\n");
    for minute in 0..60 {
        assert!(all.contains(&format!(": reason {minute}\n")), "{minute}");
    }
    assert!(all.contains("Breaker open: rest after 5 failures"));
    assert!(
        all.contains(" more order_filled"),
        "the rest is sent as a number"
    );
    assert!(all.len() < 100_000, "memory is bounded: {}", all.len());
    assert!(world.polling.is_some(), "and it listens again");
    assert!(world.machine.counts().summarised > 3_000);
}

#[test]
fn a_kill_overtakes_the_fills_that_wait() {
    let mut world = World::new();
    world.trouble = down();
    for number in 0..500 {
        world.announce(fill(number));
    }
    world.announce(killed("fire"));
    world.trouble = None;
    world.advance(2 * 60 * SECOND);
    let kill = world
        .delivered
        .iter()
        .position(|each| each.text.contains("KILLED"));
    assert_eq!(
        kill,
        Some(1),
        "only the message that was under way goes before it"
    );
    assert!(
        world.delivered[1]
            .text
            .starts_with("22:13:20 KILLED by this machine: fire")
    );
}

#[test]
fn too_many_requests_means_silence_for_as_long_as_was_asked() {
    let mut world = World::new();
    world.trouble = Some(Failure::Busy(Duration::from_secs(35)));
    world.announce(fill(1));
    world.trouble = None;
    world.announce(fill(2));
    world.advance(34 * SECOND);
    assert!(world.delivered.is_empty());
    world.advance(10 * SECOND);
    assert_eq!(world.attempts, 3);
    assert_eq!(world.delivered[0].at, 35 * SECOND);
}

#[test]
fn replies_go_before_notifications_and_are_bounded() {
    let mut world = World::new();
    world.trouble = down();
    world.polling = None;
    let mut update = 0;
    for _ in 0..10 {
        let many: Vec<_> = (0..50)
            .map(|_| {
                update += 1;
                message(update, 0, "nonsense")
            })
            .collect();
        world.put(crate::machine::In::Polled(Ok(many
            .iter()
            .filter_map(crate::wire::Update::read)
            .collect())));
    }
    world.announce(fill(1));
    // Fifty are in the message that is tried again, a hundred wait.
    assert_eq!(world.machine.counts().replies_dropped, 350);
    world.trouble = None;
    world.advance(2 * 60 * SECOND);
    assert!(world.delivered.last().unwrap().text.contains("Fill: "));
    assert!(
        world
            .delivered
            .iter()
            .all(|each| each.text.encode_utf16().count() <= 4_096)
    );
}

#[test]
fn a_message_that_is_refused_is_tried_without_markup_and_then_given_up() {
    let mut world = World::new();
    world.trouble = Some(Failure::Refused("400 can't parse entities".into()));
    world.announce(fill(1));
    assert_eq!(world.attempts, 2);
    world.trouble = None;
    world.announce(fill(2));
    world.advance(5 * SECOND);
    assert_eq!(
        world.delivered.len(),
        1,
        "it does not stand in the way of the next"
    );
    assert!(world.delivered[0].text.contains("60000.02"));
}

#[test]
fn a_chat_that_blocks_the_bot_keeps_nobody_from_an_answer() {
    let mut world = World::new();
    world.trouble = Some(Failure::Blocked("403 bot was blocked by the user".into()));
    world.announce(killed("fire"));
    world.trouble = None;
    assert!(world.say(1, "/help").starts_with("Tradewind"));
    world.advance(HOUR);
    assert!(world.delivered.last().unwrap().text.contains("KILLED"));
}

#[test]
fn each_type_is_on_silent_or_off() {
    let mut world = World::new();
    world.announce(EventKind::DeskStopping);
    world.announce(EventKind::BotError {
        bot: BotId(1),
        error: "panicked".into(),
        faults: 1,
    });
    world.announce(fill(1));
    world.advance(5 * SECOND);
    let reported: Vec<_> = world.delivered.iter().map(|each| each.is_silent).collect();
    assert_eq!(reported, [true, false]);
}
