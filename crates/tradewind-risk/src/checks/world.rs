//! An order and everything about it, which every check's test changes in one place.

use std::time::Duration;

use tradewind_model::{
    AccountId, Amount, AssetId, BotId, ClientOrderId, Depth, Instrument, InstrumentId, OrderKind,
    OrderTerms, Ppm, Price, Quantity, Quote, Side, TimeInForce, Timestamp,
};

use crate::{
    AccountFacts, ApprovedOrder, Candidate, Context, DenyReason, Limits, PositionEffect, Rate,
    RecentOrders, SecondSource, TokenBucket, TradingState, check,
};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_000);

/// The limits as the default configuration has them.
fn limits() -> Limits {
    Limits {
        unknown_bot_max: Some(0),
        unknown_account_max: Some(3),
        intent_ttl_quote: Some(Duration::from_secs(2)),
        intent_ttl_candle: Some(Duration::from_secs(15)),
        order_value_max: Some(Amount::whole(1_000)),
        order_equity_max: Some(Ppm(50_000)),
        depth_share_max: Some(Ppm(100_000)),
        collar: Some(Ppm(20_000)),
        market_slippage_max: Some(Ppm(5_000)),
        spread_max: Some(Ppm(10_000)),
        balance_use_max: Some(Ppm(990_000)),
        position_equity_max: Some(Ppm(200_000)),
        account_exposure_max: Some(Ppm::ONE),
        bot_exposure_max: Some(Ppm(250_000)),
        open_entries_instrument: Some(Ppm(200_000)),
        open_entries_account: Some(Ppm(800_000)),
        bot_order_rate: Some(Rate {
            count: 2,
            per: Duration::from_secs(1),
            burst: 5,
        }),
        duplicate_window: Some(Duration::from_secs(1)),
        same_side_entries_max: Some(64),
        clock_uncertainty_max: Some(Duration::from_millis(500)),
        ..Limits::wide()
    }
}

fn instrument() -> Instrument {
    Instrument {
        quantity_decimals: 3,
        notional_min: Amount::whole(5),
        open_orders_max: 25,
        ..Instrument::spot(InstrumentId(0), "binance:BTC/USDT", AssetId(0), AssetId(1))
    }
}

/// Bid 100.00, ask 100.02, so the mid is 100.01.
pub(crate) fn quote() -> Quote {
    Quote {
        instrument: InstrumentId(0),
        bid: Price(10_000),
        ask: Price(10_002),
        bid_quantity: Quantity(100_000),
        ask_quantity: Quantity(100_000),
        event_time: None,
        received_at: NOW,
    }
}

/// A world in which a buy of 1.000 at market passes; each test changes one thing.
pub(crate) struct World {
    pub(crate) limits: Limits,
    pub(crate) instrument: Instrument,
    pub(crate) quote: Option<Quote>,
    pub(crate) depth: Option<Depth>,
    pub(crate) second_source: Option<(Instrument, Option<Quote>, Ppm)>,
    pub(crate) state: TradingState,
    pub(crate) allowed: bool,
    pub(crate) equity: Amount,
    pub(crate) free: Amount,
    pub(crate) position: Quantity,
    pub(crate) working: Quantity,
    pub(crate) account: AccountFacts,
    pub(crate) rate: TokenBucket,
    pub(crate) recent: RecentOrders,
    pub(crate) same_side_entries: u32,
    pub(crate) candidate: Candidate,
}

pub(crate) fn world() -> World {
    let terms = OrderTerms {
        account: AccountId(0),
        instrument: InstrumentId(0),
        client_id: ClientOrderId(1),
        side: Side::Buy,
        quantity: Quantity(1_000),
        kind: OrderKind::Market,
    };
    World {
        limits: limits(),
        instrument: instrument(),
        quote: Some(quote()),
        depth: None,
        second_source: None,
        state: TradingState::Active,
        allowed: true,
        equity: Amount::whole(10_000),
        free: Amount::whole(1_000),
        position: Quantity::ZERO,
        working: Quantity::ZERO,
        account: AccountFacts::default(),
        rate: TokenBucket::default(),
        recent: RecentOrders::default(),
        same_side_entries: 0,
        candidate: Candidate {
            terms,
            bot: Some(BotId(0)),
            purpose: PositionEffect::Entry,
            decided_on_quote: true,
            reference: None,
            stop: None,
            continues: false,
        },
    }
}

impl World {
    pub(crate) fn check(&self) -> Result<ApprovedOrder, DenyReason> {
        let context = Context {
            now: NOW,
            limits: &self.limits,
            state: self.state,
            instrument: &self.instrument,
            allowed: self.allowed,
            quote: self.quote.as_ref(),
            depth: self.depth.as_ref(),
            second_source: self
                .second_source
                .as_ref()
                .map(|(instrument, quote, within)| SecondSource {
                    instrument,
                    quote: quote.as_ref(),
                    within: *within,
                }),
            quote_rate: Some(Amount::ONE),
            equity: self.equity,
            fee: Ppm(1_000),
            free: self.free,
            position: self.position,
            working: self.working,
            account: self.account,
            rate: &self.rate,
            recent: &self.recent,
            same_side_entries: self.same_side_entries,
        };
        check(&self.candidate, &context)
    }

    pub(crate) fn denied(&self) -> Option<DenyReason> {
        self.check().err()
    }

    pub(crate) fn limit(&mut self, price: i64) {
        self.candidate.terms.kind = OrderKind::Limit {
            price: Price(price),
            time_in_force: TimeInForce::GoodTillCancel,
        };
    }

    /// Turns the order into the sale of a long position of 1.000.
    pub(crate) fn exit(&mut self) {
        self.candidate.purpose = PositionEffect::Exit;
        self.candidate.terms.side = Side::Sell;
        self.position = Quantity(1_000);
    }

    /// Turns the order into a protective stop of a long position of 1.000, a tenth below the bid.
    pub(crate) fn protect(&mut self) {
        self.exit();
        self.candidate.purpose = PositionEffect::Protect;
        self.candidate.continues = true;
        self.trigger(9_000);
    }

    pub(crate) fn trigger(&mut self, price: i64) {
        self.candidate.terms.kind = OrderKind::Stop {
            trigger: Price(price),
        };
    }
}

/// The answer to the entry after a change.
pub(crate) fn verdict(change: impl FnOnce(&mut World)) -> Option<DenyReason> {
    let mut world = world();
    change(&mut world);
    world.denied()
}

/// The answer to the exit after a change.
pub(crate) fn exit_verdict(change: impl FnOnce(&mut World)) -> Option<DenyReason> {
    let mut world = world();
    world.exit();
    change(&mut world);
    world.denied()
}

/// The answer to the protective stop after a change.
pub(crate) fn stop_verdict(change: impl FnOnce(&mut World)) -> Option<DenyReason> {
    let mut world = world();
    world.protect();
    change(&mut world);
    world.denied()
}
