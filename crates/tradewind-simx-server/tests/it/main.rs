//! The server over real sockets on loopback, driven by clients that are not ours.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it is"
)]

mod client;
mod control;
mod faults;
mod keys;
mod known_answers;
mod orders;
mod recorded;
mod rest;
mod restart;
mod streams;
mod user_data;
mod virtual_server;
