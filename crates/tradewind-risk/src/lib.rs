//! Pre-trade risk: the checks, the limits they hold orders to, the trading states, and the seal on what passed.
//!
//! Nothing here does I/O or reads a clock. The engine calls [`check`] once per order; the answer is an
//! [`ApprovedOrder`], which nothing outside this crate can make, or a [`DenyReason`]. Start with `gate.rs`.

mod approved_order;
mod breaker;
mod checks;
mod deny;
mod gate;
mod latch;
mod limits;
mod monitors;
mod protections;
mod rates;
mod recent;
mod state;

pub use approved_order::ApprovedOrder;
pub use breaker::{BreakerLimits, BreakerScope, BreakerState, CircuitBreaker};
pub use checks::r20_self_match::would_match;
pub use checks::{reach, visible_quantity};
pub use deny::{DenyReason, Rule};
pub use gate::{AccountFacts, Candidate, Context, PositionEffect, SecondSource, check};
pub use latch::KillLatch;
pub use limits::{LimitKey, LimitValue, Limits, LossAction, Rate};
pub use monitors::{AccountValue, BotValue, Monitors, Observation, Verdict};
pub use protections::{ClosedTrade, ClosedTrades, Pause};
pub use rates::TokenBucket;
pub use recent::{RecentOrders, SideEntries};
pub use state::{Cause, CauseKind, Clearing, OrderScope, Scope, TradingState, TradingStates};
