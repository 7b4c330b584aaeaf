//! All that can happen to the engine: one closed enum.
//!
//! Every input is numbered and journaled by the driver before it is handled. Market data is `Copy` and stands in the
//! enum itself; what is rare or large is boxed, so that an `Input` stays small.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, AssetId, BotId, Candle, ClientOrderId, Decimal, Decision, Depth,
    ExecutionReport, FeedHealth, Fill, Instrument, InstrumentId, Interval, OrderTerms, Price,
    Quantity, Quote, SideMode, Timestamp, Trade, VenueOrderId,
};
use tradewind_risk::BreakerScope;

use crate::account_stream::StreamChange;
use crate::command::Command;
use crate::configuration::{Configuration, Started};
use crate::event::AlarmKind;
use crate::target::ExternalTarget;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The desk's configuration; the first input of a journal.
    Configured(Box<Configuration>),
    /// The desk started; the second.
    Started(Started),
    /// A quote.
    Quote(Quote),
    /// A public trade.
    Trade(Trade),
    /// A closed candle from the venue.
    Candle(Candle),
    /// The top of a book.
    Depth(Box<Depth>),
    /// Past candles, requested with [`Output::RequestCandles`](crate::Output::RequestCandles).
    Candles(Box<CandleHistory>),
    /// A feed became better or worse.
    Health {
        /// Of which instrument.
        instrument: InstrumentId,
        /// What it is now.
        health: FeedHealth,
        /// When the message that shows it was received. `None` where no message did, and in journals of before: then when the
        /// engine takes it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        received_at: Option<Timestamp>,
    },
    /// The venue changed an instrument's rules.
    InstrumentChanged(Box<Instrument>),
    /// The venue said something about one of our orders, or the gate kept it back.
    Report(Box<ExecutionReport>),
    /// An account as the venue shows it: at the start, and whenever the two may have come apart.
    Account(Box<AccountState>),
    /// A part of the fills of a reading of an account, which is too long for one input.
    AccountFills(Box<AccountFills>),
    /// The venue paid or took funding on a contract.
    Funding(Funding),
    /// Positions in contracts as the venue shows them. They are journaled; the engine does not compare them yet.
    Positions(Box<VenuePositions>),
    /// A new number of a named series, such as a funding rate or an index of another source.
    Series(Box<SeriesPoint>),
    /// A timer that the engine set is due.
    Timer(Timer),
    /// A strategy in another lane answered.
    Evaluation(Box<Evaluation>),
    /// A strategy in another lane hands in its state, to be saved with the engine's.
    LaneState(Box<LaneState>),
    /// A person, or a program on a person's behalf, wants something.
    Command(Box<Command>),
    /// The event log's writer fell behind, or caught up.
    Storage(StorageHealth),
    /// The venue has no candles between two moments, or cannot be read: they are missing for good.
    CandlesMissing {
        /// Of which instrument.
        instrument: InstrumentId,
        /// Of which length.
        interval: Interval,
        /// When the first one that is missing opened.
        from: Timestamp,
        /// When the last one closed.
        to: Timestamp,
    },
    /// The lanes before the engine lost trades: candles being built are incomplete.
    TradesLost {
        /// How many.
        count: u64,
    },
    /// Reports on the orders of every account may have been missed: each open order is queried.
    Resync,
    /// A subscriber of the bus began to lose events.
    QueueOverflow {
        /// Which.
        subscriber: Box<str>,
        /// How many it lost since it began to.
        dropped: u64,
    },
    /// The desk is stopping: no more entries.
    Stopping,
    /// An account's stream reported something of itself or of the account; reports on orders are [`Report`](Self::Report).
    AccountStream {
        /// The account.
        account: AccountId,
        /// What it reported.
        change: Box<StreamChange>,
    },
    /// The answer to [`Output::ReadBook`](crate::Output::ReadBook).
    Book(Box<BookRead>),
    /// The process ended uncleanly too often; follows [`Started`](Self::Started). No bot is started until a person has looked.
    SafeMode,
    /// An outside process wants a bot to hold something.
    Target(Box<ExternalTarget>),
    /// A source sent a target that cannot be read.
    TargetUnreadable {
        /// The source.
        source: Box<str>,
        /// What is wrong with it.
        reason: Box<str>,
    },
    /// A house source is connected and subscribed, is not, or has lost messages.
    SourceHealth {
        /// The source.
        source: Box<str>,
        /// `Live`, `Stale` or `Gap`. A gap says nothing of the connection.
        health: FeedHealth,
    },
    /// An account has an asset that the configuration does not name. It comes before every input that uses the id, so that the id stays
    /// the asset's over restarts.
    AssetAdded {
        /// The next id of the desk's table.
        asset: AssetId,
        /// The venue's name for it.
        name: Box<str>,
    },
    /// A component of the desk hangs, or does not any more.
    Component {
        /// Its name.
        name: Box<str>,
        /// What is wrong with it; `None` once it works again.
        problem: Option<Box<str>>,
    },
    /// A part of the desk outside of the engine raises an alarm.
    Alarm {
        /// Which.
        alarm: AlarmKind,
        /// What happened, in words.
        text: Box<str>,
    },
}

/// Past candles of one instrument and interval, oldest first, closed ones only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleHistory {
    /// Of what.
    pub instrument: InstrumentId,
    /// Which.
    pub interval: Interval,
    /// The candles; empty if the venue has none.
    pub candles: Vec<Candle>,
}

/// The top of an instrument's book as the venue answered a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookRead {
    /// Of what.
    pub instrument: InstrumentId,
    /// The book; `None` if it cannot be read.
    pub depth: Option<Depth>,
}

/// A timer of the engine. Setting one that is set already moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// A bot's turn to start.
    BotStart(BotId),
    /// A bot's own interval.
    BotWake(BotId),
    /// A bot's return after a fault.
    BotRetry(BotId),
    /// A bot in another lane has not answered in time.
    EvaluationDeadline(BotId),
    /// A working order waited long enough.
    OrderTimeout(ClientOrderId),
    /// The age at which a position is closed or its profit target changes.
    PositionAge(BotId, InstrumentId),
    /// What an exit left open is to be tried again.
    ExitRetry(BotId, InstrumentId),
    /// An equity snapshot is due.
    Equity,
    /// Built candles that end now are closed.
    CandleClose,
    /// Silent feeds are looked for.
    Staleness,
    /// A kill that closes positions first is to go on, or is over.
    Flatten,
    /// The stops at the venue are compared with the account's positions in an instrument.
    Protection(AccountId, InstrumentId),
    /// Accounts and bots are valued for the limits of losses.
    LossCheck,
    /// An open circuit breaker may let one entry probe.
    Breaker(BreakerScope),
    /// An account is to be read from its venue again.
    AccountReading(AccountId),
    /// The target of an outside process expires.
    TargetExpiry(BotId, InstrumentId),
    /// The disk has taken writes for long enough after it had refused them.
    DiskClean,
    /// The members of a bot's universe are chosen for the day.
    Universe(BotId),
    /// Budgets that are shares of their account's equity are set for the day.
    Budgets,
    /// Orders of an account could leave for long enough after they could not.
    OrdersClean(AccountId),
}

/// An account as the venue shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    /// Which account.
    pub account: AccountId,
    /// Total of each asset, free and locked together.
    pub balances: Vec<(AssetId, Amount)>,
    /// Orders open now.
    pub open_orders: Vec<OpenOrder>,
    /// Every fill since the last reading, oldest first, with the bot its intent named. At the first reading: every fill of
    /// the account. Those of [`AccountFills`] that came before it are left out.
    pub fills: Vec<(Fill, Option<BotId>)>,
}

/// Fills of an account, the oldest of a reading that lists more than one input holds. Its [`AccountState`] follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFills {
    /// Which account.
    pub account: AccountId,
    /// The fills, oldest first, with the bot its intent named.
    pub fills: Vec<(Fill, Option<BotId>)>,
}

/// A payment of funding on an account's position in a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funding {
    /// Account.
    pub account: AccountId,
    /// The contract.
    pub instrument: InstrumentId,
    /// What was received, in the settlement asset; negative was paid.
    pub amount: Amount,
}

/// An account's positions in contracts as the venue shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenuePositions {
    /// Account.
    pub account: AccountId,
    /// All that are not flat.
    pub positions: Vec<VenuePosition>,
}

/// A position in a contract as the venue shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenuePosition {
    /// The contract.
    pub instrument: InstrumentId,
    /// Which of the account's positions in it.
    pub side_mode: SideMode,
    /// Signed quantity.
    pub quantity: Quantity,
    /// Average entry price.
    pub entry_price: Price,
    /// What the venue holds as security for it, in the settlement asset.
    pub margin: Amount,
}

/// A number of a named series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesPoint {
    /// Name of the series.
    pub name: String,
    /// The instrument it belongs to; `None` for one of the whole market.
    pub instrument: Option<InstrumentId>,
    /// The number.
    pub value: Decimal,
    /// The source's stamp, if it has one.
    pub event_time: Option<Timestamp>,
    /// When it was read.
    pub received_at: Timestamp,
    /// Age from which on it is of no use; `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
}

/// An order open at the venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrder {
    /// What it says.
    pub terms: OrderTerms,
    /// The venue's id.
    pub venue_order_id: VenueOrderId,
    /// How much of it is filled.
    pub filled: Quantity,
    /// Ours, with what the journal knows of it, or somebody else's.
    pub adopted: Option<AdoptedOrder>,
    /// The venue's number of the pair that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<u64>,
}

/// What the journal knows of an order found open at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptedOrder {
    /// The bot it was for.
    pub bot: Option<BotId>,
    /// When its intent was made.
    pub placed_at: Timestamp,
}

/// A strategy's answer from another lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Whose.
    pub bot: BotId,
    /// To which request.
    pub request: u64,
    /// The result.
    pub outcome: EvaluationOutcome,
}

/// The state of a strategy that runs in another lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneState {
    /// Whose.
    pub bot: BotId,
    /// The last request that the state contains.
    pub request: u64,
    /// What the strategy saved.
    pub state: Vec<u8>,
}

/// The result of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EvaluationOutcome {
    /// It decided; `None` if it was only fed.
    Decided(Option<Decision>),
    /// It failed.
    Failed(EvaluationError),
}

/// How a strategy failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EvaluationError {
    /// It returned an error: a division by zero, a malformed candle. The bot continues.
    Error(String),
    /// It panicked. Its state is thrown away.
    Panic(String),
    /// It took longer than it may.
    Overrun,
    /// It decided for this instrument, which its bot only reads.
    NotTraded(String),
    /// Its process was killed, ended or raised. The text follows the words "its process".
    Process(String),
}

/// Whether what must not be lost can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StorageHealth {
    /// It can.
    Writing,
    /// The writer is more than a second behind: no new intents.
    Behind,
    /// The disk is full. It is written into the reserve, or the reserve is not filled again yet: only exits.
    Reserve,
    /// The disk is full and the reserve spent: nothing is written.
    Full,
    /// The file system is read-only: nothing is written.
    ReadOnly,
    /// Market data is not written. It may be lost: nothing is refused for that.
    MarketOff,
    /// Market data is written again.
    MarketOn,
}

impl Input {
    /// Whether the input is market data, which is journaled in a store of its own.
    #[must_use]
    pub const fn is_market_data(&self) -> bool {
        matches!(
            self,
            Self::Quote(_) | Self::Trade(_) | Self::Candle(_) | Self::Depth(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_no_larger_than_market_data_and_its_tag() {
        assert!(size_of::<Input>() <= 80, "{}", size_of::<Input>());
    }
}
