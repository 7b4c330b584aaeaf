//! The conformance suite of house sources: every check of `checks.rs` for every transport, against a server of its own.
//!
//! Network and time are virtual: minutes of back-off pass at once, and a run is the same each time.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is test code; the lint knows only functions marked as tests"
)]

mod checks;
mod each;
mod options;
mod polling;
mod publisher;
mod servers;
mod world;
