//! An account's stream. While it is not proved live, entries of its account are refused and exits pass.

use std::time::Duration;

use tradewind_events::{
    AccountState, Configuration, EventKind, EventType, Input, Output, StreamBalance, StreamChange,
    StreamState,
};
use tradewind_model::{Account, AccountId, Amount, Fill, OrderTerms, OwnerId, ReportKind, Side};
use tradewind_risk::{Clearing, DenyReason, Scope, TradingState};
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, Script, USDT, bot, configuration};

use crate::{BOT, buy, one_bot};

fn stream(desk: &mut Desk, change: StreamChange) {
    stream_of(desk, ACCOUNT, change);
}

fn stream_of(desk: &mut Desk, account: AccountId, change: StreamChange) {
    let change = Box::new(change);
    desk.input(&Input::AccountStream { account, change });
}

fn lost(reason: &str) -> StreamChange {
    let reason = reason.to_owned();
    StreamChange::Down { reason }
}

fn unsure(reason: &str) -> StreamChange {
    let reason = reason.to_owned();
    StreamChange::Unsure { reason }
}

/// What a stream leaves that is up after a break.
const NOT_COMPARED: &str = "REDUCING: the account is compared with its venue";

/// The open causes of the account, in words.
fn causes(desk: &Desk) -> Vec<String> {
    let view = desk.engine.view();
    let own = view.causes.into_iter();
    let own = own.filter(|cause| cause.scope == Scope::Account(ACCOUNT));
    own.map(|cause| {
        assert_eq!(cause.clearing, Clearing::Itself);
        format!("{}: {}", cause.state, cause.reason)
    })
    .collect()
}

#[test]
fn each_state_but_live_and_absent_is_a_cause_of_its_own_that_ends_by_itself() {
    let (mut desk, _script) = one_bot();
    assert_eq!(causes(&desk), [""; 0], "a desk without a stream needs none");
    let steps = [
        (
            StreamChange::Connecting,
            Some("the account stream is not proved live yet"),
        ),
        (StreamChange::Up, None),
        (lost("no pong"), Some("the account stream is down")),
        (lost("refused"), Some("the account stream is down")),
        (
            StreamChange::Connecting,
            Some("the account stream is not proved live yet"),
        ),
        (
            unsure("a queue was full"),
            Some("the account stream may have missed something"),
        ),
        (StreamChange::Up, None),
        (StreamChange::Up, None),
    ];
    for (change, cause) in steps {
        stream(&mut desk, change.clone());
        if change == StreamChange::Up && causes(&desk) == [NOT_COMPARED] {
            desk.read_account();
        }
        let wanted: Vec<String> = cause
            .iter()
            .map(|cause| format!("REDUCING: {cause}"))
            .collect();
        assert_eq!(causes(&desk), wanted, "{change:?}");
    }
    // A report that repeats the state is not announced.
    assert_eq!(desk.count(EventType::AccountStreamChanged), 6);
    let view = &desk.engine.view().streams[0];
    assert_eq!((view.state, view.reason.as_str()), (StreamState::Live, ""));
}

#[test]
fn entries_are_refused_while_the_stream_is_down_and_exits_pass() {
    let (mut desk, script) = one_bot();
    stream(&mut desk, StreamChange::Up);
    buy(&mut desk, &script);
    stream(&mut desk, lost("no pong"));
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    let exit = desk.last_order();
    assert_eq!(exit.side, Side::Sell);
    desk.fill(&exit, 10_000);
    let orders = desk.orders().len();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), orders);
    let EventKind::RiskDecisionRejected { reason, .. } = desk.last(EventType::RiskDecisionRejected)
    else {
        unreachable!()
    };
    assert_eq!(reason, DenyReason::TradingState(TradingState::Reducing));
    stream(&mut desk, StreamChange::Up);
    desk.read_account();
    script.say(BOT, Answer::target(500_000));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), orders + 1);
}

/// N11: after a break of the stream entries wait for a reading that agrees with the books, and exits do not.
#[test]
fn entries_wait_until_the_account_was_compared_after_a_break_and_exits_pass() {
    let (mut desk, script) = one_bot();
    stream(&mut desk, StreamChange::Up);
    buy(&mut desk, &script);
    stream(&mut desk, lost("no pong"));
    desk.advance(Duration::from_secs(60));
    stream(&mut desk, StreamChange::Up);
    assert_eq!(causes(&desk), [NOT_COMPARED]);
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    let exit = desk.last_order();
    assert_eq!(exit.side, Side::Sell);
    desk.fill(&exit, 10_000);
    let orders = desk.orders().len();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), orders);
    // A reading that does not agree is read again first.
    desk.account(&[(USDT, Amount::whole(1)), (BTC, Amount::ZERO)]);
    assert_eq!(causes(&desk), [NOT_COMPARED]);
    desk.read_account();
    assert_eq!(causes(&desk), [""; 0]);
    script.say(BOT, Answer::target(500_000));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), orders + 1);
    // A connection that replaces a live one in time is no break.
    stream(&mut desk, StreamChange::Up);
    assert_eq!(causes(&desk), [""; 0]);
}

fn orders(blocked: Option<&str>) -> StreamChange {
    let blocked = blocked.map(str::to_owned);
    StreamChange::OrderEntry { blocked }
}

/// HALTED while no order can leave: the cause says why, ends by itself, and entries follow a minute later.
#[test]
fn an_account_whose_orders_cannot_leave_is_halted_and_heals_by_itself() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    let placed = desk.orders().len();
    let sell = |desk: &mut Desk| {
        script.say(BOT, Answer::target(0));
        desk.quote(10_000, 10_001);
        desk.orders().len()
    };
    for why in [
        "binance takes no more requests for now",
        "binance does not answer",
    ] {
        stream(&mut desk, orders(Some(why)));
        stream(&mut desk, orders(Some(why)));
        assert_eq!(
            causes(&desk),
            [format!("HALTED: no order can leave: {why}")]
        );
        assert_eq!(sell(&mut desk), placed);
    }
    stream(&mut desk, orders(None));
    stream(&mut desk, orders(None));
    let settling = "REDUCING: orders can leave again, for less than a minute";
    assert_eq!(causes(&desk), [settling]);
    desk.advance(Duration::from_secs(1));
    assert!(sell(&mut desk) > placed, "the exit leaves at once");
    desk.advance(Duration::from_secs(58));
    assert_eq!(causes(&desk), [settling]);
    stream(&mut desk, orders(Some("binance does not answer")));
    desk.advance(Duration::from_secs(120));
    assert_eq!(causes(&desk).len(), 1);
    stream(&mut desk, orders(None));
    desk.advance(Duration::from_secs(60));
    assert_eq!(causes(&desk), [""; 0]);
}

/// A process that is started anew finds out anew whether orders can leave.
#[test]
fn a_block_of_a_former_run_is_forgotten_by_the_next_start() {
    let (mut desk, _script) = one_bot();
    stream(&mut desk, orders(Some("binance does not answer")));
    let hangs = Input::Component {
        name: "api".into(),
        problem: Some("it does not answer".into()),
    };
    desk.input(&hangs);
    let script = Script::default();
    let configuration = Configuration {
        bots: vec![bot(0)],
        ..configuration()
    };
    let mut desk = desk.restarted(configuration, script.strategies());
    desk.read_account();
    let view = desk.engine.view();
    let reasons: Vec<_> = view
        .causes
        .iter()
        .map(|cause| cause.reason.words())
        .collect();
    assert_eq!(reasons, ["orders can leave again, for less than a minute"]);
    desk.advance(Duration::from_secs(60));
    assert_eq!(causes(&desk), [""; 0]);
}

/// P04: a component that hangs is an alarm and a cause, and stops no order.
#[test]
fn a_component_that_hangs_is_an_alarm_and_a_cause_that_stops_no_order() {
    let (mut desk, script) = one_bot();
    let component = |problem: Option<&str>| Input::Component {
        name: "api".into(),
        problem: problem.map(Into::into),
    };
    for _ in 0..2 {
        desk.input(&component(Some("it does not answer")));
    }
    let view = desk.engine.view();
    let cause = &view.causes[0];
    let shown = (cause.scope, cause.state, cause.reason.words());
    let wanted = (Scope::Desk, TradingState::Active, "a component hangs: api");
    assert_eq!((view.causes.len(), shown), (1, wanted));
    assert_eq!(desk.count(EventType::Alarm), 1);
    let EventKind::Alarm { text, .. } = desk.last(EventType::Alarm) else {
        unreachable!()
    };
    assert_eq!(text, "the component api: it does not answer");
    buy(&mut desk, &script);
    desk.input(&component(None));
    assert_eq!(desk.engine.view().causes, []);
}

/// T03: a stand-still is a partition as long as it was: the stream is connected anew, and what rested is cancelled.
#[test]
fn a_stand_still_counts_as_a_partition_of_its_length() {
    for (seconds, cancelled) in [(5, 0), (6, 1)] {
        let (mut desk, script) = one_bot();
        stream(&mut desk, StreamChange::Up);
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(10_000, 10_001);
        let entry = desk.last_order();
        desk.report(&entry, ReportKind::Accepted, Some(0));
        let span = Duration::from_secs(seconds);
        desk.advance(span);
        stream(&mut desk, StreamChange::StoodStill { span });
        assert_eq!(causes(&desk), ["REDUCING: the account stream is down"]);
        assert!(desk.log.contains(&Output::RenewStream(ACCOUNT)));
        stream(&mut desk, StreamChange::Up);
        assert_eq!(desk.cancels().len(), cancelled, "{seconds} s");
        assert_eq!(causes(&desk), [NOT_COMPARED]);
    }
}

#[test]
fn a_stream_that_is_up_before_the_desk_starts_leaves_no_cause() {
    let script = Script::default();
    let mut desk = Desk::unreconciled(
        Configuration {
            bots: vec![bot(0)],
            ..configuration()
        },
        script.strategies(),
    );
    stream(&mut desk, StreamChange::Connecting);
    assert_eq!(causes(&desk).len(), 2, "nor was the account read");
    stream(&mut desk, StreamChange::Up);
    desk.account(&[(USDT, Amount::whole(100_000))]);
    assert_eq!(causes(&desk), [""; 0]);
}

#[test]
fn each_time_the_stream_is_up_the_open_orders_of_its_account_are_queried() {
    let script = Script::default();
    let mut configuration = Configuration {
        bots: vec![bot(0)],
        ..configuration()
    };
    configuration.accounts.push(Account {
        id: AccountId(1),
        name: "other".to_owned(),
        ..configuration.accounts[0].clone()
    });
    let mut desk = Desk::unreconciled(configuration, script.strategies());
    desk.account(&[(USDT, Amount::whole(100_000))]);
    desk.input(&Input::Account(Box::new(tradewind_events::AccountState {
        account: AccountId(1),
        balances: Vec::new(),
        open_orders: Vec::new(),
        fills: Vec::new(),
    })));
    desk.advance(std::time::Duration::from_secs(2));
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    desk.report(&order, ReportKind::Accepted, Some(0));
    stream_of(&mut desk, AccountId(1), StreamChange::Up);
    assert_eq!(desk.queries(), []);
    for queries in 1..3 {
        stream(&mut desk, StreamChange::Up);
        assert_eq!(desk.queries(), vec![order.client_id; queries]);
    }
}

#[test]
fn balances_are_shown_and_a_transfer_is_external() {
    let (mut desk, _script) = one_bot();
    let balance = |asset, free| StreamBalance {
        asset,
        free: Amount::whole(free),
        locked: Amount::ZERO,
    };
    let before = desk.engine.view();
    let reported = |balances| StreamChange::Balances {
        balances,
        at: tradewind_testkit::START,
    };
    stream(&mut desk, reported(vec![balance(BTC, 2), balance(USDT, 5)]));
    stream(&mut desk, reported(vec![balance(USDT, 7)]));
    let transfer = StreamChange::Transfer {
        asset: USDT,
        amount: Amount::whole(2),
        at: tradewind_testkit::START,
    };
    stream(&mut desk, transfer);
    let view = desk.engine.view();
    let shown = &view.streams[0];
    assert_eq!(shown.balances, [balance(USDT, 7), balance(BTC, 2)]);
    assert_eq!(shown.transfers, 1);
    let external: Vec<_> = view
        .balances
        .iter()
        .filter(|balance| !before.balances.contains(balance))
        .map(|balance| (balance.owner, balance.asset, balance.amount))
        .collect();
    assert_eq!(external, [(OwnerId::External, USDT, Amount::whole(2))]);
    assert_eq!(view.causes, before.causes);
    assert_eq!(desk.count(EventType::BalancesReported), 2);
    let EventKind::TransferReported { amount, .. } = desk.last(EventType::TransferReported) else {
        unreachable!()
    };
    assert_eq!(amount, Amount::whole(2));
}

#[test]
fn a_stream_of_no_account_is_ignored() {
    let (mut desk, _script) = one_bot();
    let before = desk.engine.view().streams;
    stream_of(&mut desk, AccountId(u32::MAX), lost("whose?"));
    assert_eq!(desk.engine.view().streams, before);
}

/// N11: after a partition the entries that rested through it are cancelled; after a short break they stay.
#[test]
fn entries_that_rested_through_a_partition_are_cancelled() {
    for (seconds, cancelled) in [(5, 0), (6, 1)] {
        let (mut desk, script) = one_bot();
        stream(&mut desk, StreamChange::Up);
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(10_000, 10_001);
        let entry = desk.last_order();
        desk.report(&entry, ReportKind::Accepted, Some(0));
        stream(&mut desk, lost("no pong"));
        desk.advance(Duration::from_secs(seconds));
        stream(&mut desk, lost("refused"));
        stream(&mut desk, StreamChange::Connecting);
        stream(&mut desk, StreamChange::Up);
        assert_eq!(desk.cancels().len(), cancelled, "{seconds} s");
    }
}

/// A reading that lists a fill of the bot's order, which nothing has reported.
fn read_with_fill(desk: &mut Desk, script: &Script) -> (OrderTerms, Fill) {
    stream(desk, StreamChange::Up);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let entry = desk.last_order();
    let fill = desk.fill_of(&entry, 100_000, 10_000);
    desk.input(&Input::Account(Box::new(AccountState {
        account: ACCOUNT,
        balances: vec![(USDT, Amount::whole(99_900)), (BTC, Amount::ONE)],
        open_orders: Vec::new(),
        fills: vec![(fill, Some(BOT))],
    })));
    assert_eq!(
        desk.count(EventType::OrderFilled),
        1,
        "it is announced like any fill"
    );
    (entry, fill)
}

/// N04, R24: what a sweep listed and the stream does not report makes the stream unsure, until a later sweep finds nothing.
#[test]
fn a_stream_that_withholds_a_fill_is_unsure_until_a_later_sweep_is_clean() {
    let (mut desk, script) = one_bot();
    read_with_fill(&mut desk, &script);
    desk.advance(Duration::from_millis(1_999));
    assert_eq!(causes(&desk), [""; 0]);
    desk.advance(Duration::from_millis(1));
    assert_eq!(
        causes(&desk),
        ["REDUCING: the account stream may have missed something"]
    );
    let renewals = desk.log.iter();
    let renewals = renewals.filter(|output| **output == Output::RenewStream(ACCOUNT));
    assert_eq!(renewals.count(), 1, "it is connected anew, once");
    desk.read_account();
    assert_eq!(causes(&desk).len(), 1, "the stream has proved nothing yet");
    desk.log.clear();
    desk.advance(Duration::from_secs(30));
    let sweeps = |output: &&tradewind_events::Output| {
        matches!(output, tradewind_events::Output::Sweep(ACCOUNT))
    };
    assert!(
        desk.log.iter().any(|output| sweeps(&output)),
        "it is swept on"
    );
    desk.read_account();
    assert_eq!(causes(&desk), [""; 0]);
}

#[test]
fn a_stream_that_reports_a_fill_after_the_sweep_is_sure() {
    let (mut desk, script) = one_bot();
    let (entry, fill) = read_with_fill(&mut desk, &script);
    desk.advance(Duration::from_secs(1));
    desk.report(&entry, ReportKind::Filled(fill), Some(100_000));
    assert_eq!(desk.count(EventType::OrderFilled), 1, "it is booked once");
    desk.advance(Duration::from_secs(10));
    assert_eq!(causes(&desk), [""; 0]);
}

/// R24: a stream is proved by the last sweep, too.
#[test]
fn a_stream_without_a_reading_for_45_seconds_is_not_proved() {
    let (mut desk, script) = one_bot();
    stream(&mut desk, StreamChange::Up);
    desk.read_account();
    for (seconds, passes) in [(45, true), (1, false)] {
        desk.advance(Duration::from_secs(seconds));
        let before = desk.orders().len();
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(10_000, 10_001);
        assert_eq!(desk.orders().len() > before, passes, "{seconds}");
        if passes {
            let entry = desk.last_order();
            let reason = tradewind_model::RejectReason {
                code: -1,
                text: "no".to_owned(),
            };
            desk.report(&entry, ReportKind::Rejected(reason), None);
        }
    }
    let EventKind::RiskDecisionRejected { reason, .. } = desk.last(EventType::RiskDecisionRejected)
    else {
        unreachable!()
    };
    assert_eq!(reason, DenyReason::StreamNotProved);
}
