//! The instruments of the venue's benchmarks: 25, as the desk has them, `BTCUSDT` among them.

use tradewind_model::{AssetId, Instrument, InstrumentId};
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
        (symbol, Instrument::spot(id, "", AssetId(0), AssetId(1)))
    });
    SymbolTable::new(listings).expect("short symbols")
}
