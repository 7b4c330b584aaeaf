//! What anybody may ask: time, rules, books, trades, candles, tickers.

use serde::Serialize;
use tradewind_model::{
    Amount, Depth, Instrument, InstrumentId, InstrumentKind, InstrumentStatus, Interval, Level,
    Side, Timestamp, Trade,
};
use tradewind_simx::{Kline, KlineRange};

use super::errors::ApiError;
use super::weights::{ORDERS_PER_10_SECONDS, ORDERS_PER_DAY, WEIGHT_PER_MINUTE};
use super::{Call, Outcome, Params, TimeUnit, body, find};
use crate::core::Core;
use crate::decimals;
use crate::filters;
use crate::market::{DayStatistics, KlineQuery};

pub(super) fn ping(_: &mut Core, _: Call<'_>) -> Outcome {
    Ok("{}".to_owned())
}

pub(super) fn time(_: &mut Core, call: Call<'_>) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Time {
        server_time: i64,
    }
    body(&Time {
        server_time: call.unit.stamp(call.now),
    })
}

// Rules.

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExchangeInfo<'a> {
    timezone: &'static str,
    server_time: i64,
    rate_limits: [RateLimit; 3],
    exchange_filters: [(); 0],
    symbols: Vec<SymbolInfo<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    rate_limit_type: &'static str,
    interval: &'static str,
    interval_num: u32,
    limit: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SymbolInfo<'a> {
    symbol: &'a str,
    status: &'static str,
    base_asset: &'a str,
    base_asset_precision: u8,
    quote_asset: &'a str,
    quote_precision: u8,
    quote_asset_precision: u8,
    base_commission_precision: u8,
    quote_commission_precision: u8,
    order_types: [&'static str; 3],
    iceberg_allowed: bool,
    oco_allowed: bool,
    oto_allowed: bool,
    opo_allowed: bool,
    quote_order_qty_market_allowed: bool,
    allow_trailing_stop: bool,
    cancel_replace_allowed: bool,
    amend_allowed: bool,
    peg_instructions_allowed: bool,
    is_spot_trading_allowed: bool,
    is_margin_trading_allowed: bool,
    filters: Vec<filters::FilterBody>,
    permissions: [&'static str; 0],
    permission_sets: [[&'static str; 1]; 1],
    default_self_trade_prevention_mode: &'static str,
    allowed_self_trade_prevention_modes: [&'static str; 1],
}

pub(super) fn exchange_info(core: &mut Core, call: Call<'_>) -> Outcome {
    const PLACES: u8 = 8;
    let listed = selected(core, call.params)?
        .unwrap_or_else(|| core.exchange.instruments().iter().collect());
    let symbol = |instrument: &'_ &Instrument| SymbolInfo {
        symbol: core.symbols.name(instrument.id),
        status: status(instrument.status),
        base_asset: core.symbols.asset(instrument.base),
        base_asset_precision: PLACES,
        quote_asset: core.symbols.asset(instrument.quote),
        quote_precision: PLACES,
        quote_asset_precision: PLACES,
        base_commission_precision: PLACES,
        quote_commission_precision: PLACES,
        order_types: ["LIMIT", "LIMIT_MAKER", "MARKET"],
        iceberg_allowed: false,
        oco_allowed: false,
        oto_allowed: false,
        opo_allowed: false,
        quote_order_qty_market_allowed: true,
        allow_trailing_stop: false,
        cancel_replace_allowed: false,
        amend_allowed: false,
        peg_instructions_allowed: false,
        is_spot_trading_allowed: instrument.kind == InstrumentKind::Spot,
        is_margin_trading_allowed: false,
        filters: filters::of(instrument),
        permissions: [],
        permission_sets: [["SPOT"]],
        default_self_trade_prevention_mode: "NONE",
        allowed_self_trade_prevention_modes: ["NONE"],
    };
    body(&ExchangeInfo {
        timezone: "UTC",
        server_time: call.unit.stamp(call.now),
        rate_limits: [
            rate_limit("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT_PER_MINUTE),
            rate_limit("ORDERS", "SECOND", 10, ORDERS_PER_10_SECONDS),
            rate_limit("ORDERS", "DAY", 1, ORDERS_PER_DAY),
        ],
        exchange_filters: [],
        symbols: listed.iter().map(symbol).collect(),
    })
}

const fn rate_limit(
    kind: &'static str,
    interval: &'static str,
    interval_num: u32,
    limit: u32,
) -> RateLimit {
    RateLimit {
        rate_limit_type: kind,
        interval,
        interval_num,
        limit,
    }
}

const fn status(status: InstrumentStatus) -> &'static str {
    match status {
        InstrumentStatus::Trading => "TRADING",
        InstrumentStatus::CancelOnly => "CANCEL_ONLY",
        InstrumentStatus::Halted => "HALT",
        InstrumentStatus::NoData => "BREAK",
    }
}

/// The instruments a request names by `symbol` or `symbols`; `None` when it names none.
fn selected<'c>(core: &'c Core, params: &Params) -> Result<Option<Vec<&'c Instrument>>, ApiError> {
    match (params.text("symbol"), params.symbols()?) {
        (Some(_), Some(_)) => Err(ApiError::COMBINATION),
        (Some(symbol), None) => Ok(Some(vec![find(core, symbol)?])),
        (None, Some(symbols)) => symbols
            .iter()
            .map(|symbol| find(core, symbol))
            .collect::<Result<_, _>>()
            .map(Some),
        (None, None) => Ok(None),
    }
}

// The book.

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DepthBody {
    last_update_id: u64,
    bids: Vec<[String; 2]>,
    asks: Vec<[String; 2]>,
}

pub(super) fn depth_weight(params: &Params) -> u32 {
    match params.limit(100, 5_000) {
        Ok(limit) if limit > 1_000 => 250,
        Ok(limit) if limit > 500 => 50,
        Ok(limit) if limit > 100 => 25,
        _ => 5,
    }
}

pub(super) fn depth(core: &mut Core, call: Call<'_>) -> Outcome {
    let limit = call.params.limit(100, 5_000)?;
    let instrument = call.instrument(core)?;
    let mut depth = Depth {
        instrument: instrument.id,
        bids: vec![],
        asks: vec![],
        received_at: call.now,
    };
    core.exchange.depth(instrument.id, limit, &mut depth);
    let levels = |levels: &[Level]| {
        levels
            .iter()
            .map(|level| level_texts(instrument, level))
            .collect()
    };
    body(&DepthBody {
        last_update_id: core.exchange.update_id(instrument.id),
        bids: levels(&depth.bids),
        asks: levels(&depth.asks),
    })
}

fn level_texts(instrument: &Instrument, level: &Level) -> [String; 2] {
    [
        decimals::price(instrument, level.price),
        decimals::quantity(instrument, level.quantity),
    ]
}

// Trades.

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TradeBody {
    id: u64,
    price: String,
    qty: String,
    quote_qty: String,
    time: i64,
    is_buyer_maker: bool,
    is_best_match: bool,
}

#[derive(Serialize)]
struct AggregateBody {
    a: u64,
    p: String,
    q: String,
    f: u64,
    l: u64,
    #[serde(rename = "T")]
    time: i64,
    m: bool,
    #[serde(rename = "M")]
    best: bool,
}

pub(super) fn trades(core: &mut Core, call: Call<'_>) -> Outcome {
    let limit = call.params.limit(500, 1_000)?;
    let from = call.params.integer("fromId")?;
    let instrument = call.instrument(core)?;
    let found = page(
        core.market.prints(instrument.id),
        limit,
        from.map(|from| move |print: &Trade| reaches(print, from)),
    );
    let trade = |print: &Trade| TradeBody {
        id: print.id.0,
        price: decimals::price(instrument, print.price),
        qty: decimals::quantity(instrument, print.quantity),
        quote_qty: decimals::amount(
            instrument
                .notional(print.price, print.quantity)
                .unwrap_or_default(),
        ),
        time: call.unit.stamp(stamp(print)),
        is_buyer_maker: print.taker == Side::Sell,
        is_best_match: true,
    };
    body(&found.iter().map(trade).collect::<Vec<_>>())
}

/// Each print is its own aggregate here: the exchange reports what a taker does at one price as one print.
pub(super) fn aggregate_trades(core: &mut Core, call: Call<'_>) -> Outcome {
    let limit = call.params.limit(500, 1_000)?;
    let from = call.params.integer("fromId")?;
    let (start, end) = (call.params.time("startTime")?, call.params.time("endTime")?);
    let instrument = call.instrument(core)?;
    let inside = core.market.prints(instrument.id).filter(|print| {
        start.is_none_or(|start| stamp(print) >= start) && end.is_none_or(|end| stamp(print) <= end)
    });
    let oldest_first = from.or(start.map(|_| 0));
    let found = page(
        inside,
        limit,
        oldest_first.map(|from| move |print: &Trade| reaches(print, from)),
    );
    let trade = |print: &Trade| AggregateBody {
        a: print.id.0,
        p: decimals::price(instrument, print.price),
        q: decimals::quantity(instrument, print.quantity),
        f: print.id.0,
        l: print.id.0,
        time: call.unit.stamp(stamp(print)),
        m: print.taker == Side::Sell,
        best: true,
    };
    body(&found.iter().map(trade).collect::<Vec<_>>())
}

fn reaches(print: &Trade, id: i64) -> bool {
    i64::try_from(print.id.0).is_ok_and(|known| known >= id)
}

fn stamp(print: &Trade) -> Timestamp {
    print.event_time.unwrap_or(print.received_at)
}

/// The newest `limit` of `all`, or with `from` the oldest `limit` that it accepts; oldest first either way.
pub(super) fn page<'a, T: Copy + 'a>(
    all: impl DoubleEndedIterator<Item = &'a T>,
    limit: usize,
    from: Option<impl Fn(&T) -> bool>,
) -> Vec<T> {
    if let Some(from) = from {
        return all.filter(|one| from(one)).take(limit).copied().collect();
    }
    let mut newest: Vec<T> = all.rev().take(limit).copied().collect();
    newest.reverse();
    newest
}

// Candles.

pub(super) fn klines(core: &mut Core, call: Call<'_>) -> Outcome {
    let params = call.params;
    let instrument = call.instrument(core)?.clone();
    let interval: Interval = params
        .required("interval")?
        .parse()
        .map_err(|_| ApiError::INTERVAL)?;
    let query = KlineQuery {
        instrument: instrument.id,
        interval,
        range: KlineRange {
            from: params.time("startTime")?,
            to: Some(params.time("endTime")?.unwrap_or(call.now).min(call.now)),
            limit: params.limit(500, 1_000)?,
        },
    };
    let candles = core.market.klines(&query);
    let row = |kline: &Kline| kline_row(&instrument, interval, call.unit, kline);
    body(&candles.iter().map(row).collect::<Vec<_>>())
}

type KlineRow = (
    i64,
    String,
    String,
    String,
    String,
    String,
    i64,
    String,
    u32,
    String,
    String,
    &'static str,
);

fn kline_row(
    instrument: &Instrument,
    interval: Interval,
    unit: TimeUnit,
    kline: &Kline,
) -> KlineRow {
    let price = |price| decimals::price(instrument, price);
    let close = unit.stamp(kline.open_time + interval.duration()) - 1;
    (
        unit.stamp(kline.open_time),
        price(kline.open),
        price(kline.high),
        price(kline.low),
        price(kline.close),
        decimals::quantity(instrument, kline.volume),
        close,
        decimals::amount(kline.quote_volume),
        kline.trades,
        decimals::quantity(instrument, kline.taker_volume),
        decimals::amount(kline.taker_quote_volume),
        "0",
    )
}

pub(super) fn average_price(core: &mut Core, call: Call<'_>) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Average {
        mins: u32,
        price: String,
        close_time: i64,
    }
    const MINUTES: usize = 5;
    let instrument = call.instrument(core)?.clone();
    let query = KlineQuery {
        instrument: instrument.id,
        interval: Interval::Minute1,
        range: KlineRange::newest(MINUTES),
    };
    let minutes = core.market.klines(&query);
    let value: Amount = minutes.iter().map(|minute| minute.quote_volume).sum();
    let volume: Amount = minutes
        .iter()
        .map(|minute| instrument.quantity_amount(minute.volume))
        .sum();
    let last = minutes
        .last()
        .map(|minute| instrument.price_amount(minute.close))
        .unwrap_or_default();
    let average = value.mul_div(Amount::ONE.0, volume.0).unwrap_or(last);
    let close_time = core
        .market
        .prints(instrument.id)
        .next_back()
        .map_or(call.now, stamp);
    let price = decimals::rounded(average);
    body(&Average {
        mins: 5,
        price,
        close_time: call.unit.stamp(close_time),
    })
}

// Tickers.

/// One or up to 20 symbols weigh 2, up to 100 weigh 40, more or all 80.
pub(super) fn day_weight(params: &Params) -> u32 {
    match (params.text("symbol"), params.symbols()) {
        (Some(_), _) => 2,
        (None, Ok(Some(symbols))) if symbols.len() <= 20 => 2,
        (None, Ok(Some(symbols))) if symbols.len() <= 100 => 40,
        _ => 80,
    }
}

pub(super) fn ticker_weight(params: &Params) -> u32 {
    if params.text("symbol").is_some() {
        2
    } else {
        4
    }
}

/// One object for `symbol`, a list for `symbols` or none.
fn per_symbol<T: Serialize>(
    core: &mut Core,
    call: Call<'_>,
    mut ticker: impl FnMut(&mut Core, &Instrument) -> Option<T>,
) -> Outcome {
    let ids: Vec<InstrumentId> = match selected(core, call.params)? {
        Some(selected) => selected.iter().map(|instrument| instrument.id).collect(),
        None => core
            .exchange
            .instruments()
            .iter()
            .map(|instrument| instrument.id)
            .collect(),
    };
    let instruments: Vec<Instrument> = ids
        .iter()
        .filter_map(|id| core.exchange.instruments().get(id.index()))
        .cloned()
        .collect();
    let tickers: Vec<T> = instruments
        .iter()
        .filter_map(|instrument| ticker(core, instrument))
        .collect();
    match tickers.first() {
        Some(only) if call.params.text("symbol").is_some() => body(only),
        _ => body(&tickers),
    }
}

pub(super) fn price_ticker(core: &mut Core, call: Call<'_>) -> Outcome {
    #[derive(Serialize)]
    struct Price {
        symbol: String,
        price: String,
    }
    per_symbol(core, call, |core, instrument| {
        let last = core.last_price(instrument.id, call.now)?;
        Some(Price {
            symbol: core.symbols.name(instrument.id).to_owned(),
            price: decimals::price(instrument, last),
        })
    })
}

pub(super) fn book_ticker(core: &mut Core, call: Call<'_>) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Book {
        symbol: String,
        bid_price: String,
        bid_qty: String,
        ask_price: String,
        ask_qty: String,
    }
    per_symbol(core, call, |core, instrument| {
        let touch = core.touch_or_zero(instrument.id);
        Some(Book {
            symbol: core.symbols.name(instrument.id).to_owned(),
            bid_price: decimals::price(instrument, touch.bid),
            bid_qty: decimals::quantity(instrument, touch.bid_quantity),
            ask_price: decimals::price(instrument, touch.ask),
            ask_qty: decimals::quantity(instrument, touch.ask_quantity),
        })
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DayTicker {
    symbol: String,
    #[serde(flatten)]
    change: Option<DayChange>,
    open_price: String,
    high_price: String,
    low_price: String,
    last_price: String,
    volume: String,
    quote_volume: String,
    open_time: i64,
    close_time: i64,
    first_id: i64,
    last_id: i64,
    count: u64,
}

/// What the full ticker tells beyond the short one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DayChange {
    price_change: String,
    price_change_percent: String,
    weighted_avg_price: String,
    prev_close_price: String,
    last_qty: String,
    bid_price: String,
    bid_qty: String,
    ask_price: String,
    ask_qty: String,
}

pub(super) fn day_ticker(core: &mut Core, call: Call<'_>) -> Outcome {
    let full = match call.params.text("type") {
        None | Some("FULL") => true,
        Some("MINI") => false,
        Some(_) => return Err(ApiError::INVALID_TICKER_TYPE),
    };
    per_symbol(core, call, |core, instrument| {
        let day = core.market.day(instrument)?;
        let price = |price| decimals::price(instrument, price);
        Some(DayTicker {
            symbol: core.symbols.name(instrument.id).to_owned(),
            change: full.then(|| day_change(core, instrument, &day)),
            open_price: price(day.total.open),
            high_price: price(day.total.high),
            low_price: price(day.total.low),
            last_price: price(day.total.close),
            volume: decimals::quantity(instrument, day.total.volume),
            quote_volume: decimals::amount(day.total.quote_volume),
            open_time: call.unit.stamp(day.total.open_time),
            close_time: call.unit.stamp(call.now),
            first_id: day.first_id,
            last_id: day.last_id,
            count: day.trades,
        })
    })
}

fn day_change(core: &Core, instrument: &Instrument, day: &DayStatistics) -> DayChange {
    let touch = core.touch_or_zero(instrument.id);
    let price = |price| decimals::price(instrument, price);
    let quantity = |quantity| decimals::quantity(instrument, quantity);
    DayChange {
        price_change: day.change(instrument),
        price_change_percent: day.change_percent(),
        weighted_avg_price: decimals::rounded(day.average(instrument)),
        prev_close_price: price(day.total.open),
        last_qty: quantity(day.last.map(|print| print.quantity).unwrap_or_default()),
        bid_price: price(touch.bid),
        bid_qty: quantity(touch.bid_quantity),
        ask_price: price(touch.ask),
        ask_qty: quantity(touch.ask_quantity),
    }
}
