//! Decisions about a position that is held: its stop moves, or something that would close it is unknown.

use std::time::Duration;

use tradewind_events::{
    Action, BotConfig, Configuration, EventKind, EventType, StopMode, WakeRule,
};
use tradewind_model::{BotId, Decision, ExitPlan, Ppm, Price, Reason, Side, Stop, Timestamp};
use tradewind_risk::{CauseKind, Scope, TradingState};
use tradewind_testkit::{Answer, Desk, Script, bot, configuration};

use crate::{BOT, buy, desk};

fn guarded(stop: Stop) -> BotConfig {
    BotConfig {
        exit: ExitPlan {
            stop,
            ..ExitPlan::default()
        },
        ..bot(0)
    }
}

/// A desk whose bot has bought one unit at 100.01 with this stop.
fn long(stop: Stop) -> (Desk, Script) {
    let script = Script::default();
    let mut desk = desk(vec![guarded(stop)], &script);
    buy(&mut desk, &script);
    desk.advance(Duration::from_secs(2));
    (desk, script)
}

fn move_stop(price: i64) -> Answer {
    Answer::Decide(Decision::MoveStop {
        stop: Price(price),
        reason: Reason::plain("the script moves it"),
    })
}

fn stop(desk: &Desk) -> Option<Price> {
    desk.engine.view().positions[0].exit.stop
}

#[test]
fn a_stop_moves_nearer_and_never_back() {
    for first in [Stop::None, Stop::Distance(Ppm(10_000))] {
        let (mut desk, script) = long(first);
        script.say(BOT, move_stop(9_950));
        desk.quote(10_000, 10_001);
        assert_eq!(stop(&desk), Some(Price(9_950)), "{first:?}");
        script.say(BOT, move_stop(9_920));
        desk.quote(10_000, 10_001);
        assert_eq!(stop(&desk), Some(Price(9_950)), "{first:?}");
        let orders = desk.orders().len();
        desk.quote(9_951, 9_952);
        assert_eq!(desk.orders().len(), orders);
        desk.quote(9_950, 9_951);
        let EventKind::OrderPlaced { terms, .. } = desk.last(EventType::OrderPlaced) else {
            panic!("nothing was sold");
        };
        assert_eq!((desk.orders().len(), terms.side), (orders + 1, Side::Sell));
    }
}

#[test]
fn a_stop_that_moves_without_a_position_changes_nothing() {
    let script = Script::default();
    let mut desk = desk(vec![bot(0)], &script);
    script.say(BOT, move_stop(9_950));
    desk.quote(10_000, 10_001);
    buy(&mut desk, &script);
    assert_eq!(stop(&desk), None);
}

#[test]
fn a_stop_that_moved_is_found_again_after_a_restart() {
    let (mut desk, script) = long(Stop::Distance(Ppm(10_000)));
    script.say(BOT, move_stop(9_950));
    desk.quote(10_000, 10_001);
    let configuration = Configuration {
        bots: vec![guarded(Stop::Distance(Ppm(10_000)))],
        ..configuration()
    };
    let next = desk.restarted(configuration, script.strategies());
    assert_eq!(stop(&next), Some(Price(9_950)));
}

#[test]
fn what_a_position_waits_on_is_a_cause_until_it_is_known() {
    let (mut desk, script) = long(Stop::None);
    let causes = |desk: &Desk| -> Vec<_> {
        let all = desk.engine.view().causes.into_iter();
        all.filter(|cause| cause.reason == CauseKind::RuleUnknown)
            .map(|cause| (cause.scope, cause.state))
            .collect()
    };
    assert_eq!(causes(&desk), []);
    script.say(
        BOT,
        Answer::Decide(Decision::Wait {
            reason: Reason::plain("waits on: x is unknown"),
        }),
    );
    desk.quote(10_000, 10_001);
    assert_eq!(causes(&desk), [(Scope::Bot(BOT), TradingState::Active)]);
    desk.quote(10_000, 10_001);
    assert_eq!(causes(&desk), []);
}

#[test]
fn a_cause_of_before_a_restart_ends_when_the_value_is_known_or_the_bot_stops() {
    let (mut desk, script) = long(Stop::None);
    let count = |desk: &Desk| {
        let all = desk.engine.view().causes.into_iter();
        all.filter(|cause| cause.reason == CauseKind::RuleUnknown)
            .count()
    };
    let reason = Reason::plain("waits on: x is unknown");
    script.say(BOT, Answer::Decide(Decision::Wait { reason }));
    desk.quote(10_000, 10_001);
    assert_eq!(count(&desk), 1);
    let configuration = || Configuration {
        bots: vec![guarded(Stop::None)],
        ..configuration()
    };
    let mut next = desk.restarted(configuration(), script.strategies());
    assert_eq!(count(&next), 1);
    next.read_account();
    next.advance(Duration::from_secs(60));
    next.quote(10_000, 10_001);
    next.quote(10_000, 10_001);
    assert_eq!(count(&next), 0, "it is known again");
    let stop = Action::StopBot {
        bot: BOT,
        mode: StopMode::Keep,
    };
    desk.command(stop);
    assert_eq!(count(&desk), 0, "it decides no more");
}

#[test]
fn a_bot_is_woken_at_its_time_of_the_day() {
    let script = Script::default();
    let mut daily = bot(0);
    daily.wakes = vec![WakeRule::EveryAt {
        every: Duration::from_secs(86_400),
        offset: Duration::from_secs(300),
    }];
    let mut desk = desk(vec![daily], &script);
    let next = |desk: &Desk| {
        let view = desk.engine.view();
        let wake = view.bots.iter().find(|one| one.bot == BotId(0));
        wake.and_then(|bot| bot.next_wake).map(|next| next.at)
    };
    let at = next(&desk).expect("it is awake");
    let of_day = at.since(at.start_of_day());
    assert_eq!(of_day, Duration::from_secs(300));
    let before = script.evaluations(BOT);
    desk.advance(at.since(desk.engine.view().at));
    assert_eq!(script.evaluations(BOT), before + 1);
    let following: Timestamp = next(&desk).expect("it is awake");
    assert_eq!(following.since(at), Duration::from_secs(86_400));
}
