//! A made-up desk behind a real server on a loopback socket, and a tiny client.

#![allow(
    clippy::unwrap_used,
    reason = "these are tests, though not test functions"
)]

pub(crate) mod client;
pub(crate) mod desk;
pub(crate) mod world;
