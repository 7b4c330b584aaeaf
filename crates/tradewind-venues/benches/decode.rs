//! Frame → event, per kind of frame. Beside it, what reading the same quote with a general JSON reader costs.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tradewind_model::{
    Amount, AssetId, Instrument, InstrumentId, InstrumentKind, InstrumentStatus, Price, Quantity,
    Timestamp, VenueId,
};
use tradewind_venues::binance::{SymbolTable, decode};

const QUOTE: &str = r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#;
const TRADE: &str = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#;
const CANDLE: &str = r#"{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1672515782136,"s":"BTCUSDT","k":{"t":1672515780000,"T":1672515839999,"s":"BTCUSDT","i":"1m","f":100,"L":200,"o":"61837.00","c":"61838.00","h":"61839.00","l":"61836.00","v":"1000","n":100,"x":true,"q":"1.0000","V":"500","Q":"0.500","B":"123456"}}}"#;

/// 25 instruments, as the desk has them.
fn symbols() -> SymbolTable {
    let listings = (0..25).map(|id| {
        let symbol = if id == 12 {
            "BTCUSDT".to_owned()
        } else {
            format!("C{id}USDT")
        };
        (symbol, instrument(id))
    });
    SymbolTable::new(listings).expect("short symbols")
}

fn instrument(id: u32) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        venue: VenueId(0),
        name: String::new(),
        base: AssetId(0),
        quote: AssetId(1),
        settlement: AssetId(1),
        kind: InstrumentKind::Spot,
        multiplier: Amount::ONE,
        price_decimals: 2,
        quantity_decimals: 5,
        tick: Price(1),
        price_min: Price(0),
        price_max: Price(0),
        step: Quantity(1),
        quantity_min: Quantity(1),
        quantity_max: Quantity(0),
        market_quantity_max: Quantity(0),
        notional_min: Amount::ZERO,
        open_orders_max: 0,
        status: InstrumentStatus::Trading,
        revision: 1,
    }
}

fn frames(criterion: &mut Criterion) {
    let symbols = symbols();
    for (name, frame) in [("quote", QUOTE), ("trade", TRADE), ("candle", CANDLE)] {
        criterion.bench_function(&format!("frame to {name}"), |bencher| {
            bencher.iter(|| {
                decode(
                    black_box(frame.as_bytes()),
                    Timestamp::EPOCH,
                    &symbols,
                    &mut |incoming| {
                        black_box(incoming);
                    },
                );
            });
        });
    }
    criterion.bench_function("baseline: quote as a JSON value", |bencher| {
        bencher.iter(|| black_box(serde_json::from_str::<serde_json::Value>(black_box(QUOTE))));
    });
}

criterion_group!(benches, frames);
criterion_main!(benches);
