//! D07: silence is judged by each instrument's own gaps, and a quote that says nothing new is silence.

use std::time::Duration;

use tradewind_events::{Configuration, EventKind, EventType, Input};
use tradewind_model::{FeedHealth, Quote, Timestamp};
use tradewind_testkit::{Answer, Desk, SPOT, Script, bot, candle, configuration, quote};

use crate::BOT;

const SECOND: Duration = Duration::from_secs(1);

fn started(stale_after: Duration) -> (Desk, Script) {
    let script = Script::default();
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
fn talk(desk: &mut Desk, quotes: u32, apart: Duration) {
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
        talk(&mut desk, quotes, apart);
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
    talk(&mut desk, 60, SECOND * 13);
    let before = desk.count(EventType::FeedHealthChanged);
    assert!(
        before > 50,
        "it was stale and live again while it was unknown"
    );
    talk(&mut desk, 200, SECOND * 13);
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
    desk.candle(&candle(0, 10_000));
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
    talk(&mut desk, 1_100, SECOND / 10);
    for _ in 0..20 {
        for health in [FeedHealth::Stale, FeedHealth::Resync, FeedHealth::Live] {
            desk.advance(SECOND * 10);
            desk.input(&Input::Health {
                instrument: SPOT,
                health,
            });
        }
        talk(&mut desk, 5, SECOND / 10);
    }
    assert!((3..=4).contains(&silent_for(&mut desk)));
}
