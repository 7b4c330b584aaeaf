//! Bots that an outside process steers: what is followed, what is refused, and what outlives a restart.

use std::time::Duration;

use proptest::prelude::*;
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{
    Action, BotConfig, Configuration, EventKind, EventType, ExternalControl, ExternalTarget, Input,
    SeriesPoint, SourceView, WakeRule,
};
use tradewind_model::{
    Decimal, ExitPlan, FeedHealth, LimitPolicy, OnExpiry, OnTimeout, OrderPolicy, OrderTerms, Ppm,
    RejectReason, ReportKind, Side, Stop,
};
use tradewind_testkit::{Desk, PERPETUAL, START, bot, configuration};

use crate::BOT;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn steered(on_expiry: OnExpiry) -> BotConfig {
    BotConfig {
        strategy: "external".to_owned(),
        wakes: vec![WakeRule::Quotes],
        external: Some(ExternalControl {
            source: "signals".to_owned(),
            on_expiry,
        }),
        ..bot(0)
    }
}

/// The steered bot and one that is not.
fn bots(on_expiry: OnExpiry) -> Configuration {
    Configuration {
        bots: vec![
            steered(on_expiry),
            BotConfig {
                strategy: "ma_cross".to_owned(),
                starts: false,
                ..bot(1)
            },
        ],
        ..configuration()
    }
}

/// A desk whose steered bot runs, with a quote, and whose source is connected.
fn desk() -> Desk {
    desk_of(bots(OnExpiry::Flat))
}

fn desk_of(configuration: Configuration) -> Desk {
    let mut desk = Desk::started(configuration, StrategySource::built_in());
    desk.advance(2 * SECOND);
    source(&mut desk, FeedHealth::Live);
    desk.quote(10_000, 10_001);
    desk.log.clear();
    desk
}

fn source(desk: &mut Desk, health: FeedHealth) {
    let source = "signals".into();
    desk.input(&Input::SourceHealth { source, health });
}

/// A target of now, in thousandths, for a minute.
fn target(desk: &Desk, exposure: i64) -> ExternalTarget {
    ExternalTarget {
        source: "signals".to_owned(),
        bot: "bot-0".to_owned(),
        instrument: "simx:BTC/USDT".to_owned(),
        exposure: Decimal::new(exposure, 3),
        event_time: desk.now,
        expires: desk.now + MINUTE,
        sequence: None,
        received_at: desk.now,
    }
}

fn send(desk: &mut Desk, target: &ExternalTarget) {
    desk.input(&Input::Target(Box::new(target.clone())));
}

/// Sends a target of now.
fn say(desk: &mut Desk, exposure: i64) {
    let target = target(desk, exposure);
    send(desk, &target);
}

/// Sends a target of now and fills the order that follows.
fn fill(desk: &mut Desk, exposure: i64) -> OrderTerms {
    say(desk, exposure);
    let order = desk.last_order();
    desk.fill(&order, 10_001);
    order
}

/// Time passes with a quote each second.
fn pass(desk: &mut Desk, seconds: u32) {
    for _ in 0..seconds {
        desk.advance(SECOND);
        desk.quote(10_000, 10_001);
    }
}

fn rejected() -> ReportKind {
    ReportKind::Rejected(RejectReason {
        code: -2010,
        text: "no".to_owned(),
    })
}

fn view(desk: &Desk) -> SourceView {
    let sources = desk.engine.view().sources;
    sources
        .into_iter()
        .next()
        .expect("the source sent something")
}

fn reason(desk: &Desk) -> String {
    desk.engine.view().bots[0].reason.to_string()
}

#[test]
fn a_bot_follows_its_targets_into_a_position_and_out_of_it() {
    let mut desk = desk();
    let entry = fill(&mut desk, 500);
    assert_eq!((entry.side, entry.quantity.0), (Side::Buy, 50_000));
    let causes = desk.causes(EventType::SignalGenerated);
    assert_eq!(causes, [Some(EventType::TargetReceived)]);
    pass(&mut desk, 5);
    fill(&mut desk, 800);
    assert_eq!(desk.held_by_bots(entry.instrument), 80_000);
    pass(&mut desk, 5);
    let smaller = fill(&mut desk, 200);
    assert_eq!((smaller.side, smaller.quantity.0), (Side::Sell, 60_000));
    pass(&mut desk, 5);
    let exit = fill(&mut desk, 0);
    assert_eq!((exit.side, exit.quantity.0), (Side::Sell, 20_000));
    assert_eq!(desk.held_by_bots(entry.instrument), 0);
    pass(&mut desk, 30);
    assert_eq!(desk.orders().len(), 4, "each target was followed once");
    assert_eq!((view(&desk).taken, view(&desk).refused), (4, 0));
}

#[test]
fn a_target_that_must_not_be_followed_is_refused_with_its_cause() {
    type Change = fn(&mut ExternalTarget);
    let cases: [(Change, &str); 12] = [
        (
            |one| one.source = "other".to_owned(),
            "bot bot-0 takes targets of signals only",
        ),
        (
            |one| one.bot = "bot-9".to_owned(),
            "there is no bot \"bot-9\"",
        ),
        (
            |one| one.bot = "bot-1".to_owned(),
            "bot bot-1 takes no targets: its strategy is not external",
        ),
        (
            |one| one.instrument = "simx:BTC/USDT-PERP".to_owned(),
            "bot bot-0 does not trade \"simx:BTC/USDT-PERP\"",
        ),
        (
            |one| one.exposure = Decimal::new(1_000_001, 6),
            "the exposure 1.000001 is beyond 1",
        ),
        (
            |one| one.exposure = Decimal::whole(i64::MAX),
            "the exposure 9223372036854775807 is beyond 1",
        ),
        (
            |one| one.exposure = Decimal::whole(i64::MIN),
            "the exposure -9223372036854775808 is beyond 1",
        ),
        (
            |one| one.exposure = Decimal::new(10_000_004, 7),
            "the exposure 1.0000004 is beyond 1",
        ),
        (
            |one| one.expires = one.received_at + 7 * 1_440 * MINUTE + SECOND,
            "it expires more than 7 days ahead",
        ),
        (
            |one| one.exposure = Decimal::new(-1, 6),
            "the exposure -0.000001 is short, and simx:BTC/USDT has no short positions",
        ),
        (
            |one| one.event_time = one.event_time + 6 * SECOND,
            "its time is more than 5 s in the future",
        ),
        (
            |one| one.expires = one.event_time,
            "it expires before its own time",
        ),
    ];
    for (change, wanted) in cases {
        let mut desk = desk();
        let mut sent = target(&desk, 500);
        change(&mut sent);
        send(&mut desk, &sent);
        let EventKind::TargetRefused {
            reason, refused, ..
        } = desk.last(EventType::TargetRefused)
        else {
            panic!("{wanted}")
        };
        assert_eq!((reason.as_str(), refused), (wanted, 1));
        pass(&mut desk, 10);
        assert!(desk.orders().is_empty(), "{wanted}");
        let sources = desk.engine.view().sources;
        let of_source = sources.iter().find(|one| one.source == sent.source);
        assert_eq!(of_source.unwrap().last_refusal.as_deref(), Some(wanted));
    }
}

#[test]
fn refusals_are_all_counted_and_announced_once_a_second() {
    let mut desk = desk();
    for _ in 0..100 {
        desk.input(&Input::TargetUnreadable {
            source: "signals".into(),
            reason: "no expires".into(),
        });
    }
    assert_eq!(desk.count(EventType::TargetRefused), 1);
    desk.advance(SECOND);
    desk.input(&Input::TargetUnreadable {
        source: "signals".into(),
        reason: "no expires".into(),
    });
    assert_eq!(desk.count(EventType::TargetRefused), 2);
    assert_eq!(view(&desk).refused, 101);
}

#[test]
fn an_older_target_and_the_same_again_change_nothing() {
    let mut desk = desk();
    let first = ExternalTarget {
        sequence: Some(7),
        ..target(&desk, 500)
    };
    send(&mut desk, &first);
    let order = desk.last_order();
    desk.fill(&order, 10_001);
    pass(&mut desk, 5);
    let earlier = ExternalTarget {
        event_time: first.event_time - SECOND,
        sequence: Some(9),
        ..target(&desk, 1_000)
    };
    let lower = ExternalTarget {
        sequence: Some(6),
        event_time: first.event_time,
        ..target(&desk, 1_000)
    };
    for sent in [&first, &earlier, &lower, &first] {
        send(&mut desk, sent);
        pass(&mut desk, 5);
    }
    assert_eq!(desk.orders().len(), 1);
    assert_eq!((view(&desk).taken, view(&desk).ignored), (1, 4));
    let higher = ExternalTarget {
        sequence: Some(8),
        ..lower
    };
    send(&mut desk, &higher);
    assert_eq!(desk.last_order().quantity.0, 50_000, "what is missing of 1");
}

#[test]
fn a_target_that_has_expired_opens_nothing() {
    let mut desk = desk();
    let late = ExternalTarget {
        event_time: desk.now - MINUTE,
        expires: desk.now,
        ..target(&desk, 500)
    };
    send(&mut desk, &late);
    pass(&mut desk, 10);
    assert!(desk.orders().is_empty());
    assert_eq!(reason(&desk), "its target expired");
}

#[test]
fn an_expired_target_ends_its_position_or_leaves_it_as_configured() {
    for (on_expiry, sells) in [(OnExpiry::Flat, true), (OnExpiry::Hold, false)] {
        let mut desk = desk_of(bots(on_expiry));
        let entry = fill(&mut desk, 500);
        // Without a quote: the time alone decides.
        desk.advance(MINUTE - Duration::from_millis(1));
        assert_eq!(desk.orders().len(), 1);
        desk.advance(Duration::from_millis(1));
        assert_eq!(desk.orders().len() == 2, sells, "{on_expiry:?}");
        if sells {
            let exit = desk.last_order();
            assert_eq!((exit.side, exit.quantity), (Side::Sell, entry.quantity));
        }
        pass(&mut desk, 30);
        say(&mut desk, 500);
        assert_eq!(desk.orders().len() > 1, sells, "{on_expiry:?}");
    }
}

#[test]
fn a_renewed_target_is_followed_for_longer() {
    let mut desk = desk();
    fill(&mut desk, 500);
    for _ in 0..5 {
        pass(&mut desk, 50);
        say(&mut desk, 500);
    }
    assert_eq!(desk.orders().len(), 1);
    assert_eq!(
        desk.count(EventType::TargetReceived),
        1,
        "nothing new was said"
    );
    desk.advance(MINUTE);
    assert_eq!(desk.last_order().side, Side::Sell);
}

/// A lost source opens nothing until it is back. After a gap a newer target may be among what is missing.
#[test]
fn an_entry_needs_a_source_that_is_there_and_a_target_behind_its_last_gap() {
    let mut desk = desk();
    source(&mut desk, FeedHealth::Stale);
    say(&mut desk, 500);
    pass(&mut desk, 10);
    assert!(desk.orders().is_empty());
    assert_eq!(
        reason(&desk),
        "no entry: the source of its targets is not connected"
    );
    source(&mut desk, FeedHealth::Gap);
    source(&mut desk, FeedHealth::Live);
    pass(&mut desk, 10);
    assert!(desk.orders().is_empty());
    let words = "no entry: a newer target may have been missed, waiting for the next";
    assert_eq!(reason(&desk), words);
    fill(&mut desk, 500);
    source(&mut desk, FeedHealth::Gap);
    source(&mut desk, FeedHealth::Stale);
    pass(&mut desk, 10);
    assert_eq!(desk.orders().len(), 1, "what is held is held");
    desk.advance(MINUTE);
    assert_eq!(
        desk.last_order().side,
        Side::Sell,
        "leaving needs no source"
    );
}

#[test]
fn a_connected_source_lets_what_waited_for_it_enter() {
    let mut desk = desk();
    source(&mut desk, FeedHealth::Stale);
    say(&mut desk, 500);
    assert!(desk.orders().is_empty());
    source(&mut desk, FeedHealth::Live);
    assert_eq!(desk.orders().len(), 1);
}

/// The steered bot with limit orders that cross the spread after 40 s.
fn patient(on_expiry: OnExpiry) -> Configuration {
    let mut configuration = bots(on_expiry);
    configuration.bots[0].policy = OrderPolicy::Limit(LimitPolicy {
        offset: Ppm::ZERO,
        post_only: false,
        timeout: Some(Duration::from_secs(40)),
        chases: 0,
        then: OnTimeout::Cross,
        own_price: false,
    });
    configuration
}

#[test]
fn an_entry_at_work_is_cancelled_for_good_once_its_source_is_gone_or_its_target_expires() {
    type End = fn(&mut Desk);
    let ends: [End; 3] = [
        |desk| source(desk, FeedHealth::Stale),
        |desk| source(desk, FeedHealth::Gap),
        |desk| desk.advance(MINUTE),
    ];
    for (index, end) in ends.into_iter().enumerate() {
        for waited in [5, 45] {
            let mut desk = desk_of(patient(OnExpiry::Hold));
            say(&mut desk, 500);
            let order = desk.last_order();
            desk.report(&order, ReportKind::Accepted, Some(0));
            pass(&mut desk, waited);
            end(&mut desk);
            assert_eq!(desk.cancels(), [order.client_id], "{index} {waited}");
            desk.report(&order, ReportKind::Cancelled, Some(0));
            pass(&mut desk, 10);
            assert_eq!(desk.orders().len(), 1, "{index} {waited}");
        }
    }
}

/// A repetition says that nothing was missed while the source was away.
#[test]
fn the_same_target_read_again_ends_its_doubt() {
    let mut desk = desk();
    source(&mut desk, FeedHealth::Stale);
    let sent = target(&desk, 500);
    send(&mut desk, &sent);
    for away in [FeedHealth::Stale, FeedHealth::Gap] {
        source(&mut desk, away);
        source(&mut desk, FeedHealth::Live);
        pass(&mut desk, 6);
        assert!(desk.orders().is_empty(), "{away:?}");
    }
    send(&mut desk, &sent);
    assert_eq!(desk.orders().len(), 1);
    assert_eq!((view(&desk).taken, view(&desk).ignored), (2, 0));
}

#[test]
fn an_order_that_ends_unfilled_is_tried_again_while_its_target_counts() {
    let mut desk = desk_of(patient(OnExpiry::Flat));
    fill(&mut desk, 800);
    pass(&mut desk, 6);
    say(&mut desk, 300);
    let smaller = desk.last_order();
    assert_eq!(smaller.side, Side::Sell);
    desk.report(&smaller, ReportKind::Accepted, Some(0));
    desk.report(&smaller, ReportKind::Cancelled, Some(0));
    source(&mut desk, FeedHealth::Stale);
    pass(&mut desk, 6);
    let again = desk.last_order();
    assert_eq!((again.side, again.quantity), (Side::Sell, smaller.quantity));
    assert_ne!(
        again.client_id, smaller.client_id,
        "leaving needs no source"
    );
}

#[test]
fn of_one_time_the_later_arrival_or_the_higher_number_counts() {
    let mut desk = desk();
    let first = target(&desk, 500);
    let second = target(&desk, 300);
    let numbered = ExternalTarget {
        sequence: Some(1),
        ..target(&desk, 400)
    };
    for (sent, wanted) in [
        (&first, 500),
        (&second, 300),
        (&numbered, 400),
        (&second, 400),
    ] {
        send(&mut desk, sent);
        let standing = desk.engine.view().targets[0].target.unwrap();
        assert_eq!(standing.exposure, Ppm(wanted * 1_000));
    }
}

#[test]
fn the_start_of_a_run_takes_nothing_of_sources_from_the_one_before() {
    let mut desk = desk();
    say(&mut desk, 500);
    let next = desk.restarted(bots(OnExpiry::Flat), StrategySource::built_in());
    assert_eq!(next.engine.view().sources, []);
    let standing = next.engine.view().targets[0].target.unwrap();
    assert!(standing.is_doubtful);
}

#[test]
fn what_the_exit_plan_closed_is_opened_again_by_another_exposure_only() {
    let mut configuration = bots(OnExpiry::Flat);
    configuration.bots[0].exit = ExitPlan {
        stop: Stop::Distance(Ppm(20_000)),
        ..ExitPlan::default()
    };
    let mut desk = desk_of(configuration);
    fill(&mut desk, 500);
    desk.advance(2 * SECOND);
    desk.quote(9_750, 9_751);
    let stop = desk.last_order();
    assert_eq!(stop.side, Side::Sell);
    desk.fill(&stop, 9_750);
    pass(&mut desk, 10);
    say(&mut desk, 500);
    pass(&mut desk, 10);
    assert_eq!(desk.orders().len(), 2);
    let words = "closed by its exit plan or by hand, waiting for another exposure";
    assert_eq!(reason(&desk), words);
    say(&mut desk, 400);
    assert_eq!(desk.last_order().quantity.0, 40_000);
}

#[test]
fn an_entry_that_did_not_happen_is_tried_again_after_five_seconds() {
    let mut desk = desk();
    say(&mut desk, 500);
    let order = desk.last_order();
    desk.report(&order, rejected(), None);
    pass(&mut desk, 4);
    assert_eq!(desk.orders().len(), 1);
    pass(&mut desk, 2);
    assert_eq!(desk.orders().len(), 2);
}

#[test]
fn a_paused_bot_leaves_and_does_not_enter() {
    let mut desk = desk();
    fill(&mut desk, 500);
    pass(&mut desk, 5);
    desk.command(Action::PauseBot(BOT));
    say(&mut desk, 1_000);
    pass(&mut desk, 10);
    assert_eq!(desk.orders().len(), 1);
    say(&mut desk, 0);
    assert_eq!(desk.last_order().side, Side::Sell);
}

/// The next run of a desk, whose bot runs again. Its source is not connected yet.
fn next_run(desk: &Desk, down: Duration) -> Desk {
    let mut next = desk.restarted(bots(OnExpiry::Flat), StrategySource::built_in());
    next.advance(down);
    next.read_account();
    next.advance(2 * SECOND);
    next.quote(10_000, 10_001);
    next.advance(SECOND);
    next.quote(10_000, 10_001);
    next
}

#[test]
fn a_target_outlives_a_restart_until_it_expires() {
    for (down, enters) in [(10, true), (120, false)] {
        let mut desk = desk();
        source(&mut desk, FeedHealth::Stale);
        let sent = target(&desk, 500);
        send(&mut desk, &sent);
        let mut next = next_run(&desk, Duration::from_secs(down));
        assert!(next.orders().is_empty(), "its source is not there yet");
        source(&mut next, FeedHealth::Live);
        pass(&mut next, 10);
        assert!(next.orders().is_empty(), "a newer one may have been missed");
        send(&mut next, &sent);
        assert_eq!(next.orders().len() == 1, enters, "{down} s");
        // An older one is still older.
        let older = ExternalTarget {
            event_time: START,
            expires: next.now + MINUTE,
            ..target(&next, 1_000)
        };
        send(&mut next, &older);
        assert_eq!(view(&next).ignored, 1);
    }
}

#[test]
fn a_position_whose_target_expired_while_the_desk_was_down_is_closed() {
    let mut desk = desk();
    fill(&mut desk, 500);
    let next = next_run(&desk, Duration::from_secs(120));
    let exit = next.last_order();
    assert_eq!((exit.side, exit.quantity.0), (Side::Sell, 50_000));
}

#[test]
fn another_source_in_the_configuration_ends_the_target_of_the_one_before() {
    let mut desk = desk();
    fill(&mut desk, 500);
    let mut changed = bots(OnExpiry::Flat);
    changed.bots[0].external = Some(ExternalControl {
        source: "other".to_owned(),
        on_expiry: OnExpiry::Flat,
    });
    desk.input(&Input::Configured(Box::new(changed)));
    assert_eq!(desk.engine.view().targets[0].target, None);
    say(&mut desk, 1_000);
    assert_eq!(view(&desk).refused, 1);
    pass(&mut desk, 6);
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.quantity.0), (Side::Sell, 50_000));
    let words = "its source has sent no target for the position";
    assert_eq!(reason(&desk), words);
}

#[test]
fn an_engine_that_was_saved_continues_with_its_targets() {
    let mut desk = desk();
    say(&mut desk, 500);
    let state = desk.engine.save();
    let restored = Engine::restore(StrategySource::built_in(), &state).unwrap();
    assert_eq!(restored.save().digest(), state.digest());
    assert_eq!(restored.view().targets, desk.engine.view().targets);
    assert_eq!(restored.view().sources, desk.engine.view().sources);
}

#[test]
fn numbers_of_series_outlive_a_restart_and_keep_their_age() {
    let mut desk = desk();
    let at = desk.now;
    desk.input(&Input::Series(Box::new(SeriesPoint {
        name: "house:fear".to_owned(),
        instrument: None,
        value: Decimal::new(125, 1),
        event_time: Some(at),
        received_at: at,
        max_age: Some(MINUTE),
    })));
    let before = desk.engine.view().numbers;
    assert_eq!((before.len(), before[0].event_time), (1, at));
    let next = next_run(&desk, 10 * SECOND);
    assert_eq!(next.engine.view().numbers, before);
    let state = desk.engine.save();
    let recovered =
        tradewind_engine::recover(StrategySource::built_in(), Some(&state), []).unwrap();
    assert_eq!(recovered.view().numbers, before);
}

#[test]
fn a_series_that_is_no_longer_configured_is_dropped() {
    let mut desk = desk();
    for name in ["house:fear", "house:greed"] {
        desk.input(&Input::Series(Box::new(SeriesPoint {
            name: name.to_owned(),
            instrument: None,
            value: Decimal::new(125, 1),
            event_time: Some(desk.now),
            received_at: desk.now,
            max_age: None,
        })));
    }
    let mut changed = bots(OnExpiry::Flat);
    let mut check = |series: Option<&str>, wanted: &[&str]| {
        changed.series = series.map(|name| vec![name.to_owned()]);
        desk.input(&Input::Configured(Box::new(changed.clone())));
        let numbers = desk.engine.view().numbers;
        let names: Vec<&str> = numbers.iter().map(|number| &*number.name).collect();
        assert_eq!(names, wanted);
    };
    check(None, &["house:fear", "house:greed"]);
    check(Some("house:greed"), &["house:greed"]);
}

/// A desk whose steered bot trades a perpetual, which it may hold short.
fn both_ways() -> Desk {
    let mut configuration = bots(OnExpiry::Flat);
    configuration.bots[0].instruments = vec![PERPETUAL];
    let mut desk = desk_of(configuration);
    desk.quote_of(PERPETUAL, 10_000, 10_001);
    desk
}

#[test]
fn short_targets_are_followed_and_a_turn_goes_by_way_of_flat() {
    let mut desk = both_ways();
    let quiet = |desk: &mut Desk, seconds: u32| {
        for _ in 0..seconds {
            desk.advance(SECOND);
            desk.quote_of(PERPETUAL, 10_000, 10_001);
        }
    };
    let say = |desk: &mut Desk, exposure: i64| {
        let sent = ExternalTarget {
            instrument: "simx:BTC/USDT-PERP".to_owned(),
            ..target(desk, exposure)
        };
        send(desk, &sent);
    };
    let fill = |desk: &mut Desk, side: Side, quantity: i64| {
        let order = desk.last_order();
        assert_eq!((order.side, order.quantity.0), (side, quantity));
        desk.fill(&order, 10_000);
    };
    say(&mut desk, -500);
    fill(&mut desk, Side::Sell, 50_000);
    quiet(&mut desk, 6);
    say(&mut desk, -800);
    fill(&mut desk, Side::Sell, 30_000);
    quiet(&mut desk, 6);
    say(&mut desk, 300);
    fill(&mut desk, Side::Buy, 80_000);
    quiet(&mut desk, 6);
    fill(&mut desk, Side::Buy, 30_000);
    assert_eq!(desk.held_by_bots(PERPETUAL), 30_000);
    quiet(&mut desk, 6);
    say(&mut desk, -200);
    fill(&mut desk, Side::Sell, 30_000);
    quiet(&mut desk, 6);
    fill(&mut desk, Side::Sell, 20_000);
    assert_eq!(desk.held_by_bots(PERPETUAL), -20_000);
    quiet(&mut desk, 61);
    fill(&mut desk, Side::Buy, 20_000);
    assert_eq!((desk.held_by_bots(PERPETUAL), desk.orders().len()), (0, 7));
}

/// A step of a steered desk: a target for some seconds, a fill of what is open, silence, a source that comes and goes, a restart.
#[derive(Clone, Debug)]
enum Step {
    Say { exposure: i64, age: u32, span: u32 },
    Fill,
    Refuse,
    Pass(u32),
    Source(FeedHealth),
    Price(i64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (-1_500_i64..1_500, 0_u32..30, 1_u32..40)
            .prop_map(|(exposure, age, span)| Step::Say { exposure, age, span }),
        5 => Just(Step::Fill),
        1 => Just(Step::Refuse),
        4 => (1_u32..20).prop_map(Step::Pass),
        2 => prop_oneof![Just(FeedHealth::Live), Just(FeedHealth::Stale), Just(FeedHealth::Gap)]
            .prop_map(Step::Source),
        2 => (9_900_i64..10_100).prop_map(Step::Price),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is sent: what a bot holds and has ordered is never more than the largest exposure that could be followed, nor
    /// short; and when it orders more, never more than the target that stands.
    #[test]
    fn no_sequence_of_targets_exceeds_the_exposure_that_stands(steps in prop::collection::vec(step(), 1..60)) {
        let mut desk = desk();
        let mut most = 0;
        let mut known = Vec::new();
        let seconds = |step| match step {
            Step::Pass(seconds) => vec![Step::Pass(1); seconds as usize],
            step => vec![step],
        };
        for step in steps.into_iter().flat_map(seconds) {
            let stood = standing(&desk);
            match step {
                Step::Say { exposure, age, span } => {
                    let event_time = desk.now - age * SECOND;
                    let sent = ExternalTarget {
                        event_time,
                        expires: event_time + span * SECOND,
                        ..target(&desk, exposure)
                    };
                    if (0..=1_000).contains(&exposure) && sent.expires > desk.now {
                        most = most.max(exposure * 100);
                    }
                    send(&mut desk, &sent);
                }
                Step::Fill => {
                    let open = desk.engine.view().orders;
                    if let Some(order) = open.first() {
                        desk.fill(&order.terms, 10_001);
                    }
                }
                Step::Refuse => {
                    let open = desk.engine.view().orders;
                    if let Some(order) = open.first() {
                        let no = rejected();
                        desk.report(&order.terms, no, None);
                    }
                }
                Step::Pass(seconds) => pass(&mut desk, seconds),
                Step::Source(health) => source(&mut desk, health),
                Step::Price(bid) => drop(desk.quote(bid, bid + 1)),
                Step::Restart => {
                    desk = next_run(&desk, SECOND);
                    source(&mut desk, FeedHealth::Live);
                }
            }
            let view = desk.engine.view();
            let held = desk.held_by_bots(tradewind_testkit::SPOT);
            let entries = || view.orders.iter().filter(|order| order.terms.side == Side::Buy);
            let ordered: i64 = entries().map(|order| order.terms.quantity.0 - order.filled.0).sum();
            prop_assert!(held >= 0, "{held}");
            prop_assert!(held + ordered <= most, "{held} and {ordered} of {most}");
            let is_new = entries().any(|order| !known.contains(&order.terms.client_id));
            known = entries().map(|order| order.terms.client_id).collect();
            let stands = stood.max(standing(&desk));
            prop_assert!(!is_new || held + ordered <= stands, "{held} and {ordered} of {stands}");
        }
    }
}

/// What the target that stands lets the bot hold at the price of these tests.
fn standing(desk: &Desk) -> i64 {
    let targets = desk.engine.view().targets;
    let standing = targets.first().filter(|view| !view.is_expired);
    let exposure = standing.and_then(|view| Some(view.target.as_ref()?.exposure.0));
    exposure.unwrap_or(0) / 10
}
