//! Volatility: how far a market moves, and the bands that this puts around a price.

mod atr;
mod avgdev;
mod bollinger;
mod chandelier;
mod choppiness;
mod donchian;
mod keltner;
mod mass_index;
mod natr;
mod standard_deviation;
mod trange;
mod ulcer;
mod variance;

pub use atr::Atr;
pub use avgdev::Avgdev;
pub use bollinger::{Bands, Bollinger, MAX_DEVIATIONS};
pub use chandelier::{Chandelier, ChandelierValue};
pub use choppiness::Choppiness;
pub use donchian::{Channel, Donchian};
pub use keltner::{Keltner, KeltnerParameters};
pub use mass_index::{MassIndex, MassIndexParameters};
pub use natr::Natr;
pub use standard_deviation::StandardDeviation;
pub use trange::Trange;
pub use ulcer::Ulcer;
pub use variance::Variance;
