//! The market at a glance: the book, last prices, the touch, the last 24 hours.

use serde::Serialize;
use tradewind_model::{Depth, Instrument, InstrumentId, Level};

use super::errors::ApiError;
use super::general::{named, selected};
use super::{Call, Outcome, Params, body};
use crate::core::{Core, touch_or_zero};
use crate::decimals;
use crate::market::DayStatistics;

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
    let read = named(core, call.params)?.id;
    core.book_read(read);
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
pub(super) fn per_symbol<T: Serialize>(
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
        let touch = touch_or_zero(&core.exchange, instrument.id);
        Some(Book {
            symbol: core.symbols.name(instrument.id).to_owned(),
            bid_price: decimals::price(instrument, touch.bid),
            bid_qty: decimals::quantity(instrument, touch.bid_quantity),
            ask_price: decimals::price(instrument, touch.ask),
            ask_qty: decimals::quantity(instrument, touch.ask_quantity),
        })
    })
}

/// A ticker of some span; `C` is what a full one tells beyond a short one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ticker<C> {
    symbol: String,
    #[serde(flatten)]
    change: Option<C>,
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

impl<C> Ticker<C> {
    /// The ticker of what happened from `open_time` to `close_time`, stamps in the caller's unit.
    pub(super) fn new(
        core: &Core,
        instrument: &Instrument,
        found: &DayStatistics,
        change: Option<C>,
        (open_time, close_time): (i64, i64),
    ) -> Self {
        let price = |price| decimals::price(instrument, price);
        Self {
            symbol: core.symbols.name(instrument.id).to_owned(),
            change,
            open_price: price(found.total.open),
            high_price: price(found.total.high),
            low_price: price(found.total.low),
            last_price: price(found.total.close),
            volume: decimals::quantity(instrument, found.total.volume),
            quote_volume: decimals::amount(found.total.quote_volume),
            open_time,
            close_time,
            first_id: found.first_id,
            last_id: found.last_id,
            count: found.trades,
        }
    }
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

/// Whether a ticker of type FULL is wanted, or one of type MINI.
pub(super) fn wants_all(params: &Params) -> Result<bool, ApiError> {
    match params.text("type") {
        None | Some("FULL") => Ok(true),
        Some("MINI") => Ok(false),
        Some(_) => Err(ApiError::INVALID_TICKER_TYPE),
    }
}

pub(super) fn day_ticker(core: &mut Core, call: Call<'_>) -> Outcome {
    let full = wants_all(call.params)?;
    per_symbol(core, call, |core, instrument| {
        let day = core.market.day(instrument)?;
        let times = (
            call.unit.stamp(day.total.open_time),
            call.unit.stamp(call.now),
        );
        let change = full.then(|| day_change(core, instrument, &day));
        Some(Ticker::new(core, instrument, &day, change, times))
    })
}

fn day_change(core: &Core, instrument: &Instrument, day: &DayStatistics) -> DayChange {
    let touch = touch_or_zero(&core.exchange, instrument.id);
    let price = |price| decimals::price(instrument, price);
    let quantity = |quantity| decimals::quantity(instrument, quantity);
    DayChange {
        price_change: day.change(instrument),
        price_change_percent: day.change_percent(),
        weighted_avg_price: decimals::rounded(day.average(instrument)),
        prev_close_price: price(day.total.open),
        last_qty: quantity(day.last_quantity),
        bid_price: price(touch.bid),
        bid_qty: quantity(touch.bid_quantity),
        ask_price: price(touch.ask),
        ask_qty: quantity(touch.ask_quantity),
    }
}
