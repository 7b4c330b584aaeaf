//! Types of every JSON answer, request and event.
//!
//! Nothing of the desk's inner types is serialised as it is. Each type here is filled by hand from a view or an event,
//! with [`Names`] turning dense ids into names, so that the desk may change inside while its readers stay. The CLI
//! reads the same types back; readers ignore fields they do not know.

mod balance;
mod bot;
mod candle;
mod command;
mod config;
mod equity;
mod event;
mod event_from;
mod feed;
mod fill;
mod list;
mod log;
mod names;
mod number;
mod order;
mod position;
mod queue;
mod risk;
mod source;
mod status;
mod why;
mod words;

pub use balance::{Balance, BalanceTable, OwnerAmount, VenueAmount};
pub use bot::{Bot, BotAnswer, BotCounts, BotSettings, NextWake};
pub use candle::{Candle, CandleAnswer, ExitLevels, FillMarker};
pub use command::{
    AdoptPosition, AdoptedFrom, ApplyBots, BotsAnswer, ClearRisk, ClosePosition, CommandAnswer,
    KillRequest, PlaceOrder, ResetNonce, ResetRequest, Session, SessionRequest, StopBot, StopMode,
};
pub use config::{AccountSettings, ConfigAnswer, InstrumentSettings};
pub use equity::{AccountEquity, EquityPoint, Totals};
pub use event::{Event, EventBody, Gap};
pub(crate) use event_from::action_text;
pub use feed::{Feed, Quote};
pub use fill::Fill;
pub use list::{List, ViewList};
pub use log::{AuditEntry, LogLine, Token};
pub use names::Names;
pub use number::{Decimal, Instant};
pub use order::Order;
pub use position::Position;
pub use queue::{Queue, QueueAnswer, Stage};
pub use risk::{BlockedExit, Cause, Limit, RiskAnswer, RiskEvent, Scope, Unprotected};
pub use source::{BotTarget, SeriesNumber, TargetAnswer, TargetSource};
pub(crate) use status::StatusExtra;
pub use status::{BotStates, Close, Component, Counters, Denials, Mode, Status};
pub use why::{EventAnswer, WhyAnswer};
pub(crate) use words::word;
pub use words::{
    BotState, Clearing, FeedHealth, Liquidity, OrderStatus, OrderType, Purpose, ScopeKind, Side,
    TimeInForce, TradingState,
};
