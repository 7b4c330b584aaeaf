//! The live driver: everything between the edges and the engine.
//!
//! Edges put what they hear into the [`InputQueues`]; one thread ([`live`]) takes it out, journals it, hands it to the engine
//! and carries out what the engine wants. Paper and live trading are this driver with another address; the backtest
//! has its own in `tradewind-backtest`. The engine knows none of them.

mod disk;
pub mod evaluation;
pub mod input_queues;
pub mod latency;
pub mod live;

pub use evaluation::EvaluationLanes;
pub use input_queues::{InputQueueCounts, InputQueues};
pub use latency::{LatencyStages, Stage};
pub use live::{DeskHandle, DriverParts, Effect, Effects, run};
