//! What an observer may see: the desk's state as of one input, copied out of the engine between two.
//!
//! A view is a snapshot with the sequence number it was taken at, so two screens that show the same number show the
//! same desk. Ids are dense; an edge turns them into names with the [`Configuration`](crate::Configuration).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, AssetId, BotId, Decimal, EventId, FeedHealth, InstrumentId, Interval,
    OrderStatus, OrderTerms, OwnerId, Price, Quantity, Quote, Reason, SideMode, Timestamp,
    VenueOrderId,
};
use tradewind_risk::{Cause, Pause, PositionEffect, Rule, TradingState};

use crate::account_stream::AccountStreamView;
use crate::event::BotState;
use crate::target::{SourceView, TargetView};

/// The desk as of one input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeskView {
    /// The last input it contains.
    pub seq: u64,
    /// Time of that input.
    pub at: Timestamp,
    /// State of the desk as a whole.
    pub state: TradingState,
    /// Why it, or a part of it, is not active.
    pub causes: Vec<CauseView>,
    /// Accounts.
    pub accounts: Vec<AccountView>,
    /// Accounts' streams, by account, without trailing absent ones.
    #[serde(default)]
    pub streams: Vec<AccountStreamView>,
    /// Bots, by id.
    pub bots: Vec<BotView>,
    /// Open orders, by client order id.
    pub orders: Vec<OrderView>,
    /// Positions that are not flat.
    pub positions: Vec<PositionView>,
    /// Ledger balances that are not zero.
    pub balances: Vec<BalanceView>,
    /// Instruments' feeds, by id.
    pub feeds: Vec<FeedView>,
    /// What was counted since the start.
    pub counters: Counters,
    /// The results of the last candle close that woke a bot.
    pub last_close: CloseView,
    /// Positions with a stop that no stop at the venue covers for longer than two seconds, with the reason.
    #[serde(default)]
    pub unprotected: Vec<UnprotectedView>,
    /// Exits that are refused again and again, with the reason.
    #[serde(default)]
    pub blocked_exits: Vec<BlockedExitView>,
    /// The latest numbers of named series, by name.
    #[serde(default)]
    pub numbers: Vec<NumberView>,
    /// The newest targets of the bots that outside processes steer, by bot and instrument.
    #[serde(default)]
    pub targets: Vec<TargetView>,
    /// What sources sent of targets, by source.
    #[serde(default)]
    pub sources: Vec<SourceView>,
}

/// The latest number of a named series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberView {
    /// The series' full name: `house:fear`.
    pub name: String,
    /// The number.
    pub value: Decimal,
    /// When it was so, by its source.
    pub event_time: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// Age from which on it is of no use; `None` for any.
    pub max_age: Option<Duration>,
}

/// A position that is not covered at the venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnprotectedView {
    /// Account.
    pub account: AccountId,
    /// Whose position.
    pub bot: BotId,
    /// In what.
    pub instrument: InstrumentId,
    /// How much of it no stop covers.
    pub quantity: Quantity,
    /// Since when.
    pub since: Timestamp,
    /// Why, in words.
    pub reason: String,
}

/// A position that cannot be closed at present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedExitView {
    /// Account.
    pub account: AccountId,
    /// Whose position.
    pub bot: BotId,
    /// In what.
    pub instrument: InstrumentId,
    /// How often it was refused in a row.
    pub refusals: u32,
    /// When it is tried again.
    pub next_try: Option<Timestamp>,
    /// The last refusal, in words.
    pub reason: String,
}

/// The results of a candle close, from the close until the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseView {
    /// The moment the candles closed.
    pub at: Timestamp,
    /// Strategies evaluated.
    pub woke: u32,
    /// Strategies that left things as they were.
    pub held: u32,
    /// Signals.
    pub signals: u32,
    /// Orders denied since, by rule.
    pub denied: Vec<(Rule, u32)>,
    /// Orders filled to the end since.
    pub filled: u32,
    /// Fills since that left their order working.
    pub partly_filled: u32,
}

/// An open cause.
pub type CauseView = Cause;

/// An account's totals, in the report asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Which.
    pub account: AccountId,
    /// Whether it was read from the venue and taken over.
    pub reconciled: bool,
    /// Equity, EXTERNAL left out.
    pub equity: EquityPoint,
    /// Equity when the desk started.
    pub started_with: Amount,
}

/// Equity at a moment, in the report asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EquityPoint {
    /// When.
    pub at: Timestamp,
    /// Value of all the desk owns.
    pub equity: Amount,
    /// Realised since the start.
    pub realized: Amount,
    /// Unrealised.
    pub unrealized: Amount,
    /// Assets not in the sum because they have no price.
    pub unpriced: u32,
}

/// A bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BotView {
    /// Which.
    pub bot: BotId,
    /// How far it is.
    pub state: BotState,
    /// Why it is in that state, in words.
    pub state_reason: String,
    /// Since when.
    pub since: Timestamp,
    /// What its strategy last said, and of which instrument.
    pub reason: Reason,
    /// The instrument of that reason.
    pub reason_instrument: Option<InstrumentId>,
    /// When its strategy was last evaluated.
    pub last_wake: Option<Timestamp>,
    /// When it will be evaluated next, if that is known.
    pub next_wake: Option<NextWake>,
    /// How often it was evaluated.
    pub wakes: u64,
    /// Signals.
    pub signals: u64,
    /// Orders placed.
    pub orders: u64,
    /// Fills.
    pub fills: u64,
    /// Denials.
    pub denials: u64,
    /// Its last denial, in words with the rule first.
    pub last_denial: Option<String>,
    /// Times in which it opens no position, because of its closed trades.
    #[serde(default)]
    pub pauses: Vec<Pause>,
    /// Errors.
    pub errors: u64,
    /// Worst lateness of a wake since the start, in nanoseconds after it was due.
    pub lateness_max_nanos: u64,
    /// Value of its balances and positions, in the quote asset.
    pub equity: Amount,
    /// Realised profit and loss since the start, in the quote asset.
    pub realized: Amount,
    /// Unrealised.
    pub unrealized: Amount,
    /// What its strategy looks for, part by part, with the values of its last evaluation. Empty for most strategies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<ClauseView>,
    /// What it may use, in the quote asset.
    #[serde(default)]
    pub budget: Amount,
    /// Its universe, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub universe: Option<UniverseView>,
}

/// The instruments that a bot may enter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniverseView {
    /// Them, the first by its ranking first. Its other instruments are only left.
    pub members: Vec<InstrumentId>,
    /// The 00:00 UTC until which the candles go that they were chosen by; `None` before the first choice.
    pub as_of: Option<Timestamp>,
    /// When they changed last.
    pub changed_at: Option<Timestamp>,
}

/// A part of what a strategy looks for in an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClauseView {
    /// Where.
    pub instrument: InstrumentId,
    /// What it leads to: `enter dip`.
    pub clause: String,
    /// The condition as it is written.
    pub text: String,
    /// Its value: `true`, `false`, `unknown`, or a number.
    pub value: String,
    /// What it compares, each as written and with its value.
    pub operands: Vec<(String, String)>,
}

/// A bot's next wake by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextWake {
    /// When.
    pub at: Timestamp,
    /// The candle that closes then; `None` for an interval of its own.
    pub interval: Option<Interval>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    /// The order.
    pub terms: OrderTerms,
    /// The venue's id, once known.
    pub venue_order_id: Option<VenueOrderId>,
    /// For whom.
    pub bot: Option<BotId>,
    /// Entry, exit or protective stop.
    pub purpose: PositionEffect,
    /// Where it is.
    pub status: OrderStatus,
    /// How much is filled.
    pub filled: Quantity,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The event that announced it.
    pub placed_by: EventId,
}

/// A position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionView {
    /// Account.
    pub account: AccountId,
    /// Whose.
    pub owner: OwnerId,
    /// In what.
    pub instrument: InstrumentId,
    /// Signed quantity.
    pub quantity: Quantity,
    /// What it cost, in the quote asset.
    pub cost: Amount,
    /// Average entry price, for display.
    pub entry_price: Option<Price>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Unrealised profit and loss at the mid, in the quote asset; none without a quote.
    pub unrealized: Option<Amount>,
    /// Realised since it was opened.
    pub realized: Amount,
    /// How it is guarded.
    pub exit: ExitView,
    /// Which of the account's positions in the instrument it is.
    #[serde(default)]
    pub side_mode: SideMode,
    /// What the venue holds as security for it, in the settlement asset.
    #[serde(default)]
    pub margin: Amount,
    /// How much of it stops at the venue cover.
    #[serde(default)]
    pub protected: Quantity,
}

/// The levels at which the engine will close a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitView {
    /// Where a loss is taken.
    pub stop: Option<Price>,
    /// Where the gain is taken.
    pub take_profit: Option<Price>,
    /// Where the trailing stop is now.
    pub trailing: Option<Price>,
    /// When it is closed at the latest.
    pub at: Option<Timestamp>,
}

impl ExitView {
    /// Whether a loss is bounded by a stop the engine watches while it runs.
    #[must_use]
    pub const fn is_protected(&self) -> bool {
        self.stop.is_some() || self.trailing.is_some()
    }
}

/// A ledger balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceView {
    /// Account.
    pub account: AccountId,
    /// Asset.
    pub asset: AssetId,
    /// Whose.
    pub owner: OwnerId,
    /// How much.
    pub amount: Amount,
}

/// An instrument's feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedView {
    /// Which.
    pub instrument: InstrumentId,
    /// How far it can be trusted.
    pub health: FeedHealth,
    /// The latest quote.
    pub quote: Option<Quote>,
    /// Quotes seen by the engine.
    pub quotes: u64,
    /// Trades seen by the engine.
    pub trades: u64,
    /// Candles seen by the engine.
    pub candles: u64,
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Wakes of strategies.
    pub wakes: u64,
    /// Decisions to hold.
    pub holds: u64,
    /// Signals.
    pub signals: u64,
    /// Denials.
    pub denials: u64,
    /// Orders placed.
    pub orders: u64,
    /// Fills.
    pub fills: u64,
    /// Fills that left the order working.
    pub partial_fills: u64,
    /// Reports seen a second time and not applied.
    pub duplicate_reports: u64,
    /// Alarms: what a person should look at, and that changes no state by itself.
    #[serde(default)]
    pub alarms: u64,
    /// Answers of other lanes dropped as late or superseded.
    pub late_evaluations: u64,
    /// Bot errors.
    pub bot_errors: u64,
}
