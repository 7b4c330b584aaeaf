//! HTTP, server-sent events, OpenAPI and metrics: the desk's face to programs and browsers.
//!
//! It knows neither engine nor venue. What it shows and does goes through one seam, [`Desk`], which the binary
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
    About, Answer, Desk, DeskError, Health, RateUse, StageTimes, VenueBalance, VenueBalances,
};
pub use error::{ErrorAnswer, ErrorBody};
pub use openapi::openapi_json;
pub use server::{Server, ServerError, ServerOptions};
