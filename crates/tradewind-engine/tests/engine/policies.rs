//! Order policies: where a limit order is placed and what happens when it has waited long enough.

use std::time::Duration;

use tradewind_events::{Action, EventType, Timer};
use tradewind_model::{
    LimitPolicy, OnTimeout, OrderKind, OrderPolicy, Ppm, Price, ReportKind, Side, TimeInForce,
};
use tradewind_testkit::{Answer, Desk, SPOT, Script, bot};

use crate::{BOT, desk};

const PATIENCE: Duration = Duration::from_secs(5);

fn policy(change: impl FnOnce(&mut LimitPolicy)) -> OrderPolicy {
    let mut policy = LimitPolicy {
        offset: Ppm::ZERO,
        post_only: false,
        timeout: Some(PATIENCE),
        chases: 0,
        then: OnTimeout::Cancel,
        own_price: false,
    };
    change(&mut policy);
    OrderPolicy::Limit(policy)
}

/// A desk whose bot has placed an entry under this policy at 100.00 / 100.10.
fn placed(policy: OrderPolicy) -> Desk {
    let script = Script::default();
    let mut patient = bot(0);
    patient.policy = policy;
    let mut desk = desk(vec![patient], &script);
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_010);
    desk.advance(Duration::ZERO);
    desk
}

const fn limit(price: i64) -> OrderKind {
    OrderKind::Limit {
        price: Price(price),
        time_in_force: TimeInForce::GoodTillCancel,
    }
}

/// The last order is not filled: it times out and its cancel is confirmed.
fn time_out(desk: &mut Desk) {
    let order = desk.last_order();
    desk.report(&order, ReportKind::Accepted, Some(0));
    desk.advance(PATIENCE);
    assert_eq!(desk.cancels().last(), Some(&order.client_id));
    desk.report(&order, ReportKind::Cancelled, Some(0));
}

#[test]
fn a_limit_order_joins_its_side_of_the_touch_moved_away_by_the_offset() {
    assert_eq!(placed(policy(|_| {})).last_order().kind, limit(10_000));
    assert_eq!(
        placed(policy(|policy| policy.offset = Ppm(1_000)))
            .last_order()
            .kind,
        limit(9_990)
    );
    assert_eq!(
        placed(policy(|policy| policy.offset = Ppm(-500)))
            .last_order()
            .kind,
        limit(10_005)
    );
    let post_only = placed(policy(|policy| policy.post_only = true))
        .last_order()
        .kind;
    assert_eq!(
        post_only,
        OrderKind::PostOnly {
            price: Price(10_000)
        }
    );
}

#[test]
fn an_order_that_waited_long_enough_is_cancelled_and_that_is_all() {
    let mut desk = placed(policy(|_| {}));
    time_out(&mut desk);
    assert_eq!(desk.orders().len(), 1);
    assert_eq!(desk.count(EventType::OrderCancelled), 1);
}

#[test]
fn or_its_rest_is_bought_at_market() {
    let mut desk = placed(policy(|policy| policy.then = OnTimeout::Cross));
    let order = desk.last_order();
    let part = desk.fill_of(&order, 40_000, 10_000);
    desk.report(&order, ReportKind::Filled(part), Some(40_000));
    desk.advance(PATIENCE);
    desk.report(&order, ReportKind::Cancelled, Some(40_000));
    let rest = desk.last_order();
    assert_eq!(
        (rest.kind, rest.quantity.0, rest.side),
        (OrderKind::Market, 60_000, Side::Buy)
    );
    assert_ne!(rest.client_id, order.client_id, "a new order has a new id");
}

#[test]
fn or_it_follows_the_touch_so_often_and_then_gives_up() {
    let mut desk = placed(policy(|policy| policy.chases = 2));
    for bid in [10_020, 10_040] {
        desk.quote(bid, bid + 10);
        time_out(&mut desk);
        assert_eq!(desk.last_order().kind, limit(bid));
    }
    time_out(&mut desk);
    assert_eq!(desk.orders().len(), 3, "two chases after the first");
}

#[test]
fn a_paused_bot_does_not_chase() {
    let mut desk = placed(policy(|policy| policy.chases = 2));
    let order = desk.last_order();
    desk.report(&order, ReportKind::Accepted, Some(0));
    desk.advance(PATIENCE);
    desk.command(Action::PauseBot(BOT));
    desk.report(&order, ReportKind::Cancelled, Some(0));
    assert_eq!(desk.orders().len(), 1);
}

#[test]
fn a_filled_order_waits_for_nothing_any_more() {
    let mut desk = placed(policy(|_| {}));
    let order = desk.last_order();
    assert!(desk.timer(Timer::OrderTimeout(order.client_id)).is_some());
    desk.fill(&order, 10_000);
    assert_eq!(desk.timer(Timer::OrderTimeout(order.client_id)), None);
    assert_eq!(desk.held(SPOT), 100_000);
}

#[test]
fn a_price_of_the_strategy_is_never_traded_beyond() {
    let script = Script::default();
    let mut desk = desk(vec![bot(0)], &script);
    script.say(BOT, Answer::guarded(1_000_000, Some(10_005), None));
    desk.quote(10_000, 10_010);
    let wanted = OrderKind::Limit {
        price: Price(10_005),
        time_in_force: TimeInForce::ImmediateOrCancel,
    };
    assert_eq!(desk.last_order().kind, wanted);
}
