//! Coinbase Advanced: its public spot market data.
//!
//! `codec.rs` reads frames and `answers.rs` REST answers, both pure; `session.rs` is the connection. Symbols such as `BTC-USD`
//! never leave this folder. Source: Coinbase's Advanced Trade documentation, state of July 2026.

mod answers;
mod codec;
mod instruments;
mod session;

pub use answers::decode_candles;
pub(crate) use answers::granularity;
pub(crate) use codec::has_candles;
pub use codec::{Data, Event, Frame, Said, decode, decode_book, read};
pub use instruments::decode_listings;
pub use session::{MarketProtocol, settings};
