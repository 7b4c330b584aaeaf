//! Orders that wait for a price: when they fire, what they lock meanwhile, and what they become.

use crate::bench::{BASE, Bench, QUOTE, limit, named, post_only};
use tradewind_model::{OrderKind, OrderStatus, Price, Side};
use tradewind_simx::{
    Bips, EndReason, ExchangeConfig, FeeSchedule, OrderEvent, Purpose, Refusal, Trigger,
};

use OrderKind::Market;
use Purpose::{StopLoss, TakeProfit};
use Side::{Buy, Sell};

const STOP: fn(i64) -> Trigger = |price| Trigger::at(StopLoss, Price(price));
const PROFIT: fn(i64) -> Trigger = |price| Trigger::at(TakeProfit, Price(price));

/// A deep book around 100.00, where 100.00 was traded last.
fn around_100() -> Bench {
    let mut bench = Bench::new(ExchangeConfig {
        fees: FeeSchedule::FREE,
        ..ExchangeConfig::default()
    });
    bench.levels(
        &[(9_990, 1_000), (9_900, 9_000)],
        &[(10_010, 1_000), (10_100, 9_000)],
    );
    bench.trade(Buy, 10_000, 1);
    bench.out.clear();
    bench
}

#[test]
fn a_stop_waits_off_the_book_and_holds_what_it_will_pay() {
    let mut bench = around_100();
    let stop = named(0, "stop", Sell, 500, Market).with_trigger(STOP(9_800));
    let order = bench.send(&stop).unwrap();
    assert_eq!(
        (order.status, order.working_since),
        (OrderStatus::Accepted, None)
    );
    assert_eq!(bench.locked(0, BASE), "0.5");
    let entry = named(0, "entry", Buy, 500, Market).with_trigger(STOP(10_200));
    bench.send(&entry).unwrap();
    assert_eq!(bench.locked(0, QUOTE), "51", "0.5 at the stop price of 102");
    assert_eq!(bench.book().1[0], (10_010, 1_000), "nobody sees it");
}

#[test]
fn each_kind_fires_on_its_side_and_trades_as_its_kind_says() {
    type Row = (Side, OrderKind, Trigger, i64, OrderStatus);
    let rows: [Row; 6] = [
        (Sell, Market, STOP(9_950), 9_950, OrderStatus::Filled),
        (Buy, Market, STOP(10_050), 10_060, OrderStatus::Filled),
        (Sell, Market, PROFIT(10_050), 10_050, OrderStatus::Filled),
        (Buy, Market, PROFIT(9_950), 9_940, OrderStatus::Filled),
        (Sell, limit(9_980), STOP(9_950), 9_950, OrderStatus::Filled),
        (
            Sell,
            limit(10_005),
            STOP(9_950),
            9_950,
            OrderStatus::Accepted,
        ),
    ];
    for (side, kind, trigger, price, wanted) in rows {
        let mut bench = around_100();
        let order = named(0, "it", side, 500, kind).with_trigger(trigger);
        bench.send(&order).unwrap();
        bench.events();
        bench.trade(Buy, 10_000, 1);
        assert_eq!(bench.events(), [], "{order:?} fires too early");
        bench.trade(Sell, price, 1);
        let events = bench.events();
        assert_eq!(events[0], ("it".into(), OrderEvent::Activated), "{order:?}");
        assert_eq!(bench.status(0, "it"), wanted, "{order:?}");
        let still = if side == Sell { BASE } else { QUOTE };
        let locked = if wanted == OrderStatus::Filled {
            "0"
        } else {
            "0.5"
        };
        assert_eq!(bench.locked(0, still), locked, "{order:?}");
    }
}

#[test]
fn what_would_fire_at_once_or_cannot_wait_is_refused() {
    let mut bench = around_100();
    let refused = |bench: &mut Bench, order| bench.send(&order).unwrap_err();
    for (side, trigger) in [
        (Sell, STOP(10_000)),
        (Buy, STOP(10_000)),
        (Sell, PROFIT(9_999)),
        (Buy, PROFIT(10_001)),
    ] {
        let order = named(0, "it", side, 500, Market).with_trigger(trigger);
        assert_eq!(
            refused(&mut bench, order),
            Refusal::WouldTrigger,
            "{order:?}"
        );
    }
    let post = named(0, "it", Sell, 500, post_only(10_200)).with_trigger(STOP(9_900));
    assert_eq!(refused(&mut bench, post), Refusal::Combination);
    let dear = named(0, "it", Sell, 1_000_000, limit(9_800)).with_trigger(STOP(9_900));
    bench.send(&dear).unwrap();
    let more = named(0, "more", Sell, 1, limit(9_800)).with_trigger(STOP(9_900));
    assert_eq!(refused(&mut bench, more), Refusal::InsufficientBalance);
}

/// A sale pushes the price down to the next stop, which pushes it to the one after.
#[test]
fn a_stop_may_fire_the_next_one() {
    let mut bench = around_100();
    for (name, stop) in [("far", 9_905), ("near", 9_990)] {
        let order = named(0, name, Sell, 1_000, Market).with_trigger(STOP(stop));
        bench.send(&order).unwrap();
    }
    bench.events();
    bench.trade(Sell, 9_990, 1);
    let fired: Vec<String> = bench
        .events()
        .into_iter()
        .filter(|(_, event)| *event == OrderEvent::Activated)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(fired, ["near"], "1.0 at 99.90 leaves the last price there");
    bench.levels(&[(9_900, 9_000)], &[(10_010, 1_000)]);
    bench.submit(1, Sell, 1, Market).unwrap();
    assert_eq!(bench.status(0, "far"), OrderStatus::Filled);
}

#[test]
fn a_trailing_stop_follows_each_print() {
    let mut bench = around_100();
    let trailing = Trigger::trailing(StopLoss, Bips(100), None);
    let order = named(0, "trail", Sell, 500, Market).with_trigger(trailing);
    let taken = bench.send(&order).unwrap();
    assert!(
        taken.trigger.unwrap().tracking.is_some(),
        "it tracks from the start"
    );
    for price in [10_500, 10_395] {
        bench.trade(Buy, price, 1);
        assert_eq!(
            bench.status(0, "trail"),
            if price == 10_500 {
                OrderStatus::Accepted
            } else {
                OrderStatus::Filled
            }
        );
    }
}

#[test]
fn one_that_cannot_be_paid_when_it_fires_is_ended_by_the_exchange() {
    let mut bench = around_100();
    let stop = named(0, "stop", Buy, 490_000, Market).with_trigger(STOP(10_050));
    bench.send(&stop).unwrap();
    bench.events();
    bench.levels(&[(9_900, 9_000)], &[(30_000, 1_000_000)]);
    bench.trade(Buy, 10_050, 1);
    let reason = EndReason::Refused(Refusal::InsufficientBalance);
    assert_eq!(
        bench.events(),
        [("stop".into(), OrderEvent::Expired(reason))]
    );
    assert_eq!(
        (bench.locked(0, QUOTE), bench.free(0, QUOTE)),
        ("0".into(), "100000".into())
    );
}

#[test]
fn a_cancelled_stop_frees_what_it_held_and_never_fires() {
    let mut bench = around_100();
    let stop = named(0, "stop", Sell, 500, Market).with_trigger(STOP(9_950));
    let order = bench.send(&stop).unwrap();
    bench
        .cancel(0, tradewind_simx::OrderRef::Venue(order.id))
        .unwrap();
    assert_eq!(bench.locked(0, BASE), "0");
    bench.events();
    bench.trade(Sell, 9_000, 1);
    assert_eq!(bench.events(), []);
}
