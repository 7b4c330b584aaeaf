//! HTTP, server-sent events, OpenAPI and metrics: the desk's interface for programs and browsers.
//!
//! It depends on neither engine nor venues. It reads and commands the desk through one trait, [`Desk`], which the binary
//! implements; what it answers is in [`wire`], one file a resource. Start with [`Server`], then `routes/mod.rs`, the table
//! of all routes, then `guard.rs`, which every request passes. `docs/api.md` shows an answer of each.

mod assets;
mod auth;
mod desk;
mod error;
mod extract;
mod guard;
mod hosts;
mod listener;
mod memory;
mod metrics;
mod openapi;
mod reset;
mod routes;
mod server;
mod sse;
mod state;
pub mod wire;

pub use auth::Secrets;
pub use desk::{
    About, Answer, ApplyBotsError, BotsApplied, BotsToApply, Desk, DeskError, Health, RateUse,
    StageTimes, VenueBalance, VenueBalances,
};
pub use error::{ErrorAnswer, ErrorBody};
pub use openapi::openapi_json;
pub use server::{Server, ServerError, ServerOptions};
