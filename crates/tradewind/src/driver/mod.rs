//! The live driver: everything between the edges and the engine.
//!
//! Edges put what they receive into the [`InputQueues`]; one task ([`live`]) on the [`EngineThread`] takes it out and has
//! [`tradewind_driver`] journal it, hand it to the engine and carry out what follows. Paper and live trading differ in the
//! venue's address only. Backtests run the same loop under a virtual clock, in `tradewind-backtest`.

mod desk_handle;
pub(crate) mod disk;
mod engine_thread;
pub mod evaluation;
pub mod input_queues;
mod journal_writer;
pub mod latency;
pub mod live;
mod process_lane;
mod stand_still;
mod syncs;

pub use desk_handle::DeskHandle;
pub use engine_thread::{EngineThread, EngineWait, ThreadTime};
pub use evaluation::EvaluationLanes;
pub use input_queues::{InputQueues, QueueStats};
pub use latency::{LatencyStages, Stage};
pub use live::{DriverParts, Outbox, run};
pub use syncs::{IntentSafety, StartSyncs, SyncReport, SyncRunner};
pub use tradewind_driver::Effect;
