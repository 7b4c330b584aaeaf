//! OKX v5: its public market data.
//!
//! `codec.rs` reads frames and `answers.rs` REST answers, both pure; `session.rs` is the connection. Quotes, trades and books
//! come over the public address, candles over the business one: a source each. Symbols such as `BTC-USDT` never leave this
//! folder. Source: OKX API v5, state of July 2026.

mod answers;
mod codec;
mod instruments;
mod session;

pub use answers::decode_candles;
pub use codec::{Data, Said, decode, decode_book, read};
pub(crate) use codec::{candle_channel, has_candles};
pub use instruments::decode_listings;
pub use session::{Endpoint, MarketProtocol, settings};
