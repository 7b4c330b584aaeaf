//! Circuit breakers: what opens one, what it holds back, and who closes it.

use std::time::Duration;

use tradewind_events::{Action, CommandResult, EventKind, EventType, Timer};
use tradewind_model::{
    FeedHealth, NotSentReason, OrderTerms, RejectReason, ReportKind, Side, Timestamp,
};
use tradewind_risk::{BreakerScope, CauseKind, Limits, Scope, TradingState};
use tradewind_testkit::{ACCOUNT, Answer, Desk, SPOT, Script, bot, configuration};

use crate::BOT;

const SECOND: Duration = Duration::from_secs(1);

/// Two bots under breakers of 5 failures in 60 s that stay open for 60 s.
fn desk() -> (Desk, Script) {
    let script = Script::default();
    let mut configuration = configuration();
    configuration.bots = vec![bot(0), bot(1)];
    configuration.limits = Limits {
        breaker_failures: Some(5),
        breaker_window: Some(Duration::from_secs(60)),
        breaker_open: Some(Duration::from_secs(60)),
        ..configuration.limits
    };
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(SECOND * 4);
    (desk, script)
}

fn refused() -> ReportKind {
    ReportKind::Rejected(RejectReason {
        code: -2010,
        text: "no".to_owned(),
    })
}

/// The bot tries to enter; its order, if it was let through.
fn enter(desk: &mut Desk, script: &Script, bot: tradewind_model::BotId) -> Option<OrderTerms> {
    desk.advance(SECOND * 2);
    let before = desk.orders().len();
    script.say(bot, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    desk.orders().get(before).copied()
}

/// The bot enters so often and gets this answer each time.
fn fail(
    desk: &mut Desk,
    script: &Script,
    bot: tradewind_model::BotId,
    times: u32,
    kind: &ReportKind,
) {
    for _ in 0..times {
        let order = enter(desk, script, bot).expect("no breaker is open");
        desk.report(&order, kind.clone(), Some(0));
    }
}

/// Open causes as (scope, reason, state).
fn causes(desk: &Desk) -> Vec<(Scope, CauseKind, TradingState)> {
    let causes = desk.engine.view().causes;
    causes
        .into_iter()
        .map(|cause| (cause.scope, cause.reason, cause.state))
        .collect()
}

fn breaker(state: TradingState) -> Vec<(Scope, CauseKind, TradingState)> {
    vec![(Scope::Bot(BOT), CauseKind::BreakerOpen, state)]
}

/// V13: the fifth refusal in a minute opens the bot's breaker. Refusals of one bot do not stop the other.
#[test]
fn five_refusals_open_the_breaker_of_their_bot_alone() {
    let (mut desk, script) = desk();
    fail(&mut desk, &script, BOT, 4, &refused());
    assert_eq!(desk.count(EventType::CircuitBreakerFired), 0);
    fail(&mut desk, &script, BOT, 1, &refused());
    let EventKind::CircuitBreakerFired { name, failures } =
        desk.last(EventType::CircuitBreakerFired)
    else {
        unreachable!()
    };
    assert_eq!((name.as_str(), failures), ("bot bot-0", 5));
    assert_eq!(causes(&desk), breaker(TradingState::Reducing));
    assert_eq!(enter(&mut desk, &script, BOT), None);
    assert!(enter(&mut desk, &script, tradewind_model::BotId(1)).is_some());
}

/// V13, L09: after a minute one entry probes, and its success closes the breaker.
#[test]
fn one_probe_that_the_venue_takes_closes_it() {
    let (mut desk, script) = desk();
    fail(&mut desk, &script, BOT, 5, &refused());
    let due = desk.timer(Timer::Breaker(BreakerScope::Bot(BOT)));
    assert_eq!(due, Some(desk.now + SECOND * 60));
    desk.advance(SECOND * 60);
    assert_eq!(causes(&desk), breaker(TradingState::Active));
    let probe = enter(&mut desk, &script, BOT).expect("the probe passes");
    desk.report(&probe, ReportKind::Accepted, Some(0));
    assert_eq!(causes(&desk), []);
}

#[test]
fn a_probe_that_is_refused_opens_it_again() {
    let (mut desk, script) = desk();
    fail(&mut desk, &script, BOT, 5, &refused());
    desk.advance(SECOND * 60);
    fail(&mut desk, &script, BOT, 1, &refused());
    assert_eq!(causes(&desk), breaker(TradingState::Reducing));
    assert_eq!(desk.count(EventType::CircuitBreakerFired), 2);
    assert_eq!(enter(&mut desk, &script, BOT), None);
}

#[test]
fn a_probe_that_never_left_proves_nothing_and_the_next_entry_probes() {
    let (mut desk, script) = desk();
    fail(&mut desk, &script, BOT, 5, &refused());
    desk.advance(SECOND * 60);
    let expired = ReportKind::NotSent(NotSentReason::Expired);
    fail(&mut desk, &script, BOT, 1, &expired);
    assert_eq!(causes(&desk), breaker(TradingState::Active));
    assert!(enter(&mut desk, &script, BOT).is_some());
}

/// V13: timeouts are the account's and the venue's.
#[test]
fn unreachable_venues_open_the_breakers_of_account_and_venue() {
    let (mut desk, script) = desk();
    let unreachable = ReportKind::NotSent(NotSentReason::Unreachable);
    fail(&mut desk, &script, BOT, 5, &unreachable);
    let account = Scope::Account(ACCOUNT);
    let reduced = |reason| (account, reason, TradingState::Reducing);
    assert_eq!(
        causes(&desk),
        [
            reduced(CauseKind::BreakerOpen),
            reduced(CauseKind::VenueBreakerOpen)
        ]
    );
    let other = enter(&mut desk, &script, tradewind_model::BotId(1));
    assert_eq!(other, None, "both bots trade there");
}

#[test]
fn a_flapping_feed_opens_the_breaker_of_its_instrument() {
    let (mut desk, script) = desk();
    for _ in 0..5 {
        desk.quote(10_000, 10_001);
        desk.input(&tradewind_events::Input::Health {
            instrument: SPOT,
            health: FeedHealth::Stale,
            received_at: None,
        });
        desk.advance(SECOND);
    }
    let wanted = (
        Scope::Instrument(SPOT),
        CauseKind::BreakerOpen,
        TradingState::Reducing,
    );
    assert_eq!(causes(&desk), [wanted]);
    assert_eq!(enter(&mut desk, &script, BOT), None);
}

/// An open breaker holds back no exit.
#[test]
fn exits_pass_an_open_breaker() {
    let (mut desk, script) = desk();
    crate::buy(&mut desk, &script);
    script.say(BOT, Answer::target(0));
    for _ in 0..5 {
        desk.advance(SECOND * 6);
        script.say(BOT, Answer::target(0));
        desk.quote(10_000, 10_001);
        let order = desk.last_order();
        assert_eq!(order.side, Side::Sell);
        desk.report(&order, refused(), Some(0));
    }
    assert_eq!(causes(&desk), breaker(TradingState::Reducing));
    desk.advance(SECOND * 6);
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    desk.fill(&order, 10_000);
    assert_eq!(desk.held(SPOT), 0);
}

#[test]
fn a_person_closes_it() {
    let (mut desk, script) = desk();
    fail(&mut desk, &script, BOT, 5, &refused());
    let clear = |scope| Action::ClearRisk {
        scope,
        reason: "the key was renewed".to_owned(),
    };
    let nothing = desk.command(clear(Scope::Account(ACCOUNT)));
    assert!(matches!(nothing, CommandResult::Refused(_)), "{nothing:?}");
    let cleared = desk.command(clear(Scope::Bot(BOT)));
    assert_eq!(cleared, CommandResult::Accepted(None));
    assert_eq!(causes(&desk), []);
    assert_eq!(
        desk.timer(Timer::Breaker(BreakerScope::Bot(BOT))),
        None::<Timestamp>
    );
    assert!(enter(&mut desk, &script, BOT).is_some());
}
