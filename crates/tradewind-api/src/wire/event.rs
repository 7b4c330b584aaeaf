//! Events as they go over the stream and stand in history: one envelope, one body per type.
//!
//! The names of the types are the contract of `EventType`; `event_from.rs` fills them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::candle::Candle;
use super::feed::Quote;
use super::fill::Fill;
use super::number::Decimal;
use super::number::Instant;
use super::order::Order;
use super::risk::{Cause, Scope};
use super::words::{BotState, FeedHealth, OrderStatus, Purpose, Side, TradingState};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Version of this shape.
    #[schema(examples(1))]
    pub v: u32,
    /// `seq.index`; also the SSE id.
    #[schema(examples("1234.0"))]
    pub id: String,
    /// When, by the desk's clock.
    pub at: Instant,
    /// The event that led to this one.
    pub cause: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// Data is missing from this stream; lossless events follow from the log; others must be read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Gap {
    /// The instrument; `null` for several, or for a gap in this stream itself.
    pub instrument: Option<String>,
    /// How much is missing, where that is known.
    pub missing: Option<u64>,
    /// Since when, where that is known, as of candles that the venue does not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Instant>,
}

/// What the venue says an account has of an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamBalance {
    /// The asset.
    pub asset: String,
    /// What can be used.
    pub free: Decimal,
    /// What open orders hold.
    pub locked: Decimal,
}

/// What happened, by type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum EventBody {
    /// The latest quote of an instrument.
    PriceUpdate(Quote),
    /// A candle closed.
    CandleClosed {
        /// Of what.
        instrument: String,
        /// How long.
        interval: String,
        /// The candle.
        candle: Candle,
    },
    /// A strategy's signal.
    SignalGenerated {
        /// The bot.
        bot: String,
        /// On what.
        instrument: String,
        /// Its target exposure, as a signed share of its budget.
        exposure: Decimal,
        /// Why.
        reason: String,
        /// The quote it was decided on, if it was one.
        quote: Option<Quote>,
    },
    /// An intent is durable and its order on its way.
    OrderPlaced {
        /// The order.
        order: Order,
        /// Entry or exit.
        purpose: Purpose,
    },
    /// The venue has the order.
    OrderAccepted {
        /// The order.
        order: Order,
    },
    /// The order traded.
    OrderFilled {
        /// The fill.
        fill: Fill,
        /// Where the order is now.
        status: OrderStatus,
        /// How much of it is filled now.
        cumulative: Decimal,
    },
    /// The order was cancelled.
    OrderCancelled {
        /// The order.
        order: Order,
    },
    /// The venue refused the order.
    OrderRejected {
        /// The order.
        order: Order,
        /// The venue's code, 0 where it has none.
        code: i32,
    },
    /// The order expired at the venue, or was not sent.
    OrderExpired {
        /// The order.
        order: Order,
    },
    /// The order's fate is not known.
    OrderUnknown {
        /// The order.
        order: Order,
    },
    /// A position was opened.
    PositionOpened {
        /// Account.
        account: String,
        /// The bot; `null` for a person.
        bot: Option<String>,
        /// In what.
        instrument: String,
        /// Signed quantity.
        quantity: Decimal,
        /// Price of the opening fill.
        price: Decimal,
    },
    /// A position was closed.
    PositionClosed {
        /// Account.
        account: String,
        /// The bot; `null` for a person.
        bot: Option<String>,
        /// In what.
        instrument: String,
        /// Profit or loss since it was opened, fees in the quote asset deducted.
        realized: Decimal,
    },
    /// Risk denied an order.
    RiskDecisionRejected {
        /// Who wanted it; `null` for a person.
        bot: Option<String>,
        /// Account.
        account: String,
        /// Of what.
        instrument: String,
        /// Buy or sell.
        side: Side,
        /// How much.
        quantity: Decimal,
        /// The code of the risk check that denied.
        rule: String,
        /// The reason.
        reason: String,
    },
    /// A circuit breaker opened.
    CircuitBreakerFired {
        /// Which.
        name: String,
        /// How many failures opened it.
        failures: u32,
    },
    /// A scope's trading state changed.
    TradingStateChanged {
        /// Of what.
        scope: Scope,
        /// What it is now.
        state: TradingState,
        /// The cause that was opened; `null` when one was closed.
        cause: Option<Cause>,
    },
    /// The kill switch was thrown.
    KillSwitch {
        /// Why.
        reason: String,
        /// By whom.
        principal: String,
    },
    /// The kill switch was reset.
    KillSwitchReset {
        /// Why.
        reason: String,
        /// By whom.
        principal: String,
    },
    /// A bot started, stopped, or is on its way.
    BotStateChanged {
        /// Which.
        bot: String,
        /// What it was.
        from: BotState,
        /// What it is.
        to: BotState,
        /// The reason.
        reason: String,
    },
    /// A bot's strategy failed.
    BotError {
        /// Which.
        bot: String,
        /// What went wrong.
        error: String,
        /// Faults within the last five minutes.
        faults: u32,
    },
    /// A strategy answered too late.
    EvaluationLate {
        /// Which bot's.
        bot: String,
        /// Evaluations skipped or results dropped since the last one in time.
        skipped: u64,
    },
    /// The instruments that a bot may enter changed.
    UniverseChanged {
        /// Which bot's.
        bot: String,
        /// All that it may enter, the first by its ranking first.
        members: Vec<String>,
        /// Those that it could not enter before.
        joined: Vec<String>,
        /// Those that it can only leave from now on.
        left: Vec<String>,
    },
    /// A budget that is a share of its account's equity was set.
    BudgetChanged {
        /// Which bot's.
        bot: String,
        /// What it may use, in the quote asset of its instruments.
        budget: Decimal,
        /// What it got of the desk's money; negative if it gave some back.
        moved: Decimal,
        /// The equity of its account, of which the budget is a share.
        equity: Decimal,
    },
    /// Equity, as of now, in the report asset.
    EquitySnapshot {
        /// Account.
        account: String,
        /// Value of all the desk owns there.
        equity: Decimal,
        /// Realised since the start.
        realized: Decimal,
        /// Unrealised.
        unrealized: Decimal,
        /// Assets left out because they have no price.
        unpriced: u32,
    },
    /// A feed became better or worse.
    FeedHealthChanged {
        /// Of what.
        instrument: String,
        /// What it is now.
        health: FeedHealth,
    },
    /// A subscriber lost events.
    QueueOverflow {
        /// Which.
        subscriber: String,
        /// How many it lost in this episode.
        dropped: u64,
    },
    /// Data is missing.
    Gap(Gap),
    /// An account was read from the venue and taken over.
    Reconciled {
        /// Which.
        account: String,
        /// Fills taken over.
        fills: u32,
        /// Open orders taken over.
        orders: u32,
    },
    /// An account's stream came up, went down or became unsure.
    AccountStreamChanged {
        /// The account.
        account: String,
        /// `connecting`, `live`, `down` or `unsure`. Entries are refused in all but `live`.
        state: String,
        /// Why, in the words of the venue or the transport; may be empty.
        reason: String,
    },
    /// An account's stream reported balances.
    BalancesReported {
        /// The account.
        account: String,
        /// The balances that may have changed.
        balances: Vec<StreamBalance>,
    },
    /// An account's stream reported a deposit, a withdrawal or a transfer.
    TransferReported {
        /// The account.
        account: String,
        /// The asset.
        asset: String,
        /// How much came in; negative went out.
        amount: Decimal,
    },
    /// A command was carried out or refused.
    Command {
        /// Its id: 32 hexadecimal digits.
        command: String,
        /// By whom.
        principal: String,
        /// The action, as text.
        action: String,
        /// Whether it was done or begun.
        accepted: bool,
        /// The order that was made, or why it was refused.
        result: Option<String>,
    },
    /// The desk is stopping.
    DeskStopping {},
    /// A position was not covered by a stop at the venue for two seconds.
    PositionUnprotected {
        /// Account.
        account: String,
        /// Whose.
        bot: String,
        /// In what.
        instrument: String,
        /// How much of the position no stop covers.
        quantity: Decimal,
        /// Why, in words.
        reason: String,
    },
    /// An outside process wants a bot to hold something else than before.
    TargetReceived {
        /// The source that sent it.
        source: String,
        /// The bot.
        bot: String,
        /// In what.
        instrument: String,
        /// Signed share of the bot's budget.
        exposure: Decimal,
        /// When it was decided, by the source.
        event_time: Instant,
        /// From then on it counts no more.
        expires: Instant,
    },
    /// Targets of an outside process were refused; at most one a second of each source.
    TargetRefused {
        /// The source that sent it.
        source: String,
        /// The bot that it names, if there is one.
        bot: Option<String>,
        /// Why, in words.
        reason: String,
        /// How many of the source were refused since the start.
        refused: u64,
    },
    /// Something that a person should look at, and that changes no state by itself.
    Alarm {
        /// What it is about: `unlisted_trade`, `asset_contradicted`, `late_order`, `stop_expired`, `left_unsold`, `handler_loop` or `component_hangs`.
        alarm: String,
        /// Account, if it is about one.
        account: Option<String>,
        /// In what, if it is about one instrument.
        instrument: Option<String>,
        /// What happened, in words.
        text: String,
    },
}
