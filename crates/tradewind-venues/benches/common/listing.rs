//! The instruments of the venue's benchmarks: 25, as the desk has them, `BTCUSDT` among them.

use tradewind_model::{
    Amount, AssetId, Instrument, InstrumentId, InstrumentKind, InstrumentStatus, Price, Quantity,
    VenueId,
};
use tradewind_venues::binance::SymbolTable;

/// The one the frames are about.
pub(crate) const BTC: InstrumentId = InstrumentId(12);

pub(crate) fn symbols() -> SymbolTable {
    let listings = (0..25).map(InstrumentId).map(|id| {
        let symbol = if id == BTC {
            "BTCUSDT".to_owned()
        } else {
            format!("C{}USDT", id.0)
        };
        (symbol, instrument(id))
    });
    SymbolTable::new(listings).expect("short symbols")
}

fn instrument(id: InstrumentId) -> Instrument {
    Instrument {
        id,
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
