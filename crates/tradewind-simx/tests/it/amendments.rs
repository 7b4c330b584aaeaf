//! Orders made smaller: they keep their place in line.

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

use crate::bench::{BASE, Bench, ONLY, limit, named};
use tradewind_model::{AccountId, Quantity, Side};
use tradewind_simx::{
    AmendOrder, ClientId, ExchangeConfig, FeeSchedule, Filter, Order, OrderRef, Refusal,
};

use Side::{Buy, Sell};

fn amend(bench: &mut Bench, order: &Order, quantity: i64, name: &str) -> Result<Order, Refusal> {
    let amend = AmendOrder {
        account: AccountId(0),
        instrument: ONLY,
        order: OrderRef::Venue(order.id),
        quantity: Quantity(quantity),
        client_id: ClientId::new(name).unwrap(),
    };
    bench.exchange.amend(bench.now, &amend, &mut bench.out)
}

fn quiet() -> Bench {
    let mut bench = Bench::new(ExchangeConfig {
        fees: FeeSchedule::FREE,
        ..ExchangeConfig::default()
    });
    bench.levels(&[(9_000, 1)], &[(11_000, 1)]);
    bench
}

#[test]
fn a_smaller_order_keeps_its_place_and_frees_the_difference() {
    let mut bench = quiet();
    let first = bench
        .send(&named(0, "first", Sell, 500, limit(10_000)))
        .unwrap();
    bench.submit(1, Sell, 500, limit(10_000)).unwrap();
    let smaller = amend(&mut bench, &first, 200, "second-name").unwrap();
    assert_eq!(smaller.client_id.as_str(), "second-name");
    assert_eq!(bench.locked(0, BASE), "0.2");
    assert_eq!(bench.book().1[0], (10_000, 700));
    bench.out.clear();
    bench.submit(1, Buy, 200, limit(10_000)).unwrap();
    let served: Vec<u32> = bench.fills().iter().map(|fill| fill.0).collect();
    assert!(served.contains(&0), "it is still the first in line");
}

#[test]
fn an_amendment_that_is_none_is_refused() {
    let mut bench = quiet();
    let order = bench
        .send(&named(0, "it", Sell, 500, limit(10_000)))
        .unwrap();
    assert_eq!(
        amend(&mut bench, &order, 600, "it"),
        Err(Refusal::AmendIncreases)
    );
    assert_eq!(
        amend(&mut bench, &order, 500, "it"),
        Err(Refusal::AmendChangesNothing)
    );
    assert_eq!(
        amend(&mut bench, &order, 0, "it"),
        Err(Refusal::AmendChangesNothing)
    );
    bench.submit(1, Buy, 100, limit(10_000)).unwrap();
    assert_eq!(
        amend(&mut bench, &order, 100, "it"),
        Err(Refusal::AmendChangesNothing)
    );
    for quantity in (200..=209).rev() {
        amend(&mut bench, &order, quantity, "it").unwrap();
    }
    let eleventh = amend(&mut bench, &order, 199, "it");
    assert_eq!(eleventh, Err(Refusal::Filter(Filter::AmendCount)));
}
