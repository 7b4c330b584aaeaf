//! The pure engine: inputs in, outputs out, the only writer of trading state.
//!
//! It has no clock, no socket, no file and no chance of its own: the same inputs give the same outputs, byte for byte.
//! Start with [`Engine::handle`] in `engine.rs`, one screen that says what one step does. Then, in the order in which
//! a quote becomes an order: `market.rs`, `evaluate.rs`, `pursue.rs`, `submit.rs`, `execution.rs`; `order.rs` has the
//! life of an order as one function with its table.

mod accounts;
mod bot;
mod commands;
mod engine;
mod evaluate;
mod execution;
mod exits;
mod funding;
mod guard;
mod lifecycle;
mod market;
mod moment;
mod order;
mod orders;
mod pursue;
mod sizing;
mod submit;
mod view;
mod wakes;

pub use engine::{Engine, StrategyFactory, StrategySource};
pub use order::{Order, ReportClass, Step, Trades, transition};
