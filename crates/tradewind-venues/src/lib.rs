//! Venue adapters: pure protocol machines under a thin tokio shell.
//!
//! Everything that decides is a machine without I/O: reconnecting (`connection.rs`), subscribing (`subscriptions.rs`), one
//! data source of both (`machine.rs`), HTTP and WebSocket over bytes (`wire/`), the rate budget, the clock offset. Each takes
//! the time and an input and returns actions, so a simulator can run the code that runs live. Sockets open through
//! one injected [`Connector`]. The shell around the machines ([`DataSource`], [`BinanceVenue`]) gives every wait a time-out.
//!
//! What a venue calls things stays in its folder; the rest of the desk sees `tradewind-model` only. Orders leave through
//! the [`OrderGate`] and nowhere else. Start with [`Protocol`] for market data and [`BinanceVenue`] for everything signed.
//!
//! Machines count time as a [`Duration`](std::time::Duration) since an origin of the shell's choosing: monotonic, real
//! time, never the desk's clock, which may run faster than the sockets do.

mod address;
mod backoff;
mod begun;
pub mod binance;
pub mod book;
mod budget;
pub mod bybit;
mod clock_offset;
pub mod coinbase;
mod connection;
mod decimals;
mod error;
pub mod execution;
mod feeds;
pub mod framed;
mod frames;
mod gate;
mod health;
pub mod house;
pub mod kraken;
mod limits;
mod machine;
pub mod okx;
mod open_candles;
mod order_pool;
mod protocol;
mod public_session;
mod quote_order;
mod requests;
mod retry_budget;
mod rules;
mod sink;
mod source;
mod stats;
mod subscriptions;
mod symbols;
mod tap;
mod tls;
mod venue;
mod wire;
#[doc(hidden)]
pub use wire::fuzzing;

pub use address::{Address, AddressError, Scheme};
pub use backoff::Backoff;
pub use binance::{ApiKey, Assets, BinanceVenue, BookSource, KeyError, KeyRefusal, OrderEntry};
pub use budget::{Admission, Priority, RateBudget};
pub use clock_offset::{ClockOffset, OffsetSample};
pub use connection::{Connection, ConnectionIn, ConnectionOut, ConnectionSettings, LossReason};
pub use error::VenueError;
pub use feeds::build as build_feed;
pub use frames::{FrameReader, frame_reader};
pub use gate::{GatedIo, OrderGate, SendPermit};
pub use health::{HealthBook, HealthChange, SequenceVerdict};
pub use machine::{LinkId, SourceIn, SourceMachine, SourceOut, SourceSettings};
pub use protocol::{Ignored, Incoming, Protocol, ProtocolError, Sequence, Topic};
pub use retry_budget::{RetryBudget, RetryLimits};
pub use rules::{ListedFor, Listing, Listings, in_decimals_of};
pub use sink::{
    AccountSink, AssetBalance, CandleHole, MarketSink, SourceSink, ToAccountSink, ToMarketSink,
    UnlistedTrade, UserEvent,
};
pub use source::{DataSource, SourceCore, SourceHandle};
pub use stats::{SourceStats, StatsSnapshot};
pub use subscriptions::{
    SubscriptionIn, SubscriptionOut, SubscriptionSettings, Subscriptions, shards,
};
pub use symbols::{SymbolError, SymbolTable, Symbols, VenueDecimals};
pub use tap::{Message, Messages, Missing, Tap, Tapped, TappedConnector};
pub use tls::{TlsError, client_config};
pub use venue::{
    MarketData, OrdersBlocked, Pending, Source, TradesFrom, Venue, VenueContext, VenueKind,
    VenueSettings, build,
};
pub use wire::{
    Buffers, ByteStream, ConnectError, Connector, LinkAction, Links, Moved, Opening, RealTime,
    Sleeping, Stream, TcpConnector, TokioTime, layer, sleep_or_never,
};
