//! Prices made of a candle: one number in place of four, or a smoother candle.

mod average_price;
mod heikin_ashi;
mod median_price;
mod pivots;
mod typical_price;
mod weighted_close;

pub use average_price::AveragePrice;
pub use heikin_ashi::{HeikinAshi, HeikinAshiCandle};
pub use median_price::MedianPrice;
pub use pivots::{PivotLevels, Pivots};
pub use typical_price::TypicalPrice;
pub use weighted_close::WeightedClose;
