//! The desk: configuration, wiring, supervision and the command line.
//!
//! [`app`] starts and stops it, top to bottom; [`driver`] is what stands between the edges and the engine; [`config`]
//! reads `tradewind.toml`; [`cli`] is everything that can be typed; [`replay`] runs recorded sessions again.

pub mod app;
pub mod cli;
pub mod config;
pub mod driver;
mod models;
pub mod replay;
mod user_strategy;
