//! Orders that passed the real gate under limits that let anything through.

use tradewind_model::{
    AccountId, Amount, ClientOrderId, Instrument, OrderKind, OrderTerms, Ppm, Quantity, Quote,
    Side, Timestamp,
};
use tradewind_risk::{
    AccountFacts, ApprovedOrder, Candidate, Context, Limits, PositionEffect, RecentOrders,
    TokenBucket, TradingState, check,
};

/// An exit, which never grows too old. It is the exchange's to refuse it.
pub(crate) fn sealed(
    rules: &Instrument,
    quote: &Quote,
    client_id: ClientOrderId,
    (side, quantity, kind): (Side, Quantity, OrderKind),
) -> ApprovedOrder {
    let terms = OrderTerms {
        account: AccountId(0),
        instrument: rules.id,
        client_id,
        side,
        quantity,
        kind,
    };
    let candidate = Candidate {
        terms,
        bot: None,
        purpose: PositionEffect::Exit,
        decided_on_quote: true,
        reference: None,
        stop: None,
        continues: false,
    };
    let held = match side {
        Side::Sell => quantity,
        Side::Buy => -quantity,
    };
    let limits = Limits::wide();
    let context = Context {
        now: Timestamp::EPOCH,
        limits: &limits,
        state: TradingState::Active,
        instrument: rules,
        allowed: true,
        quote: Some(quote),
        depth: None,
        second_source: None,
        quote_rate: Some(Amount::ONE),
        equity: Amount::whole(1_000_000_000),
        fee: Ppm(1_000),
        free: Amount::whole(1_000_000_000),
        position: held,
        working: Quantity::ZERO,
        account: AccountFacts::default(),
        rate: &TokenBucket::default(),
        recent: &RecentOrders::default(),
        same_side_entries: 0,
    };
    check(&candidate, &context).expect("nothing here is limited")
}
