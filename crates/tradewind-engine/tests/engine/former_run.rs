//! What a run of the desk leaves to the next one: orders on their way, late reports, decisions of people.

use std::time::Duration;

use tradewind_events::{AccountState, Action, BotState, Configuration, Input, StopMode};
use tradewind_model::{Amount, ClientOrderId, Fill, OrderTerms, OwnerId, ReportKind};
use tradewind_testkit::{ACCOUNT, Answer, BTC, Desk, SPOT, Script, USDT, bot, configuration};

use crate::{BOT, desk, one_bot};

fn bots() -> Configuration {
    Configuration {
        bots: vec![bot(0)],
        ..configuration()
    }
}

/// The next start of a desk, before its account is read.
fn next_start() -> Desk {
    Desk::unreconciled(bots(), Script::default().strategies())
}

/// An order of the run before, which its bot bought 1 unit with, and that fill.
fn bought() -> (OrderTerms, Fill) {
    let (mut earlier, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    earlier.quote(10_000, 10_001);
    let terms = earlier.last_order();
    let fill = earlier.fill_of(&terms, terms.quantity.0, 10_001);
    (terms, fill)
}

fn reading(usdt: i64, btc: i64, fills: Vec<Fill>) -> Input {
    Input::Account(Box::new(AccountState {
        account: ACCOUNT,
        balances: vec![(USDT, Amount::whole(usdt)), (BTC, Amount::whole(btc))],
        open_orders: Vec::new(),
        fills: fills.into_iter().map(|fill| (fill, Some(BOT))).collect(),
    }))
}

fn owners(desk: &Desk) -> Vec<(OwnerId, i64)> {
    let view = desk.engine.view();
    let positions = view.positions.iter();
    positions
        .map(|position| (position.owner, position.quantity.0))
        .collect()
}

/// Kind 2, I02: the same execution from two channels, its stamps 1 ms apart.
#[test]
fn an_early_fill_is_booked_twice_when_its_stamps_differ() {
    let mut desk = next_start();
    let (terms, fill) = bought();
    desk.report(&terms, ReportKind::Filled(fill), Some(fill.quantity.0));
    let listed = Fill {
        event_time: fill.event_time + Duration::from_millis(1),
        ..fill
    };
    desk.input(&reading(99_900, 1, vec![listed]));
    assert_eq!(desk.held(SPOT), 200_000);
}

/// Kind 2, I22: a fill that is reported between reading and adoption.
#[test]
fn an_early_fill_belongs_to_nobody() {
    let mut desk = next_start();
    let (terms, fill) = bought();
    desk.report(&terms, ReportKind::Filled(fill), Some(fill.quantity.0));
    desk.input(&reading(100_000, 0, Vec::new()));
    assert_eq!(owners(&desk), [(OwnerId::Unallocated, 100_000)]);
}

/// Kind 2: a trade list that lags the balances.
#[test]
fn a_holding_that_no_trade_explains_yet_is_nobodys_and_trading_starts() {
    let mut desk = next_start();
    desk.input(&reading(99_900, 1, Vec::new()));
    let view = desk.engine.view();
    let holder = view.balances.iter().find(|held| held.asset == BTC);
    assert_eq!(holder.map(|held| held.owner), Some(OwnerId::Unallocated));
    assert!(view.causes.is_empty(), "{:?}", view.causes);
}

/// Kind 8, V02: the venue takes an order of the run before, late.
#[test]
fn an_order_of_the_run_before_that_is_accepted_late_is_ignored() {
    let (mut desk, _script) = one_bot();
    let (terms, _) = bought();
    let before = OrderTerms {
        client_id: ClientOrderId(terms.client_id.0 + 5),
        ..terms
    };
    assert_eq!(desk.report(&before, ReportKind::Accepted, Some(0)), []);
}

/// Kind 2: an order that the venue does not list any more.
#[test]
fn an_order_that_a_second_reading_does_not_list_stays_open_unqueried() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    desk.report(&order, ReportKind::Accepted, Some(0));
    desk.log.clear();
    desk.input(&reading(100_000, 0, Vec::new()));
    assert_eq!(desk.queries(), []);
    assert_eq!(desk.engine.view().orders.len(), 1);
}

/// Kind 12: what people decided.
#[test]
fn a_bot_stopped_by_a_person_runs_again_after_a_restart() {
    let script = Script::default();
    let mut first = desk(vec![bot(0)], &script);
    first.command(Action::StopBot {
        bot: BOT,
        mode: StopMode::Keep,
    });
    assert_eq!(first.engine.view().bots[0].state, BotState::Stopped);
    let mut second = next_start();
    second.account(&[(USDT, Amount::whole(100_000))]);
    second.advance(Duration::from_secs(2));
    assert_eq!(second.engine.view().bots[0].state, BotState::Running);
}
