//! Orders that passed the real gate under limits that let anything through.

use std::time::Duration;

use tradewind_model::{
    AccountId, Amount, ClientOrderId, Instrument, OrderKind, OrderTerms, Ppm, Quantity, Quote,
    Side, Timestamp,
};
use tradewind_risk::{
    ApprovedOrder, Candidate, Context, Limits, PositionEffect, Rate, RecentOrders, TokenBucket,
    TradingState, check,
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
    };
    let held = match side {
        Side::Sell => quantity,
        Side::Buy => -quantity,
    };
    let context = Context {
        now: Timestamp::EPOCH,
        limits: &anything(),
        state: TradingState::Active,
        instrument: rules,
        allowed: true,
        quote: Some(quote),
        quote_rate: Some(Amount::ONE),
        equity: Amount::whole(1_000_000_000),
        fee: Ppm(1_000),
        free: Amount::whole(1_000_000_000),
        position: held,
        working: Quantity::ZERO,
        open_entries_instrument: 0,
        open_entries_account: 0,
        account_instruments: 1,
        rate: &TokenBucket::default(),
        recent: &RecentOrders::default(),
    };
    check(&candidate, &context).expect("nothing here is limited")
}

fn anything() -> Limits {
    let all = Some(Ppm::ONE);
    let rate = Some(Rate {
        count: 1_000,
        per: Duration::from_secs(1),
        burst: 1_000,
    });
    Limits {
        intent_ttl_quote: Some(Duration::from_secs(3_600)),
        intent_ttl_candle: Some(Duration::from_secs(3_600)),
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
