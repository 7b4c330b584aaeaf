//! The server over real sockets on loopback, driven by clients that are not ours.

mod client;
mod restart;
mod rest;
mod streams;
mod user_data;
