//! Data files: real ones, made ones, and bad ones.

#![expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment where the real data lies"
)]

mod blind;
mod candles;
mod common;
mod rebuilt;
#[path = "../strategies/mod.rs"]
mod strategies;
mod ticks;
