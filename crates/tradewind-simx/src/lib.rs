//! The simulated exchange's core: matching, balances, fees, filters, and the markets that move it.
//!
//! Nothing here does I/O, reads a clock or draws from chance it was not given: [`Exchange`] is a state machine that takes
//! client [`Action`]s and [`MarketEvent`]s with their time and leaves what happened in an [`Outbox`]. The same actions
//! at the same times give the same bytes, so its owner may keep a log of them, or a snapshot (it is serialisable), or
//! both. A backtest links it under the engine; `tradewind-simx-server` puts a venue's wire in front of it. It knows no
//! keys, no symbols, no rate limits: those are the server's.
//!
//! Start with [`Exchange`] in `exchange.rs`. How an order finds its counterparties is in `matching.rs`; what the market
//! does to orders that wait is in `market_update.rs`; where prices come from is in `market/`.
//!
//! ```
//! use tradewind_model::{Amount, AssetId, OrderKind, Side, Timestamp, VenueId};
//! use tradewind_simx::{ClientId, Exchange, ExchangeConfig, NewOrder, Outbox, Size, universe};
//!
//! let listed = universe("simx", VenueId(0));
//! let mut exchange = Exchange::new(ExchangeConfig::default(), listed.instruments);
//! let account = exchange.open_account();
//! let (now, mut out) = (Timestamp::from_secs(1), Outbox::default());
//! let usdt = listed.assets.find("USDT").unwrap();
//! exchange.deposit(now, account, usdt, Amount::whole(1_000), &mut out).unwrap();
//!
//! let bitcoin = &exchange.instruments()[0];
//! let size = Size::Base(bitcoin.parse_quantity("0.01")?);
//! let order = NewOrder::new(account, bitcoin.id, ClientId::new("first")?, Side::Buy, size, OrderKind::Market);
//! let order = exchange.submit(now, &order, &mut out).unwrap();
//! assert!(order.filled.is_zero(), "nobody sells yet, so the venue ends the order at once");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod action;
mod amend;
mod average;
mod book;
mod client_id;
mod config;
mod exchange;
mod fees;
mod fills;
mod filters;
mod ladder;
mod latency;
mod list;
mod listing;
mod lists;
mod market;
mod market_update;
mod matching;
mod order;
mod orders;
mod outbox;
pub mod recorded;
mod refusal;
mod settlement;
mod submission;
mod table;
mod trigger;
mod triggers;
mod views;
mod waiting;

pub use account::Balance;
pub use action::{
    Action, AmendOrder, Answer, CancelList, CancelOrder, Labels, NewOrder, OrderRef, SelfTrade,
    Size,
};
pub use client_id::{ClientId, ClientIdError};
pub use config::{
    Caps, ExchangeConfig, FillModel, HISTORY, History, PriceBand, Prints, UnknownFillModel,
};
pub use exchange::Exchange;
pub use fees::{FeeAsset, FeeChoice, FeeSchedule, Fees};
pub use latency::{Chance, Latencies, Latency, LatencyError, Leg, Sampler, parse_span};
pub use list::{ListId, ListKind, ListRef, ListShape, ListStatus, NewList, OrderList};
pub use market::{
    Generated, Kline, KlineRange, KlineStore, MarketEvent, MarketRecord, MarketSource, Recorded,
    Universe, universe,
};
pub use order::{EndReason, Order};
pub use outbox::{BalanceChange, Execution, ListReport, OrderEvent, OrderReport, Outbox};
pub use refusal::{Filter, Refusal};
pub use trigger::{Bips, Direction, Purpose, Tracking, Trigger};
