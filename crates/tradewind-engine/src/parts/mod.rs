//! The parts of the engine's state, each with its own file.

pub(crate) mod bot;
pub(crate) mod exit_monitor;
pub(crate) mod order;
pub(crate) mod orders;
pub(crate) mod wakes;
