//! Incremental technical indicators: numbers in, numbers out.
//!
//! Each indicator is a small state machine. [`Ema::new`] takes its parameters and refuses wrong ones,
//! `update` takes the next observation and answers the current value, or `None` while it warms up, and
//! `value` repeats that answer. The first value comes with input number `warm_up()`; `reset` clears
//! everything but the parameters. These methods are the trait [`Indicator`]; bring it into scope. An
//! update costs amortised constant time and allocates nothing; the few types whose update passes over
//! their window, such as [`Cci`] and [`Median`], say so.
//!
//! **The catalogue has all by name.** [`CATALOGUE`] lists parameters, inputs, lines and references, and
//! [`build()`] makes an [`AnyIndicator`]; `docs/indicators.md` is written from it.
//!
//! **The reference is TA-Lib.** Seeding, smoothing and the index of the first value are TA-Lib's, and
//! the tests hold its outputs on real candles. Where the textbook and TA-Lib differ, as for the seed of
//! the fast average in [`Macd`], TA-Lib's definition is used and the type documents it. What TA-Lib does
//! not have follows a definition that the type cites.
//!
//! **No input can corrupt the state.** An observation that is not a number, is infinite or lies beyond
//! [`MAX_MAGNITUDE`] is refused with an [`IndicatorError`] and changes nothing; hence every value given
//! out is finite, in a flat market too. What a strategy divides by an indicator goes through [`ratio`],
//! for an average true range of zero is a fact of flat markets and not a number to divide by.
//!
//! **The state is data.** Every indicator serialises and, restored in the middle of a series, continues
//! bit for bit. Use a format that keeps every bit of an `f64`. Outputs are the same bits in debug and
//! release builds: only `+ - * /` and `sqrt`, in a fixed order, with no fused operations. The few that need an
//! exponential, a logarithm or an arc tangent take those of `libm`, which is plain Rust.
//!
//! What this is *not*: money. An `f64` never leaves a strategy as an amount; prices are converted on
//! their way in, and a level that becomes an order is rounded to the instrument's tick on its way out.
//!
//! Start at `averages/wma.rs` for the shape of an indicator, at `window.rs` for how the windowed ones stay
//! exact over any length of series, and at `catalogue/table.rs` to add one.
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

mod averages;
mod catalogue;
mod error;
mod folds;
mod indicator;
mod input;
mod mean;
mod oscillators;
mod patterns;
mod period;
mod prices;
mod range;
mod ratio;
mod ring;
mod smoothing;
mod sorted;
mod statistics;
mod trend;
mod volatility;
mod volume;
mod window;

pub use catalogue::{AnyIndicator, CATALOGUE, Entry, Parameter, Reference, Unit, build, find};
pub use error::IndicatorError;
pub use indicator::{Checked, Indicator, Input, InputKind, Lines, Output, Sample};
pub use input::{Bar, MAX_MAGNITUDE, Ohlcv, Pair};
pub use period::MAX_PERIOD;
pub use ratio::ratio;

pub use averages::{
    Alma, AlmaParameters, Dema, Ema, Hma, Kama, Rma, Sma, T3, Tema, Trima, Vwma, Wma, Zlema,
};
pub use oscillators::{
    Apo, ApoParameters, Aroon, AroonValue, Awesome, AwesomeParameters, Bop, Cci, Cmo, ConnorsRsi,
    ConnorsRsiParameters, Coppock, CoppockParameters, Dpo, Fisher, FisherValue, Macd, MacdPeriods,
    MacdValue, Mfi, Mom, Ppo, PpoParameters, Roc, Rocp, Rocr, Rsi, StochRsi, StochRsiParameters,
    Stochastic, StochasticFast, StochasticFastParameters, StochasticParameters, StochasticValue,
    Trix, Tsi, TsiParameters, Ultosc, UltoscParameters, WilliamsR,
};
pub use patterns::{
    DarkCloudCover, Doji, DragonflyDoji, Engulfing, EveningDojiStar, EveningStar, GravestoneDoji,
    Hammer, HangingMan, Harami, InvertedHammer, Marubozu, MorningDojiStar, MorningStar, Piercing,
    ShootingStar, SpinningTop, ThreeBlackCrows, ThreeInside, ThreeOutside, ThreeWhiteSoldiers,
};
pub use prices::{
    AveragePrice, HeikinAshi, HeikinAshiCandle, MedianPrice, PivotLevels, Pivots, TypicalPrice,
    WeightedClose,
};
pub use statistics::{
    Beta, Correlation, EfficiencyRatio, Highest, Lowest, Median, Midpoint, Midprice, Percentile,
    PercentileRank, Total, Zscore,
};
pub use trend::{
    Adx, Adxr, DirectionalIndex, DirectionalMovement, Dm, Dmi, Ichimoku, IchimokuParameters,
    IchimokuValue, LinearRegression, RegressionLine, Sar, SarParameters, Supertrend,
    SupertrendValue, Vortex, VortexValue,
};
pub use volatility::{
    Atr, Avgdev, Bands, Bollinger, Chandelier, ChandelierValue, Channel, Choppiness, Donchian,
    Keltner, KeltnerParameters, MAX_DEVIATIONS, MassIndex, MassIndexParameters, Natr,
    StandardDeviation, Trange, Ulcer, Variance,
};
pub use volume::{
    Ad, Adosc, AdoscParameters, Cmf, Efi, Nvi, Obv, Pvi, Pvt, RollingVwap, Rvol, Vwap,
};
