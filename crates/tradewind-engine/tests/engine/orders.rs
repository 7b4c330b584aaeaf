//! From a target to an order, and the orders that risk denies.

use std::time::Duration;

use tradewind_events::{EventKind, EventType};
use tradewind_model::{Amount, ReportKind, Side, Sizer};
use tradewind_risk::{DenyReason, Rule};
use tradewind_testkit::{Answer, SPOT, Script, bot};

use crate::{BOT, buy, desk, one_bot};

#[test]
fn a_denial_is_announced_with_its_rule_and_leaves_no_order() {
    let script = Script::default();
    let mut greedy = bot(0);
    greedy.sizer = Sizer::Fixed(Amount::whole(60));
    let mut desk = desk(vec![greedy], &script);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    assert!(desk.orders().is_empty() && desk.engine.view().orders.is_empty());
    let EventKind::RiskDecisionRejected { reason, bot, .. } =
        desk.last(EventType::RiskDecisionRejected)
    else {
        unreachable!()
    };
    assert_eq!((reason.rule(), bot), (Rule::R08, Some(BOT)));
    let view = desk.engine.view();
    assert_eq!(
        (
            view.counters.denials,
            view.bots[0].denials,
            view.counters.orders
        ),
        (1, 1, 0)
    );
    assert_eq!(view.last_close.denied, [(Rule::R08, 1)]);
}

#[test]
fn a_target_that_was_denied_can_be_asked_for_again() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    desk.advance(Duration::from_secs(2));
    // Twice the size: 2 units are more than one is allowed when the quote is too wide for a market order.
    script.say(BOT, Answer::target(2_000_000));
    desk.quote(10_000, 10_200);
    assert_eq!(
        desk.count(EventType::RiskDecisionRejected),
        1,
        "R10: slips too far"
    );
    script.say(BOT, Answer::target(2_000_000));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), 2);
    assert_eq!(desk.last_order().quantity.0, 100_000, "what is missing");
}

#[test]
fn the_same_target_again_is_no_new_order() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    desk.advance(Duration::from_secs(5));
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), 1);
}

#[test]
fn the_same_order_within_a_second_is_a_duplicate() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    desk.report(&order, ReportKind::Expired, Some(0));
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let EventKind::RiskDecisionRejected { reason, .. } = desk.last(EventType::RiskDecisionRejected)
    else {
        unreachable!()
    };
    assert_eq!(reason, DenyReason::Duplicate(order.client_id));
}

#[test]
fn a_new_target_cancels_an_entry_that_still_waits_and_follows_when_it_has_ended() {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let entry = desk.last_order();
    let part = desk.fill_of(&entry, 30_000, 10_001);
    desk.report(&entry, ReportKind::Filled(part), Some(30_000));
    script.say(BOT, Answer::target(0));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.cancels(), [entry.client_id]);
    assert_eq!(desk.orders().len(), 1, "one order at work per instrument");
    desk.report(&entry, ReportKind::Cancelled, Some(30_000));
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.quantity.0), (Side::Sell, 30_000));
}

#[test]
fn a_part_of_a_position_is_sold_when_less_is_wanted() {
    let (mut desk, script) = one_bot();
    buy(&mut desk, &script);
    script.say(BOT, Answer::target(400_000));
    desk.quote(10_000, 10_001);
    let exit = desk.last_order();
    assert_eq!((exit.side, exit.quantity.0), (Side::Sell, 60_000));
    desk.fill(&exit, 10_000);
    assert_eq!(desk.held(SPOT), 40_000);
}

#[test]
fn a_bot_sells_at_most_its_own() {
    let script = Script::default();
    let mut desk = desk(vec![bot(0), bot(1)], &script);
    buy(&mut desk, &script);
    script.say(tradewind_model::BotId(1), Answer::target(0));
    desk.quote(10_000, 10_001);
    assert_eq!(
        desk.orders().len(),
        1,
        "the other bot holds nothing and sells nothing"
    );
}

#[test]
fn a_bot_sends_no_faster_than_its_rate() {
    let script = Script::default();
    let mut configuration = tradewind_testkit::configuration();
    configuration.bots = vec![bot(0)];
    configuration.limits.bot_order_rate = Some(tradewind_risk::Rate {
        count: 2,
        per: Duration::from_secs(1),
        burst: 5,
    });
    configuration.limits.duplicate_window = Some(Duration::ZERO);
    let mut desk = tradewind_testkit::Desk::started(configuration, script.strategies());
    for _ in 0..8 {
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(10_000, 10_001);
        if let Some(order) = desk.engine.view().orders.first().map(|order| order.terms) {
            desk.report(&order, ReportKind::Expired, Some(0));
        }
    }
    assert_eq!(desk.orders().len(), 5, "the burst");
    assert_eq!(desk.count(EventType::RiskDecisionRejected), 3);
}

#[test]
fn every_order_has_an_id_of_its_own() {
    let (mut desk, script) = one_bot();
    for _ in 0..20 {
        desk.advance(Duration::from_secs(2));
        script.say(BOT, Answer::target(1_000_000));
        desk.quote(10_000, 10_001);
        let order = desk.last_order();
        desk.report(&order, ReportKind::Expired, Some(0));
    }
    let mut ids: Vec<_> = desk.orders().iter().map(|order| order.client_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
    assert!(
        ids.iter()
            .all(|id| id.is_ours() && (id.instance(), id.epoch()) == (7, 1))
    );
}
