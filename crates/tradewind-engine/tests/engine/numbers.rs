//! Numbers of the venue that cannot be true: wild ticks, absurd amounts, stamps of another clock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tradewind_events::Funding;
use tradewind_events::Input;
use tradewind_model::{Amount, ExitPlan, Money, Ppm, ReportKind, Stop};
use tradewind_testkit::{ACCOUNT, Desk, PERPETUAL, Script, USDT, bot};

use crate::{buy, desk};

/// A desk whose bot holds one unit bought at 100.01 under this plan.
fn long(plan: ExitPlan) -> Desk {
    let script = Script::default();
    let mut guarded = bot(0);
    guarded.exit = plan;
    let mut desk = desk(vec![guarded], &script);
    buy(&mut desk, &script);
    desk.advance(Duration::from_secs(2));
    desk
}

fn stop() -> ExitPlan {
    ExitPlan {
        stop: Stop::Distance(Ppm(20_000)),
        ..ExitPlan::default()
    }
}

/// D06. Today one tick of a tenth of the price sells the position.
#[test]
fn one_wild_tick_fires_a_stop() {
    let mut desk = long(stop());
    desk.quote(1_000, 1_001);
    assert_eq!(desk.orders().len(), 2);
}

/// T01. Today a fill is as old as the venue's stamp says, so that a venue an hour behind ends a position at once.
#[test]
fn a_stamp_of_the_past_ends_a_position_by_its_age() {
    let script = Script::default();
    let mut guarded = bot(0);
    guarded.exit.time = Some(Duration::from_secs(1_800));
    let mut desk = desk(vec![guarded], &script);
    script.say(crate::BOT, tradewind_testkit::Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    let mut fill = desk.fill_of(&order, order.quantity.0, 10_001);
    fill.event_time = fill.event_time - Duration::from_secs(3_600);
    desk.report(&order, ReportKind::Filled(fill), Some(order.quantity.0));
    desk.advance(Duration::from_secs(2));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), 2);
}

/// I07. Today a fee or a payment of 10^20 units, which is a number that can be parsed, ends the desk.
#[test]
fn absurd_amounts_end_the_desk() {
    let absurd = "100000000000000000000".parse::<Amount>().unwrap();
    let panics = |what: &str, act: &dyn Fn(&mut Desk)| {
        let mut desk = long(ExitPlan::default());
        let ended = catch_unwind(AssertUnwindSafe(|| act(&mut desk)));
        assert!(ended.is_err(), "{what}");
    };
    panics("fees", &|desk| {
        let order = desk.last_order();
        for _ in 0..2 {
            let mut fill = desk.fill_of(&order, 1, 10_001);
            fill.fee = Money {
                asset: USDT,
                amount: absurd,
            };
            desk.report(&order, ReportKind::Filled(fill), None);
        }
    });
    panics("funding", &|desk| {
        for _ in 0..2 {
            desk.input(&Input::Funding(Funding {
                account: ACCOUNT,
                instrument: PERPETUAL,
                amount: absurd,
            }));
        }
    });
}
