//! A position that grows: what is bought, what its stop is, and what a denied add leaves as it was.

use std::time::Duration;

use tradewind_events::{BotConfig, Configuration};
use tradewind_model::{Amount, Decision, ExitPlan, Ppm, Price, Reason, Side, Sizer, Stop};
use tradewind_testkit::{Answer, Desk, Script, bot, configuration};

use crate::{BOT, desk};

const HALF: i64 = 500_000;

fn sized(sizer: Sizer, stop: Stop) -> BotConfig {
    BotConfig {
        sizer,
        exit: plan(stop),
        ..bot(0)
    }
}

fn plan(stop: Stop) -> ExitPlan {
    ExitPlan {
        stop,
        ..ExitPlan::default()
    }
}

/// A desk whose bot has bought half of its position at 100.
fn half(bot: BotConfig, exit: Option<ExitPlan>) -> (Desk, Script) {
    let script = Script::default();
    let mut desk = desk(vec![bot], &script);
    script.say(BOT, Answer::guarded(HALF, None, exit));
    desk.quote(9_999, 10_000);
    let order = desk.last_order();
    desk.fill(&order, 10_000);
    desk.advance(Duration::from_secs(2));
    (desk, script)
}

fn stop(desk: &Desk) -> Option<Price> {
    desk.engine.view().positions[0].exit.stop
}

/// Adds a quarter of the whole at a price, and returns what was bought.
fn add(
    desk: &mut Desk,
    script: &Script,
    (ask, exposure): (i64, i64),
    exit: Option<ExitPlan>,
) -> i64 {
    let before = desk.orders().len();
    script.say(BOT, Answer::add(exposure, exit));
    desk.quote(ask - 1, ask);
    assert_eq!(desk.orders().len(), before + 1, "one order at {ask}");
    let order = desk.last_order();
    assert_eq!(order.side, Side::Buy, "at {ask}");
    desk.fill(&order, ask);
    desk.advance(Duration::from_secs(2));
    order.quantity.0
}

#[test]
fn an_add_costs_its_share_of_the_first_entry_at_every_price() {
    for ask in [5_000, 8_000, 10_000, 15_000, 20_000] {
        for sizer in [
            Sizer::Share(Ppm(40_000)),
            Sizer::Value(Amount::whole(400)),
            Sizer::RiskToStop(Ppm(30_000)),
        ] {
            let (mut desk, script) = half(sized(sizer, Stop::Distance(Ppm(750_000))), None);
            let first = desk.held_by_bots(tradewind_testkit::SPOT) * 10_000;
            for exposure in [HALF + 250_000, 2 * HALF] {
                let paid = add(&mut desk, &script, (ask, exposure), None) * ask;
                // A step of the quantity may be missing, and the first entry cost the ask.
                let missing = first / 2 - paid;
                assert!(
                    (-first / 10_000..=first / 100).contains(&missing),
                    "{sizer:?} at {ask}: {paid} of {first}"
                );
            }
        }
    }
}

#[test]
fn a_stop_near_the_price_does_not_make_an_add_large() {
    let guard = || Some(plan(Stop::At(Price(9_000))));
    let (mut desk, script) = half(sized(Sizer::RiskToStop(Ppm(4_000)), Stop::None), guard());
    let first = desk.held_by_bots(tradewind_testkit::SPOT) * 10_000;
    let paid = add(&mut desk, &script, (9_200, HALF + 250_000), guard()) * 9_200;
    assert!(paid <= first / 2, "{paid} of {first}");
}

#[test]
fn an_add_keeps_the_nearer_stop() {
    // The plan of the first entry, where it was moved, the plan of the add, and the stop after it.
    for (first, moved, second, wanted) in [
        (Stop::Distance(Ppm(20_000)), None, None, 9_800),
        (Stop::None, Some(9_850), None, 9_850),
        (Stop::At(Price(9_800)), None, Some(9_700), 9_800),
        (Stop::At(Price(9_800)), Some(9_850), Some(9_820), 9_850),
        (Stop::At(Price(9_800)), None, Some(9_870), 9_870),
    ] {
        let bot_stop = match first {
            Stop::At(_) => Stop::None,
            other => other,
        };
        let exit = matches!(first, Stop::At(_)).then(|| plan(first));
        let config = sized(Sizer::Share(Ppm(40_000)), bot_stop);
        let (mut desk, script) = half(config.clone(), exit);
        if let Some(moved) = moved {
            let to = Decision::MoveStop {
                stop: Price(moved),
                reason: Reason::plain("the script moves it"),
            };
            script.say(BOT, Answer::Decide(to));
            desk.quote(9_999, 10_000);
        }
        let exit = second.map(|price| plan(Stop::At(Price(price))));
        add(&mut desk, &script, (9_900, HALF + 250_000), exit);
        assert_eq!(
            stop(&desk),
            Some(Price(wanted)),
            "{first:?} {moved:?} {second:?}"
        );
        let configuration = Configuration {
            bots: vec![config],
            ..configuration()
        };
        let next = desk.restarted(configuration, script.strategies());
        assert_eq!(stop(&next), Some(Price(wanted)), "after a restart");
    }
}

#[test]
fn a_denied_add_leaves_the_plan_as_it_was() {
    let exit = ExitPlan {
        take_profit: Some(Ppm(500_000)),
        ..plan(Stop::At(Price(9_800)))
    };
    let config = sized(Sizer::Share(Ppm(40_000)), Stop::None);
    let (mut desk, script) = half(config.clone(), Some(exit));
    let before = desk.engine.view().positions[0].exit;
    // An order of this bot that is worth more than the limit of an order.
    let orders = desk.orders().len();
    script.say(BOT, Answer::guarded(40 * HALF, None, None));
    desk.quote(9_999, 10_000);
    assert_eq!(desk.orders().len(), orders, "it is denied");
    // What refreshes the position builds its monitor anew.
    let to = Decision::MoveStop {
        stop: Price(9_810),
        reason: Reason::plain("the script moves it"),
    };
    script.say(BOT, Answer::Decide(to));
    desk.quote(9_999, 10_000);
    let after = desk.engine.view().positions[0].exit;
    assert_eq!(after.take_profit, before.take_profit);
    assert_eq!(after.stop, Some(Price(9_810)));
    let configuration = Configuration {
        bots: vec![config],
        ..configuration()
    };
    let next = desk.restarted(configuration, script.strategies());
    assert_eq!(next.engine.view().positions[0].exit, after);
}

#[test]
fn an_add_without_a_position_buys_nothing() {
    let script = Script::default();
    let mut desk = desk(vec![sized(Sizer::Share(Ppm(40_000)), Stop::None)], &script);
    script.say(BOT, Answer::add(HALF, None));
    desk.quote(9_999, 10_000);
    assert_eq!(desk.orders().len(), 0);
}
