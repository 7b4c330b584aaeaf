//! Exits that have to wait, and positions that cannot be closed.

use std::time::Duration;

use tradewind_events::{Action, Input, StorageHealth};
use tradewind_model::{
    Amount, Instrument, InstrumentStatus, Ppm, Quantity, RejectReason, ReportKind, Side, Stop,
};
use tradewind_testkit::{ACCOUNT, Answer, Desk, SPOT, Script, bot, configuration, spot};

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

/// I16: what is booked is sold at once; what the unknown entry brings later is sold then.
#[test]
fn an_exit_does_not_wait_for_an_unknown_entry() {
    let (mut desk, script) = half();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let entry = desk.last_order();
    desk.report(&entry, ReportKind::Unknown, None);
    desk.advance(SECOND);
    desk.quote(9_800, 9_801);
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.quantity), (Side::Sell, Quantity(50_000)));
    assert_eq!(desk.cancels(), [entry.client_id]);
    desk.fill(&exit, 9_800);
    assert_eq!(desk.held(SPOT), 0);
    // It was executed all the same.
    let late = desk.fill_of(&entry, 50_000, 10_001);
    desk.report(&entry, ReportKind::Filled(late), Some(50_000));
    assert_eq!(desk.held(SPOT), 50_000);
    desk.advance(5 * SECOND);
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.quantity), (Side::Sell, Quantity(50_000)));
}

#[test]
fn a_target_of_zero_does_not_wait_for_an_unknown_entry_either() {
    let (mut desk, script) = half();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let entry = desk.last_order();
    desk.report(&entry, ReportKind::Unknown, None);
    desk.advance(SECOND);
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.quantity), (Side::Sell, Quantity(50_000)));
}

#[test]
fn an_unknown_first_entry_is_sold_when_it_turns_out_to_be_filled() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let entry = desk.last_order();
    desk.report(&entry, ReportKind::Unknown, None);
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), 1, "there is nothing to sell yet");
    let late = desk.fill_of(&entry, 100_000, 10_001);
    desk.report(&entry, ReportKind::Filled(late), Some(100_000));
    assert_eq!(desk.last_order().side, Side::Sell);
}

/// The pause of a minute ends with the halt.
#[test]
fn an_exit_is_tried_as_soon_as_the_halt_is_over() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    desk.input(&Input::Storage(StorageHealth::Behind));
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    desk.advance(SECOND);
    assert_eq!(desk.orders().len(), 1);
    desk.input(&Input::Storage(StorageHealth::Writing));
    desk.advance(Duration::ZERO);
    assert_eq!(desk.orders().len(), 2);
}

#[test]
fn an_exit_is_tried_as_soon_as_its_instrument_trades_again() {
    let (mut desk, _) = half();
    status(&mut desk, InstrumentStatus::Halted);
    for _ in 0..130 {
        desk.advance(SECOND);
        desk.quote(9_800, 9_801);
    }
    status(&mut desk, InstrumentStatus::Trading);
    desk.quote(9_800, 9_801);
    assert_eq!(desk.orders().len(), 2);
}

#[test]
fn a_refused_exit_backs_off_to_five_minutes_and_is_listed_with_its_reason() {
    let (mut desk, _) = half();
    let sent = refused_exits(&mut desk, 3_600);
    assert!((15..30).contains(&sent), "{sent}");
    let blocked = desk.engine.view().blocked_exits;
    assert_eq!(blocked.len(), 1);
    let blocked = &blocked[0];
    assert_eq!((blocked.bot, blocked.instrument), (BOT, SPOT));
    assert!(blocked.refusals > 10, "{}", blocked.refusals);
    assert!(blocked.reason.contains("-2010"), "{}", blocked.reason);
    let next = blocked.next_try.expect("it is tried again");
    assert!(next.since(desk.now) <= 300 * SECOND);
    // The next one is filled.
    while desk.engine.view().orders.is_empty() {
        desk.advance(SECOND);
        desk.quote(9_800, 9_801);
    }
    let exit = desk.last_order();
    desk.fill(&exit, 9_800);
    assert_eq!(desk.engine.view().blocked_exits, []);
}

#[test]
fn a_strategy_that_insists_does_not_bypass_the_pause_and_a_person_does() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    let before = desk.orders().len();
    for _ in 0..600 {
        desk.advance(SECOND);
        script.say(BOT, Answer::target(0));
        desk.quote(9_800, 9_801);
        refuse_exit(&mut desk);
    }
    let sent = desk.orders().len() - before;
    assert!((8..15).contains(&sent), "{sent}");
    desk.command(Action::ClosePosition {
        account: ACCOUNT,
        bot: Some(BOT),
        instrument: SPOT,
    });
    assert_eq!(desk.orders().len() - before, sent + 1);
}

fn reason(desk: &Desk) -> String {
    let blocked = desk.engine.view().blocked_exits;
    assert_eq!(blocked.len(), 1);
    blocked[0].reason.clone()
}

#[test]
fn a_position_that_nobody_can_sell_is_listed_with_its_cause() {
    let (mut desk, _) = half();
    assert_eq!(desk.engine.view().blocked_exits, []);
    status(&mut desk, InstrumentStatus::Halted);
    assert_eq!(reason(&desk), "the venue does not trade the instrument now");
    let (mut desk, _) = half();
    let dearer = Instrument {
        notional_min: Amount::whole(60),
        ..spot()
    };
    desk.input(&Input::InstrumentChanged(Box::new(dearer)));
    assert_eq!(reason(&desk), "it is below the least order of the venue");
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    desk.input(&Input::Configured(Box::new(configuration())));
    assert_eq!(
        reason(&desk),
        "its bot was removed and no exit plan closes it"
    );
}
