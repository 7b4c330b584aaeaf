//! Strategies in a process of their own: the protocol, the process with its limits, and a [`Strategy`] that talks to it.
//!
//! A strategy in Python runs in the user's interpreter, one process a bot unless bots share a group. The desk sends requests over
//! a socket pair, and each has a deadline on the wall clock: a process that misses it, ends, or raises is killed, and the error
//! names the bot. `frame.rs`, `evaluation.rs` and `answer.rs` are the protocol of `docs/strategy_protocol.md`, pure; `child.rs`
//! starts and kills; [`ProcessStrategy`] joins both. The Python package lies in `python/` and is part of the binary.
//!
//! [`Strategy`]: tradewind_strategy::Strategy

mod answer;
mod child;
mod declaration;
mod error;
mod evaluation;
mod frame;
mod history;
mod host;
mod interpreter;
mod kept;
mod lane;
mod model;
mod output;
mod package;
mod strategy;
mod table;
mod train;

pub use answer::Answer;
pub use declaration::{Declaration, Declared, DeclaredParameter, Wanted, declare};
pub use error::ProcessError;
pub use evaluation::{Proposal, Request};
pub use frame::{FRAME_MAX, Frame, FrameError, Kind};
pub use history::History;
pub use host::Processes;
pub use lane::LaneStrategy;
pub use model::{FEATURE, MODEL, ModelStrategy, PREDICTION, timeframes};
pub use strategy::{Mode, ProcessStrategy};
pub use table::{Row, Table};
pub use train::training_command;

/// How long a file may take until it is loaded, with everything that it imports.
pub(crate) const LOAD_DEADLINE: std::time::Duration = std::time::Duration::from_secs(60);
