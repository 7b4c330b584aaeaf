//! From the close of a candle to an order, and what happens to candles that do not fit.

use std::time::Duration;

use tradewind_events::{CandleHistory, EventKind, EventType, Input, Output};
use tradewind_model::{
    Candle, CarriedOut, Interval, LastEntry, NotSentReason, Price, RejectReason, ReportKind, Side,
};
use tradewind_risk::DenyReason;
use tradewind_strategy::WarmUp;
use tradewind_testkit::{Answer, Script, bot, candle};

use crate::{BOT, desk};

fn minutes() -> Script {
    Script::with_candles(vec![WarmUp {
        interval: Interval::Minute1,
        candles: 0,
    }])
}

#[test]
fn a_candle_leads_to_a_signal_an_order_and_a_submit_each_naming_what_caused_it() {
    let script = minutes();
    let mut desk = desk(vec![bot(0)], &script);
    desk.advance(Duration::from_secs(57));
    desk.quote(10_000, 10_001);
    script.say(BOT, Answer::target(1_000_000));
    let outputs = desk.candle(&candle(0, 10_000));
    let [
        Output::Event(closed),
        Output::Event(signal),
        Output::Event(placed),
        Output::Submit(intent, checked),
    ] = outputs.as_slice()
    else {
        panic!("{outputs:?}");
    };
    assert!(matches!(closed.kind, EventKind::CandleClosed(_)));
    assert!(matches!(
        signal.kind,
        EventKind::SignalGenerated {
            bot: BOT,
            quote: None,
            ..
        }
    ));
    assert!(matches!(
        placed.kind,
        EventKind::OrderPlaced { bot: Some(BOT), .. }
    ));
    assert_eq!(
        (closed.cause, signal.cause, placed.cause),
        (None, Some(closed.id), Some(signal.id))
    );
    assert_eq!(
        checked.expires_at(),
        Some(desk.now + Duration::from_secs(15))
    );
    assert_eq!(intent.bot, Some(BOT));
    let order = desk.last_order();
    let filled = desk.fill(&order, 10_001);
    let Some(Output::Event(filled)) = filled.first() else {
        panic!("{filled:?}");
    };
    assert_eq!(
        filled.cause,
        Some(placed.id),
        "the chain ends at the candle"
    );
}

#[test]
fn a_reason_to_hold_is_kept_for_whoever_asks() {
    let script = minutes();
    let mut desk = desk(vec![bot(0)], &script);
    desk.candle(&candle(0, 10_000));
    let view = desk.engine.view();
    assert_eq!(view.bots[0].reason.to_string(), "no line in the script");
    assert_eq!((view.bots[0].wakes, view.counters.holds), (1, 1));
    assert_eq!((view.last_close.woke, view.last_close.held), (1, 1));
}

#[test]
fn duplicate_late_and_malformed_candles_wake_nobody() {
    let script = minutes();
    let mut desk = desk(vec![bot(0)], &script);
    desk.candle(&candle(0, 10_000));
    desk.candle(&candle(1, 10_100));
    assert_eq!(script.evaluations(BOT), 2);
    desk.candle(&candle(1, 10_100));
    desk.candle(&candle(1, 9_999));
    desk.candle(&candle(0, 10_000));
    let malformed = Candle {
        high: Price(1),
        ..candle(2, 10_000)
    };
    desk.candle(&malformed);
    assert_eq!(script.evaluations(BOT), 2, "no repaint, no second wake");
    assert_eq!(desk.count(EventType::Gap), 1, "the malformed one is a gap");
    desk.candle(&candle(2, 10_200));
    assert_eq!(script.evaluations(BOT), 3, "and the series continues");
}

#[test]
fn a_hole_is_refilled_from_the_venue_before_the_strategy_continues() {
    let script = minutes();
    let mut desk = desk(vec![bot(0)], &script);
    desk.candle(&candle(0, 10_000));
    let outputs = desk.candle(&candle(3, 10_300));
    assert!(outputs.iter().any(|output| matches!(
        output,
        Output::RequestCandles {
            interval: Interval::Minute1,
            ..
        }
    )));
    assert_eq!(
        script.candles_of(BOT).len(),
        1,
        "nothing is fed across a hole"
    );
    let candles = (1..4)
        .map(|place| candle(place, 10_000 + 100 * place))
        .collect();
    let (instrument, interval) = (tradewind_testkit::SPOT, Interval::Minute1);
    let history = CandleHistory {
        instrument,
        interval,
        candles,
    };
    desk.advance(Duration::from_secs(1));
    desk.input(&Input::Candles(Box::new(history)));
    desk.candle(&candle(4, 10_400));
    let closes: Vec<i64> = script
        .candles_of(BOT)
        .iter()
        .map(|candle| candle.close.0)
        .collect();
    assert_eq!(closes, [10_000, 10_100, 10_200, 10_300, 10_400]);
}

/// The last close behind a hole is fresh: an exit is made on it, an entry is not.
#[test]
fn a_running_bot_leaves_on_the_close_behind_a_hole_and_does_not_enter_on_it() {
    let orders_behind = |held: bool| {
        let script = minutes().answering_history();
        let mut desk = desk(vec![bot(0)], &script);
        desk.advance(Duration::from_secs(57));
        desk.quote(10_000, 10_001);
        if held {
            script.say(BOT, Answer::target(1_000_000));
        }
        desk.candle(&candle(0, 10_000));
        if held {
            let entry = desk.last_order();
            desk.fill(&entry, 10_001);
        }
        let before = desk.orders().len();
        desk.candle(&candle(2, 10_000));
        desk.advance(Duration::from_secs(1));
        desk.quote(10_000, 10_001);
        script.say(BOT, Answer::target(if held { 0 } else { 1_000_000 }));
        script.say(BOT, Answer::target(if held { 0 } else { 1_000_000 }));
        let history = CandleHistory {
            instrument: tradewind_testkit::SPOT,
            interval: Interval::Minute1,
            candles: vec![candle(1, 10_000), candle(2, 10_000)],
        };
        desk.input(&Input::Candles(Box::new(history)));
        let orders = desk.orders().split_off(before);
        let sides: Vec<_> = orders.iter().map(|order| order.side).collect();
        (sides, script.carried_out(BOT))
    };
    let (all, exits, nothing) = (CarriedOut::All, CarriedOut::Exits, CarriedOut::Nothing);
    assert_eq!(
        orders_behind(true),
        (vec![Side::Sell], vec![all, nothing, exits])
    );
    assert_eq!(orders_behind(false), (vec![], vec![all, nothing, exits]));
}

#[test]
fn an_entry_on_a_candle_is_denied_while_the_quotes_are_stale() {
    let script = minutes();
    let mut desk = desk(vec![bot(0)], &script);
    desk.quote(10_000, 10_001);
    script.say(BOT, Answer::target(1_000_000));
    desk.candle(&candle(0, 10_000));
    assert!(desk.orders().is_empty());
    let EventKind::RiskDecisionRejected { reason, .. } = desk.last(EventType::RiskDecisionRejected)
    else {
        unreachable!()
    };
    assert_eq!(reason, tradewind_risk::DenyReason::NoReference);
}

/// What its view says, at the close after one on which a strategy decided an entry, of that entry.
fn fate_of(quote: Option<i64>, report: Option<ReportKind>) -> LastEntry {
    let script = minutes();
    let mut desk = desk(vec![bot(0)], &script);
    desk.advance(Duration::from_secs(57));
    if let Some(bid) = quote {
        desk.quote(bid, bid + 1);
    }
    script.say(BOT, Answer::target(1_000_000));
    desk.candle(&candle(0, 10_000));
    if let Some(kind) = report {
        let order = desk.last_order();
        desk.report(&order, kind, Some(0));
    }
    desk.candle(&candle(1, 10_000));
    let fates = script.last_entries(BOT);
    assert_eq!(fates.len(), 2);
    assert_eq!(fates[0], LastEntry::Standing, "it had decided none");
    fates[1]
}

/// A strategy does not wait for an entry of which nothing will come.
#[test]
fn a_strategy_sees_that_an_entry_never_was_on_the_book() {
    let refused = RejectReason {
        code: -2010,
        text: "Account has insufficient balance for requested action.".to_owned(),
    };
    let table = [
        (Some(10_000), None, LastEntry::Standing),
        (
            Some(10_000),
            Some(ReportKind::Accepted),
            LastEntry::Standing,
        ),
        (Some(10_000), Some(ReportKind::Unknown), LastEntry::Standing),
        // It was there and found no counterpart: its order policy has had its say.
        (Some(10_000), Some(ReportKind::Expired), LastEntry::Standing),
        (
            Some(10_000),
            Some(ReportKind::Cancelled),
            LastEntry::Standing,
        ),
        (
            Some(10_000),
            Some(ReportKind::Rejected(refused)),
            LastEntry::Denied,
        ),
        (
            Some(10_000),
            Some(ReportKind::NotSent(NotSentReason::Unreachable)),
            LastEntry::Denied,
        ),
        // The price has left the close (R04), and there is none at all.
        (Some(9_900), None, LastEntry::Denied),
        (None, None, LastEntry::Denied),
    ];
    for (quote, report, wanted) in table {
        let words = format!("{quote:?} {report:?}");
        assert_eq!(fate_of(quote, report), wanted, "{words}");
    }
}

/// The next decision is another entry, whatever became of the last one.
#[test]
fn a_denied_entry_that_is_decided_again_stands_again() {
    let script = minutes();
    let mut desk = desk(vec![bot(0)], &script);
    for place in 0..3 {
        desk.advance(Duration::from_secs(57));
        let bid = if place == 0 { 9_900 } else { 10_000 };
        desk.quote(bid, bid + 1);
        if place < 2 {
            script.say(BOT, Answer::target(1_000_000));
        }
        desk.candle(&candle(place, 10_000));
    }
    assert_eq!(desk.orders().len(), 1);
    let (standing, denied) = (LastEntry::Standing, LastEntry::Denied);
    assert_eq!(script.last_entries(BOT), [standing, denied, standing]);
}

/// R04: an entry on a candle is refused when the price has left the candle's close; an exit is not.
#[test]
fn an_entry_on_a_candle_is_denied_once_the_price_moved_away() {
    let script = minutes();
    let mut desk = desk(vec![bot(0)], &script);
    desk.advance(Duration::from_secs(57));
    desk.quote(10_000, 10_001);
    script.say(BOT, Answer::target(1_000_000));
    // The close is 0.6 % above the mid.
    desk.candle(&candle(0, 10_061));
    let denied = desk.last(EventType::RiskDecisionRejected);
    let EventKind::RiskDecisionRejected { reason, .. } = denied else {
        unreachable!()
    };
    assert!(
        matches!(reason, DenyReason::PriceMoved { .. }),
        "{reason:?}"
    );
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    desk.candle(&candle(1, 10_040));
    let entry = desk.last_order();
    desk.fill(&entry, 10_001);
    desk.quote(10_000, 10_001);
    script.say(BOT, Answer::target(0));
    desk.candle(&candle(2, 10_500));
    assert_eq!(desk.orders().len(), 2, "an exit is never refused for that");
}
