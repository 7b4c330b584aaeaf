//! Pairs of a stop and a take profit of several bots in one instrument of one account.

use tradewind_events::{EventType, Output};
use tradewind_model::{BotId, Instrument, OrderStatus, ReportKind, Side};
use tradewind_testkit::{Answer, Desk, Script};

use crate::take_profits::{ONE, SECOND, configured, covered, guarded, paired, pairs, refusal};

/// Bots that bought one `BTC` each, their stops sent and, with `answers`, confirmed at once.
fn crowd(count: u32, max: u32, answers: bool) -> Desk {
    let script = Script::default();
    let mut configuration = configured(Instrument {
        algo_orders_max: max,
        ..paired()
    });
    configuration.bots = (0..count).map(guarded).collect();
    let mut desk = Desk::started(configuration, script.strategies());
    desk.advance(2 * SECOND * count);
    for bot in 0..count {
        script.say(BotId(bot), Answer::target(1_000_000));
        desk.quote(9_999, 10_000);
        let mut orders = desk.orders().into_iter();
        let buy = orders.rfind(|order| order.side == Side::Buy);
        desk.fill(&buy.expect("it buys"), 10_000);
        if answers {
            confirm(&mut desk);
        }
    }
    desk
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
