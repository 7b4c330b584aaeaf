//! Kraken's WebSocket v2: its public spot market data.
//!
//! `codec.rs` reads frames and `answers.rs` REST answers, both pure; `candles.rs` finds out when a candle is closed; `session.rs`
//! is the connection. Symbols such as `BTC/USD` never leave this folder. Source: Kraken's API documentation, state of July 2026.

mod answers;
mod candles;
mod codec;
mod instruments;
mod session;

pub use answers::decode_candles;
pub use candles::OpenCandles;
pub use codec::{Data, Said, decode, decode_book, read};
pub use instruments::decode_listings;
pub use session::{MarketProtocol, settings};
