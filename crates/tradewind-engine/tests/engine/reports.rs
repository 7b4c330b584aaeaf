//! The venue's reports, in any order and any number of times.

use tradewind_events::{DeskView, EventType};
use tradewind_model::{
    Amount, ExecutionReport, Fill, Money, NotSentReason, OrderStatus, OrderTerms, RejectReason,
    ReportKind,
};
use tradewind_testkit::{Answer, BTC, Desk, SPOT, Script, USDT};

use crate::{BOT, one_bot};

/// A desk with one entry of one unit on its way.
fn placed() -> (Desk, Script, OrderTerms) {
    let (mut desk, script) = one_bot();
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    let order = desk.last_order();
    (desk, script, order)
}

fn status(desk: &Desk) -> Option<OrderStatus> {
    desk.engine.view().orders.first().map(|order| order.status)
}

/// Balances, positions and counts: all that reports can have changed.
fn books(desk: &Desk) -> impl PartialEq + std::fmt::Debug + use<> {
    let DeskView {
        balances,
        positions,
        orders,
        ..
    } = desk.engine.view();
    (balances, positions, orders)
}

#[test]
fn a_partial_fill_keeps_the_rest_working() {
    let (mut desk, _, order) = placed();
    desk.report(&order, ReportKind::Accepted, Some(0));
    let part = desk.fill_of(&order, 30_000, 10_001);
    desk.report(&order, ReportKind::Filled(part), Some(30_000));
    let view = desk.engine.view();
    assert_eq!(
        (view.orders[0].status, view.orders[0].filled.0),
        (OrderStatus::PartiallyFilled, 30_000)
    );
    assert_eq!((desk.held(SPOT), view.counters.partial_fills), (30_000, 1));
    let rest = desk.fill_of(&order, 70_000, 10_002);
    desk.report(&order, ReportKind::Filled(rest), Some(100_000));
    assert_eq!((status(&desk), desk.held(SPOT)), (None, 100_000));
}

#[test]
fn a_fill_that_comes_after_the_cancel_is_booked() {
    let (mut desk, _, order) = placed();
    let late = desk.fill_of(&order, 30_000, 10_001);
    desk.report(&order, ReportKind::Cancelled, Some(30_000));
    assert_eq!(
        desk.queries(),
        [order.client_id],
        "the venue counts a fill that was not reported"
    );
    assert_eq!(desk.held(SPOT), 0);
    desk.report(&order, ReportKind::Filled(late), Some(30_000));
    assert_eq!(desk.held(SPOT), 30_000);
    assert_eq!(status(&desk), None, "what has ended stays ended");
}

#[test]
fn the_same_execution_is_booked_once_and_the_second_is_counted() {
    let (mut desk, _, order) = placed();
    let fill = desk.fill_of(&order, 30_000, 10_001);
    for _ in 0..3 {
        desk.report(&order, ReportKind::Filled(fill), Some(30_000));
    }
    assert_eq!(
        (desk.held(SPOT), desk.count(EventType::OrderFilled)),
        (30_000, 1)
    );
    assert_eq!(desk.engine.view().counters.duplicate_reports, 2);
}

#[test]
fn every_order_of_the_reports_gives_the_same_books() {
    let (mut first, _, order) = placed();
    let fills: Vec<Fill> = (0..3)
        .map(|_| first.fill_of(&order, 20_000, 10_001))
        .collect();
    let mut kinds = vec![(ReportKind::Accepted, 0), (ReportKind::Cancelled, 60_000)];
    kinds.extend(fills.iter().map(|fill| (ReportKind::Filled(*fill), 20_000)));
    let mut wanted = None;
    for permutation in permutations(kinds.len()) {
        let (mut desk, _, order) = placed();
        for place in &permutation {
            let (kind, cumulative) = kinds[*place].clone();
            desk.report(&order, kind, Some(cumulative));
        }
        assert_eq!(
            (desk.held(SPOT), status(&desk)),
            (60_000, None),
            "{permutation:?}"
        );
        let found = books(&desk);
        match &wanted {
            None => wanted = Some(found),
            Some(wanted) => assert_eq!(&found, wanted, "{permutation:?}"),
        }
    }
}

fn permutations(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(length - 1);
    let insert = |order: &Vec<usize>, place: usize| {
        let mut order = order.clone();
        order.insert(place, length - 1);
        order
    };
    shorter
        .iter()
        .flat_map(|order| (0..length).map(move |place| insert(order, place)))
        .collect()
}

#[test]
fn an_unknown_order_keeps_its_exposure_reserved_and_the_venue_is_asked() {
    let (mut desk, script, order) = placed();
    desk.report(&order, ReportKind::Unknown, None);
    assert_eq!(desk.queries(), [order.client_id]);
    assert_eq!(status(&desk), Some(OrderStatus::Unknown));
    script.say(BOT, Answer::target(1_000_000));
    desk.advance(std::time::Duration::from_secs(60));
    desk.quote(10_000, 10_001);
    assert_eq!(
        desk.orders().len(),
        1,
        "no second order while the fate of the first is open"
    );
    let fill = desk.fill_of(&order, 100_000, 10_001);
    desk.report(&order, ReportKind::Filled(fill), Some(100_000));
    assert_eq!(desk.held(SPOT), 100_000);
}

#[test]
fn an_order_that_never_left_frees_what_it_had_reserved() {
    let (mut desk, script, order) = placed();
    desk.report(&order, ReportKind::NotSent(NotSentReason::Expired), None);
    assert_eq!(status(&desk), None);
    assert_eq!(desk.count(EventType::OrderExpired), 1);
    desk.advance(std::time::Duration::from_secs(2));
    script.say(BOT, Answer::target(1_000_000));
    desk.quote(10_000, 10_001);
    assert_eq!(desk.orders().len(), 2, "the target can be set again");
}

#[test]
fn a_refusal_ends_the_order_unless_it_was_on_the_book() {
    let refusal = RejectReason {
        code: -2010,
        text: "insufficient balance".to_owned(),
    };
    let (mut desk, _, order) = placed();
    desk.report(&order, ReportKind::Rejected(refusal.clone()), None);
    assert_eq!(
        (status(&desk), desk.count(EventType::OrderRejected)),
        (None, 1)
    );
    let (mut desk, _, order) = placed();
    desk.report(&order, ReportKind::Accepted, Some(0));
    desk.report(&order, ReportKind::Rejected(refusal), None);
    assert_eq!(status(&desk), Some(OrderStatus::Accepted));
    assert_eq!(desk.queries(), [order.client_id]);
}

#[test]
fn a_report_that_contradicts_its_order_is_not_believed() {
    let (mut desk, _, order) = placed();
    let fill = desk.fill_of(&order, 100_000, 10_001);
    let wrong = [
        Fill {
            quantity: tradewind_model::Quantity(-5),
            ..fill
        },
        Fill {
            price: tradewind_model::Price(0),
            ..fill
        },
        Fill {
            side: fill.side.opposite(),
            ..fill
        },
        Fill {
            instrument: tradewind_testkit::PERPETUAL,
            ..fill
        },
    ];
    for fill in wrong {
        desk.report(&order, ReportKind::Filled(fill), None);
    }
    assert_eq!(desk.held(SPOT), 0);
    assert_eq!(
        desk.queries().len(),
        wrong.len(),
        "the venue is queried each time"
    );
    desk.report(&order, ReportKind::Filled(fill), Some(100_000));
    assert_eq!(desk.held(SPOT), 100_000);
}

#[test]
fn a_fee_in_the_base_asset_makes_what_can_be_sold_smaller_and_the_remainder_dust() {
    let (mut desk, script, order) = placed();
    // 0.1 % of one unit, which is not a multiple of the step once it is taken from a part.
    let fee = Money {
        asset: BTC,
        amount: "0.0010007".parse().unwrap(),
    };
    let fill = Fill {
        fee,
        ..desk.fill_of(&order, 100_000, 10_001)
    };
    desk.report(&order, ReportKind::Filled(fill), Some(100_000));
    script.say(BOT, Answer::target(0));
    desk.advance(std::time::Duration::from_secs(2));
    desk.quote(10_000, 10_001);
    let exit = desk.last_order();
    assert_eq!(
        exit.quantity.0, 99_899,
        "what is really there, cut to the step"
    );
    desk.fill(&exit, 10_000);
    assert_eq!(
        desk.held(SPOT),
        0,
        "the rest is dust and not tried for ever"
    );
    let view = desk.engine.view();
    let dust = view
        .balances
        .iter()
        .find(|balance| balance.owner == tradewind_model::OwnerId::Dust);
    assert_eq!(
        dust.map(|dust| dust.amount.to_string()).as_deref(),
        Some("0.0000093")
    );
    let total = |asset| {
        view.balances
            .iter()
            .filter(|balance| balance.asset == asset)
            .map(|balance| balance.amount)
            .sum::<Amount>()
    };
    assert_eq!(total(BTC).to_string(), "0.0000093");
    assert_eq!(total(USDT).to_string(), "99999.889");
}

#[test]
fn somebody_elses_fill_is_kept_apart() {
    let (mut desk, _, order) = placed();
    let foreign = Fill {
        client_id: tradewind_model::ClientOrderId(5),
        ..desk.fill_of(&order, 10_000, 10_001)
    };
    let report = ExecutionReport {
        account: foreign.account,
        instrument: foreign.instrument,
        client_id: foreign.client_id,
        venue_order_id: None,
        kind: ReportKind::Filled(foreign),
        cumulative: None,
        event_time: None,
    };
    for _ in 0..2 {
        desk.input(&tradewind_events::Input::Report(Box::new(report.clone())));
    }
    let view = desk.engine.view();
    let [position] = view.positions.as_slice() else {
        panic!("{:?}", view.positions)
    };
    assert_eq!(
        (position.owner, position.quantity.0),
        (tradewind_model::OwnerId::External, 10_000)
    );
}
