//! The series that backtest performance is measured with, and the desk that trades it.
//!
//! A random walk in cents that anybody can repeat: the bid starts at 5,000,000, step *i* adds
//! `splitmix64(42 + (i + 1) × 0x9E3779B97F4A7C15) % 101 − 50`, the ask is one cent above. Quotes come one second apart,
//! so that every limit of the desk is in force and none binds: an order each 22 seconds stays below any rate, and the
//! one-second window for duplicates is over before the same side can come again.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_events::{BotConfig, CandleSource, Configuration, Lane, OnRestart, WakeRule};
use tradewind_model::{
    Account, AccountId, AccountMode, Amount, AssetTable, BotId, Decimal, ExitPlan, Instrument,
    InstrumentId, MarketEvent, OrderPolicy, Parameter, Ppm, Price, Protections, Quantity, Quote,
    Sizer, Timestamp, VenueId,
};
use tradewind_risk::{Limits, Rate};
use tradewind_simx::ExchangeConfig;

use crate::setup::{Latency, Setup};

/// First bid, in cents.
const START_BID: i64 = 5_000_000;
/// What the desk starts with: enough that no purchase is denied.
const CASH: i64 = 1_000_000;
/// 2024-01-01T00:00:00Z: the series has no date of its own.
const START: i64 = 1_704_067_200;
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The first so many quotes of the series.
#[derive(Clone, Debug)]
pub struct BenchmarkSeries {
    bid: i64,
    step: u64,
    quotes: u64,
}

impl BenchmarkSeries {
    /// A series of `quotes`.
    #[must_use]
    pub const fn new(quotes: u64) -> Self {
        Self {
            bid: START_BID,
            step: 0,
            quotes,
        }
    }
}

impl Iterator for BenchmarkSeries {
    type Item = (Timestamp, MarketEvent);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.step == self.quotes {
            return None;
        }
        self.step += 1;
        self.bid += move_at(self.step);
        let second = i64::try_from(self.step).unwrap_or(i64::MAX);
        let at = Timestamp::from_secs(START.saturating_add(second));
        let quote = Quote {
            instrument: InstrumentId(0),
            bid: Price(self.bid),
            ask: Price(self.bid + 1),
            bid_quantity: Quantity(1),
            ask_quantity: Quantity(1),
            event_time: None,
            received_at: at,
        };
        Some((at, MarketEvent::Quote(quote)))
    }
}

/// The move of one step, counted from 1, in cents.
#[expect(clippy::cast_possible_wrap, reason = "the remainder is below 101")]
const fn move_at(step: u64) -> i64 {
    (mix(42_u64.wrapping_add(step.wrapping_mul(GOLDEN))) % 101) as i64 - 50
}

/// The output function of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
const fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

/// The desk that trades the series: one bot, `ma_cross` 10 over 20, one unit at market, no fees, the quote-book model.
#[must_use]
pub fn benchmark_setup() -> Setup {
    let mut assets = AssetTable::default();
    let (base, quote) = (assets.intern("BTC"), assets.intern("USD"));
    let cash = Amount::whole(CASH);
    let instrument = Instrument {
        quantity_decimals: 0,
        notional_min: Amount::ONE,
        open_orders_max: 200,
        ..Instrument::spot(InstrumentId(0), "simx:BTC/USD", base, quote)
    };
    let configuration = Configuration {
        assets,
        report_asset: quote,
        venues: vec!["simx".to_owned()],
        accounts: vec![Account {
            id: AccountId(0),
            name: "paper".to_owned(),
            venue: VenueId(0),
            mode: AccountMode::Paper,
            capital: None,
            adopts: false,
            adopts_external: false,
        }],
        instruments: vec![instrument],
        bots: vec![crossover(cash)],
        limits: limits(),
        fee: Ppm::ZERO,
        stagger: Duration::ZERO,
        stale_after: Duration::from_secs(3_600),
        equity_every: Duration::from_secs(3_600),
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
    };
    Setup {
        configuration,
        balances: vec![(AccountId(0), quote, cash)],
        exchange: ExchangeConfig::backtest(),
        latency: Latency::default(),
        fills_kept: Setup::FILLS_KEPT,
        past: Vec::new(),
    }
}

fn crossover(budget: Amount) -> BotConfig {
    let whole = |value| Parameter::Number(Decimal::whole(value));
    BotConfig {
        budget_share: None,
        universe: None,
        id: BotId(0),
        name: "crossover".to_owned(),
        strategy: "ma_cross".to_owned(),
        strategy_version: 1,
        parameters: BTreeMap::from([
            ("fast".to_owned(), whole(10)),
            ("slow".to_owned(), whole(20)),
        ]),
        account: AccountId(0),
        instruments: vec![InstrumentId(0)],
        reads: Vec::new(),
        wakes: vec![WakeRule::Quotes],
        budget,
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

/// The written defaults, but for the sizes: one unit of the series is worth 5 % of the account.
fn limits() -> Limits {
    let rate = |count, per, burst| Rate {
        count,
        per: Duration::from_secs(per),
        burst,
    };
    Limits {
        intent_ttl_quote: Some(Duration::from_secs(2)),
        intent_ttl_candle: Some(Duration::from_secs(15)),
        order_value_max: Some(Amount::whole(CASH / 10)),
        order_equity_max: Some(Ppm(100_000)),
        collar: Some(Ppm(20_000)),
        market_slippage_max: Some(Ppm(5_000)),
        balance_use_max: Some(Ppm(990_000)),
        position_equity_max: Some(Ppm(200_000)),
        open_entries_instrument: Some(Ppm(200_000)),
        open_entries_account: Some(Ppm(800_000)),
        bot_order_rate: Some(rate(2, 1, 5)),
        account_order_rate: Some(rate(80, 10, 45)),
        duplicate_window: Some(Duration::from_secs(1)),
        ..Limits::wide()
    }
}
