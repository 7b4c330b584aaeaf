//! Readings: an account that must stand still, and candles.

use super::*;
use crate::execution::{CANDLE_READS_AT_ONCE, CANDLE_READS_MAX, OrderRecord};
use crate::sink::AssetBalance;
use tradewind_model::{
    Amount, AssetId, Fill, Liquidity, Money, OrderStatus, Price, Side, TradeId, VenueOrderId,
};

fn balances(free: i64) -> VenueResponse {
    VenueResponse::Balances(vec![AssetBalance {
        asset: AssetId(0),
        free: Amount::whole(free),
        locked: Amount::ZERO,
    }])
}

fn record() -> OrderRecord {
    OrderRecord {
        account: AccountId(0),
        instrument: INSTRUMENT,
        client_id: ClientOrderId(9),
        venue_order_id: VenueOrderId(9),
        side: Side::Buy,
        kind: None,
        quantity: Quantity(1),
        filled: Quantity::ZERO,
        status: OrderStatus::Accepted,
        placed_at: START,
        locks: None,
        list: None,
    }
}

/// What a reading of both instruments requests.
const WHOLE: [&str; 6] = [
    "balances", "fills 0", "fills 1", "balances", "orders", "balances",
];

impl World {
    /// Answers one reading to its end; the balances are `before` and then `after`.
    fn read(&mut self, before: i64, after: i64) {
        self.answer(balances(before));
        self.answer(VenueResponse::Fills(Vec::new()));
        self.answer(VenueResponse::Fills(Vec::new()));
        self.answer(balances(after));
        if before == after {
            self.answer(VenueResponse::OpenOrders(vec![record()]));
            self.answer(balances(after));
        }
    }
}

#[test]
fn an_account_that_stands_still_is_read_once() {
    let mut world = World::new(None);
    world.input(ExecutorInput::ReadAccount);
    world.read(7, 7);
    assert_eq!(world.begun(), WHOLE);
    let read = &world.accounts[0];
    assert_eq!((read.balances.len(), read.open_orders.len()), (1, 1));
    assert_eq!(world.executor.wake_at(), None);
}

#[test]
fn a_request_during_a_reading_is_served_by_it_until_it_lists_the_orders() {
    let mut world = World::new(None);
    (0..3).for_each(|_| world.input(ExecutorInput::ReadAccount));
    world.read(7, 7);
    assert_eq!((world.accounts.len(), world.executor.wake_at()), (1, None));

    world.input(ExecutorInput::ReadAccount);
    world.answer(balances(7));
    (0..2).for_each(|_| world.answer(VenueResponse::Fills(Vec::new())));
    world.answer(balances(7));
    world.input(ExecutorInput::ReadAccount);
    world.answer(VenueResponse::OpenOrders(Vec::new()));
    world.answer(balances(7));
    assert_eq!(world.accounts.len(), 2);
    world.begun.drain(..world.begun.len() - 1);
    // All was requested: what was missed may have changed no balance.
    world.read(7, 7);
    assert_eq!(world.begun(), WHOLE);
    assert_eq!((world.accounts.len(), world.executor.wake_at()), (3, None));
}

/// Kind 3: an account on which something is traded costs the fills of what was, and no list of open orders.
#[test]
fn an_account_that_moves_is_followed_and_read_once_it_stops() {
    let mut world = World::new(None);
    world.input(ExecutorInput::ReadAccount);
    world.answer(balances(0));
    world.answer(VenueResponse::Fills(vec![fill(1)]));
    world.answer(VenueResponse::Fills(Vec::new()));
    for turn in 1..4 {
        world.answer(balances(turn));
        let trade = turn.unsigned_abs();
        world.answer(VenueResponse::Fills(vec![fill(trade), fill(trade + 1)]));
    }
    world.answer(balances(3));
    world.answer(VenueResponse::OpenOrders(vec![record()]));
    world.answer(balances(3));
    assert_eq!(
        world.begun()[3..],
        [
            "balances", "fills 0", "balances", "fills 0", "balances", "fills 0", "balances",
            "orders", "balances"
        ]
    );
    let trades = world.accounts[0].fills.iter().map(|fill| fill.trade_id.0);
    assert!(trades.eq([1, 2, 3, 4]), "what each list had, once");
}

/// What the account has of asset 0, of asset 1, with which both instruments are paid, and in fees of asset 9.
fn paid(base: i64, quote: i64, fees: i64) -> VenueResponse {
    let held = [(0, base), (1, quote), (9, fees)].map(|(asset, amount)| AssetBalance {
        asset: AssetId(asset),
        free: Amount::whole(amount),
        locked: Amount::ZERO,
    });
    VenueResponse::Balances(held.to_vec())
}

/// Kind 3: as much is bought as is sold, and the fees are taken from another asset.
#[test]
fn fills_that_change_only_what_is_paid_with_are_listed() {
    let mut world = World::new(None);
    world.submit(1, Entry);
    world.answer(accepted(1));
    world.begun.clear();
    world.input(ExecutorInput::ReadAccount);
    world.answer(paid(5, 100, 10));
    world.answer(VenueResponse::Fills(vec![fill(1)]));
    world.answer(VenueResponse::Fills(Vec::new()));
    // Traded after the list.
    world.answer(paid(5, 99, 8));
    world.answer(VenueResponse::Fills(vec![fill(1), fill(2), fill(3)]));
    world.answer(paid(5, 99, 8));
    world.answer(VenueResponse::OpenOrders(vec![record()]));
    world.answer(paid(5, 99, 8));
    let mut wanted = WHOLE.to_vec();
    wanted.splice(4..4, ["fills 0", "balances"]);
    assert_eq!(world.begun(), wanted);
    let trades = world.accounts[0].fills.iter().map(|fill| fill.trade_id.0);
    assert!(trades.eq([1, 2, 3]));
    // Its open order is traded against another, between two sweeps.
    let mut sweep = |quote: i64, orders: Vec<OrderRecord>| {
        world.input(ExecutorInput::SweepAccount);
        world.answer(paid(5, quote, 6));
        if let Some((_, VenueRequest::Fills { .. })) = world.begun.last() {
            world.answer(VenueResponse::Fills(Vec::new()));
            world.answer(paid(5, quote, 6));
        }
        world.answer(VenueResponse::OpenOrders(orders));
        world.answer(paid(5, quote, 6));
        world.begun().contains(&"fills 0".to_owned())
    };
    assert!(sweep(98, Vec::new()));
    assert!(!sweep(97, Vec::new()), "it had no order any more");
}

/// An order that is placed or ends meanwhile changes no total.
#[test]
fn what_is_locked_may_change_during_a_reading() {
    let mut world = World::new(None);
    world.input(ExecutorInput::SweepAccount);
    world.answer(VenueResponse::Balances(Vec::new()));
    world.answer(VenueResponse::OpenOrders(Vec::new()));
    world.answer(VenueResponse::Balances(Vec::new()));
    let held = |free: i64, locked: i64| {
        VenueResponse::Balances(vec![AssetBalance {
            asset: AssetId(0),
            free: Amount::whole(free),
            locked: Amount::whole(locked),
        }])
    };
    world.input(ExecutorInput::SweepAccount);
    world.answer(held(7, 0));
    world.answer(VenueResponse::Fills(Vec::new()));
    world.answer(held(5, 2));
    world.answer(VenueResponse::OpenOrders(vec![record()]));
    world.answer(held(4, 3));
    assert_eq!(world.accounts.len(), 2);
    assert_eq!(world.accounts[1].balances[0].locked, Amount::whole(3));
}

#[test]
fn an_account_that_never_stands_still_is_read_ever_later_and_never_taken_over() {
    let mut world = World::new(None);
    world.input(ExecutorInput::ReadAccount);
    world.answer(balances(0));
    world.answer(VenueResponse::Fills(Vec::new()));
    world.answer(VenueResponse::Fills(Vec::new()));
    let mut turn = 0;
    let mut next = |world: &mut World| {
        turn += 1;
        world.answer(balances(turn));
        if let Some((_, VenueRequest::Fills { .. })) = world.begun.last() {
            world.answer(VenueResponse::Fills(vec![fill(turn.unsigned_abs())]));
        }
    };
    (0..4).for_each(|_| next(&mut world));
    let mut pause = Waits::default().stand_still;
    for turn in 0..8 {
        next(&mut world);
        let wake = world.executor.wake_at();
        assert_eq!(wake, Some(world.now + pause), "turn {turn}");
        world.advance(pause);
        next(&mut world);
        pause = (pause * 2).min(Duration::from_secs(8));
    }
    let fault = "the account does not stand still, nothing trades on it";
    assert_eq!(world.faults, [fault; 3]);
    assert!(world.accounts.is_empty());
    assert!(!world.begun().contains(&"orders".to_owned()));
}

/// A try that fails keeps what it has listed.
#[test]
fn fills_that_a_failed_try_listed_are_not_listed_again() {
    let mut world = World::new(None);
    world.input(ExecutorInput::ReadAccount);
    world.answer(balances(7));
    world.answer(VenueResponse::Fills(vec![fill(3)]));
    world.answer(lost());
    world.begun();
    world.advance(Waits::default().retry_first);
    world.answer(balances(7));
    world.answer(VenueResponse::Fills(Vec::new()));
    world.answer(balances(7));
    world.answer(VenueResponse::OpenOrders(Vec::new()));
    world.answer(balances(7));
    assert_eq!(
        world.begun(),
        ["balances", "fills 1", "balances", "orders", "balances"]
    );
    assert_eq!(world.accounts[0].fills, [fill(3)]);
}

#[test]
fn a_reading_that_fails_starts_again_ever_later_and_never_ends() {
    let mut world = World::new(None);
    world.input(ExecutorInput::ReadAccount);
    for millis in [500, 1_000, 2_000, 4_000, 2_000, 500] {
        world.answer(balances(1));
        world.answer(lost());
        let wait = Duration::from_millis(millis);
        let waits = world.executor.wake_at().unwrap().since(world.now);
        assert!((wait / 2..=wait).contains(&waits), "{waits:?} of {wait:?}");
        world.advance(Duration::from_millis(millis));
    }
    let serious = world.faults.iter();
    let serious = serious.filter(|fault| fault.contains("nothing trades"));
    assert_eq!(serious.count(), 1);
    world.read(1, 1);
    assert_eq!(world.accounts.len(), 1);
}

#[test]
fn a_reading_without_an_answer_starts_again_and_a_late_answer_is_not_part_of_it() {
    let mut world = World::new(None);
    world.input(ExecutorInput::ReadAccount);
    let (late, _) = world.begun[0];
    world.advance(Waits::default().reading_within + Duration::from_millis(500));
    world.answer(balances(1));
    world.respond(late, balances(99));
    assert_eq!(world.begun(), ["balances", "balances", "fills 0"]);
}

fn fill(trade: u64) -> Fill {
    Fill {
        account: AccountId(0),
        instrument: INSTRUMENT,
        trade_id: TradeId(trade),
        venue_order_id: VenueOrderId(9),
        client_id: ClientOrderId(9),
        side: Side::Buy,
        price: Price(1),
        quantity: Quantity(1),
        fee: Money {
            asset: AssetId(0),
            amount: Amount::ZERO,
        },
        liquidity: Liquidity::Taker,
        event_time: START,
    }
}

/// Where each list of fills begins, of those begun since the last call.
fn listed_from(world: &mut World) -> Vec<(u32, u64)> {
    let begun = world.begun.drain(..);
    let lists = begun.filter_map(|(_, request)| match request {
        VenueRequest::Fills { instrument, from } => Some((instrument.0, from.0)),
        _ => None,
    });
    lists.collect()
}

/// Kind 3: what a reading costs depends on what happened since the last one.
#[test]
fn fills_are_read_from_the_last_one_that_was_listed() {
    let mut world = World::new(None);
    world.input(ExecutorInput::ReadAccount);
    world.answer(balances(7));
    world.answer(VenueResponse::Fills(vec![fill(400_000), fill(350_000)]));
    world.answer(VenueResponse::Fills(Vec::new()));
    world.answer(balances(7));
    world.answer(VenueResponse::OpenOrders(Vec::new()));
    world.answer(balances(7));
    assert_eq!(listed_from(&mut world), [(0, 0), (1, 0)]);
    world.input(ExecutorInput::ReadAccount);
    world.read(7, 7);
    assert_eq!(listed_from(&mut world), [(0, 400_000), (1, 0)]);
}

#[test]
fn a_sweep_reads_the_fills_of_what_changed() {
    let mut world = World::new(None);
    world.input(ExecutorInput::ReadAccount);
    world.read(7, 7);
    world.begun();
    world.input(ExecutorInput::SweepAccount);
    world.answer(balances(7));
    world.answer(VenueResponse::OpenOrders(Vec::new()));
    world.answer(balances(7));
    assert_eq!(world.begun(), ["balances", "orders", "balances"]);
    world.input(ExecutorInput::SweepAccount);
    world.answer(balances(8));
    world.answer(VenueResponse::Fills(Vec::new()));
    world.answer(balances(8));
    world.answer(VenueResponse::OpenOrders(Vec::new()));
    world.answer(balances(8));
    assert_eq!(
        world.begun(),
        ["balances", "fills 0", "balances", "orders", "balances"]
    );
    assert_eq!(world.accounts.len(), 3);
}

#[test]
fn a_full_reading_that_is_requested_during_a_sweep_is_made_of_it_or_follows_it() {
    let mut world = World::new(None);
    world.input(ExecutorInput::SweepAccount);
    world.input(ExecutorInput::ReadAccount);
    world.read(0, 0);
    assert_eq!(world.begun(), WHOLE);
    world.input(ExecutorInput::SweepAccount);
    world.answer(balances(0));
    world.input(ExecutorInput::ReadAccount);
    world.input(ExecutorInput::SweepAccount);
    world.answer(VenueResponse::OpenOrders(Vec::new()));
    world.answer(balances(0));
    world.read(0, 0);
    assert_eq!(world.begun()[3..], WHOLE);
    assert_eq!(world.accounts.len(), 3);
}

fn read_candles(world: &mut World) {
    world.input(ExecutorInput::ReadCandles {
        instrument: INSTRUMENT,
        interval: Interval::Minute1,
        count: 5,
    });
}

#[test]
fn candles_are_tried_five_times_and_then_there_are_none() {
    let mut world = World::new(None);
    read_candles(&mut world);
    for wait in [500, 1_000, 2_000, 4_000] {
        world.answer(lost());
        world.advance(Duration::from_millis(wait));
    }
    assert_eq!((world.candles.len(), world.begun.len()), (0, 5));
    world.answer(lost());
    assert_eq!(world.candles, [Vec::new()]);
    assert_eq!(world.executor.wake_at(), None);
    read_candles(&mut world);
    let ours = VenueError::Ours("not in use".to_owned());
    world.answer(VenueResponse::Failed(ours));
    assert_eq!((world.candles.len(), world.begun.len()), (2, 6));
}

#[test]
fn only_so_many_candles_are_read_at_once() {
    let mut world = World::new(None);
    let reads = CANDLE_READS_AT_ONCE;
    (0..=reads).for_each(|_| read_candles(&mut world));
    assert_eq!(world.begun.len(), reads);
    world.answer(VenueResponse::Candles(Vec::new()));
    assert_eq!((world.begun.len(), world.candles.len()), (reads + 1, 1));
    // What does not fit is answered at once: a strategy that waits for candles must not wait for ever.
    (0..CANDLE_READS_MAX).for_each(|_| read_candles(&mut world));
    assert_eq!(world.candles.len(), 1 + reads);
}

/// D07
#[test]
fn a_book_is_read_once_and_always_answered() {
    let mut world = World::new(None);
    let mut read = |answer: Option<VenueResponse>| {
        world.input(ExecutorInput::ReadBook(INSTRUMENT));
        let id = world.begun.last().unwrap().0;
        assert_eq!(world.begun().last().unwrap(), "book of 0");
        match answer {
            Some(answer) => world.respond(id, answer),
            None => world.advance(Duration::from_secs(120)),
        }
        assert_eq!(world.executor.wake_at(), None, "it is not tried again");
        world.books.pop().expect("an answer")
    };
    let book = Box::new(Depth {
        instrument: INSTRUMENT,
        bids: Vec::new(),
        asks: Vec::new(),
        received_at: START,
    });
    assert_eq!(read(Some(VenueResponse::Book(book.clone()))), Some(book));
    assert_eq!(read(Some(lost())), None);
    assert_eq!(read(None), None);
    world.input(ExecutorInput::Stop);
    world.input(ExecutorInput::ReadBook(INSTRUMENT));
    assert_eq!(world.books, [None]);
}
