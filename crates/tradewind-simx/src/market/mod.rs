//! Where prices come from: a market generated from a seed, or one that was recorded.
//!
//! A [`MarketSource`] is asked for all events up to a time and hands them over one by one; how often it is asked changes
//! nothing about them. [`Generated`] draws its own, with history before its start; [`Recorded`] plays what its owner
//! reads from somewhere. [`KlineStore`] folds prints into candles for both.

mod depth;
pub(crate) mod dice;
mod event;
mod generated;
mod history;
mod hours;
mod klines;
mod past;
mod process;
mod recorded;
mod universe;
mod volatility;
mod walk;

pub use event::{MarketEvent, MarketRecord, MarketSource};
pub use generated::Generated;
pub use klines::{Kline, KlineRange, KlineStore};
pub use recorded::Recorded;
pub use universe::{Universe, universe};
