//! When an order that a query does not find is taken for absent.

use super::*;
use crate::execution::OrderRecord;
use crate::sink::AssetBalance;
use tradewind_model::{
    Amount, Fill, Liquidity, Money, OrderStatus, Price, Side, TradeId, VenueOrderId,
};

const LATE: Timestamp = Timestamp::from_secs(1_016);
const BASE: AssetId = AssetId(0);

/// What the venue shows of the account.
#[derive(Clone, Default)]
struct Lists {
    orders: Vec<OrderRecord>,
    orders_again: Vec<OrderRecord>,
    locked: i64,
    fills: Vec<Fill>,
}

fn order(id: u128, locks: i64) -> OrderRecord {
    OrderRecord {
        account: AccountId(0),
        instrument: INSTRUMENT,
        client_id: ClientOrderId(id),
        venue_order_id: VenueOrderId(9),
        side: Side::Sell,
        kind: None,
        quantity: Quantity(1),
        filled: Quantity::ZERO,
        status: OrderStatus::Accepted,
        placed_at: START,
        locks: Some((BASE, Amount::whole(locks))),
        list: None,
    }
}

fn fill(id: u128) -> Fill {
    Fill {
        account: AccountId(0),
        instrument: INSTRUMENT,
        trade_id: TradeId(1),
        venue_order_id: VenueOrderId(1),
        client_id: ClientOrderId(id),
        side: Side::Buy,
        price: Price(1),
        quantity: Quantity(1),
        fee: Money {
            asset: BASE,
            amount: Amount::ZERO,
        },
        liquidity: Liquidity::Taker,
        event_time: START,
    }
}

impl World {
    /// The query under way finds nothing, the lists agree, and the next query finds nothing again.
    pub(super) fn find_absent(&mut self, venue_time: Timestamp) {
        self.answer(absent(venue_time));
        self.read_lists(Lists::default());
        self.advance(Duration::from_secs(2));
        self.answer(absent(venue_time));
    }

    fn read_lists(&mut self, lists: Lists) {
        let balances = vec![AssetBalance {
            asset: BASE,
            free: Amount::whole(100),
            locked: Amount::whole(lists.locked),
        }];
        self.answer(VenueResponse::OpenOrders(lists.orders));
        self.answer(VenueResponse::Balances(balances));
        self.answer(VenueResponse::Fills(lists.fills));
        self.answer(VenueResponse::OpenOrders(lists.orders_again));
    }
}

/// A query of order 1 that finds nothing, late enough, and lists that are read then; whether it is absent after the next.
fn is_absent(lists: Lists) -> bool {
    let mut world = World::new(None);
    world.query(1);
    world.answer(absent(LATE));
    assert!(world.reports.is_empty(), "a query alone decides nothing");
    world.read_lists(lists);
    world.advance(Duration::from_secs(2));
    world.answer(absent(LATE));
    !world.reports.is_empty()
}

/// V02: query, open orders, trades and the locked balance must agree.
#[test]
fn an_order_is_absent_only_if_every_list_agrees() {
    let both = |orders: Vec<OrderRecord>, locked| Lists {
        orders_again: orders.clone(),
        orders,
        locked,
        fills: Vec::new(),
    };
    let check = |lists: Lists, wanted: bool| assert_eq!(is_absent(lists), wanted);
    check(both(vec![], 0), true);
    check(both(vec![order(7, 5)], 5), true);
    // Its replica lags, but the list has it.
    check(both(vec![order(1, 5)], 5), false);
    // Something holds what no listed order explains.
    check(both(vec![], 5), false);
    check(both(vec![order(7, 5)], 6), false);
    check(both(vec![order(7, 5)], 4), false);
    let unknown = OrderRecord {
        locks: None,
        ..order(7, 0)
    };
    check(both(vec![unknown], 0), false);
    let of = |id| Lists {
        fills: vec![fill(id)],
        ..Lists::default()
    };
    check(of(1), false);
    check(of(2), true);
    // The balances were read between two states of the orders.
    let moved = Lists {
        orders: vec![order(7, 5)],
        locked: 5,
        ..Lists::default()
    };
    check(moved, false);
}

#[test]
fn lists_that_disagree_are_read_again_after_a_growing_pause_and_an_order_that_appears_is_reported()
{
    let mut world = World::new(None);
    world.query(1);
    let doubtful = Lists {
        locked: 5,
        ..Lists::default()
    };
    let mut read_at = Vec::new();
    while read_at.len() < 3 {
        let requests = std::mem::take(&mut world.begun);
        for (id, request) in requests {
            match words(&request).as_str() {
                "orders" => {
                    read_at.push(world.now.since(START).as_secs());
                    world.begun.push((id, request));
                    world.read_lists(doubtful.clone());
                    world.begun.clear();
                }
                _ => world.respond(id, absent(LATE)),
            }
        }
        if world.begun.is_empty() {
            world.advance(Duration::from_secs(1));
        }
    }
    assert_eq!(read_at, [0, 10, 30]);
    assert_eq!(world.reported(), [""; 0]);
    assert!(
        world.faults[0].contains("is in doubt"),
        "{:?}",
        world.faults
    );
    let found = VenueResponse::Order(OrderQuery::Found(vec![report(1, ReportKind::Accepted)]));
    world.advance(Duration::from_secs(2));
    let (query, _) = world.begun.pop().unwrap();
    world.respond(query, found);
    assert_eq!(world.reported(), ["1 Accepted"]);
    world.advance(Duration::from_secs(600));
    assert!(world.begun().is_empty(), "nothing is in doubt any more");
}
