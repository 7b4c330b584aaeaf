//! Prices as indicators need them.
//!
//! Averages run on counts, not on quote units: whole numbers add up exactly, so in a flat market two averages are
//! exactly equal and nothing crosses by a rounding error. Reasons are in quote units.

use tradewind_indicators::Bar;
use tradewind_model::{Candle, Instrument, Price, Quote};

/// A price as a count; exact below 2^53, which is beyond any price.
#[expect(
    clippy::cast_precision_loss,
    reason = "indicators compute in f64, and below 2^53 nothing is lost"
)]
pub(super) const fn count(price: Price) -> f64 {
    price.0 as f64
}

/// Twice the middle price as a count, which unlike the middle is always whole.
pub(super) const fn mid_twice(quote: &Quote) -> f64 {
    count(Price(quote.bid.0.saturating_add(quote.ask.0)))
}

/// What one count is worth in quote units.
pub(super) fn unit(instrument: &Instrument) -> f64 {
    instrument.price_f64(Price(1))
}

/// A candle's range and close, as counts.
pub(super) const fn bar(candle: &Candle) -> Bar {
    Bar {
        high: count(candle.high),
        low: count(candle.low),
        close: count(candle.close),
    }
}
