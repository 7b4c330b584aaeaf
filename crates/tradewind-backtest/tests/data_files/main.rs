//! Data files: real ones, made ones, and bad ones.

#![expect(
    clippy::disallowed_methods,
    reason = "an environment variable names the folder of the real data"
)]

mod blind;
mod candles;
mod common;
mod holes;
mod house;
mod rebuilt;
#[path = "../strategies/mod.rs"]
mod strategies;
mod ticks;
mod universe;
mod venues;
