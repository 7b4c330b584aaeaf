//! Order lists: one cancels the other, one triggers the other, one triggers a pair.

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

use crate::bench::{BASE, Bench, ONLY, QUOTE, immediate, limit, named, post_only};
use tradewind_model::{AccountId, OrderKind, OrderStatus, Price, Side};
use tradewind_simx::{
    CancelList, ClientId, EndReason, ExchangeConfig, FeeSchedule, ListRef, ListShape, ListStatus,
    NewList, NewOrder, OrderEvent, OrderList, Purpose, Refusal, Trigger,
};

use OrderKind::Market;
use OrderStatus::{Accepted, Cancelled, Expired, Filled, PartiallyFilled, Pending};
use Side::{Buy, Sell};

fn around_100() -> Bench {
    let mut bench = Bench::new(ExchangeConfig {
        fees: FeeSchedule::FREE,
        ..ExchangeConfig::default()
    });
    bench.levels(&[(9_990, 9_000)], &[(10_010, 9_000)]);
    bench.trade(Buy, 10_000, 1);
    bench.out.clear();
    bench
}

fn stop(name: &str, side: Side, quantity: i64, price: i64) -> NewOrder {
    named(0, name, side, quantity, Market)
        .with_trigger(Trigger::at(Purpose::StopLoss, Price(price)))
}

fn target(name: &str, side: Side, quantity: i64, price: i64) -> NewOrder {
    named(0, name, side, quantity, post_only(price))
}

fn send(bench: &mut Bench, shape: ListShape) -> Result<OrderList, Refusal> {
    let new = NewList {
        account: AccountId(0),
        instrument: ONLY,
        client_id: ClientId::new("list").unwrap(),
        shape,
    };
    bench.exchange.submit_list(bench.now, &new, &mut bench.out)
}

fn selling_pair() -> ListShape {
    ListShape::OneCancelsOther {
        above: target("target", Sell, 500, 10_200),
        below: stop("stop", Sell, 500, 9_800),
    }
}

fn statuses<const N: usize>(bench: &Bench, names: [&str; N]) -> [OrderStatus; N] {
    names.map(|name| bench.status(0, name))
}

fn is_done(bench: &Bench, list: &OrderList) -> bool {
    let found = bench
        .exchange
        .order_list(AccountId(0), ListRef::Venue(list.id));
    found.unwrap().status == ListStatus::AllDone
}

#[test]
fn a_pair_locks_once_and_waits_on_both_sides() {
    let mut bench = around_100();
    let list = send(&mut bench, selling_pair()).unwrap();
    assert_eq!(list.orders().len(), 2);
    assert_eq!(bench.locked(0, BASE), "0.5");
    assert_eq!(
        bench.book().1[1],
        (10_200, 500),
        "only the limit leg is seen"
    );
    let buying = ListShape::OneCancelsOther {
        above: stop("above", Buy, 500, 10_500),
        below: target("below", Buy, 500, 9_500),
    };
    let other = NewList {
        account: AccountId(0),
        instrument: ONLY,
        client_id: ClientId::new("other").unwrap(),
        shape: buying,
    };
    bench
        .exchange
        .submit_list(bench.now, &other, &mut bench.out)
        .unwrap();
    assert_eq!(bench.locked(0, QUOTE), "52.5", "what the dearer leg needs");
}

#[test]
fn a_part_of_the_target_ends_the_stop_at_once() {
    let mut bench = around_100();
    let list = send(&mut bench, selling_pair()).unwrap();
    bench.out.clear();
    bench.trade(Buy, 10_201, 200);
    assert_eq!(
        statuses(&bench, ["target", "stop"]),
        [PartiallyFilled, Expired]
    );
    let events = bench.events();
    assert_eq!(
        events[0],
        ("stop".into(), OrderEvent::Expired(EndReason::List))
    );
    assert_eq!(bench.locked(0, BASE), "0.3");
    assert!(!is_done(&bench, &list));
    bench.trade(Buy, 10_201, 300);
    assert_eq!(bench.status(0, "target"), Filled);
    assert!(is_done(&bench, &list));
    assert_eq!(bench.locked(0, BASE), "0");
}

#[test]
fn the_stop_that_fires_ends_the_target_before_it_trades() {
    let mut bench = around_100();
    let list = send(&mut bench, selling_pair()).unwrap();
    bench.out.clear();
    bench.trade(Sell, 9_800, 1);
    let events: Vec<(String, OrderEvent)> = bench.events();
    assert_eq!(
        events[0],
        ("target".into(), OrderEvent::Expired(EndReason::List))
    );
    assert_eq!(events[1], ("stop".into(), OrderEvent::Activated));
    assert_eq!(statuses(&bench, ["target", "stop"]), [Expired, Filled]);
    assert!(is_done(&bench, &list));
    assert_eq!(
        (bench.locked(0, BASE), bench.free(0, BASE)),
        ("0".into(), "999.5".into())
    );
}

#[test]
fn cancelling_one_leg_or_the_list_ends_all_of_it() {
    for by_leg in [true, false] {
        let mut bench = around_100();
        let list = send(&mut bench, selling_pair()).unwrap();
        if by_leg {
            let leg = tradewind_simx::OrderRef::Venue(list.orders()[1]);
            bench.cancel(0, leg).unwrap();
        } else {
            let cancel = CancelList {
                account: AccountId(0),
                instrument: ONLY,
                list: ListRef::Client(ClientId::new("list").unwrap()),
                cancel_id: None,
            };
            bench
                .exchange
                .cancel_list(bench.now, &cancel, &mut bench.out)
                .unwrap();
            let again = bench
                .exchange
                .cancel_list(bench.now, &cancel, &mut bench.out);
            assert_eq!(again, Err(Refusal::UnknownOrder));
        }
        assert_eq!(statuses(&bench, ["target", "stop"]), [Cancelled, Cancelled]);
        assert!(is_done(&bench, &list));
        assert_eq!(bench.locked(0, BASE), "0");
    }
}

#[test]
fn what_makes_no_list_is_refused_and_changes_nothing() {
    let pair = |above, below| ListShape::OneCancelsOther { above, below };
    let rows = [
        (
            pair(target("a", Sell, 500, 9_995), stop("b", Sell, 500, 9_800)),
            Refusal::PriceRelation,
        ),
        (
            pair(target("a", Sell, 500, 10_200), stop("b", Sell, 500, 10_000)),
            Refusal::PriceRelation,
        ),
        (
            pair(target("a", Sell, 500, 10_200), stop("b", Sell, 400, 9_800)),
            Refusal::Combination,
        ),
        (
            pair(target("a", Sell, 500, 10_200), stop("b", Buy, 500, 9_800)),
            Refusal::Combination,
        ),
        (
            pair(
                named(0, "a", Sell, 500, limit(10_200)),
                stop("b", Sell, 500, 9_800),
            ),
            Refusal::Combination,
        ),
        (
            pair(target("a", Sell, 500, 10_200), stop("a", Sell, 500, 9_800)),
            Refusal::DuplicateClientId,
        ),
        (
            pair(
                target("a", Sell, 1_000_001, 10_200),
                stop("b", Sell, 1_000_001, 9_800),
            ),
            Refusal::Filter(tradewind_simx::Filter::LotSize),
        ),
        (
            ListShape::OneTriggersOther {
                working: named(0, "a", Buy, 500, Market),
                pending: stop("b", Sell, 500, 9_800),
            },
            Refusal::Combination,
        ),
    ];
    for (shape, wanted) in rows {
        let mut bench = around_100();
        let before = bench.exchange.clone();
        assert_eq!(send(&mut bench, shape.clone()), Err(wanted), "{shape:?}");
        assert_eq!(bench.exchange, before);
        assert!(bench.out.is_empty());
    }
}

#[test]
fn a_chain_places_its_second_order_when_the_first_is_filled_whole() {
    let mut bench = around_100();
    let shape = ListShape::OneTriggersOther {
        working: target("entry", Buy, 500, 9_990),
        pending: stop("exit", Sell, 500, 9_900),
    };
    let list = send(&mut bench, shape).unwrap();
    assert_eq!(statuses(&bench, ["entry", "exit"]), [Accepted, Pending]);
    assert_eq!(
        (bench.locked(0, BASE), bench.locked(0, QUOTE)),
        ("0".into(), "49.95".into())
    );
    bench.trade(Sell, 9_990, 9_200);
    assert_eq!(
        statuses(&bench, ["entry", "exit"]),
        [PartiallyFilled, Pending]
    );
    bench.trade(Sell, 9_990, 300);
    assert_eq!(statuses(&bench, ["entry", "exit"]), [Filled, Accepted]);
    assert_eq!(bench.locked(0, BASE), "0.5");
    bench.trade(Sell, 9_900, 1);
    assert_eq!(bench.status(0, "exit"), Filled);
    assert!(is_done(&bench, &list));
}

#[test]
fn a_chain_whose_first_order_ends_never_places_the_second() {
    let mut bench = around_100();
    let shape = ListShape::OneTriggersOther {
        working: target("entry", Buy, 500, 9_990),
        pending: stop("exit", Sell, 500, 9_900),
    };
    let list = send(&mut bench, shape).unwrap();
    bench
        .cancel(0, tradewind_simx::OrderRef::Venue(list.orders()[0]))
        .unwrap();
    assert_eq!(statuses(&bench, ["entry", "exit"]), [Cancelled, Cancelled]);
    assert!(is_done(&bench, &list));
    let immediate = ListShape::OneTriggersOther {
        working: named(0, "try", Buy, 500, immediate(9_000)),
        pending: stop("later", Sell, 500, 8_900),
    };
    let list = send(&mut bench, immediate).unwrap();
    assert_eq!(statuses(&bench, ["try", "later"]), [Expired, Expired]);
    assert_eq!(list.status, ListStatus::AllDone);
}

#[test]
fn a_chain_places_a_pair_that_locks_once() {
    let mut bench = around_100();
    let shape = ListShape::OneTriggersPair {
        working: named(0, "entry", Buy, 500, limit(10_010)),
        above: target("target", Sell, 500, 10_200),
        below: stop("stop", Sell, 500, 9_800),
    };
    let list = send(&mut bench, shape).unwrap();
    assert_eq!(list.status, ListStatus::Executing);
    assert_eq!(
        statuses(&bench, ["entry", "target", "stop"]),
        [Filled, Accepted, Accepted]
    );
    assert_eq!(bench.locked(0, BASE), "0.5");
    bench.trade(Sell, 9_800, 1);
    assert_eq!(statuses(&bench, ["target", "stop"]), [Expired, Filled]);
    assert!(is_done(&bench, &list));
}

#[test]
fn an_exit_that_would_fire_at_once_is_ended_when_its_turn_comes() {
    let mut bench = around_100();
    let shape = ListShape::OneTriggersOther {
        working: named(0, "entry", Buy, 500, limit(10_010)),
        pending: stop("exit", Sell, 500, 10_050),
    };
    let list = send(&mut bench, shape).unwrap();
    assert_eq!(statuses(&bench, ["entry", "exit"]), [Filled, Expired]);
    let order = tradewind_simx::OrderRef::Venue(list.orders()[1]);
    let exit = bench.exchange.order(AccountId(0), ONLY, order).unwrap();
    assert_eq!(exit.end, Some(EndReason::Refused(Refusal::WouldTrigger)));
    assert_eq!(list.status, ListStatus::AllDone);
}

#[test]
fn the_venue_may_end_everything() {
    let mut bench = around_100();
    let list = send(&mut bench, selling_pair()).unwrap();
    bench.submit(1, Buy, 100, limit(9_000)).unwrap();
    bench.exchange.expire_all(bench.now, ONLY, &mut bench.out);
    assert!(is_done(&bench, &list));
    assert_eq!(bench.exchange.open_orders(AccountId(1)).count(), 0);
    assert_eq!(
        (bench.locked(0, BASE), bench.locked(1, QUOTE)),
        ("0".into(), "0".into())
    );
}
