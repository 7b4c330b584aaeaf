//! The adapters against tiny servers on this machine: what they send, what they make of the answers, how they come back.
//!
//! The servers are a few lines each and send what a test scripts. Other tests cover the real counterpart.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is test code; the lint knows only functions marked as tests"
)]

mod books;
mod bybit;
mod coinbase;
mod conformance;
mod dialogue;
mod diff_books;
mod feeds;
mod framed;
mod history;
mod http;
mod known_answers;
mod kraken;
mod live;
mod network;
mod okx;
mod order_socket;
mod orders;
mod public_feeds;
mod recorded;
mod replace;
mod requests;
mod rig;
mod streams;
mod websocket;
mod without_tokio;
