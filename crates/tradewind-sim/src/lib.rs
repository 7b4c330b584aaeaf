//! The simulator: the whole desk and the exchange in one thread on virtual time, under faults that a seed draws.
//!
//! [`run`] is one seed: `plan.rs` draws what goes wrong and when, `simulation.rs` lets it happen, heals everything and compares the wire,
//! the exchange's books and the desk's. `world/` assembles the desk by the functions that `tradewind run` calls, `network.rs` lies
//! between it and the exchange, `executor.rs` runs its tasks. The modules in `tests/` are desks whose faults are chosen, not drawn.

#![expect(
    clippy::unwrap_used,
    reason = "what a world cannot set up ends its run"
)]

mod checks;
mod evidence;
mod executor;
mod hostile;
mod listener;
mod mischief;
mod network;
mod outcome;
mod plan;
mod simulation;
mod story;
mod syncs;
#[cfg(test)]
mod tests;
mod wall;
mod watched;
mod wider;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the desks of the tests do more with it")
)]
mod world;

pub use outcome::{Failure, Outcome, Reached, Settings};
pub use plan::{PLAN, rows};
pub use simulation::run;
