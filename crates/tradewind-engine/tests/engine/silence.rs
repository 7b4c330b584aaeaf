//! D07: silence is judged by each instrument's own gaps, and a quote that says nothing new is silence.

use std::time::Duration;

use tradewind_events::{BookRead, Configuration, EventKind, EventType, Input, Output};
use tradewind_model::{
    Depth, FeedHealth, InstrumentId, Interval, Level, Price, Quantity, Quote, Timestamp,
};
use tradewind_strategy::WarmUp;
use tradewind_testkit::{Answer, Desk, SPOT, START, Script, bot, candle, configuration, quote};

use crate::BOT;

const SECOND: Duration = Duration::from_secs(1);

fn started(stale_after: Duration) -> (Desk, Script) {
    let script = Script::with_candles(vec![WarmUp {
        interval: Interval::Minute1,
        candles: 0,
    }]);
    let configuration = Configuration {
        own_gaps: true,
        stale_after,
        bots: vec![bot(0)],
        ..configuration()
    };
    (Desk::started(configuration, script.strategies()), script)
}

fn health(desk: &Desk) -> FeedHealth {
    desk.engine.view().feeds[SPOT.index()].health
}

/// Quotes that differ, this far apart.
fn changes(desk: &mut Desk, quotes: u32, apart: Duration) {
    for number in 0..quotes {
        desk.advance(apart);
        let bid = 10_000 + i64::from(number % 2);
        desk.quote(bid, bid + 1);
    }
}

/// Seconds of silence until the instrument is stale.
fn silent_for(desk: &mut Desk) -> u32 {
    let mut seconds = 0;
    while health(desk) == FeedHealth::Live {
        desk.advance(SECOND);
        seconds += 1;
        assert!(seconds < 100, "it is never stale");
    }
    seconds
}

#[test]
fn a_busy_instrument_is_stale_soon_and_a_quiet_one_late() {
    let silence = |quotes, apart: Duration, stale_after: Duration| {
        let (mut desk, _) = started(stale_after);
        changes(&mut desk, quotes, apart);
        silent_for(&mut desk)
    };
    let (minute, tenth) = (SECOND * 60, SECOND / 10);
    // A feed is looked at each second.
    assert!((3..=4).contains(&silence(1_100, tenth, minute)));
    assert!(
        (11..=12).contains(&silence(10, tenth, minute)),
        "too few to say"
    );
    // Five times 1.791 s, the end of the bucket.
    assert!((9..=10).contains(&silence(1_100, SECOND * 17 / 10, minute)));
    // Gaps of 13 s are longer than what is usual at first; each is seen all the same.
    assert!((61..=62).contains(&silence(60, SECOND * 13, minute)));
    // The configured time is the longest, whatever the gaps are.
    assert!((21..=22).contains(&silence(60, SECOND * 13, SECOND * 20)));
    assert!((5..=6).contains(&silence(10, tenth, SECOND * 5)));
}

#[test]
fn a_quiet_instrument_that_is_known_is_never_stale() {
    let (mut desk, _) = started(SECOND * 60);
    changes(&mut desk, 60, SECOND * 13);
    let before = desk.count(EventType::FeedHealthChanged);
    assert!(
        before > 50,
        "it was stale and live again while it was unknown"
    );
    changes(&mut desk, 200, SECOND * 13);
    assert_eq!(desk.count(EventType::FeedHealthChanged), before);
}

#[test]
fn the_same_again_is_silence_and_does_not_end_one() {
    let (mut desk, script) = started(SECOND * 60);
    desk.quote(10_000, 10_001);
    for _ in 0..12 {
        desk.advance(SECOND);
        desk.quote(10_000, 10_001);
    }
    assert_eq!(health(&desk), FeedHealth::Stale);
    desk.advance(SECOND);
    desk.quote(10_000, 10_001);
    assert_eq!(health(&desk), FeedHealth::Stale);
    script.say(BOT, Answer::target(1_000_000));
    close(&mut desk);
    let denied = desk.last(EventType::RiskDecisionRejected);
    assert!(
        matches!(
            denied,
            EventKind::RiskDecisionRejected {
                reason: tradewind_risk::DenyReason::NoReference,
                ..
            }
        ),
        "{denied:?}"
    );
    desk.quote(10_001, 10_002);
    assert_eq!(health(&desk), FeedHealth::Live);
}

#[test]
fn an_event_time_that_stands_still_is_silence_whatever_the_prices_do() {
    let (mut desk, _) = started(SECOND * 60);
    let stamped = |desk: &Desk, bid: i64, event_time: Timestamp| Quote {
        event_time: Some(event_time),
        ..quote(SPOT, bid, bid + 1, desk.now)
    };
    let stands = desk.now;
    for number in 0..12 {
        desk.input(&Input::Quote(stamped(&desk, 10_000 + number % 2, stands)));
        desk.advance(SECOND);
    }
    assert_eq!(health(&desk), FeedHealth::Stale);
    desk.input(&Input::Quote(stamped(&desk, 10_000, stands + SECOND)));
    assert_eq!(health(&desk), FeedHealth::Live);
}

#[test]
fn the_time_of_a_lost_connection_is_no_gap_of_the_instrument() {
    let (mut desk, _) = started(SECOND * 60);
    changes(&mut desk, 1_100, SECOND / 10);
    for _ in 0..20 {
        for health in [FeedHealth::Stale, FeedHealth::Resync, FeedHealth::Live] {
            desk.advance(SECOND * 10);
            desk.input(&Input::Health {
                instrument: SPOT,
                health,
                received_at: None,
            });
        }
        changes(&mut desk, 5, SECOND / 10);
    }
    assert!((3..=4).contains(&silent_for(&mut desk)));
}

/// One stamp of a wrong clock does not make all later quotes old, and a source that connects again may begin its stamps anew.
#[test]
fn a_stamp_from_the_future_is_not_compared_with_and_none_outlives_a_loss() {
    let (mut desk, _) = started(SECOND * 60);
    let stamp = |desk: &mut Desk, bid: i64, ahead: Duration| {
        let event_time = Some(desk.now + ahead);
        let quote = quote(SPOT, bid, bid + 1, desk.now);
        desk.input(&Input::Quote(Quote {
            event_time,
            ..quote
        }));
    };
    let quotes = |desk: &mut Desk| {
        for number in 0..12 {
            stamp(desk, 10_000 + number % 2, Duration::ZERO);
            desk.advance(SECOND);
        }
        health(desk)
    };
    stamp(&mut desk, 10_005, SECOND * 31_536_000);
    assert_eq!(quotes(&mut desk), FeedHealth::Live);
    // The clock of the source was 5 s ahead, and it is set back by a minute while it is away.
    stamp(&mut desk, 10_005, SECOND * 5);
    for health in [FeedHealth::Stale, FeedHealth::Resync, FeedHealth::Live] {
        desk.input(&Input::Health {
            instrument: SPOT,
            health,
            received_at: None,
        });
    }
    desk.input(&Input::Quote(Quote {
        event_time: Some(desk.now - SECOND * 55),
        ..quote(SPOT, 10_006, 10_007, desk.now)
    }));
    let before = desk.count(EventType::FeedHealthChanged);
    for number in 0..12 {
        desk.advance(SECOND);
        desk.input(&Input::Quote(Quote {
            event_time: Some(desk.now - SECOND * 55),
            ..quote(SPOT, 10_000 + number % 2, 10_010, desk.now)
        }));
    }
    assert_eq!(desk.count(EventType::FeedHealthChanged), before);
}

/// The first quote of a new connection is current, even if it repeats the last of the old one.
#[test]
fn a_quiet_instrument_is_live_after_its_connection_came_back() {
    let (mut desk, _) = started(SECOND * 60);
    changes(&mut desk, 60, SECOND * 13);
    desk.quote(10_000, 10_001);
    desk.advance(SECOND * 45);
    for health in [FeedHealth::Stale, FeedHealth::Resync, FeedHealth::Live] {
        desk.advance(SECOND * 5);
        desk.input(&Input::Health {
            instrument: SPOT,
            health,
            received_at: None,
        });
    }
    desk.quote(10_000, 10_001);
    desk.advance(SECOND * 30);
    assert_eq!(health(&desk), FeedHealth::Live);
}

/// A crossed quote that comes again and again is neither a change nor a gap of the instrument.
#[test]
fn an_unsound_quote_is_no_change() {
    let (mut desk, _) = started(SECOND * 60);
    changes(&mut desk, 60, SECOND * 13);
    for _ in 0..1_100 {
        desk.advance(Duration::from_millis(1));
        desk.quote(10_005, 10_001);
    }
    desk.quote(10_000, 10_001);
    desk.advance(SECOND * 40);
    assert_eq!(health(&desk), FeedHealth::Live);
}

/// Quiet minutes are no failures: the breaker of the instrument stays closed.
#[test]
fn silence_opens_no_breaker() {
    let (mut desk, _) = started(SECOND * 5);
    let states = desk.count(EventType::TradingStateChanged);
    changes(&mut desk, 8, SECOND * 7);
    let healths = desk.count(EventType::FeedHealthChanged);
    assert!(healths >= 14, "{healths}");
    assert_eq!(desk.count(EventType::TradingStateChanged), states);
}

/// The next minute closes.
fn close(desk: &mut Desk) {
    let minute = desk.now.since(START).as_secs() / 60;
    desk.candle(&candle(i64::try_from(minute).expect("a minute"), 10_000));
}

/// A desk on which a quiet instrument was silent for at least 5 s when its bot decided to enter on a candle.
fn decided() -> (Desk, Script) {
    let (mut desk, script) = started(SECOND * 60);
    changes(&mut desk, 60, SECOND * 13);
    // 780 s: a minute closes 60 s later, and the last quote comes 5 s before it.
    desk.advance(SECOND * 55);
    desk.quote(10_003, 10_004);
    desk.log.clear();
    script.say(BOT, Answer::target(1_000_000));
    close(&mut desk);
    (desk, script)
}

fn requested(desk: &Desk) -> Vec<InstrumentId> {
    let requested = desk.log.iter().filter_map(|output| match output {
        Output::ReadBook { instrument, .. } => Some(*instrument),
        _ => None,
    });
    requested.collect()
}

fn answer(desk: &mut Desk, prices: Option<[i64; 2]>) {
    let level = |price| Level {
        price: Price(price),
        quantity: Quantity(1_000_000),
    };
    let depth = prices.map(|[bid, ask]| Depth {
        instrument: SPOT,
        bids: vec![level(bid), level(bid - 1)],
        asks: vec![level(ask), level(ask + 1)],
        received_at: desk.now,
    });
    desk.input(&Input::Book(Box::new(BookRead {
        instrument: SPOT,
        depth,
    })));
}

#[test]
fn an_entry_in_a_quiet_instrument_waits_until_its_book_is_read() {
    let (mut desk, script) = decided();
    assert_eq!((requested(&desk), desk.orders().len()), (vec![SPOT], 0));
    assert_eq!(desk.count(EventType::SignalGenerated), 0);
    desk.advance(SECOND / 10);
    answer(&mut desk, Some([10_003, 10_004]));
    assert_eq!(desk.orders().len(), 1);
    assert_eq!(health(&desk), FeedHealth::Live);
    let causes = desk.causes(EventType::SignalGenerated);
    assert_eq!(causes, [Some(EventType::CandleClosed)]);
    let order = desk.last_order();
    desk.fill(&order, 10_004);
    // An exit does not wait, however quiet it is.
    script.say(BOT, Answer::target(0));
    desk.advance(SECOND * 10);
    close(&mut desk);
    assert_eq!(desk.orders().len(), 2);
    assert_eq!(requested(&desk).len(), 1);
}

#[test]
fn a_feed_that_stands_still_is_found_out_before_the_entry() {
    for prices in [Some([10_030, 10_031]), None] {
        let (mut desk, _) = decided();
        answer(&mut desk, prices);
        assert_eq!(desk.orders().len(), 0);
        assert_eq!(health(&desk), FeedHealth::Stale);
        assert_eq!(desk.count(EventType::RiskDecisionRejected), 1);
        desk.quote(10_030, 10_031);
        assert_eq!(health(&desk), FeedHealth::Live);
    }
}

#[test]
fn a_quote_that_changes_meanwhile_is_as_good_as_the_book() {
    let (mut desk, _) = decided();
    desk.advance(SECOND / 10);
    desk.quote(10_005, 10_006);
    answer(&mut desk, Some([10_003, 10_004]));
    assert_eq!(desk.orders().len(), 1);
}

#[test]
fn an_entry_waits_no_longer_than_its_time_to_live() {
    let (mut desk, script) = decided();
    desk.advance(SECOND * 16);
    answer(&mut desk, Some([10_003, 10_004]));
    assert_eq!((desk.orders().len(), health(&desk)), (0, FeedHealth::Live));
    // The next decision is its own, and asks again.
    desk.advance(SECOND * 39);
    desk.quote(10_007, 10_008);
    script.say(BOT, Answer::target(1_000_000));
    close(&mut desk);
    assert_eq!(requested(&desk).len(), 2);
}

#[test]
fn a_busy_instrument_is_not_read_and_a_restart_forgets_what_waited() {
    let (mut desk, script) = started(SECOND * 60);
    desk.advance(SECOND * 59);
    desk.quote(10_000, 10_001);
    script.say(BOT, Answer::target(1_000_000));
    close(&mut desk);
    assert_eq!((requested(&desk).len(), desk.orders().len()), (0, 1));

    let (desk, script) = decided();
    let configuration = desk.engine.configuration().clone();
    let mut after = desk.restarted(configuration, script.strategies());
    answer(&mut after, Some([10_003, 10_004]));
    assert_eq!(after.orders().len(), 0);
}
