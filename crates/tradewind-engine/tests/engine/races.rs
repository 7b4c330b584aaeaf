//! Races: reports that come in the wrong order, in pieces, or not at all.

use std::time::Duration;

use tradewind_events::{Action, BotState, Configuration, EventType, Input, StopMode, Timer};
use tradewind_model::{
    LimitPolicy, OnTimeout, OrderPolicy, Ppm, RejectReason, ReportKind, Side, Trade, TradeId,
};
use tradewind_testkit::{Answer, Desk, SPOT, Script, bot, configuration};

use crate::{BOT, buy, desk, one_bot};

const PATIENCE: Duration = Duration::from_secs(5);

/// A desk whose bot has a working entry of one unit. The entry crosses the spread after a while.
fn working() -> (Desk, Script) {
    let script = Script::default();
    let mut patient = bot(0);
    patient.policy = OrderPolicy::Limit(LimitPolicy {
        offset: Ppm::ZERO,
        post_only: false,
        timeout: Some(PATIENCE),
        chases: 0,
        then: OnTimeout::Cross,
        own_price: false,
    });
    let mut desk = desk(vec![patient], &script);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_010);
    let order = desk.last_order();
    desk.report(&order, ReportKind::Accepted, Some(0));
    (desk, script)
}

#[test]
fn an_exit_that_fills_in_pieces_is_never_dust_while_it_works() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    let held = desk.held(SPOT);
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.quantity.0), (Side::Sell, held));
    desk.report(&exit, ReportKind::Accepted, Some(0));
    let most = desk.fill_of(&exit, held - 1, 10_000);
    desk.report(&exit, ReportKind::Filled(most), Some(held - 1));
    assert_eq!(desk.held(SPOT), 1);
    assert_eq!(desk.count(EventType::PositionClosed), 0);
    let last = desk.fill_of(&exit, 1, 10_000);
    desk.report(&exit, ReportKind::Filled(last), Some(held));
    assert_eq!(desk.held(SPOT), 0);
    assert_eq!(desk.count(EventType::PositionClosed), 1);
}

/// V11: a target waits for the end of an exit and is denied then, here by a kill: what the exit left goes to the dust book all the same.
#[test]
fn what_an_exit_leaves_is_dust_though_the_target_that_waited_is_denied() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    let held = desk.held(SPOT);
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    let exit = desk.last_order();
    desk.report(&exit, ReportKind::Accepted, Some(0));
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    desk.command(Action::Kill {
        reason: "out".to_owned(),
        flatten: false,
        include_external: false,
    });
    let most = desk.fill_of(&exit, held - 1, 10_000);
    desk.report(&exit, ReportKind::Filled(most), Some(held - 1));
    desk.report(&exit, ReportKind::Cancelled, Some(held - 1));
    assert_eq!((desk.held(SPOT), desk.orders().len()), (0, 2));
    assert_eq!(desk.count(EventType::PositionClosed), 1);
}

/// What an exit left is sold though the target that waited for its end is denied, and a desk that died meanwhile sells it, too.
#[test]
fn what_an_exit_leaves_is_sold_though_the_target_that_waited_is_denied() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    let held = desk.held(SPOT);
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    let exit = desk.last_order();
    desk.report(&exit, ReportKind::Accepted, Some(0));
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    // No entry any more; exits go.
    desk.command(Action::PauseBot(BOT));
    let half = desk.fill_of(&exit, held / 2, 10_000);
    desk.report(&exit, ReportKind::Filled(half), Some(held / 2));
    desk.report(&exit, ReportKind::Cancelled, Some(held / 2));
    let orders = desk.orders().len();
    let mut later = desk.restarted(
        Configuration {
            bots: vec![bot(0)],
            ..configuration()
        },
        script.strategies(),
    );
    desk.advance(Duration::from_secs(6));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), orders + 1);
    let rest = desk.last_order();
    assert_eq!((rest.side, rest.quantity.0), (Side::Sell, held - held / 2));
    later.read_account();
    later.quote(10_000, 10_001);
    later.advance(Duration::from_secs(6));
    assert_eq!(later.last_order().quantity.0, held - held / 2);
}

#[test]
fn a_cancel_that_overtakes_its_fill_does_not_double_the_order() {
    let (mut desk, _script) = working();
    let order = desk.last_order();
    desk.advance(PATIENCE);
    let half = order.quantity.0 / 2;
    desk.report(&order, ReportKind::Cancelled, Some(half));
    assert_eq!(
        desk.orders().len(),
        1,
        "the rest is not known before the fill is"
    );
    assert!(desk.queries().contains(&order.client_id));
    let fill = desk.fill_of(&order, half, 10_000);
    desk.report(&order, ReportKind::Filled(fill), Some(half));
    let rest = desk.last_order();
    assert_ne!(rest.client_id, order.client_id);
    assert_eq!(rest.quantity.0, order.quantity.0 - half);
}

#[test]
fn a_cancel_that_was_lost_is_sent_again_once_the_order_is_found_open() {
    let (mut desk, _script) = working();
    let order = desk.last_order();
    desk.advance(PATIENCE);
    assert_eq!(desk.cancels().len(), 1);
    desk.report(&order, ReportKind::Unknown, None);
    assert!(desk.queries().contains(&order.client_id));
    desk.report(&order, ReportKind::Accepted, Some(0));
    assert_eq!(desk.cancels(), [order.client_id, order.client_id]);
}

#[test]
fn an_exit_that_was_refused_is_tried_again() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    let exit = desk.last_order();
    let reason = RejectReason {
        code: -1013,
        text: "no".to_owned(),
    };
    desk.report(&exit, ReportKind::Rejected(reason), None);
    assert_eq!(desk.last_order(), exit);
    desk.advance(PATIENCE);
    let again = desk.last_order();
    assert_ne!(again.client_id, exit.client_id);
    assert_eq!((again.side, again.quantity), (exit.side, exit.quantity));
}

#[test]
fn a_bot_that_a_person_stopped_does_not_come_back_from_a_fault() {
    let (mut desk, script) = one_bot();
    script.break_bot(BOT, true);
    desk.quote(10_000, 10_001);
    assert!(desk.timer(Timer::BotRetry(BOT)).is_some());
    let mode = StopMode::Keep;
    desk.command(Action::StopBot { bot: BOT, mode });
    assert!(desk.timer(Timer::BotRetry(BOT)).is_none());
    desk.advance(Duration::from_secs(10));
    assert_eq!(desk.engine.view().bots[0].state, BotState::Stopped);
}

#[test]
fn a_paused_bot_that_fails_comes_back_paused() {
    let (mut desk, script) = one_bot();
    desk.command(Action::PauseBot(BOT));
    script.break_bot(BOT, true);
    desk.quote(10_000, 10_001);
    script.break_bot(BOT, false);
    desk.advance(Duration::from_secs(2));
    assert_eq!(desk.engine.view().bots[0].state, BotState::Paused);
}

#[test]
fn quotes_that_stop_are_stale_although_trades_flow() {
    let (mut desk, script) = one_bot();
    desk.quote(10_000, 10_001);
    for second in 1..=12 {
        desk.advance(Duration::from_secs(1));
        let trade = Trade {
            instrument: SPOT,
            taker: Side::Buy,
            id: TradeId(second),
            price: tradewind_model::Price(10_001),
            quantity: tradewind_model::Quantity(1),
            event_time: None,
            received_at: desk.now,
        };
        desk.input(&Input::Trade(trade));
    }
    script.say(BOT, Answer::target(1_000_000));
    desk.candle(&tradewind_testkit::candle(0, 10_001));
    assert!(desk.orders().is_empty(), "no entry on an old quote");
}
