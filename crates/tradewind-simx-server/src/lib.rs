//! The simulated exchange behind Binance's spot wire: REST, market streams, the WebSocket API, user data, persistence.
//!
//! What an exchange *is* lives in `tradewind-simx`, which knows no symbols, keys, sockets or files; this crate spells it
//! the way Binance does (documentation of July 2026), well enough that public clients connect unchanged. It is no mock:
//! the desk talks to it over TCP with the adapter it would use for the real venue.
//!
//! Start with [`Server`]. Inside, `core.rs` is the whole server without I/O: requests, streams and time go in, answers,
//! frames and log records come out. `exchange_task.rs` is the one thread that owns it and stores before it answers;
//! `server.rs`, `http.rs` and `sockets.rs` are the thin shell around it;
//! `virtual_server/` is another shell, over bytes in memory and the caller's times. What can be called is listed in `rest/mod.rs`.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use tokio_util::sync::CancellationToken;
//! use tradewind_model::DeskClock;
//! use tradewind_simx::FillModel;
//! use tradewind_simx_server::{HISTORY, Limits, MarketChoice, Server, ServerOptions};
//!
//! # async fn run() -> Result<(), tradewind_simx_server::ServerError> {
//! let server = Server::bind(ServerOptions {
//!     listen: ([127, 0, 0, 1], 0).into(),
//!     data_dir: None,
//!     accounts: vec!["key:secret:USDT=10000".parse().expect("an account")],
//!     market: MarketChoice::Generated { seed: 7 },
//!     limits: Limits::Venue,
//!     fill: FillModel::Book,
//!     history: HISTORY,
//!     clock: Arc::new(DeskClock::system()),
//! })?;
//! println!("listening on {}", server.local_addr());
//! server.run(CancellationToken::new()).await
//! # }
//! ```

mod accounts;
mod control;
mod core;
mod decimals;
mod door;
mod exchange_task;
mod faults;
mod filters;
mod front;
#[doc(hidden)]
pub mod fuzzing;
mod handle;
mod http;
mod line;
mod market;
mod mirror;
mod nearest;
mod options;
mod order_log;
mod persist;
mod recorded;
mod rest;
mod server;
pub mod simulation;
mod sockets;
mod source;
mod span;
mod startup;
mod state;
mod streams;
mod symbols;
mod virtual_server;
mod websocket;
mod ws_api;
mod zone;

pub use accounts::{AccountSpec, AccountSpecError, Credential, Permissions};
pub use control::{ControlError, ControlPort};
pub use core::Counters;
pub use exchange_task::Status;
pub use faults::{Command, CommandError, Conduct, FaultErrors, FaultScript};
pub use handle::{NotRunning, ServerHandle};
pub use mirror::{Mirror, MirrorCounts, MirrorFeed};
pub use options::{Limits, MarketChoice, ServerError, ServerOptions};
pub use order_log::OrderLog;
pub use recorded::{Recording, RecordingError};
pub use server::Server;
pub use startup::saved_position;
pub use tradewind_simx::{HISTORY, Latencies, Latency, Leg};
pub use virtual_server::{ConnectionNumber, OrderRequest, VirtualServer};
