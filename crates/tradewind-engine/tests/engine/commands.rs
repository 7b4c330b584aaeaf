//! Commands: each is carried out once and in time, and answered.

use std::time::Duration;

use tradewind_events::{
    Action, BotState, Command, CommandResult, EventKind, EventType, Input, Output, Principal,
    StopMode,
};
use tradewind_model::{OrderKind, Quantity, Side};
use tradewind_risk::TradingState;
use tradewind_testkit::{ACCOUNT, Answer, SPOT};

use crate::{BOT, buy, one_bot};

const fn place(side: Side, quantity: i64) -> Action {
    Action::PlaceOrder {
        account: ACCOUNT,
        instrument: SPOT,
        side,
        quantity: Quantity(quantity),
        kind: OrderKind::Market,
    }
}

fn kill() -> Action {
    Action::Kill {
        reason: "enough".to_owned(),
        flatten: false,
        include_external: false,
    }
}

#[test]
fn a_kill_blocks_entries_and_exits_and_cancels_what_waits() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let entry = desk.last_order();
    let killed = CommandResult::Killed {
        open_orders: 1,
        durable: true,
    };
    assert_eq!(desk.command(kill()), killed);
    assert_eq!(desk.cancels(), [entry.client_id]);
    assert_eq!(desk.engine.view().state, TradingState::Killed);
    assert_eq!(desk.count(EventType::KillSwitch), 1);
    let CommandResult::Refused(reason) = desk.command(place(Side::Buy, 100_000)) else {
        panic!("an order passed a killed desk");
    };
    assert!(reason.starts_with("R01"), "{reason}");
    desk.fill(&entry, 10_001);
    assert_eq!(
        desk.held(SPOT),
        100_000,
        "a fill is booked whatever the state"
    );
    script.say(BOT, Answer::target(0));
    desk.advance(Duration::from_secs(2));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), 1, "exits stay in too");
}

const fn flatten(reason: String) -> Action {
    Action::Kill {
        reason,
        flatten: true,
        include_external: false,
    }
}

/// The orders for a kill that were made, in words.
fn flattening(desk: &tradewind_testkit::Desk) -> Vec<(Side, Quantity, bool)> {
    let orders = desk.log.iter().filter_map(|output| match output {
        Output::Submit(_, order) => Some((
            order.terms().side,
            order.terms().quantity,
            order.is_flattening(),
        )),
        _ => None,
    });
    orders.collect()
}

/// FLATTENING, then KILLED: positions of bots and of people are closed by orders that the gate lets pass.
#[test]
fn a_kill_that_flattens_closes_every_position_and_ends_killed() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let entry = desk.last_order();
    desk.fill(&entry, 10_001);
    desk.command(place(Side::Buy, 40_000));
    let by_hand = desk.last_order();
    desk.fill(&by_hand, 10_001);
    let held = Quantity(desk.held(SPOT));
    assert!(matches!(
        desk.command(flatten("out".to_owned())),
        CommandResult::Killed { open_orders: 0, .. }
    ));
    assert_eq!(desk.engine.view().state, TradingState::Flattening);
    let orders = flattening(&desk).split_off(2);
    assert_eq!(orders.len(), 2);
    let sold: i64 = orders.iter().map(|(_, quantity, _)| quantity.0).sum();
    assert_eq!(Quantity(sold), held);
    assert!(
        orders
            .iter()
            .all(|(side, _, passes)| *side == Side::Sell && *passes)
    );
    // Nothing new is opened meanwhile.
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    desk.advance(Duration::from_secs(3));
    assert_eq!(flattening(&desk).len(), 4, "each position is closed once");
    for order in desk.orders().split_off(2) {
        desk.fill(&order, 10_000);
    }
    assert_eq!(desk.held(SPOT), 0);
    desk.advance(Duration::from_secs(1));
    assert_eq!(desk.engine.view().state, TradingState::Killed);
    assert!(matches!(
        desk.log
            .iter()
            .rfind(|output| !matches!(output, Output::Event(_))),
        Some(Output::EndFlattening)
    ));
    let refused = desk.command(flatten("again".to_owned()));
    assert!(matches!(refused, CommandResult::Refused(why) if why.contains("killed already")));
}

#[test]
fn a_kill_that_flattens_ends_after_a_minute_or_with_a_second_kill() {
    for by_hand in [false, true] {
        let (mut desk, script) = one_bot();
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(10_000, 10_001);
        let entry = desk.last_order();
        desk.fill(&entry, 10_001);
        desk.command(flatten("out".to_owned()));
        desk.advance(Duration::from_secs(59));
        assert_eq!(desk.engine.view().state, TradingState::Flattening);
        if by_hand {
            desk.command(kill());
        } else {
            desk.advance(Duration::from_secs(1));
        }
        assert_eq!(desk.engine.view().state, TradingState::Killed);
        assert_eq!(desk.held(SPOT), 100_000, "what is left stays");
    }
}

#[test]
fn a_reset_lifts_the_kill_and_only_a_kill() {
    let (mut desk, _) = one_bot();
    let reset = || Action::Reset {
        reason: "looked at it".to_owned(),
    };
    assert!(matches!(desk.command(reset()), CommandResult::Refused(_)));
    desk.command(kill());
    desk.read_account();
    desk.read_account();
    assert_eq!(desk.command(reset()), CommandResult::Accepted(None));
    assert_eq!(desk.engine.view().state, TradingState::Active);
    assert_eq!(desk.count(EventType::KillSwitchReset), 1);
    desk.quote(10_000, 10_001);
    assert!(matches!(
        desk.command(place(Side::Buy, 100_000)),
        CommandResult::Accepted(Some(_))
    ));
}

#[test]
fn a_command_is_carried_out_once_and_answered_each_time() {
    let (mut desk, _) = one_bot();
    desk.quote(10_000, 10_001);
    let command = Command {
        id: 77,
        principal: Principal::Token("ops".to_owned()),
        issued_at: desk.now,
        expires_at: None,
        action: place(Side::Buy, 100_000),
    };
    let answers: Vec<_> = (0..3)
        .map(|_| {
            let outputs = desk.input(&Input::Command(Box::new(command.clone())));
            outputs
                .into_iter()
                .find(|output| matches!(output, Output::Reply(..)))
        })
        .collect();
    assert_eq!(desk.orders().len(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer == &answers[0] && answer.is_some())
    );
}

#[test]
fn a_command_that_came_too_late_is_refused() {
    let (mut desk, _) = one_bot();
    let command = Command {
        id: 78,
        principal: Principal::Telegram(1),
        issued_at: desk.now - Duration::from_secs(61),
        expires_at: Some(desk.now - Duration::from_secs(1)),
        action: place(Side::Buy, 100_000),
    };
    desk.input(&Input::Command(Box::new(command)));
    assert!(desk.orders().is_empty());
    assert!(matches!(
        desk.last(EventType::Command),
        EventKind::Command {
            result: CommandResult::Refused(_),
            ..
        }
    ));
}

#[test]
fn what_follows_from_a_command_names_it() {
    let (mut desk, _) = one_bot();
    desk.quote(10_000, 10_001);
    desk.command(place(Side::Buy, 100_000));
    let events = desk.events();
    let of = |wanted: EventType| {
        events
            .iter()
            .position(|event| event.kind.event_type() == wanted)
            .expect("it was announced")
    };
    let (command, placed) = (of(EventType::Command), of(EventType::OrderPlaced));
    assert!(command < placed, "the command's event comes first");
    assert_eq!(events[placed].cause, Some(events[command].id));
}

#[test]
fn an_order_by_hand_that_reduces_is_an_exit() {
    let (mut desk, _) = one_bot();
    desk.quote(10_000, 10_001);
    desk.command(place(Side::Buy, 100_000));
    let order = desk.last_order();
    desk.fill(&order, 10_001);
    let close = Action::ClosePosition {
        account: ACCOUNT,
        bot: None,
        instrument: SPOT,
    };
    assert!(matches!(
        desk.command(close.clone()),
        CommandResult::Accepted(Some(_))
    ));
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.quantity.0), (Side::Sell, 100_000));
    desk.fill(&exit, 10_000);
    assert!(
        matches!(desk.command(close), CommandResult::Refused(_)),
        "there is nothing left"
    );
}

#[test]
fn a_stopped_bot_keeps_or_closes_its_position_by_the_stop_mode() {
    for (mode, orders) in [(StopMode::Keep, 1), (StopMode::Close, 2)] {
        let (mut desk, script) = one_bot();
        buy(&mut desk, &script);
        desk.advance(Duration::from_secs(2));
        desk.command(Action::StopBot { bot: BOT, mode });
        assert_eq!(desk.orders().len(), orders, "{mode:?}");
        let evaluated = script.evaluations(BOT);
        desk.quote(10_000, 10_001);
        assert_eq!(
            script.evaluations(BOT),
            evaluated,
            "a stopped bot is not called"
        );
        desk.command(Action::StartBot(BOT));
        assert_eq!(desk.engine.view().bots[0].state, BotState::Running);
    }
}

#[test]
fn a_paused_bot_enters_nothing_but_leaves() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    desk.advance(Duration::from_secs(2));
    desk.command(Action::PauseBot(BOT));
    script.say(BOT, Answer::target(2_000_000));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), 1);
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), 2);
}
