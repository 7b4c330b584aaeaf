//! A small desk: one account, `BTC/USDT` as spot and as a made-up linear perpetual, prices around 100.00.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_events::{BotConfig, CandleSource, Configuration, Lane, OnRestart, WakeRule};
use tradewind_model::{
    Account, AccountId, AccountMode, Amount, AssetId, AssetTable, BotId, Candle, ExitPlan,
    Instrument, InstrumentId, InstrumentKind, Interval, OrderPolicy, Ppm, Price, Protections,
    Quantity, Quote, Sizer, Timestamp, VenueId,
};
use tradewind_risk::{Limits, Rate};

/// The one account.
pub const ACCOUNT: AccountId = AccountId(0);
/// `BTC/USDT` spot: prices in cents, quantities in hundred thousandths.
pub const SPOT: InstrumentId = InstrumentId(0);
/// A made-up linear perpetual on the same pair.
pub const PERPETUAL: InstrumentId = InstrumentId(1);
/// The report asset.
pub const USDT: AssetId = AssetId(0);
/// The base asset of both instruments.
pub const BTC: AssetId = AssetId(1);
/// When tests begin: 2024-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_secs(1_704_067_200);

/// One `BTC` as a quantity of either instrument.
const ONE: i64 = 100_000;

/// `BTC/USDT` as spot.
#[must_use]
pub fn spot() -> Instrument {
    Instrument {
        quantity_max: Quantity(1_000 * ONE),
        notional_min: Amount::whole(5),
        open_orders_max: 200,
        ..Instrument::spot(SPOT, "simx:BTC/USDT", BTC, USDT)
    }
}

/// A made-up linear perpetual on the same pair, settled in `USDT`.
#[must_use]
pub fn perpetual() -> Instrument {
    Instrument {
        id: PERPETUAL,
        name: "simx:BTC/USDT-PERP".to_owned(),
        kind: InstrumentKind::Linear,
        ..spot()
    }
}

/// A desk with both instruments and no bots. Every limit is set, wide enough that only a test about a limit reaches it.
#[must_use]
pub fn configuration() -> Configuration {
    let mut assets = AssetTable::default();
    assert_eq!((assets.intern("USDT"), assets.intern("BTC")), (USDT, BTC));
    Configuration {
        assets,
        report_asset: USDT,
        venues: vec!["simx".to_owned()],
        accounts: vec![Account {
            id: ACCOUNT,
            name: "paper".to_owned(),
            venue: VenueId(0),
            mode: AccountMode::Paper,
            capital: None,
            adopts: false,
            adopts_external: false,
        }],
        instruments: vec![spot(), perpetual()],
        bots: Vec::new(),
        limits: limits(),
        fee: Ppm(1_000),
        stagger: Duration::from_secs(2),
        stale_after: Duration::from_secs(10),
        equity_every: Duration::from_secs(10),
        candles: CandleSource::Venue,
        announce_quotes: false,
        venue_stop_distance: None,
        on_restart: OnRestart::Keep,
        deadline_min: std::time::Duration::ZERO,
        own_gaps: false,
        references: Vec::new(),
        series: None,
        build: None,
        bots_revision: 0,
        bots_text: None,
    }
}

/// A desk for tests that only show it: `binance:BTC/USDT`, where `BTC` is asset 0 and `USDT` asset 1, no limits, and bots of
/// these names that nothing wakes.
#[must_use]
pub fn idle_desk(bots: &[&str]) -> Configuration {
    let mut assets = AssetTable::default();
    let (btc, usdt) = (assets.intern("BTC"), assets.intern("USDT"));
    Configuration {
        assets,
        report_asset: usdt,
        venues: vec!["binance".to_owned()],
        instruments: vec![Instrument::spot(SPOT, "binance:BTC/USDT", btc, usdt)],
        bots: (0..)
            .zip(bots)
            .map(|(id, name)| idle_bot(id, name))
            .collect(),
        limits: Limits::default(),
        stagger: Duration::ZERO,
        ..configuration()
    }
}

fn idle_bot(id: u32, name: &str) -> BotConfig {
    BotConfig {
        name: name.to_owned(),
        strategy: "none".to_owned(),
        wakes: Vec::new(),
        budget: Amount::whole(1_000),
        sizer: Sizer::Share(Ppm::ONE),
        ..bot(id)
    }
}

fn limits() -> Limits {
    let rate = Rate {
        count: 20,
        per: Duration::from_secs(1),
        burst: 50,
    };
    Limits {
        unknown_bot_max: Some(0),
        intent_ttl_quote: Some(Duration::from_secs(2)),
        intent_ttl_candle: Some(Duration::from_secs(15)),
        order_value_max: Some(Amount::whole(5_000)),
        order_equity_max: Some(Ppm(50_000)),
        collar: Some(Ppm(20_000)),
        market_slippage_max: Some(Ppm(5_000)),
        balance_use_max: Some(Ppm(990_000)),
        position_equity_max: Some(Ppm(200_000)),
        open_entries_instrument: Some(Ppm(200_000)),
        open_entries_account: Some(Ppm(800_000)),
        bot_order_rate: Some(rate),
        account_order_rate: Some(rate),
        duplicate_window: Some(Duration::from_secs(1)),
        ..Limits::wide()
    }
}

/// A bot on the spot instrument that wakes on quotes and minute candles, with a budget of 10,000 and one `BTC` for a
/// full target. Its strategy is called `scripted`; the test supplies it.
#[must_use]
pub fn bot(id: u32) -> BotConfig {
    BotConfig {
        budget_share: None,
        universe: None,
        id: BotId(id),
        name: format!("bot-{id}"),
        strategy: "scripted".to_owned(),
        strategy_version: 1,
        parameters: BTreeMap::new(),
        account: ACCOUNT,
        instruments: vec![SPOT],
        reads: Vec::new(),
        wakes: vec![WakeRule::Quotes, WakeRule::Candles(Interval::Minute1)],
        budget: Amount::whole(10_000),
        positions_max: 1,
        sizer: Sizer::Fixed(Amount::ONE),
        exit: ExitPlan::default(),
        policy: OrderPolicy::Market,
        lane: Lane::Inline,
        starts: true,
        revision: 1,
        external: None,
        protections: Protections::default(),
        process: None,
    }
}

/// A quote in cents, ten `BTC` on each side.
#[must_use]
pub const fn quote(instrument: InstrumentId, bid: i64, ask: i64, at: Timestamp) -> Quote {
    Quote {
        instrument,
        bid: Price(bid),
        ask: Price(ask),
        bid_quantity: Quantity(10 * ONE),
        ask_quantity: Quantity(10 * ONE),
        event_time: None,
        received_at: at,
    }
}

/// A flat minute candle of the spot instrument, the `place`-th since [`START`].
#[must_use]
pub fn candle(place: i64, close: i64) -> Candle {
    let price = Price(close);
    Candle {
        instrument: SPOT,
        interval: Interval::Minute1,
        complete: true,
        open_time: Timestamp::from_nanos(START.as_nanos() + place * 60_000_000_000),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: Amount::ONE,
    }
}
