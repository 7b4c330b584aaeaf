//! The API over a real loopback socket, before a desk of made-up state. One test binary: each further one costs a link.

mod answers;
mod commands;
mod common;
mod guard;
mod stream;
