//! Binance spot: its REST interface, its market streams and its user data stream.
//!
//! `codec.rs` reads stream frames and `answers.rs` REST answers, both pure; `requests.rs` writes requests; `verdict.rs`
//! judges the answers to orders. `venue.rs` ties them together; its verbs are in `listing.rs`, `account.rs` and
//! `orders.rs`. A symbol such as `BTCUSDT` never leaves this folder. Source: the venue's own documentation repository,
//! `binance-spot-api-docs`, state of July 2026.

mod account;
mod answers;
mod assets;
mod book_read;
mod client_ids;
mod codec;
mod diff_books;
mod entry;
mod execution;
#[doc(hidden)]
pub mod fuzzing;
mod history;
mod instruments;
mod listing;
mod order_socket;
mod orders;
mod pages;
mod permissions;
mod replace;
pub(crate) mod requests;
pub(crate) mod rest;

mod session;
mod signing;
mod snapshots;
mod socket_answer;

mod user_events;
mod user_stream;
mod venue;
mod verdict;

pub use crate::rules::Listing;
pub use crate::symbols::{SymbolError, SymbolTable};
pub use assets::Assets;
pub use codec::{BookUpdate, decode, decode_book_snapshot, decode_book_update};
pub use entry::OrderEntry;
pub(crate) use execution::build;
pub use instruments::decode_listings;
pub use permissions::{KeyRefusal, Restrictions, UnfitKey};
pub use replace::{IfCancelFails, Replacement};
pub use session::MarketProtocol;
pub use signing::{ApiKey, KeyError, sign_hmac};
pub use user_events::AccountReader;
pub use user_stream::UserProtocol;
pub use venue::{BinanceConfig, BinanceVenue, BookSource, MarketSource, UserSource};
pub use verdict::{Verdict, judge_cancel, judge_order};
