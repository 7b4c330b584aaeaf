//! Candle patterns: 100, 80, -80 or -100 where one ends, else 0, as TA-Lib answers.

mod doji;
mod engulfing;
mod evening_star;
mod hammer;
mod morning_star;
mod shape;

pub use doji::Doji;
pub use engulfing::Engulfing;
pub use evening_star::EveningStar;
pub use hammer::Hammer;
pub use morning_star::MorningStar;
