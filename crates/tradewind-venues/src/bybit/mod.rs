//! Bybit v5: its public spot market data.
//!
//! `codec.rs` reads frames and `answers.rs` REST answers, both pure; `session.rs` is the connection. Symbols such as `BTCUSDT`
//! never leave this folder. Source: Bybit's API documentation, v5, state of July 2026.

mod answers;
mod codec;
mod instruments;
mod session;

pub use answers::decode_candles;
pub use codec::{Data, Said, decode, decode_book, read};
pub(crate) use codec::{candle_channel, has_candles};
pub use instruments::decode_listings;
pub use session::{MarketProtocol, TOPICS_MAX, settings};
