//! Pairs of a stop and a take profit of several bots in one instrument of one account.

use tradewind_events::{EventType, Output};
use tradewind_model::{
    BotId, ExitPlan, Instrument, OrderStatus, Ppm, Price, ReportKind, Side, Stop,
};
use tradewind_testkit::{Answer, Desk, Script};

use crate::take_profits::{ONE, SECOND, configured, covered, guarded, paired, pairs, refusal};

/// Bots that bought one `BTC` each, their stops sent and, with `answers`, confirmed at once.
fn crowd(count: u32, max: u32, answers: bool) -> Desk {
    crowd_at(1_000_000, count, max, answers).0
}

/// The same after targets of another exposure.
fn crowd_at(exposure: i64, count: u32, max: u32, answers: bool) -> (Desk, Script) {
    let script = Script::default();
    let mut configuration = configured(Instrument {
        algo_orders_max: max,
        ..paired()
    });
    configuration.bots = (0..count).map(guarded).collect();
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(2 * SECOND * count);
    for bot in 0..count {
        script.say(BotId(bot), Answer::target(exposure));
        desk.quote(9_999, 10_000);
        let mut orders = desk.orders().into_iter();
        let buy = orders.rfind(|order| order.side == Side::Buy);
        desk.fill(&buy.expect("it buys"), 10_000);
        if answers {
            confirm(&mut desk);
        }
    }
    (desk, script)
}

/// The venue takes everything that waits for it, and cancels what that replaces.
fn confirm(desk: &mut Desk) {
    let replaced = desk.log.iter().filter_map(|output| match output {
        Output::Submit(intent, _) => intent.replaces,
        _ => None,
    });
    let replaced: Vec<_> = replaced.collect();
    for order in desk.engine.view().orders {
        if replaced.contains(&order.terms.client_id) {
            desk.report(&order.terms, ReportKind::Cancelled, Some(0));
        } else if order.status == OrderStatus::Pending {
            desk.report(&order.terms, ReportKind::Accepted, Some(0));
        }
    }
}

/// V19.
#[test]
fn pairs_leave_a_place_for_a_stop_that_covers_all_who_come_later() {
    let desk = crowd(6, 5, true);
    assert_eq!(pairs(&desk), 4);
    assert_eq!(covered(&desk), 6 * ONE);
    assert_eq!(desk.count(EventType::PositionUnprotected), 0);
}

#[test]
fn pairs_of_several_bots_refused_at_once_are_followed_by_stops_at_once() {
    let mut desk = crowd(6, 10, false);
    assert_eq!(pairs(&desk), 6);
    let open = desk.engine.view().orders;
    for order in open {
        desk.report(&order.terms, refusal(), Some(0));
    }
    let stops = desk.orders().into_iter();
    let stops = stops.filter(|order| order.kind.trigger().is_some());
    assert_eq!(stops.count(), 12, "none waits for another one's refusal");
}

/// At the cap another bot's stop took what was added. The pair gives way to a stop of its own where the new plan has it.
#[test]
fn beside_a_shared_stop_the_stop_of_a_pair_follows_a_new_plan() {
    let (mut desk, script) = crowd_at(500_000, 2, 2, true);
    assert_eq!((pairs(&desk), covered(&desk)), (1, ONE));
    let plan = ExitPlan {
        stop: Stop::Distance(Ppm(4_000)),
        ..guarded(0).exit
    };
    desk.advance(10 * SECOND);
    script.say(BotId(0), Answer::guarded(1_000_000, None, Some(plan)));
    desk.quote(9_999, 10_000);
    let more = desk.last_order();
    let part = desk.fill_of(&more, 10_000, 10_000);
    desk.report(&more, ReportKind::Filled(part), Some(10_000));
    desk.advance(SECOND);
    confirm(&mut desk);
    let cancels = desk.cancels();
    assert_eq!(cancels.len(), 1, "the pair's stop");
    let open = desk.engine.view().orders.into_iter();
    let stop = open
        .clone()
        .find(|order| order.terms.client_id == cancels[0]);
    let limit = open
        .clone()
        .find(|order| order.terms.kind.trigger().is_none());
    for order in [stop, limit] {
        let order = order.expect("it rests").terms;
        desk.report(&order, ReportKind::Cancelled, Some(0));
    }
    confirm(&mut desk);
    let open = desk.engine.view().orders.into_iter();
    let triggers: Vec<_> = open
        .filter_map(|order| order.terms.kind.trigger())
        .collect();
    assert_eq!(triggers, [Price(9_875), Price(9_950)]);
    assert_eq!(covered(&desk), ONE + 10_000);
    desk.advance(60 * SECOND);
    assert_eq!(desk.cancels().len(), 1);
}
