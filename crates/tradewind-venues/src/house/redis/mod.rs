//! Redis: pub/sub and streams, over one connection that this crate's `Connector` opens.

mod resp;
mod session;

pub(super) use session::RedisProtocol;
pub use session::{Positions, Redis, RedisUse};
