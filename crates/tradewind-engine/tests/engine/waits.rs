//! Exits that have to wait, and positions that cannot be closed.

use std::time::Duration;

use tradewind_events::{Input, StorageHealth};
use tradewind_model::{Instrument, InstrumentStatus, Ppm, RejectReason, ReportKind, Stop};
use tradewind_testkit::{Answer, Desk, SPOT, Script, bot, spot};

use crate::{BOT, buy, desk, one_bot};

const SECOND: Duration = Duration::from_secs(1);

/// A desk whose bot holds half a `BTC` bought at 100.01, with a stop a hundredth below.
fn half() -> (Desk, Script) {
    let script = Script::default();
    let mut stopped = bot(0);
    stopped.exit.stop = Stop::Distance(Ppm(10_000));
    let mut desk = desk(vec![stopped], &script);
    script.say(BOT, Answer::target(500_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    desk.fill(&order, 10_001);
    desk.advance(2 * SECOND);
    (desk, script)
}

/// Quotes every second for as long; the venue refuses every exit. Returns the number of exits sent.
fn refused_exits(desk: &mut Desk, seconds: u32) -> usize {
    let before = desk.orders().len();
    for _ in 0..seconds {
        desk.advance(SECOND);
        desk.quote(9_800, 9_801);
        refuse_exit(desk);
    }
    desk.orders().len() - before
}

fn refuse_exit(desk: &mut Desk) {
    let view = desk.engine.view();
    let reason = RejectReason {
        code: -2010,
        text: "Account has insufficient balance for requested action.".to_owned(),
    };
    for order in view.orders {
        desk.report(&order.terms, ReportKind::Rejected(reason.clone()), Some(0));
    }
}

fn status(desk: &mut Desk, status: InstrumentStatus) {
    let changed = Instrument { status, ..spot() };
    desk.input(&Input::InstrumentChanged(Box::new(changed)));
}

/// Issue's kind 7, as it is today: the exit waits as long as the entry is unknown.
#[test]
fn an_exit_waits_behind_an_unknown_entry() {
    let (mut desk, script) = half();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let entry = desk.last_order();
    desk.report(&entry, ReportKind::Unknown, None);
    for _ in 0..3_600 {
        desk.advance(SECOND);
        desk.quote(9_800, 9_801);
    }
    assert_eq!(desk.orders().len(), 2, "nothing was sold");
    assert_eq!(desk.held(SPOT), 50_000);
}

/// As it is today: a second in which exits were refused costs a minute.
#[test]
fn an_exit_waits_a_minute_for_a_halt_of_a_second() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    desk.input(&Input::Storage(StorageHealth::Behind));
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    desk.advance(SECOND);
    desk.input(&Input::Storage(StorageHealth::Writing));
    desk.advance(58 * SECOND);
    assert_eq!(desk.orders().len(), 1);
    desk.advance(SECOND);
    assert_eq!(desk.orders().len(), 2);
}

/// As it is today: after a longer halt of the instrument the pause has grown to a minute.
#[test]
fn an_exit_is_not_tried_when_its_instrument_trades_again() {
    let (mut desk, _) = half();
    status(&mut desk, InstrumentStatus::Halted);
    for _ in 0..130 {
        desk.advance(SECOND);
        desk.quote(9_800, 9_801);
    }
    status(&mut desk, InstrumentStatus::Trading);
    desk.advance(SECOND);
    desk.quote(9_800, 9_801);
    assert_eq!(desk.orders().len(), 1);
}

/// Kind 10, as it is today.
#[test]
fn an_exit_is_refused_seven_hundred_times_an_hour_and_nothing_shows_it() {
    let (mut desk, _) = half();
    let sent = refused_exits(&mut desk, 3_600);
    assert!(sent > 700, "{sent}");
    assert_eq!(desk.engine.view().causes, []);
}
