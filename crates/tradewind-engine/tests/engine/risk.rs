//! Risk at work: what the gate is given of the engine's state, and what the engine does with the monitors' verdicts.

use std::time::Duration;

use tradewind_events::{
    Action, CommandResult, Configuration, EventKind, EventType, Input, StreamChange,
};
use tradewind_model::{
    Depth, Level, LimitPolicy, OnTimeout, OrderPolicy, Ppm, Price, Protection, Quantity,
    ReportKind, Side, Stop, StopGuard,
};
use tradewind_risk::{CauseKind, DenyReason, Limits, LossAction, Scope, TradingState};
use tradewind_testkit::{ACCOUNT, Answer, Desk, PERPETUAL, SPOT, Script, bot, configuration};

use crate::{BOT, buy};

const SECOND: Duration = Duration::from_secs(1);

/// A desk with these bots and limits that differ from the testkit's.
fn desk(bots: usize, change: impl FnOnce(&mut Configuration)) -> (Desk, Script) {
    let script = Script::default();
    let mut configuration = configuration();
    configuration.bots = (0..).take(bots).map(bot).collect();
    configuration.limits.loss_check_every = Some(SECOND);
    change(&mut configuration);
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(SECOND * 4);
    (desk, script)
}

fn denial(desk: &Desk) -> DenyReason {
    match desk.last(EventType::RiskDecisionRejected) {
        EventKind::RiskDecisionRejected { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

fn causes(desk: &Desk) -> Vec<(Scope, CauseKind, TradingState)> {
    let causes = desk.engine.view().causes;
    causes
        .into_iter()
        .map(|cause| (cause.scope, cause.reason, cause.state))
        .collect()
}

/// R03, N10, I16: nothing is added beside an order of unknown fate; with more than three the account only reduces.
#[test]
fn unknown_orders_stop_entries_beside_them() {
    let (mut desk, script) = desk(5, |configuration| {
        configuration.limits.unknown_account_max = Some(3);
        for bot in &mut configuration.bots {
            bot.instruments = vec![SPOT, PERPETUAL];
            bot.positions_max = 2;
        }
    });
    desk.advance(SECOND * 10);
    desk.quote_of(PERPETUAL, 10_000, 10_001);
    for id in 0..4 {
        desk.advance(SECOND * 2);
        script.say(tradewind_model::BotId(id), Answer::target(100_000));
        desk.quote(10_000, 10_001);
        let order = desk.last_order();
        desk.report(&order, ReportKind::Unknown, None);
    }
    desk.advance(SECOND * 2);
    let reduced = (
        Scope::Account(ACCOUNT),
        CauseKind::UnknownOrders,
        TradingState::Reducing,
    );
    assert_eq!(causes(&desk), [reduced]);
    for order in desk.orders() {
        desk.report(&order, ReportKind::Cancelled, Some(0));
    }
    desk.advance(SECOND * 62);
    assert_eq!(causes(&desk), []);
}

/// R24, T01: the edge reports how well the venue's clock is known. It gets worse by itself.
#[test]
fn an_uncertain_clock_stops_entries_until_it_is_read_again() {
    let (mut desk, script) = desk(1, |configuration| {
        configuration.limits.clock_uncertainty_max = Some(Duration::from_millis(500));
        configuration.stale_after = Duration::from_secs(100_000);
    });
    let clock = |desk: &mut Desk, millis| {
        let uncertainty = Duration::from_millis(millis);
        desk.input(&Input::AccountStream {
            account: ACCOUNT,
            change: Box::new(StreamChange::Clock { uncertainty }),
        });
    };
    let enter = |desk: &mut Desk| {
        let before = desk.orders().len();
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(10_000, 10_001);
        let order = desk.orders().get(before).copied();
        if let Some(order) = order {
            desk.report(&order, ReportKind::Expired, Some(0));
        }
        order.is_some()
    };
    clock(&mut desk, 499);
    assert!(enter(&mut desk));
    // 200 parts in a million of 10 s are 2 ms.
    desk.advance(SECOND * 10);
    assert!(!enter(&mut desk));
    assert!(matches!(denial(&desk), DenyReason::ClockUncertain { .. }));
    clock(&mut desk, 20);
    assert!(enter(&mut desk));
}

/// R22: the account's loss of a day reduces it until the next UTC day; the alarm closes positions if so configured.
#[test]
fn a_daily_loss_reduces_the_account_and_may_close_positions() {
    let losing = |action: LossAction| {
        let (mut desk, script) = desk(1, |configuration| {
            configuration.limits = Limits {
                daily_loss_reduce: Some(Ppm(100)),
                daily_loss_alarm: Some(Ppm(200)),
                on_loss: Some(action),
                order_value_max: Some(tradewind_model::Amount::whole(100_000)),
                ..configuration.limits.clone()
            };
            configuration.stale_after = Duration::from_secs(100_000);
        });
        desk.advance(SECOND);
        buy(&mut desk, &script);
        // One unit at 100.01 against 100,000: a loss of 30 is 0.03 %.
        desk.quote(7_000, 7_001);
        desk.quote(7_000, 7_001);
        desk.advance(SECOND * 3);
        desk
    };
    let desk = losing(LossAction::Keep);
    let account = Scope::Account(ACCOUNT);
    assert_eq!(
        causes(&desk),
        [
            (account, CauseKind::DailyLoss, TradingState::Reducing),
            (account, CauseKind::DailyLossAlarm, TradingState::Active)
        ]
    );
    assert_eq!(desk.orders().len(), 1, "positions stay");
    let mut desk = losing(LossAction::Flatten);
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.quantity.0), (Side::Sell, 100_000));
    desk.fill(&exit, 7_000);
    // The day ends: it began at midnight.
    desk.advance(Duration::from_secs(86_400));
    assert_eq!(causes(&desk), []);
}

/// R23: only a person ends what a drawdown opened.
#[test]
fn a_drawdown_waits_for_a_person() {
    let (mut desk, script) = desk(1, |configuration| {
        configuration.limits.drawdown_max = Some(Ppm(200));
        configuration.stale_after = Duration::from_secs(1_000_000);
    });
    desk.advance(SECOND);
    buy(&mut desk, &script);
    desk.quote(7_000, 7_001);
    desk.quote(7_000, 7_001);
    desk.advance(SECOND * 3);
    let scope = Scope::Account(ACCOUNT);
    let reduced = [(scope, CauseKind::Drawdown, TradingState::Reducing)];
    assert_eq!(causes(&desk), reduced);
    desk.advance(Duration::from_secs(100_000));
    assert_eq!(causes(&desk), reduced);
    let reason = "seen".to_owned();
    let cleared = desk.command(Action::ClearRisk { scope, reason });
    assert_eq!(cleared, CommandResult::Accepted(None));
    desk.advance(SECOND * 5);
    assert_eq!(causes(&desk), [], "the peak is taken anew");
}

/// R19: a bot that enters on one side too often is off until a person starts it again.
#[test]
fn repeated_entries_take_a_bot_off_until_it_is_started_again() {
    let (mut desk, script) = desk(1, |configuration| {
        configuration.limits.same_side_entries_max = Some(3);
        configuration.limits.same_side_entries_window = Some(SECOND * 60);
    });
    let enter = |desk: &mut Desk| {
        desk.advance(SECOND * 2);
        let before = desk.orders().len();
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(10_000, 10_001);
        if let Some(order) = desk.orders().get(before).copied() {
            desk.report(&order, ReportKind::Expired, Some(0));
        }
        desk.orders().len() > before
    };
    assert_eq!(
        [(); 4].map(|()| enter(&mut desk)),
        [true, true, true, false]
    );
    assert_eq!(denial(&desk), DenyReason::RepeatedEntries { limit: 3 });
    let scope = Scope::Bot(BOT);
    let off = [(scope, CauseKind::RepeatedEntries, TradingState::Reducing)];
    assert_eq!(causes(&desk), off);
    desk.advance(SECOND * 100);
    assert!(!enter(&mut desk));
    desk.command(Action::StartBot(BOT));
    assert_eq!(causes(&desk), []);
    assert!(enter(&mut desk));
}

/// R17: cancels count as messages, too.
#[test]
fn orders_and_cancels_without_a_fill_take_a_bot_off() {
    let (mut desk, script) = desk(1, |configuration| {
        configuration.limits = Limits {
            messages_per_fill_alarm: Some(3),
            messages_per_fill_max: Some(5),
            messages_min: Some(4),
            ..configuration.limits.clone()
        };
        configuration.bots[0].policy = OrderPolicy::Limit(LimitPolicy {
            offset: Ppm::ZERO,
            post_only: true,
            timeout: Some(SECOND),
            chases: 0,
            then: OnTimeout::Cancel,
            own_price: false,
        });
    });
    for _ in 0..3 {
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(10_000, 10_001);
        let order = desk.last_order();
        desk.report(&order, ReportKind::Accepted, Some(0));
        desk.advance(SECOND * 2);
        desk.report(&order, ReportKind::Cancelled, Some(0));
        desk.advance(SECOND);
    }
    let scope = Scope::Bot(BOT);
    assert_eq!(
        causes(&desk),
        [
            (scope, CauseKind::MessagesHigh, TradingState::Active),
            (scope, CauseKind::MessagesPerFill, TradingState::Reducing)
        ]
    );
}

/// R20: an exit cancels the resting entry of another bot that it would meet, and goes at once.
#[test]
fn an_exit_cancels_the_own_entry_in_its_way_and_goes() {
    let (mut desk, script) = desk(2, |configuration| {
        configuration.bots[1].policy = OrderPolicy::Limit(LimitPolicy {
            offset: Ppm::ZERO,
            post_only: true,
            timeout: None,
            chases: 0,
            then: OnTimeout::Cancel,
            own_price: false,
        });
    });
    buy(&mut desk, &script);
    desk.advance(SECOND * 2);
    script.say(tradewind_model::BotId(1), Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let resting = desk.last_order();
    desk.report(&resting, ReportKind::Accepted, Some(0));
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_002);
    assert_eq!(desk.last_order().side, Side::Sell);
    assert_eq!(desk.cancels(), [resting.client_id]);
}

/// R09: an exit larger than the book shows goes in slices, each after the one before, and none counts as a duplicate.
#[test]
fn an_exit_larger_than_the_book_shows_goes_in_slices() {
    let (mut desk, script) = desk(1, |configuration| {
        configuration.limits.depth_share_max = Some(Ppm(100_000));
    });
    desk.quote(10_000, 10_001);
    buy(&mut desk, &script);
    let level = |price, quantity| Level {
        price: Price(price),
        quantity: Quantity(quantity),
    };
    desk.input(&Input::Depth(Box::new(Depth {
        instrument: SPOT,
        bids: vec![level(10_000, 200_000), level(9_900, 200_000)],
        asks: vec![level(10_001, 200_000)],
        received_at: desk.now,
    })));
    desk.advance(SECOND * 2);
    script.say(BOT, Answer::target(0));
    let mut sold = Vec::new();
    let quote = tradewind_model::Quote {
        bid_quantity: Quantity(200_000),
        ..tradewind_testkit::quote(SPOT, 10_000, 10_001, desk.now)
    };
    desk.input(&Input::Quote(quote));
    while desk.held(SPOT) > 0 {
        let slice = desk.last_order();
        sold.push(slice.quantity.0);
        desk.fill(&slice, 10_000);
    }
    assert_eq!(sold, [40_000, 40_000, 20_000]);
}

/// R19: a bot whose exit plan closed a trade at a loss opens no position for a while, and neither does it after a restart.
#[test]
fn a_bot_pauses_after_its_protections_and_over_a_restart() {
    let until_over = Duration::from_secs(600);
    let (mut desk, script) = desk(1, |configuration| {
        let bot = &mut configuration.bots[0];
        bot.exit.stop = Stop::Distance(Ppm(10_000));
        bot.protections.stop_guard = Some(StopGuard {
            lookback: until_over,
            trades: 1,
            pause: until_over,
            per_instrument: false,
        });
    });
    buy(&mut desk, &script);
    desk.advance(SECOND * 2);
    desk.quote(9_800, 9_801);
    let stopped = desk.last_order();
    assert_eq!(stopped.side, Side::Sell);
    desk.fill(&stopped, 9_800);
    let until = desk.now + until_over;
    let orders = desk.orders().len();
    let enter = |desk: &mut Desk| {
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(9_800, 9_801);
        desk.orders().len()
    };
    desk.advance(SECOND * 2);
    assert_eq!(enter(&mut desk), orders);
    let reason = DenyReason::Protection {
        protection: Protection::StopGuard,
        until,
    };
    assert_eq!(denial(&desk), reason);
    assert_eq!(desk.engine.view().bots[0].pauses[0].until, until);

    let again = desk.restarted(desk.engine.configuration().clone(), script.strategies());
    assert_eq!(again.engine.view().bots[0].pauses[0].until, until);

    desk.advance(until_over);
    assert_eq!(enter(&mut desk), orders + 1);
}
