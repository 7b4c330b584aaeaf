//! Orders that passed the real gate, for tests.

use std::time::Duration;

use tradewind_model::{
    AccountId, Amount, AssetId, ClientOrderId, Instrument, InstrumentId, OrderKind, OrderTerms,
    Ppm, Price, Quantity, Quote, Side, TimeInForce, Timestamp,
};
use tradewind_risk::{
    AccountFacts, ApprovedOrder, Candidate, Context, Limits, PositionEffect, Rate, RecentOrders,
    TokenBucket, TradingState, check,
};

pub(crate) const START: Timestamp = Timestamp::from_secs(1_000);
/// How long an entry is good for.
pub(crate) const GOOD_FOR: Duration = Duration::from_secs(2);

pub(crate) const ONE_A_SECOND: Rate = Rate {
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

/// An order that passed the real gate at [`START`].
pub(crate) fn sealed(id: u128, purpose: PositionEffect) -> ApprovedOrder {
    let side = match purpose {
        PositionEffect::Exit | PositionEffect::Protect => Side::Sell,
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
        reference: None,
        stop: None,
        continues: false,
    };
    let limits = Limits {
        intent_ttl_quote: Some(GOOD_FOR),
        ..Limits::wide()
    };
    let context = Context {
        now: START,
        limits: &limits,
        state: TradingState::Active,
        instrument: &instrument(),
        allowed: true,
        quote: Some(&quote),
        depth: None,
        second_source: None,
        quote_rate: Some(Amount::ONE),
        equity: Amount::whole(1_000_000_000),
        fee: Ppm(1_000),
        free: Amount::whole(1_000_000_000),
        position: Quantity(50_000),
        working: Quantity::ZERO,
        account: AccountFacts::default(),
        rate: &TokenBucket::default(),
        recent: &RecentOrders::default(),
        same_side_entries: 0,
    };
    check(&candidate, &context).expect("the test's order is within generous limits")
}
