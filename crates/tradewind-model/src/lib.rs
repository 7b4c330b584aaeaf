//! The vocabulary of the desk: exact numbers, instruments, accounts, ids, time, market data, orders and fills.
//!
//! Every crate uses these types, and this crate depends on no other. Nothing here does I/O, reads a clock or depends on a
//! venue's spelling of anything. Start with [`Price`], [`Quantity`] and [`Amount`] in `number.rs`, then
//! [`Instrument`], whose filters give those numbers their meaning.

mod account;
mod asset;
mod candle;
mod clock;
mod decimal;
mod decision;
mod id;
mod instrument;
mod market;
pub mod mutation;
mod number;
mod order;
mod parameter;
mod position;
mod protections;
mod report;
mod resting;
mod series;
mod standing_target;
mod time;
mod universe;

pub use account::{Account, AccountMode};
pub use asset::{Asset, AssetTable};
pub use candle::{Candle, CandleBuilder, Interval, IntervalError};
pub use clock::{Clock, DeskClock, ManualClock};
pub use decimal::{Decimal, NumberError, format_fixed, parse_fixed};
pub use decision::{
    CarriedOut, Decision, ExitPlan, LastEntry, LimitPolicy, OnTimeout, OrderPolicy, Reason, Sizer,
    Stop, TakeProfitBy, Target, Wake,
};
pub use id::{
    AccountId, AssetId, BotId, ClientOrderId, ClientOrderIds, EventId, InstrumentId, OwnerId,
    TradeId, VenueId, VenueOrderId,
};
pub use instrument::{Instrument, InstrumentKind, InstrumentStatus, RuleBreach, StopOrders};
pub use market::{Depth, FeedHealth, Level, MarketEvent, Quote, Trade};
pub use number::{Amount, Money, Ppm, Price, Quantity};
pub use order::{
    Fill, Liquidity, OrderKind, OrderStatus, OrderTerms, Side, TakeProfit, TimeInForce,
};
pub use parameter::Parameter;
pub use position::{PositionState, SideMode};
pub use protections::{DrawdownGuard, LowProfit, Protection, Protections, StopGuard};
pub use report::{ExecutionReport, NotSentReason, RejectReason, ReportKind};
pub use resting::{RestingKind, RestingOrder, RestingOrders, RestingOrdersError};
pub use series::{Number, Numbers, SeriesNumber};
pub use standing_target::{OnExpiry, StandingTarget};
pub use time::Timestamp;
pub use universe::{Day, Measure, Ranking, RankingError, Universe};
