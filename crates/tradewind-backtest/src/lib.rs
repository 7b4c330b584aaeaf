//! History, the simulated exchange and the engine under a virtual clock.
//!
//! The loop is `tradewind_driver`'s, as in a live desk. Inputs come from a [`Source`], orders go straight into the matching
//! core, and the clock moves from event to event. Nothing here reads a clock, so the same history gives the same report;
//! callers measure how long a run took. The history is streamed and what is kept of a run is bounded, so that memory does
//! not grow with the length of the history.
//!
//! Start with [`run`] in `driver.rs`. [`run_files`] is the same for data files, as `tradewind backtest` has it;
//! [`BenchmarkSeries`] is the generated series that performance is measured with.

mod candle_cache;
mod counters;
mod course;
mod driver;
mod effects;
mod equity;
mod error;
mod files;
mod levels;
mod link;
mod point;
mod report;
mod series;
mod setup;
mod source;
mod translate;

pub use driver::{run, run_to_view, run_with};
pub use equity::EquitySample;
pub use error::BacktestError;
pub use files::{FileOptions, candles_of_files, run_files, run_files_in_process, run_files_with};
pub use report::{AssetReport, FillReport, Models, Report, UniverseReport};
pub use series::{BenchmarkSeries, benchmark_setup};
pub use setup::{Latency, Setup, rest_take_profits};
pub use source::{CandleStart, HistoryEvent, Source};
