//! When an order that a query does not find is taken for absent.

use super::*;
use crate::execution::OrderRecord;
use crate::sink::AssetBalance;
use tradewind_model::{
    Amount, Fill, Liquidity, Money, OrderStatus, Price, Side, TradeId, VenueOrderId,
};

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
    /// Orders of an earlier run, from id 1 on, that queries have not found for 16 s; the latest queries are to be answered.
    fn in_doubt(orders: &[InstrumentId]) -> Self {
        let mut world = Self::new(None);
        for (id, instrument) in (1..).zip(orders) {
            world.input(ExecutorInput::Query {
                instrument: *instrument,
                client_id: ClientOrderId(id),
            });
        }
        for wait in [2, 2, 4, 8] {
            let queries = std::mem::take(&mut world.begun);
            queries
                .into_iter()
                .for_each(|(id, _)| world.respond(id, absent()));
            world.advance(Duration::from_secs(wait));
        }
        world
    }

    /// Lets the next query come, and answers that there is no such order.
    fn answer_queries(&mut self) {
        self.advance(Duration::from_secs(8));
        let is_query = |request: &VenueRequest| matches!(request, VenueRequest::Query { .. });
        let queries = self.begun.extract_if(.., |(_, request)| is_query(request));
        let queries: Vec<_> = queries.collect();
        for (id, _) in queries {
            self.respond(id, absent());
        }
    }

    /// The query under way finds nothing, the lists agree, and the next query finds nothing again.
    pub(super) fn find_absent(&mut self) {
        self.answer(absent());
        self.advance(GATHERED_FOR);
        self.read_lists(Lists::default());
        self.answer(absent());
    }

    fn read_lists(&mut self, lists: Lists) {
        let balances = vec![AssetBalance {
            asset: BASE,
            free: Amount::whole(100),
            locked: Amount::whole(lists.locked),
        }];
        self.answer(VenueResponse::OpenOrders(lists.orders));
        self.answer(VenueResponse::Balances(balances));
        self.answer(VenueResponse::OpenOrders(lists.orders_again));
        // Trades are read only if orders and balances have not shown yet that the order may exist.
        if let Some((_, VenueRequest::Fills { .. })) = self.begun.last() {
            self.answer(VenueResponse::Fills(lists.fills));
        }
    }
}

/// A query of order 1 that finds nothing, late enough, and lists that are read then; whether it is absent after the next.
fn is_absent(lists: Lists) -> bool {
    let mut world = World::in_doubt(&[INSTRUMENT]);
    world.answer(absent());
    assert!(world.reports.is_empty(), "a query alone decides nothing");
    world.advance(GATHERED_FOR);
    world.read_lists(lists);
    world.answer_queries();
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

/// When the lists are read for an order that a query does not find, in seconds, if each reading gives these.
fn read_at(lists: &Lists) -> (Vec<u64>, World) {
    let mut world = World::in_doubt(&[INSTRUMENT]);
    let begin = world.now;
    let mut read_at = Vec::new();
    while read_at.len() < 3 {
        let requests = std::mem::take(&mut world.begun);
        for (id, request) in requests {
            match words(&request).as_str() {
                "orders" => {
                    read_at.push(world.now.since(begin).as_secs());
                    world.begun.push((id, request));
                    world.read_lists(lists.clone());
                    world.begun.clear();
                }
                _ => world.respond(id, absent()),
            }
        }
        if world.begun.is_empty() {
            world.advance(Duration::from_secs(1));
        }
    }
    (read_at, world)
}

/// An account that moves hides nothing: its lists are read again soon, however often that happens.
#[test]
fn lists_between_which_orders_changed_are_read_again_without_a_growing_pause() {
    let moved = Lists {
        orders: vec![order(7, 5)],
        locked: 5,
        ..Lists::default()
    };
    assert_eq!(read_at(&moved).0, [1, 6, 11]);
}

#[test]
fn lists_that_disagree_are_read_again_after_a_growing_pause_and_an_order_that_appears_is_reported()
{
    let doubtful = Lists {
        locked: 5,
        ..Lists::default()
    };
    let (read_at, mut world) = read_at(&doubtful);
    assert_eq!(read_at, [1, 11, 31]);
    assert_eq!(world.reported(), [""; 0]);
    assert!(
        world.faults[0].contains("is in doubt"),
        "{:?}",
        world.faults
    );
    let found = VenueResponse::Order(OrderQuery::Found(vec![report(1, ReportKind::Accepted)]));
    world.advance(Duration::from_secs(8));
    let (query, _) = world.begun.pop().unwrap();
    world.respond(query, found);
    assert_eq!(world.reported(), ["1 Accepted"]);
    world.advance(Duration::from_secs(600));
    assert!(world.begun().is_empty(), "nothing is in doubt any more");
}

impl World {
    /// Three orders of two instruments that a query does not find; the first list that is read for them is under way.
    fn three_in_doubt() -> Self {
        let mut world = Self::in_doubt(&[INSTRUMENT, INSTRUMENT, InstrumentId(1)]);
        for (id, _) in std::mem::take(&mut world.begun) {
            world.respond(id, absent());
        }
        world.advance(GATHERED_FOR);
        assert_eq!(words(&world.begun.last().unwrap().1), "orders");
        world
    }

    /// Advances to the next list, answers queries on the way that there is no such order, and returns the seconds that it took.
    fn until_list(&mut self) -> u64 {
        let began = self.now;
        self.begun.clear();
        loop {
            for (id, request) in std::mem::take(&mut self.begun) {
                if !matches!(request, VenueRequest::Query { .. }) {
                    self.begun.push((id, request));
                    return self.now.since(began).as_secs();
                }
                self.respond(id, absent());
            }
            let next = self.executor.wake_at().expect("something is still to do");
            self.advance(next.since(self.now));
        }
    }
}

/// A list that fails says nothing about the orders: it alone is read again.
#[test]
fn a_list_that_fails_is_read_again_alone_and_decides_nothing() {
    let mut world = World::three_in_doubt();
    world.answer(VenueResponse::OpenOrders(Vec::new()));
    world.answer(VenueResponse::Balances(Vec::new()));
    world.answer(VenueResponse::OpenOrders(Vec::new()));
    world.answer(VenueResponse::Fills(Vec::new()));
    for wait in [500, 1_000] {
        let began = world.now;
        world.answer(lost());
        world.until_list();
        let wait = Duration::from_millis(wait);
        let waited = world.now.since(began);
        assert!(
            (wait / 2..=wait).contains(&waited),
            "{waited:?} of {wait:?}"
        );
        assert_eq!(words(&world.begun.last().unwrap().1), "fills 1");
    }
    world.answer(VenueResponse::Fills(Vec::new()));
    world.answer_queries();
    assert_eq!(world.reports.len(), 3);
    assert!(!world.faults.iter().any(|fault| fault.contains("in doubt")));
}

/// Our own budget has no room for lists: they wait for the time that it names, and no order's pause grows.
#[test]
fn lists_without_room_in_the_budget_are_read_when_there_is_some() {
    let limited = || VenueResponse::Failed(VenueError::Limited(Duration::from_secs(40)));
    let mut world = World::three_in_doubt();
    world.answer(limited());
    assert_eq!(world.until_list(), 40);
    world.answer(VenueResponse::OpenOrders(Vec::new()));
    world.answer(limited());
    assert_eq!(world.until_list(), 40);
    assert_eq!(words(&world.begun.last().unwrap().1), "balances");
    world.answer(VenueResponse::Balances(Vec::new()));
    world.answer(VenueResponse::OpenOrders(Vec::new()));
    (0..2).for_each(|_| world.answer(VenueResponse::Fills(Vec::new())));
    world.answer_queries();
    assert_eq!(world.reports.len(), 3);
}

#[test]
fn lists_that_cannot_be_read_are_given_up_and_the_pause_stays() {
    let mut world = World::three_in_doubt();
    for _ in 0..3 {
        let refused = VenueError::Ours("no such list".to_owned());
        world.answer(VenueResponse::Failed(refused));
        assert_eq!(world.until_list(), 10);
    }
    for _ in 0..4 {
        world.answer(lost());
        world.until_list();
    }
    world.answer(lost());
    assert_eq!(world.until_list(), 10, "after five tries");
    assert!(world.reports.is_empty());
    let given_up = world.faults.iter();
    let given_up = given_up.filter(|fault| fault.starts_with("orders stay in doubt"));
    assert_eq!(given_up.count(), 4);
}

/// How often each list was requested since the last call.
fn lists(world: &mut World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in world.begun() {
        if !request.starts_with("query") {
            *counts.entry(request).or_default() += 1;
        }
    }
    counts
}

/// Answers what the executor asks as an account without open orders would, until it asks nothing for `span`.
fn answer_all(world: &mut World, span: Duration) {
    let until = world.now + span;
    let mut requests = Vec::new();
    while world.now < until {
        for (id, request) in std::mem::take(&mut world.begun) {
            let response = match &request {
                VenueRequest::Query { .. } => absent(),
                VenueRequest::OpenOrders => VenueResponse::OpenOrders(Vec::new()),
                VenueRequest::Fills { .. } => VenueResponse::Fills(Vec::new()),
                _ => VenueResponse::Balances(Vec::new()),
            };
            requests.push((id, request));
            world.respond(id, response);
        }
        if world.begun.is_empty() {
            world.advance(Duration::from_millis(100));
        }
    }
    world.begun.splice(..0, requests);
}

/// A kill leaves many orders in doubt at once: the lists are read once for all of them, and an instrument's trades once.
#[test]
fn the_lists_are_read_once_for_all_orders_in_doubt() {
    let mut world = World::new(None);
    for id in 1..=7 {
        world.input(ExecutorInput::Query {
            instrument: InstrumentId(u32::from(id > 4)),
            client_id: ClientOrderId(id),
        });
    }
    answer_all(&mut world, Duration::from_secs(30));
    let queries = world.begun.iter();
    let queries = queries.filter(|(_, request)| matches!(request, VenueRequest::Query { .. }));
    assert_eq!(
        queries.count(),
        7 * 6,
        "at 0, 2, 4, 8 and 16 s, and when the lists agreed"
    );
    let wanted = [
        ("balances", 1),
        ("fills 0", 1),
        ("fills 1", 1),
        ("orders", 2),
    ];
    let wanted = wanted.map(|(list, count)| (list.to_owned(), count));
    assert_eq!(lists(&mut world), BTreeMap::from(wanted));
    assert_eq!(world.reports.len(), 7);
}

/// Trades are looked for from the last one that was listed before the order was sent.
#[test]
fn an_orders_trades_are_read_from_before_its_sending() {
    let mut world = World::new(None);
    let list_to = |world: &mut World, trade: u64| {
        world.input(ExecutorInput::ReadAccount);
        world.answer(VenueResponse::Balances(Vec::new()));
        let trade_id = TradeId(trade);
        world.answer(VenueResponse::Fills(vec![Fill {
            trade_id,
            ..fill(9)
        }]));
        world.answer(VenueResponse::Fills(Vec::new()));
        world.answer(VenueResponse::Balances(Vec::new()));
        world.answer(VenueResponse::OpenOrders(Vec::new()));
        world.answer(VenueResponse::Balances(Vec::new()));
    };
    list_to(&mut world, 500);
    world.submit(1, Entry);
    world.answer(lost());
    list_to(&mut world, 900);
    world.begun.clear();
    world.query(1);
    answer_all(&mut world, Duration::from_secs(20));
    let first = world.begun.iter().find_map(|(_, request)| match request {
        VenueRequest::Fills { from, .. } => Some(*from),
        _ => None,
    });
    assert_eq!(first, Some(TradeId(500)));
}
