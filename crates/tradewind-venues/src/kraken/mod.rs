//! Kraken's WebSocket v2: its public spot market data.
//!
//! `codec.rs` reads frames and `answers.rs` REST answers, both pure; `session.rs` is the
//! connection. Symbols such as `BTC/USD` never leave this folder. Source: Kraken's API documentation, state of July 2026.

mod answers;
mod codec;
mod instruments;
mod session;

pub use crate::open_candles::OpenCandles;
pub use answers::decode_candles;
pub(crate) use codec::has_candles;
pub use codec::{Data, Said, decode, decode_book, read};
pub use instruments::decode_listings;
pub(crate) use instruments::rest_name;
pub use session::{MarketProtocol, settings};
