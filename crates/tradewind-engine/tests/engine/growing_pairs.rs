//! Pairs of a stop and a take profit while their position grows, because its entry is filled in parts.

use tradewind_events::{Action, EventType, Input};
use tradewind_model::{Instrument, InstrumentStatus, OrderTerms, Quantity, ReportKind};
use tradewind_testkit::Desk;

use crate::take_profits::{ONE, SECOND, buying, configured, covered, end_both, last_pair, paired};

/// A partial fill of the entry has a pair; with the rest both are placed anew for the whole.
#[test]
fn a_position_that_grows_gets_one_pair_for_all_of_it() {
    let (mut desk, _, buy) = buying(paired());
    desk.report(&buy, ReportKind::Accepted, Some(0));
    let part = desk.fill_of(&buy, 30_000, 10_000);
    desk.report(&buy, ReportKind::Filled(part), Some(30_000));
    desk.advance(SECOND);
    let (stop, limit) = last_pair(&desk);
    assert_eq!(stop.quantity, Quantity(30_000));
    end_both(&mut desk, &[&stop, &limit], &ReportKind::Accepted);
    let rest = desk.fill_of(&buy, 70_000, 10_000);
    desk.report(&buy, ReportKind::Filled(rest), Some(ONE));
    assert_eq!(
        desk.cancels(),
        [stop.client_id],
        "the venue ends the other one with it"
    );
    desk.report(&stop, ReportKind::Cancelled, Some(0));
    assert_eq!(desk.orders().len(), 2, "one of the two is still there");
    desk.report(&limit, ReportKind::Cancelled, Some(0));
    let (whole, _) = last_pair(&desk);
    assert_eq!((desk.orders().len(), whole.quantity), (3, Quantity(ONE)));
    assert_eq!(desk.count(EventType::PositionUnprotected), 0);
}

/// A desk whose entry is filled in part, with a pair for that, and the rest of the entry.
fn growing() -> (Desk, OrderTerms, OrderTerms) {
    let (mut desk, _, buy) = buying(paired());
    desk.report(&buy, ReportKind::Accepted, Some(0));
    let part = desk.fill_of(&buy, 30_000, 10_000);
    desk.report(&buy, ReportKind::Filled(part), Some(30_000));
    desk.advance(SECOND);
    let (stop, limit) = last_pair(&desk);
    end_both(&mut desk, &[&stop, &limit], &ReportKind::Accepted);
    (desk, buy, stop)
}

fn fill_rest(desk: &mut Desk, buy: &OrderTerms) {
    let rest = desk.fill_of(buy, 70_000, 10_000);
    desk.report(buy, ReportKind::Filled(rest), Some(ONE));
}

/// A cancel passes a kill, and a new stop does not.
#[test]
fn after_a_kill_the_pair_stays_although_the_position_has_grown() {
    let (mut desk, buy, stop) = growing();
    desk.command(Action::Kill {
        reason: "drill".to_owned(),
        flatten: false,
    });
    fill_rest(&mut desk, &buy);
    desk.advance(60 * SECOND);
    assert!(!desk.cancels().contains(&stop.client_id));
    assert_eq!((covered(&desk), desk.orders().len()), (30_000, 2));
}

#[test]
fn the_pair_stays_while_the_venue_takes_no_order() {
    let (mut desk, buy, stop) = growing();
    let halted = Instrument {
        status: InstrumentStatus::Halted,
        ..paired()
    };
    desk.input(&Input::Configured(Box::new(configured(halted))));
    fill_rest(&mut desk, &buy);
    desk.advance(10 * SECOND);
    assert!(!desk.cancels().contains(&stop.client_id));
    desk.input(&Input::Configured(Box::new(configured(paired()))));
    desk.read_account();
    assert!(desk.cancels().contains(&stop.client_id));
}
