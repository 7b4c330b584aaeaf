//! The pure engine: inputs in, outputs out, the only writer of trading state.
//!
//! It has no clock, no socket, no file and no random numbers: the same inputs give the same outputs, byte for byte.
//! Start with [`Engine::handle`] in `engine.rs`, which is one step of the engine. Then, in the order in which
//! a quote becomes an order: `step/market_data.rs`, `step/evaluation.rs`, `step/target.rs`, `step/submission.rs`,
//! `step/reports.rs`. `parts/` holds the state, each part with what only it may change; `parts/order.rs` has the life
//! of an order as one function with its table.

mod bytes;
mod context;
mod engine;
mod parts;
mod reconcile;
mod recover;
mod state;
mod step;
mod strategy_source;
mod view;

pub use engine::Engine;
pub use recover::{Recorded, RecoveredPart, Recovery, recover};
pub use state::{Digest, EngineState, RestoreError, STATE_VERSION, Section};
pub use strategy_source::{StrategyFactory, StrategySource};
