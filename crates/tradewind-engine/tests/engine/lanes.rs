//! Strategies in another lane: an output requests an evaluation, and an input contains the answer.

use std::time::Duration;

use tradewind_events::{
    BotState, Evaluation, EvaluationError, EvaluationOutcome, EvaluationRequest, EventType, Input,
    Lane, Output, SeriesPoint,
};
use tradewind_model::{
    Decimal, Decision, ExitPlan, FeedHealth, Number, Ppm, Price, Reason, Stop, Target,
};
use tradewind_testkit::{Desk, Script, bot};

use crate::{BOT, desk};

fn remote() -> Desk {
    let mut slow = bot(0);
    slow.lane = Lane::Thread;
    desk(vec![slow], &Script::default())
}

fn requested(outputs: &[Output]) -> Option<EvaluationRequest> {
    outputs.iter().find_map(|output| match output {
        Output::Evaluate(request) => Some((**request).clone()),
        _ => None,
    })
}

fn answer(desk: &mut Desk, request: u64, outcome: EvaluationOutcome) {
    let evaluation = Evaluation {
        bot: BOT,
        request,
        outcome,
    };
    desk.input(&Input::Evaluation(Box::new(evaluation)));
}

fn long() -> EvaluationOutcome {
    let (exposure, reason) = (Ppm::ONE, Reason::plain("from its lane"));
    EvaluationOutcome::Decided(Some(Decision::Target(Target {
        exposure,
        limit: None,
        exit: None,
        reason,
    })))
}

#[test]
fn a_request_holds_the_numbers_of_series_and_the_health_of_the_feed() {
    let mut desk = remote();
    let at = desk.now;
    desk.input(&Input::Series(Box::new(SeriesPoint {
        name: "house:fear".to_owned(),
        instrument: None,
        value: Decimal::new(125, 1),
        event_time: Some(at),
        received_at: at,
        max_age: Some(Duration::from_secs(60)),
    })));
    desk.advance(Duration::from_secs(1));
    let outputs = desk.quote(10_000, 10_001);
    let request = requested(&outputs).expect("a request on each quote");
    let number = request.numbers.get("house:fear", desk.now);
    let (value, age) = (Decimal::new(125, 1), Duration::from_secs(1));
    assert_eq!(number, Some(Number { value, age }));
    assert_eq!(request.feed, (FeedHealth::Live, desk.now));
}

#[test]
fn a_request_holds_all_the_strategy_may_see_and_its_answer_is_carried_out() {
    let mut desk = remote();
    let outputs = desk.quote(10_000, 10_001);
    let request = requested(&outputs).expect("a request on each quote");
    assert!(request.decide && request.quote.is_some());
    desk.advance(Duration::from_millis(500));
    answer(&mut desk, request.request, long());
    assert_eq!(desk.orders().len(), 1);
    let events = desk.events();
    let signal = events
        .iter()
        .find(|event| event.kind.event_type() == EventType::SignalGenerated);
    let cause = signal.and_then(|signal| signal.cause);
    let price = events
        .iter()
        .find(|event| Some(event.id) == cause)
        .expect("the chain is whole");
    assert_eq!(price.kind.event_type(), EventType::PriceUpdate);
}

#[test]
fn a_wake_while_the_last_is_unanswered_is_skipped_and_counted() {
    let mut desk = remote();
    desk.quote(10_000, 10_001);
    assert!(requested(&desk.quote(10_001, 10_002)).is_none());
    assert_eq!(desk.count(EventType::EvaluationLate), 1);
    assert_eq!(desk.engine.view().counters.late_evaluations, 1);
}

#[test]
fn an_answer_that_was_superseded_is_dropped_and_counted() {
    let mut desk = remote();
    let first = requested(&desk.quote(10_000, 10_001))
        .expect("a request")
        .request;
    desk.advance(Duration::from_secs(10));
    assert_eq!(
        desk.engine.view().bots[0].state,
        BotState::Faulted,
        "ten seconds are an overrun"
    );
    desk.advance(Duration::from_secs(1));
    let second = requested(&desk.quote(10_000, 10_001))
        .expect("it is back")
        .request;
    assert!(second > first, "request numbers are not used twice");
    answer(&mut desk, first, long());
    assert!(desk.orders().is_empty());
    assert_eq!(desk.engine.view().counters.late_evaluations, 1);
    answer(
        &mut desk,
        first,
        EvaluationOutcome::Failed(EvaluationError::Panic("late".to_owned())),
    );
    assert_eq!(
        desk.engine.view().bots[0].state,
        BotState::Running,
        "the old strategy's panic is no fault of the new one"
    );
    answer(&mut desk, second, long());
    assert_eq!(desk.orders().len(), 1);
}

#[test]
fn a_lane_is_reset_whenever_its_bot_starts() {
    let desk = remote();
    assert!(desk.log.contains(&Output::ResetLane(BOT)));
}

/// A target of this exposure that guards its position by a stop at 98.00.
fn guarded(exposure: i64) -> EvaluationOutcome {
    EvaluationOutcome::Decided(Some(Decision::Target(Target {
        exposure: Ppm(exposure),
        limit: None,
        exit: Some(Box::new(ExitPlan {
            stop: Stop::At(Price(9_800)),
            ..ExitPlan::default()
        })),
        reason: Reason::plain("stop moved"),
    })))
}

/// A bot in another lane that holds half of its budget with a stop at 1 %, and the number of a request that has its position.
fn holding() -> (Desk, u64) {
    let mut slow = bot(0);
    slow.lane = Lane::Thread;
    slow.exit.stop = Stop::Distance(Ppm(10_000));
    let mut desk = desk(vec![slow], &Script::default());
    let first = requested(&desk.quote(10_000, 10_001)).expect("a request");
    let half = Target {
        exposure: Ppm(500_000),
        limit: None,
        exit: None,
        reason: Reason::plain("half"),
    };
    let half = EvaluationOutcome::Decided(Some(Decision::Target(half)));
    answer(&mut desk, first.request, half);
    let order = desk.last_order();
    desk.fill(&order, 10_001);
    desk.advance(Duration::from_secs(2));
    let request = requested(&desk.quote(10_000, 10_001)).expect("a request");
    assert!(!request.position.quantity.is_zero());
    (desk, request.request)
}

/// What is decided on a position holds for that one: an answer that comes once it was stopped out opens no other, whether its exit works
/// still or is filled.
#[test]
fn an_answer_for_a_position_that_was_stopped_out_meanwhile_opens_nothing() {
    for (exposure, is_filled) in [
        (500_000, false),
        (500_000, true),
        (1_000_000, false),
        (1_000_000, true),
    ] {
        let (mut desk, request) = holding();
        desk.quote(9_890, 9_891);
        let exit = desk.last_order();
        let orders = desk.orders().len();
        let late = desk.count(EventType::EvaluationLate);
        if is_filled {
            desk.fill(&exit, 9_890);
        }
        answer(&mut desk, request, guarded(exposure));
        if !is_filled {
            desk.fill(&exit, 9_890);
        }
        desk.advance(Duration::from_secs(10));
        let case = (exposure, is_filled);
        assert_eq!(desk.orders().len(), orders, "{case:?}");
        assert_eq!(desk.count(EventType::EvaluationLate), late + 1, "{case:?}");
        assert!(desk.engine.view().positions.is_empty(), "{case:?}");
    }
}

/// An answer in time moves the stop, and a turn is an entry of its own, whatever became of the position.
#[test]
fn an_answer_in_time_moves_the_stop_and_an_exit_is_never_late() {
    let (mut desk, request) = holding();
    let orders = desk.orders().len();
    answer(&mut desk, request, guarded(500_000));
    let stop = desk.engine.view().positions[0].exit.stop;
    assert_eq!((stop, desk.orders().len()), (Some(Price(9_800)), orders));
    let request = requested(&desk.quote(10_000, 10_001)).expect("a request");
    answer(&mut desk, request.request, guarded(0));
    assert_eq!(desk.orders().len(), orders + 1);
}
