//! Pre-trade risk: the checks, the limits they hold orders to, the trading states, and the seal on what passed.
//!
//! Nothing here does I/O or reads a clock. The engine calls [`check`] once per order; the answer is an
//! [`ApprovedOrder`], which nothing outside this crate can make, or a [`DenyReason`]. Start with `gate.rs`.

mod approved_order;
mod checks;
mod deny;
mod gate;
mod latch;
mod limits;
mod rates;
mod recent;
mod state;

pub use approved_order::ApprovedOrder;
pub use deny::{DenyReason, Rule};
pub use gate::{Candidate, Context, PositionEffect, check};
pub use latch::KillLatch;
pub use limits::{LimitKey, Limits, Rate};
pub use rates::TokenBucket;
pub use recent::RecentOrders;
pub use state::{Cause, CauseKind, Clearing, Scope, TradingState, TradingStates};
