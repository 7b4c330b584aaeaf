//! Wire protocols as machines over bytes, and the one way to open a socket.
//!
//! `http.rs` and `websocket.rs` take bytes and append bytes; they never see a socket. A [`Connector`] opens an address and
//! yields a [`ByteStream`]. [`Buffers`] lies between: [`Buffers::poll`] moves bytes between a stream and two buffers without
//! waiting. A machine with connections is [`Links`], and `shell.rs` serves one. Whatever waits here waits for a stream or for
//! [`RealTime::sleep`], so it runs on any executor: tokio live, a loop without tokio on a virtual network.

mod buffers;
mod connector;
#[doc(hidden)]
pub mod fuzzing;
pub(crate) mod http;
pub(crate) mod json;
mod paced;
mod pool;
mod shell;
mod time;
pub(crate) mod websocket;

pub use buffers::{Buffers, Moved};
pub(crate) use connector::within;
pub use connector::{ByteStream, ConnectError, Connector, Opening, Stream, TcpConnector, layer};
pub(crate) use paced::PacedConnector;
pub(crate) use pool::{HttpLink, HttpPool, IdleLinks, LinkError};
pub(crate) use shell::Shell;
pub use shell::{LinkAction, Links};
pub use time::{RealTime, Sleeping, TokioTime, sleep_or_never};
