//! Strategies in another lane: an output requests an evaluation, and an input contains the answer.

use std::time::Duration;

use tradewind_events::{
    BotState, Evaluation, EvaluationError, EvaluationOutcome, EvaluationRequest, EventType, Input,
    Lane, Output, SeriesPoint, StrategyProcess,
};
use tradewind_model::{Amount, Decimal, Decision, FeedHealth, Number, Ppm, Reason, Sizer, Target};
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

#[test]
fn a_strategy_in_a_process_sees_what_the_desk_sizes_by() {
    let mut slow = bot(0);
    (slow.lane, slow.process) = (Lane::Thread, Some(Box::new(StrategyProcess::default())));
    slow.sizer = Sizer::Share(Ppm(500_000));
    let mut desk = desk(vec![slow], &Script::default());
    let request = requested(&desk.quote(10_000, 10_001)).expect("a request");
    assert_eq!(
        request.budget,
        Amount::whole(5_000),
        "its share of the budget"
    );
    answer(&mut desk, request.request, long());
    let entry = desk.last_order();
    desk.fill(&entry, 10_000);
    desk.advance(Duration::from_secs(1));
    let request = requested(&desk.quote(9_000, 9_001)).expect("a request");
    let flat = EvaluationOutcome::Decided(Some(Decision::Target(Target {
        exposure: Ppm::ZERO,
        limit: None,
        exit: None,
        reason: Reason::plain("out"),
    })));
    answer(&mut desk, request.request, flat);
    let exit = desk.last_order();
    desk.fill(&exit, 9_000);
    desk.advance(Duration::from_secs(1));
    let request = requested(&desk.quote(9_000, 9_001)).expect("a request");
    let (lost, most) = (Amount::whole(10_000) - request.budget, Amount::whole(1_001));
    assert!(
        lost > Amount::whole(900) && lost < most,
        "a tenth is lost: {lost}"
    );
}
