//! Quotes, feeds, candles built from trades.

use std::time::Duration;

use tradewind_events::{CandleSource, Configuration, EventKind, EventType, Input, SeriesPoint};
use tradewind_model::{
    Decimal, FeedHealth, Interval, Number, Price, Quantity, Side, Timestamp, Trade, TradeId,
};
use tradewind_strategy::WarmUp;
use tradewind_testkit::{Answer, Desk, SPOT, Script, bot, configuration};

use crate::{BOT, one_bot};

#[test]
fn a_signal_on_a_quote_names_its_price_update_and_carries_the_quote() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let events = desk.events();
    let signal = events
        .iter()
        .find(|event| event.kind.event_type() == EventType::SignalGenerated);
    let signal = signal.expect("the script said so");
    let price = events.iter().find(|event| Some(event.id) == signal.cause);
    let EventKind::PriceUpdate(shown) = price.expect("the cause was announced").kind else {
        panic!("{price:?}");
    };
    assert!(
        matches!(signal.kind, EventKind::SignalGenerated { quote: Some(quote), .. } if quote == shown)
    );
}

#[test]
fn a_strategy_reads_a_number_of_a_series_until_it_is_too_old() {
    let (mut desk, script) = one_bot();
    let at = desk.now;
    desk.input(&Input::Series(Box::new(SeriesPoint {
        name: "house:fear".to_owned(),
        instrument: None,
        value: Decimal::new(125, 1),
        event_time: Some(at + Duration::from_secs(3_600)),
        received_at: at,
        max_age: Some(Duration::from_secs(60)),
    })));
    desk.quote(10_000, 10_001);
    let value = Decimal::new(125, 1);
    let age = desk.now.since(at);
    assert_eq!(script.number(BOT), Some(Number { value, age }));
    desk.advance(Duration::from_secs(61));
    desk.quote(10_000, 10_001);
    assert_eq!(script.number(BOT), None);
}

#[test]
fn a_quote_that_leads_to_nothing_is_not_announced() {
    let (mut desk, _) = one_bot();
    desk.quote(10_000, 10_001);
    desk.log.clear();
    assert!(desk.quote(10_001, 10_002).is_empty());
}

#[test]
fn a_crossed_quote_is_a_gap_and_entries_are_refused_in_it() {
    let (mut desk, script) = one_bot();
    desk.quote(10_000, 10_001);
    desk.quote(10_005, 10_001);
    assert_eq!(desk.engine.view().feeds[0].health, FeedHealth::Gap);
    assert_eq!(script.evaluations(BOT), 1, "a crossed quote wakes no bot");
    desk.quote(10_000, 10_001);
    assert_eq!(desk.engine.view().feeds[0].health, FeedHealth::Live);
}

#[test]
fn a_silent_feed_is_stale_until_it_speaks_again() {
    let (mut desk, _) = one_bot();
    desk.quote(10_000, 10_001);
    desk.advance(Duration::from_secs(12));
    assert_eq!(desk.engine.view().feeds[0].health, FeedHealth::Stale);
    desk.quote(10_000, 10_001);
    assert_eq!(desk.engine.view().feeds[0].health, FeedHealth::Live);
}

fn builds_candles() -> (Desk, Script) {
    let script = Script::with_candles(vec![WarmUp {
        interval: Interval::Minute1,
        candles: 0,
    }]);
    let bots = vec![bot(0)];
    let configuration = Configuration {
        bots,
        candles: CandleSource::Trades,
        ..configuration()
    };
    (Desk::started(configuration, script.strategies()), script)
}

fn trade(desk: &mut Desk, at: Timestamp, price: i64) {
    desk.input(&Input::Trade(Trade {
        instrument: SPOT,
        taker: Side::Buy,
        id: TradeId(1),
        price: Price(price),
        quantity: Quantity(100_000),
        event_time: Some(at),
        received_at: at,
    }));
}

#[test]
fn candles_are_built_from_trades_and_closed_a_quarter_second_after_their_end() {
    let (mut desk, script) = builds_candles();
    let start = desk.now;
    trade(&mut desk, start, 10_000);
    trade(&mut desk, start, 10_040);
    trade(&mut desk, start, 10_020);
    desk.advance(Duration::from_millis(60_249));
    assert_eq!(script.candles_of(BOT).len(), 0);
    desk.advance(Duration::from_millis(1));
    let built = script.candles_of(BOT);
    let [candle] = built.as_slice() else {
        panic!("{built:?}")
    };
    assert_eq!(
        [candle.open, candle.high, candle.low, candle.close],
        [10_000, 10_040, 10_000, 10_020].map(Price)
    );
}

/// The feed of the venue could not read them either.
#[test]
fn candles_that_nobody_has_are_announced_with_their_bounds() {
    let (mut desk, _) = builds_candles();
    let from = Timestamp::from_secs(600);
    desk.input(&Input::CandlesMissing {
        instrument: SPOT,
        interval: Interval::Minute1,
        from,
        to: from + Duration::from_secs(180),
    });
    let gap = desk.last(EventType::Gap);
    let wanted = EventKind::Gap {
        instrument: Some(SPOT),
        missing: Some(3),
        from: Some(from),
        to: Some(from + Duration::from_secs(180)),
    };
    assert_eq!(gap, wanted);
}

#[test]
fn a_silence_of_years_is_reported_as_a_gap_and_not_filled_with_flat_candles() {
    let (mut desk, script) = builds_candles();
    let start = desk.now;
    trade(&mut desk, start, 10_000);
    let later = start + Duration::from_secs(10 * 365 * 86_400);
    trade(&mut desk, later, 10_000);
    assert!(script.candles_of(BOT).len() < 10);
    assert_eq!(desk.count(EventType::Gap), 1);
}
