//! The lives of bots: one after the other, warm, running, failed, back.

use std::time::Duration;

use tradewind_events::{
    BotState, CandleHistory, Configuration, EventKind, EventType, Input, Output,
};
use tradewind_model::{Amount, CarriedOut, Decision, Interval, Reason, RestingOrders, Timestamp};
use tradewind_strategy::WarmUp;
use tradewind_testkit::{Answer, Desk, SPOT, Script, bot, candle, configuration};

use crate::{BOT, desk, one_bot, only_candles_led_to_signals};

const SECOND: Duration = Duration::from_secs(1);

fn states(desk: &Desk) -> Vec<BotState> {
    desk.engine
        .view()
        .bots
        .iter()
        .map(|bot| bot.state)
        .collect()
}

#[test]
fn bots_start_two_seconds_apart() {
    let script = Script::default();
    let configuration = Configuration {
        bots: (0..3).map(bot).collect(),
        ..configuration()
    };
    let mut desk = Desk::started(configuration, script.strategies());
    let (starting, running) = (BotState::Starting, BotState::Running);
    assert_eq!(states(&desk), [running, starting, starting]);
    desk.advance(Duration::from_millis(1_999));
    assert_eq!(states(&desk), [running, starting, starting]);
    desk.advance(Duration::from_millis(2_001));
    assert_eq!(states(&desk), [running; 3]);
}

#[test]
fn a_bot_warms_until_its_past_candles_are_there_and_is_fed_them_silently() {
    let script = Script::with_candles(vec![WarmUp {
        interval: Interval::Minute1,
        candles: 3,
    }]);
    let configuration = Configuration {
        bots: vec![bot(0)],
        ..configuration()
    };
    let mut desk = Desk::started(configuration, script.strategies());
    assert_eq!(states(&desk), [BotState::Warming]);
    let wanted = desk.log.iter().find_map(|output| match output {
        Output::RequestCandles { count, .. } => Some(*count),
        _ => None,
    });
    assert_eq!(wanted, Some(5), "what it needs and two to spare");
    let candles = (-3..0).map(|place| candle(place, 10_000)).collect();
    script.say(BOT, Answer::target(1_000_000));
    let history = CandleHistory {
        instrument: SPOT,
        interval: Interval::Minute1,
        candles,
    };
    desk.input(&Input::Candles(Box::new(history)));
    assert_eq!(states(&desk), [BotState::Running]);
    assert_eq!(script.candles_of(BOT).len(), 3);
    assert!(desk.orders().is_empty());
}

/// A bot that starts so long after a close on which it wants to enter: its orders, and which decisions would be carried out of each
/// candle.
fn starts_after_a_close(age: Duration) -> (usize, Vec<CarriedOut>) {
    let warm_up = WarmUp {
        interval: Interval::Minute1,
        candles: 2,
    };
    let script = Script::with_candles(vec![warm_up]).answering_history();
    let configuration = Configuration {
        bots: vec![bot(0)],
        ..configuration()
    };
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(age);
    desk.quote(10_000, 10_001);
    for _ in 0..3 {
        script.say(BOT, Answer::target(1_000_000));
    }
    let history = CandleHistory {
        instrument: SPOT,
        interval: Interval::Minute1,
        candles: (-3..0).map(|place| candle(place, 10_000)).collect(),
    };
    desk.input(&Input::Candles(Box::new(history)));
    assert_eq!(states(&desk), [BotState::Running]);
    only_candles_led_to_signals(&desk);
    (desk.orders().len(), script.carried_out(BOT))
}

/// An entry that is decided within its time to live, 15 s here, is made whether or not its bot was there at the close. After it the
/// strategy knows that nothing will come of it.
#[test]
fn a_bot_that_starts_right_after_a_close_enters_on_it_or_knows_that_it_does_not() {
    let (all, nothing) = (CarriedOut::All, CarriedOut::Nothing);
    let in_time = starts_after_a_close(Duration::from_secs(5));
    assert_eq!(in_time, (1, vec![nothing, nothing, all]));
    let late = starts_after_a_close(Duration::from_secs(16));
    assert_eq!(late, (0, vec![nothing; 3]));
}

#[test]
fn a_bot_whose_budget_the_account_does_not_cover_stays_stopped() {
    let script = Script::default();
    let mut rich = bot(0);
    rich.budget = Amount::whole(1_000_000);
    let desk = desk(vec![rich, bot(1)], &script);
    assert_eq!(states(&desk), [BotState::Stopped, BotState::Running]);
}

#[test]
fn a_bot_without_data_is_stopped_and_says_so() {
    let mut configuration = Configuration {
        bots: vec![bot(0)],
        ..configuration()
    };
    configuration.instruments[0].status = tradewind_model::InstrumentStatus::NoData;
    let desk = Desk::started(configuration, Script::default().strategies());
    let view = desk.engine.view();
    assert_eq!(
        (view.bots[0].state, view.bots[0].state_reason.as_str()),
        (BotState::Stopped, "no data")
    );
}

#[test]
fn a_panic_faults_its_bot_alone_which_is_back_after_one_then_two_seconds_and_stays_down_the_third_time()
 {
    let script = Script::default();
    let mut desk = desk(vec![bot(0), bot(1)], &script);
    script.break_bot(BOT, true);
    let (faulted, running) = (BotState::Faulted, BotState::Running);
    let check =
        |desk: &Desk, wanted: [BotState; 2], when: &str| assert_eq!(states(desk), wanted, "{when}");
    desk.quote(10_000, 10_001);
    check(&desk, [faulted, running], "first panic");
    desk.advance(SECOND);
    check(&desk, [running, running], "back after a second");
    desk.quote(10_000, 10_001);
    check(&desk, [faulted, running], "second panic");
    desk.advance(SECOND);
    check(&desk, [faulted, running], "not yet");
    desk.advance(SECOND);
    check(&desk, [running, running], "back after two");
    desk.quote(10_000, 10_001);
    desk.advance(Duration::from_secs(3_600));
    check(
        &desk,
        [faulted, running],
        "the third within five minutes waits for a person",
    );
    assert_eq!(
        script.evaluations(tradewind_model::BotId(1)),
        3,
        "the other one was evaluated each time"
    );
    assert_eq!(desk.count(EventType::BotError), 3);
}

#[test]
fn faults_far_apart_do_not_add_up() {
    let (mut desk, script) = one_bot();
    for _ in 0..5 {
        script.say(BOT, Answer::Panic("once in a while"));
        desk.quote(10_000, 10_001);
        assert_eq!(states(&desk), [BotState::Faulted]);
        desk.advance(Duration::from_secs(301));
        assert_eq!(states(&desk), [BotState::Running]);
    }
}

#[test]
fn a_strategy_that_fails_is_reported_and_continues() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::Fail("division by zero: ATR is 0"));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.count(EventType::BotError), 1);
    assert_eq!(states(&desk), [BotState::Running]);
    assert!(desk.orders().is_empty());
    desk.quote(10_000, 10_001);
    assert_eq!(script.evaluations(BOT), 2);
}

#[test]
fn a_bots_own_interval_is_aligned_to_the_clock() {
    let mut every = bot(0);
    every.wakes = vec![tradewind_events::WakeRule::Every(Duration::from_secs(900))];
    let script = Script::default();
    let mut desk = desk(vec![every], &script);
    let next = desk.engine.view().bots[0].next_wake.map(|next| next.at);
    assert_eq!(next, Some(Timestamp::from_secs(1_704_067_200 + 900)));
    desk.advance(Duration::from_secs(1_800));
    assert_eq!(script.evaluations(BOT), 2, "at :15 and :30");
}

#[test]
fn resting_orders_are_refused_as_an_error_of_the_bot_and_it_continues() {
    let (mut desk, script) = one_bot();
    let grid = RestingOrders::new(Vec::new(), Reason::plain("a grid")).expect("none is allowed");
    script.say(BOT, Answer::Decide(Decision::Orders(Box::new(grid))));
    desk.quote(10_000, 10_001);
    let EventKind::BotError { error, faults, .. } = desk.last(EventType::BotError) else {
        panic!("an event of another type")
    };
    assert_eq!(error, "resting orders of a strategy are not supported yet");
    assert_eq!(faults, 0);
    assert!(desk.orders().is_empty());
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), 1);
}
