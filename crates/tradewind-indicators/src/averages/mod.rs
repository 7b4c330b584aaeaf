//! Moving averages: what a price is without its noise. All are in the units of what they average.

mod alma;
mod dema;
mod ema;
mod hma;
mod kama;
mod rma;
mod sma;
mod t3;
mod tema;
mod trima;
mod vwma;
mod wma;
mod zlema;

pub use alma::{Alma, AlmaParameters};
pub use dema::Dema;
pub use ema::Ema;
pub use hma::Hma;
pub use kama::Kama;
pub use rma::Rma;
pub use sma::Sma;
pub use t3::T3;
pub use tema::Tema;
pub use trima::Trima;
pub use vwma::Vwma;
pub use wma::Wma;
pub use zlema::Zlema;
