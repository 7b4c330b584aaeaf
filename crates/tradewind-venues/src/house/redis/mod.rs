//! Redis: pub/sub and streams, over one connection that this crate's `Connector` opens.

mod resp;
mod session;
mod settings;
mod support;

pub(super) use session::RedisProtocol;
pub(super) use settings::{CURSOR, Master};
pub use settings::{KeptPositions, Positions, Redis, RedisUse};
