//! The [`Strategy`] trait, what a strategy may look at, and the built-in strategies.
//!
//! A strategy sees a [`View`] and answers with a [`Decision`](tradewind_model::Decision): a signed share of its budget,
//! or to leave things as they are. It sends no orders, has no access to accounts and reads no clock; sizing, orders and exits
//! are the engine's. To write one, open `builtin/`, where each strategy is one file; `catalogue.rs` lists them.
//!
//! ```
//! use std::collections::BTreeMap;
//! use tradewind_strategy::{build, catalogue};
//!
//! let strategy = build("rsi_reversion", &BTreeMap::new(), 1)?;
//! assert_eq!(strategy.timeframes().len(), 1);
//! assert!(catalogue().iter().any(|info| info.name == "rsi_reversion"));
//! # Ok::<(), tradewind_strategy::BuildError>(())
//! ```

mod builtin;
mod catalogue;
mod evaluate;
mod nearest;
mod parameter_info;
mod parameters;
mod per_instrument;
mod reads;
mod strategy;

pub use catalogue::{
    AlreadyAdded, BuildError, Builder, StrategyInfo, WakesOn, add, build, catalogue, info,
};
pub use evaluate::{Evaluated, evaluate};
pub use nearest::nearest;
pub use parameter_info::{
    DefaultValue, IntervalParameter, NumberParameter, ParameterInfo, WholeParameter,
};
pub use parameters::{ParameterError, Parameters};
pub use per_instrument::PerInstrument;
pub use reads::{MarketReader, NoMarket, Pairing, ReadUse, Reading, Reads, Role};
pub use strategy::{
    Explained, FeedStatus, RestoreError, Standing, Strategy, StrategyError, View, WarmUp,
};
