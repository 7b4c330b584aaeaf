//! The queues of an account by the clock of the test: who goes first, who waits, and who has waited too long.

use std::time::Duration;

use tradewind_model::{
    AccountId, Amount, AssetId, Instrument, InstrumentId, OrderKind, OrderTerms, Ppm, Price,
    Quantity, Quote, Side, TimeInForce,
};
use tradewind_risk::{
    Candidate, Context, Limits, PositionEffect, RecentOrders, TradingState, check,
};

use super::*;

const START: Timestamp = Timestamp::from_secs(1_000);
/// How long an entry is good for.
const GOOD_FOR: Duration = Duration::from_secs(2);

const ONE_A_SECOND: Rate = Rate {
    count: 1,
    per: Duration::from_secs(1),
    burst: 1,
};

fn instrument() -> Instrument {
    Instrument {
        open_orders_max: 200,
        ..Instrument::spot(InstrumentId(0), "venue:0", AssetId(0), AssetId(1))
    }
}

fn generous() -> Limits {
    let all = Some(Ppm::ONE);
    let rate = Some(Rate {
        count: 1_000,
        per: Duration::from_secs(1),
        burst: 1_000,
    });
    Limits {
        intent_ttl_quote: Some(GOOD_FOR),
        intent_ttl_candle: Some(GOOD_FOR),
        order_value_max: Some(Amount::whole(1_000_000_000)),
        order_equity_max: all,
        collar: all,
        market_slippage_max: all,
        balance_use_max: all,
        position_equity_max: all,
        open_entries_instrument: all,
        open_entries_account: all,
        bot_order_rate: rate,
        account_order_rate: rate,
        duplicate_window: Some(Duration::ZERO),
    }
}

/// An order that passed the real gate at [`START`].
fn sealed(id: u128, purpose: PositionEffect) -> ApprovedOrder {
    let side = match purpose {
        PositionEffect::Exit => Side::Sell,
        PositionEffect::Entry => Side::Buy,
    };
    let terms = OrderTerms {
        account: AccountId(0),
        instrument: InstrumentId(0),
        client_id: ClientOrderId(id),
        side,
        quantity: Quantity(50_000),
        kind: OrderKind::Limit {
            price: Price(6_183_763),
            time_in_force: TimeInForce::GoodTillCancel,
        },
    };
    let quote = Quote {
        instrument: InstrumentId(0),
        bid: Price(6_183_763),
        ask: Price(6_183_764),
        bid_quantity: Quantity(100_000),
        ask_quantity: Quantity(100_000),
        event_time: None,
        received_at: START,
    };
    let candidate = Candidate {
        terms,
        bot: None,
        purpose,
        decided_on_quote: true,
    };
    let context = Context {
        now: START,
        limits: &generous(),
        state: TradingState::Active,
        instrument: &instrument(),
        allowed: true,
        quote: Some(&quote),
        quote_rate: Some(Amount::ONE),
        equity: Amount::whole(1_000_000_000),
        fee: Ppm(1_000),
        free: Amount::whole(1_000_000_000),
        position: Quantity(50_000),
        working: Quantity::ZERO,
        open_entries_instrument: 0,
        open_entries_account: 0,
        account_instruments: 1,
        rate: &TokenBucket::default(),
        recent: &RecentOrders::default(),
    };
    check(&candidate, &context).expect("the test's order is within generous limits")
}

#[test]
fn exits_go_before_entries_and_the_rate_holds_both() {
    let (entry, exit) = (
        sealed(1, PositionEffect::Entry),
        sealed(2, PositionEffect::Exit),
    );
    let mut waiting = OrderQueue::new(Some(ONE_A_SECOND));
    waiting.push(entry);
    waiting.push(exit);
    assert_eq!(waiting.next(START), Some(Next::Send(exit)));
    assert_eq!(waiting.next(START), Some(Next::Later));
    let second = START + Duration::from_secs(1);
    assert_eq!(waiting.next(second), Some(Next::Send(entry)));
    assert_eq!((waiting.next(second), waiting.is_empty()), (None, true));
}

#[test]
fn an_entry_too_old_costs_none_of_the_rate() {
    let (old, exit) = (
        sealed(1, PositionEffect::Entry),
        sealed(2, PositionEffect::Exit),
    );
    let mut waiting = OrderQueue::new(Some(ONE_A_SECOND));
    waiting.push(old);
    let late = START + GOOD_FOR;
    assert_eq!(waiting.next(late), Some(Next::TooOld(old)));
    waiting.push(exit);
    assert_eq!(waiting.next(late), Some(Next::Send(exit)));
}

#[test]
fn an_order_that_waits_can_be_taken_back_and_is_never_sent() {
    let mut waiting = OrderQueue::new(None);
    waiting.push(sealed(1, PositionEffect::Entry));
    assert!(waiting.contains(ClientOrderId(1)));
    assert_eq!(
        waiting.remove(ClientOrderId(1)),
        Some(sealed(1, PositionEffect::Entry))
    );
    assert_eq!(waiting.remove(ClientOrderId(1)), None);
    assert_eq!(waiting.next(START), None);
}
