//! The core of the simulated exchange, tested through its public interface. One test binary: each further one costs a link.

mod amendments;
mod bench;
mod caps_and_fees;
mod fill_models;
mod laws;
mod lists;
mod market;
mod orders;
mod recorded_fills;
mod refusals;
mod scene;
mod statistics;
mod stylised;
mod triggers;
