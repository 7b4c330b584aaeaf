//! Strategies in another lane: an output requests an evaluation, and an input contains the answer.

use std::time::Duration;

use tradewind_events::{
    BotConfig, BotState, Evaluation, EvaluationError, EvaluationOutcome, EvaluationRequest,
    EventType, Input, Lane, Output, SeriesPoint, StrategyProcess, WakeRule,
};
use tradewind_model::{
    Amount, Candle, Decimal, Decision, ExitPlan, FeedHealth, Instrument, InstrumentId, Interval,
    Number, Ppm, Price, Reason, Sizer, Stop, Target, Timestamp,
};
use tradewind_strategy::WarmUp;
use tradewind_testkit::{BTC, Desk, SPOT, Script, USDT, bot, candle, configuration};

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
        adds: false,
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

const ETH: InstrumentId = InstrumentId(2);

/// A bot whose process decides on minutes and is fed with five of them, too, in two instruments.
fn in_a_process() -> Desk {
    let timeframes = vec![(Interval::Minute1, 0), (Interval::Minute5, 0)];
    let wakes = timeframes.iter().map(|(one, _)| WakeRule::Candles(*one));
    let bot = BotConfig {
        lane: Lane::Process,
        instruments: vec![SPOT, ETH],
        positions_max: 2,
        wakes: wakes.collect(),
        process: Some(Box::new(StrategyProcess {
            kind: "python".to_owned(),
            file: "s.py".to_owned(),
            class: "S".to_owned(),
            hash: String::new(),
            interpreter: "python3".to_owned(),
            timeframes: timeframes.clone(),
            has_signals: false,
            deadline: Duration::from_secs(2),
            memory_bytes: 1 << 30,
            group: None,
        })),
        ..bot(0)
    };
    let mut configuration = configuration();
    configuration
        .instruments
        .push(Instrument::spot(ETH, "sim:ETH/USDT", BTC, USDT));
    configuration.bots = vec![bot];
    let warm_ups = timeframes.iter().map(|(interval, candles)| WarmUp {
        interval: *interval,
        candles: *candles,
    });
    let script = Script::with_candles(warm_ups.collect());
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(Duration::from_secs(302));
    desk.quote(10_000, 10_001);
    desk.quote_of(ETH, 10_000, 10_001);
    desk
}

fn of(instrument: InstrumentId, interval: Interval, place: i64) -> Candle {
    let length = i64::try_from(interval.duration().as_nanos()).expect("short");
    let first = candle(0, 10_000);
    Candle {
        instrument,
        interval,
        open_time: Timestamp::from_nanos(first.open_time.as_nanos() + place * length),
        ..first
    }
}

/// What was requested: the instrument, the interval, whether a decision is wanted, and when its candle opened.
fn all(outputs: &[Output]) -> Vec<(InstrumentId, Interval, bool, Timestamp)> {
    let requests = outputs.iter().filter_map(|output| match output {
        Output::Evaluate(request) => Some(request),
        _ => None,
    });
    let with_candle = requests.filter_map(|request| {
        let candle = request.candle?;
        let (instrument, interval) = (candle.instrument, candle.interval);
        Some((instrument, interval, request.decide, candle.open_time))
    });
    with_candle.collect()
}

fn open_request(desk: &Desk) -> u64 {
    let mut log = desk.log.iter().rev();
    let last = log.find_map(|output| match output {
        Output::Evaluate(request) if request.decide => Some(request.request),
        _ => None,
    });
    last.expect("a request that wants a decision")
}

#[test]
fn all_candles_that_close_at_once_reach_a_process_and_each_pair_is_decided_on() {
    let mut desk = in_a_process();
    let before = desk.log.len();
    for instrument in [SPOT, ETH] {
        desk.candle(&of(instrument, Interval::Minute5, 0));
        desk.candle(&of(instrument, Interval::Minute1, 4));
    }
    let request = open_request(&desk);
    answer(&mut desk, request, EvaluationOutcome::Decided(None));
    let sent = all(&desk.log[before..]);
    let minute = of(SPOT, Interval::Minute1, 4).open_time;
    let five = of(SPOT, Interval::Minute5, 0).open_time;
    assert_eq!(
        sent,
        [
            (SPOT, Interval::Minute5, false, five),
            (SPOT, Interval::Minute1, true, minute),
            (ETH, Interval::Minute5, false, five),
            (ETH, Interval::Minute1, true, minute),
        ]
    );
    assert_eq!(desk.count(EventType::EvaluationLate), 0);
}

#[test]
fn a_process_that_is_behind_is_fed_every_candle_in_order_and_decides_on_the_newest() {
    let mut desk = in_a_process();
    let before = desk.log.len();
    for place in 0..4 {
        desk.candle(&of(SPOT, Interval::Minute1, place));
    }
    let request = open_request(&desk);
    answer(&mut desk, request, EvaluationOutcome::Decided(None));
    let sent = all(&desk.log[before..]);
    let at = |place| of(SPOT, Interval::Minute1, place).open_time;
    let wanted: Vec<_> = [true, false, false, true]
        .iter()
        .zip(0..)
        .map(|(decide, place)| (SPOT, Interval::Minute1, *decide, at(place)))
        .collect();
    assert_eq!(sent, wanted);
}

#[test]
fn a_close_that_waited_too_long_for_an_entry_is_only_left_on() {
    let mut desk = in_a_process();
    desk.candle(&of(SPOT, Interval::Minute1, 0));
    desk.candle(&of(SPOT, Interval::Minute1, 1));
    desk.advance(Duration::from_secs(16));
    let request = open_request(&desk);
    answer(&mut desk, request, EvaluationOutcome::Decided(None));
    let request = open_request(&desk);
    answer(&mut desk, request, long());
    assert!(desk.orders().is_empty());
}

#[test]
fn an_answer_that_was_decided_on_a_position_which_is_closed_since_does_not_enter_again() {
    let mut slow = bot(0);
    slow.lane = Lane::Thread;
    slow.exit.stop = Stop::Distance(Ppm(10_000));
    let mut desk = desk(vec![slow], &Script::default());
    desk.quote(10_000, 10_001);
    let request = open_request(&desk);
    answer(&mut desk, request, long());
    let order = desk.last_order();
    desk.fill(&order, 10_001);
    desk.quote(10_000, 10_001);
    let request = open_request(&desk);
    // The stop fires and fills while the strategy thinks about the position.
    desk.quote(9_000, 9_001);
    let stop = desk.last_order();
    assert_ne!(stop.client_id, order.client_id, "the stop is at work");
    let entries = desk.orders().len();
    desk.fill(&stop, 9_000);
    answer(&mut desk, request, long());
    assert_eq!(desk.orders().len(), entries, "no order of an old answer");
}

#[test]
fn quotes_that_a_busy_strategy_skips_are_counted_and_stored_once() {
    let mut desk = remote();
    for place in 0..5 {
        desk.quote(10_000 + place, 10_001 + place);
    }
    assert_eq!(desk.engine.view().counters.late_evaluations, 4);
    assert_eq!(desk.count(EventType::EvaluationLate), 1);
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
        adds: false,
    })));
    answer(&mut desk, request.request, flat);
    let exit = desk.last_order();
    desk.fill(&exit, 9_000);
    desk.advance(Duration::from_secs(1));
    let request = requested(&desk.quote(9_000, 9_001)).expect("a request");
    let lost = Amount::whole(5_000) - request.budget;
    assert!(
        lost > Amount::whole(249) && lost < Amount::whole(251),
        "its share of the tenth of 5,000 that is lost: {lost}"
    );
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
        adds: false,
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
        adds: false,
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
        let late = desk.engine.view().counters.late_evaluations;
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
        let view = desk.engine.view();
        assert_eq!(view.counters.late_evaluations, late + 1, "{case:?}");
        assert!(desk.engine.view().positions.is_empty(), "{case:?}");
    }
}
