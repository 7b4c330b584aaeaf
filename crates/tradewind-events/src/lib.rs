//! What goes into the engine, what comes out of it, and what it announces.
//!
//! These types are the desk's inner language: the engine, its drivers, the journal and every edge speak it. They live
//! apart from the engine so that an edge needs no engine. Start with [`Input`], one closed enum of all that can
//! happen, then [`Output`] and [`EventKind`].

mod account_stream;
mod command;
mod configuration;
mod event;
mod input;
mod output;
mod target;
mod view;

pub use account_stream::{
    AccountStreamView, ClockReading, StreamBalance, StreamChange, StreamState,
};
pub use command::{
    Action, AdoptedFrom, Adoption, AppliedBots, Command, CommandId, CommandResult, Principal,
    StopMode,
};
pub use configuration::{
    BotConfig, Build, CandleSource, Configuration, ExternalControl, Lane, OnRestart,
    PriceReference, Started, StrategyProcess, WakeRule,
};
pub use event::{
    AlarmKind, BotState, Delivery, Event, EventKind, EventType, SignalDetails, SignalSource,
};
pub use input::{
    AccountFills, AccountState, AdoptedOrder, BookRead, CandleHistory, Evaluation, EvaluationError,
    EvaluationOutcome, Funding, Input, LaneState, OpenOrder, SeriesPoint, StorageHealth, Timer,
    VenuePosition, VenuePositions,
};
pub use output::{EvaluationRequest, Intent, Output, Outputs, ReadData, StopShare};
pub use target::{ExternalTarget, SourceView, TargetFault, TargetView};
pub use view::{
    AccountView, BalanceView, BlockedExitView, BotView, CauseView, ClauseView, CloseView, Counters,
    DeskView, EquityPoint, ExitView, FeedView, NextWake, NumberView, OrderView, PositionView,
    UniverseView, UnprotectedView,
};
