//! Incremental technical indicators: numbers in, numbers out.
//!
//! Each indicator is a small state machine. [`Ema::new`] takes its parameters and refuses wrong ones,
//! `update` takes the next observation and answers the current value, or `None` while it warms up, and
//! `value` repeats that answer. The first value comes with input number `warm_up()`; `reset` clears
//! everything but the parameters. An update costs amortised constant time and allocates nothing.
//!
//! **The reference is TA-Lib.** Seeding, smoothing and the index of the first value are TA-Lib's, and
//! the tests hold its outputs on real candles. Where the textbook and TA-Lib differ, as for the seed of
//! the fast average in [`Macd`], TA-Lib's definition is used and the type documents it.
//!
//! **No input can corrupt the state.** An observation that is not a number, is infinite or lies beyond
//! [`MAX_MAGNITUDE`] is refused with an [`IndicatorError`] and changes nothing; hence every value given
//! out is finite, in a flat market too. What a strategy divides by an indicator goes through [`ratio`],
//! for an average true range of zero is a fact of flat markets and not a number to divide by.
//!
//! **The state is data.** Every indicator serialises and, restored in the middle of a series, continues
//! bit for bit. Use a format that keeps every bit of an `f64`. Outputs are the same bits in debug and
//! release builds: only `+ - * /` and `sqrt`, in a fixed order, with no fused operations.
//!
//! What this is *not*: money. An `f64` never leaves a strategy as an amount; prices are converted on
//! their way in, and a level that becomes an order is rounded to the instrument's tick on its way out.
//!
//! Start at [`Ema`] for the shape of an indicator and at `window.rs` for how the windowed ones stay
//! exact over any length of series.
//!
//! ```
//! use tradewind_indicators::{Ema, IndicatorError};
//!
//! let mut ema = Ema::new(3)?;
//! assert_eq!(ema.update(1.0)?, None);
//! assert_eq!(ema.update(2.0)?, None);
//! assert_eq!(ema.update(3.0)?, Some(2.0)); // seeded with the mean of the first three
//! assert_eq!(ema.update(4.0)?, Some(3.0));
//! assert!(ema.update(f64::NAN).is_err());
//! assert_eq!(ema.value(), Some(3.0));
//! # Ok::<(), IndicatorError>(())
//! ```

mod atr;
mod bollinger;
mod donchian;
mod ema;
mod error;
mod extremes;
mod input;
mod macd;
mod period;
mod ratio;
mod rsi;
mod sma;
mod smoothing;
mod standard_deviation;
mod window;

pub use atr::Atr;
pub use bollinger::{Bands, Bollinger, MAX_DEVIATIONS};
pub use donchian::{Channel, Donchian};
pub use ema::Ema;
pub use error::IndicatorError;
pub use extremes::{Highest, Lowest};
pub use input::{Bar, MAX_MAGNITUDE};
pub use macd::{Macd, MacdPeriods, MacdValue};
pub use period::MAX_PERIOD;
pub use ratio::ratio;
pub use rsi::Rsi;
pub use sma::Sma;
pub use standard_deviation::StandardDeviation;
