//! The public record: trades, candles, average prices.

use serde::Serialize;
use tradewind_model::{Instrument, Side, Timestamp, Trade};
use tradewind_simx::{Kline, KlineRange};

use super::errors::ApiError;
use super::page::page;
use super::{Call, Outcome, TimeUnit, body};
use crate::core::Core;
use crate::decimals;
use crate::market::KlineQuery;
use crate::span::{Span, SpanClock};

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

pub(super) fn klines(core: &mut Core, call: Call<'_>) -> Outcome {
    let params = call.params;
    let instrument = call.instrument(core)?.clone();
    let name = params.required("interval")?;
    let clock = SpanClock {
        span: Span::read(name).ok_or(ApiError::INTERVAL)?,
        zone: params.zone()?,
    };
    let (from, limit) = (params.time("startTime")?, params.limit(500, 1_000)?);
    let candles = core.market.klines(&KlineQuery {
        instrument: instrument.id,
        clock,
        range: KlineRange {
            from,
            to: Some(params.time("endTime")?.unwrap_or(call.now).min(call.now)),
            limit,
        },
    });
    let row = |kline: &Kline| {
        let end = clock.close_time(kline.open_time);
        kline_row(&instrument, call.unit, kline, end)
    };
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

fn kline_row(instrument: &Instrument, unit: TimeUnit, kline: &Kline, end: Timestamp) -> KlineRow {
    let price = |price| decimals::price(instrument, price);
    let close = unit.stamp(end) - 1;
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
    let instrument = call.instrument(core)?.clone();
    let (average, last) = core.market.average(&instrument);
    body(&Average {
        mins: 5,
        price: decimals::rounded(average),
        close_time: call.unit.stamp(last.unwrap_or(call.now)),
    })
}
