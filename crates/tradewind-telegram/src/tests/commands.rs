//! What becomes of commands: acknowledged, applied once, never late, and read back where they add risk.

use std::time::Duration;

use tradewind_events::{Action, Principal};
use tradewind_model::{BotId, InstrumentId, OrderKind, Quantity, Side, Timestamp};

use super::world::{USER, World, answered, message};
use crate::progress::Progress;

/// H02: each command, two hours old, as after a night without power.
#[test]
fn old_entries_are_refused_and_old_stops_and_kills_are_honoured() {
    const HOURS: i64 = 7_200;
    for (text, obeyed) in [
        ("/start btc-rsi", false),
        ("/start all", false),
        ("/buy BTC/USDT 0.01", false),
        ("/sell BTC/USDT 0.01", false),
        ("/confirm 0001", false),
        ("/stop btc-rsi", true),
        ("/stop all", true),
        ("/kill fire", true),
    ] {
        let mut world = World::new();
        let answer = world.say_late(1, HOURS, text);
        assert_eq!(!world.commands.is_empty(), obeyed, "{text}");
        assert_eq!(
            answer.contains("was sent 2 h ago"),
            !obeyed,
            "{text}: {answer}"
        );
        assert_eq!(world.machine.counts().stale, u64::from(!obeyed));
        assert!(
            world
                .commands
                .iter()
                .all(|command| command.expires_at.is_none())
        );
    }
}

#[test]
fn an_entry_is_obeyed_up_to_thirty_seconds() {
    for (age, obeyed) in [(0, true), (30, true), (31, false), (-5, true)] {
        let mut world = World::new();
        world.say_late(1, age, "/start btc-rsi");
        assert_eq!(!world.commands.is_empty(), obeyed, "{age} s");
    }
    // It is stamped by the desk's clock, and expires there when it would have grown too old here.
    let mut world = World::new();
    world.say_late(1, 10, "/start btc-rsi");
    let command = &world.commands[0];
    assert_eq!(command.issued_at, Timestamp::from_secs(1_700_000_000 - 10));
    assert_eq!(
        command.expires_at,
        Some(Timestamp::from_secs(1_700_000_000 + 20))
    );
    assert_eq!(command.principal, Principal::Telegram(USER));
}

#[test]
fn every_command_is_acknowledged_before_the_desk_answers() {
    for text in [
        "/start btc-rsi",
        "/stop all",
        "/kill fire",
        "/sell BTC/USDT 0.01",
    ] {
        let mut world = World::new();
        world.is_engine_stalled = true;
        world.receive(&[message(1, 0, text)]);
        assert!(world.delivered[0].text.starts_with("Received: "), "{text}");
        assert_eq!(world.delivered[0].at, Duration::ZERO);
        let batch = world.unanswered.pop().unwrap();
        world.put(answered(batch));
        world.advance(Duration::from_secs(2));
        assert!(
            world.delivered[1].text.starts_with("Accepted"),
            "{:?}",
            world.delivered
        );
    }
}

/// A part that there is not is no reason to kill nothing.
#[test]
fn a_kill_of_a_part_is_read_back_and_one_of_no_part_is_of_the_desk() {
    for (text, action, words) in [
        (
            "/kill bot BTC-RSI went crazy",
            Action::KillScope {
                scope: BotId(0).into(),
                reason: "went crazy".into(),
            },
            "Received: kill of bot btc-rsi.",
        ),
        (
            "/kill instrument BTC/USDT",
            Action::KillScope {
                scope: InstrumentId(0).into(),
                reason: "no reason given".into(),
            },
            "Received: kill of instrument binance:BTC/USDT.",
        ),
        (
            "/kill bot went crazy",
            Action::Kill {
                reason: "bot went crazy".into(),
                flatten: false,
                include_external: false,
            },
            "Received: kill of the whole desk, for there is no such part as went.",
        ),
    ] {
        let mut world = World::new();
        world.say(1, text);
        assert_eq!(world.commands[0].action, action, "{text}");
        assert_eq!(world.delivered[0].text, words);
    }
}

/// H03: Telegram repeats an update whose confirmation it did not get.
#[test]
fn an_update_that_comes_twice_is_applied_once() {
    let mut world = World::new();
    let twice = [
        message(9, 0, "/start btc-rsi"),
        message(9, 0, "/start btc-rsi"),
    ];
    world.receive(&twice);
    world.receive(&twice);
    assert_eq!(world.commands.len(), 1);
    assert_eq!(world.machine.counts().duplicates, 3);
}

#[test]
fn the_same_update_is_the_same_command_and_another_is_not() {
    let id = |update: i64, text: &str| {
        let mut world = World::new();
        world.say(update, text);
        world
            .commands
            .iter()
            .map(|command| command.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(id(9, "/kill a"), id(9, "/kill a"));
    assert_ne!(id(9, "/kill a"), id(10, "/kill a"));
    let all = id(9, "/start all");
    assert_eq!(all.len(), 2);
    assert_ne!(all[0], all[1]);
}

#[test]
fn after_a_crash_an_entry_is_not_repeated_and_a_kill_is() {
    let mut world = World::new();
    world.is_engine_stalled = true;
    world.receive(&[
        message(9, 0, "/start btc-rsi"),
        message(10, 0, "/kill fire"),
    ]);
    assert_eq!(world.commands.len(), 2);
    // The kill has no answer yet, so its update is not confirmed to Telegram.
    assert_eq!(world.polling, None);
    let kept = *world.kept.last().unwrap();
    assert_eq!(
        kept,
        Progress {
            next: None,
            entry: Some(9)
        }
    );

    let mut world = World::after(kept);
    world.receive(&[
        message(9, 0, "/start btc-rsi"),
        message(10, 0, "/kill fire"),
    ]);
    let actions: Vec<_> = world
        .commands
        .iter()
        .map(|command| &command.action)
        .collect();
    assert_eq!(
        actions,
        [&Action::Kill {
            reason: "fire".into(),
            flatten: false,
            include_external: false,
        }]
    );
    assert_eq!(world.polling, Some(Some(11)));
    assert_eq!(
        world.kept.last(),
        Some(&Progress {
            next: Some(11),
            entry: Some(9)
        })
    );
    assert!(
        world.delivered[0].text.starts_with("Not repeated"),
        "{:?}",
        world.delivered
    );

    let mut world = World::after(Progress {
        next: Some(11),
        entry: Some(9),
    });
    world.receive(&[message(10, 0, "/kill fire")]);
    assert!(world.commands.is_empty());
}

#[test]
fn polling_goes_on_once_a_kill_is_answered() {
    let mut world = World::new();
    world.is_engine_stalled = true;
    world.receive(&[message(1, 0, "/kill")]);
    world.advance(Duration::from_secs(3));
    assert_eq!(world.polling, None);
    let batch = world.unanswered.pop().unwrap();
    world.put(answered(batch));
    assert_eq!(world.polling, Some(Some(2)));
}

#[test]
fn a_purchase_is_read_back_with_its_value_and_placed_once_when_confirmed() {
    let mut world = World::new();
    let answer = world.say(9_041, "/buy btc/usdt 0.01");
    assert_eq!(
        answer,
        "Confirm: buy 0.01 binance:BTC/USDT on paper, at market, worth 600.00 USDT at 60000.5.\n\
         Send /confirm 9041 within 30 s to place it."
    );
    assert!(world.commands.is_empty());
    assert!(
        world
            .say(9_042, "/confirm 9042")
            .contains("no order with that code")
    );
    world.say(9_043, "/confirm 9041");
    let Action::PlaceOrder {
        side,
        quantity,
        kind,
        ..
    } = world.commands[0].action
    else {
        panic!("{:?}", world.commands)
    };
    assert_eq!(
        (side, quantity, kind),
        (Side::Buy, Quantity(1_000), OrderKind::Market)
    );
    assert!(world.commands[0].expires_at.is_some());
    // A double tap.
    assert!(
        world
            .say(9_044, "/confirm 9041")
            .contains("no order with that code")
    );
    assert_eq!(world.commands.len(), 1);
}

#[test]
fn a_value_is_not_a_quantity() {
    let mut world = World::new();
    let answer = world.say(1, "/buy BTC/USDT 600 USDT");
    assert!(
        answer.contains("buy 0.00999 ") && answer.contains("worth 599.40 USDT"),
        "{answer}"
    );
    // H01: the fat finger sees what it did.
    let answer = world.say(2, "/buy BTC/USDT 600");
    assert!(answer.contains("worth 36000300.00 USDT"), "{answer}");
    for (text, problem) in [
        ("/buy ETH/USDT 1", "there is no instrument ETH/USDT"),
        ("/buy BTC/USDT 1 EUR", "are in BTC or USDT"),
        ("/buy BTC/USDT 1 BTC live", "no account live"),
        ("/buy BTC/USDT 0", "that is nothing"),
        ("/buy BTC/USDT 0.000001", "0.000001"),
        ("/buy BTC/USDT 99999999999999999999999999", "99999"),
    ] {
        let answer = world.say(3 + i64::try_from(world.delivered.len()).unwrap(), text);
        assert!(answer.contains(problem), "{text}: {answer}");
    }
    assert!(world.commands.is_empty());
}

#[test]
fn a_confirmation_that_takes_too_long_places_nothing() {
    let mut world = World::new();
    world.say(1, "/buy BTC/USDT 0.01");
    world.advance(Duration::from_secs(30));
    assert!(world.say(2, "/confirm 0001").contains("code has expired"));
    assert!(world.commands.is_empty());
}

#[test]
fn a_sale_of_what_was_bought_by_hand_needs_no_second_step() {
    let mut world = World::new();
    world.say(1, "/sell BTC/USDT 0.5");
    assert_eq!(world.commands.len(), 1);
    let mut world = World::new();
    let answer = world.say(1, "/sell BTC/USDT 0.50001");
    assert!(answer.contains("/confirm 0001") && world.commands.is_empty());
}

#[test]
fn without_a_quote_nothing_is_measured_and_nothing_placed() {
    let mut world = World::new();
    world.view.feeds.clear();
    assert!(
        world
            .say(1, "/buy BTC/USDT 0.01")
            .contains("there is no quote")
    );
}

#[test]
fn help_is_what_telegram_itself_asks_for_first() {
    let mut world = World::new();
    assert!(world.say(1, "/start").starts_with("Tradewind\n/status"));
    assert!(world.say(2, "good morning").contains("/help"));
    assert!(
        world
            .say(3, "/stop nobody")
            .contains("there is no such bot")
    );
    assert!(world.commands.is_empty());
}
