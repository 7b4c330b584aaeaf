//! The SQLite projection of the event log.
//!
//! Derived, never waited for, and rebuilt at will: whatever is here was in the journal first. One [`Writer`] thread reads
//! the log from where the database ends; [`Readers`] answer the API on connections of their own, blocking, so they are
//! called from a blocking thread. Nothing that trades reads this. Start with [`Projection`] and `migrations/`.

mod apply;
mod error;
mod names;
mod projection;
mod queries;
mod readers;
mod schema;
mod writer;

pub use error::StorageError;
pub use projection::Projection;
pub use queries::{
    BotErrorRow, BotStateRow, CommandRow, EquityRow, FillRow, FillsQuery, LedgerRow, OrderHistory,
    OrderRow, OrdersQuery, Page, PageToken, RiskEventRow,
};
pub use readers::Readers;
pub use writer::{EventSource, HistoryItem, Lag, Writer, WriterOptions};
