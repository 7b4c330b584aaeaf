//! History, the simulated exchange and the engine under a virtual clock.
//!
//! The fifth driver of the one engine: inputs come from a [`Source`], orders go straight into the matching core, timers
//! ring when the history reaches them. Nothing here reads a clock, so the same history gives the same report; whoever
//! wants to know how long it took measures it himself. Memory does not grow with the length of the history: it is
//! streamed, and what is kept of a run is bounded.
//!
//! Start with [`run`] in `driver.rs`. [`run_files`] is the same for data files, as `tradewind backtest` has it;
//! [`BenchmarkSeries`] is the generated series that performance is measured with.

mod candle_cache;
mod counters;
mod course;
mod driver;
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
mod timers;
mod translate;

pub use driver::{run, run_with};
pub use equity::EquitySample;
pub use error::BacktestError;
pub use files::{FileOptions, run_files, run_files_with};
pub use report::{AssetReport, FillReport, Models, Report};
pub use series::{BenchmarkSeries, benchmark_setup};
pub use setup::{Latency, Setup};
pub use source::{CandleStart, HistoryEvent, Source};
