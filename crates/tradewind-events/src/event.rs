//! What the engine announces.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, AssetId, BotId, Candle, EventId, ExitPlan, FeedHealth, Fill, InstrumentId,
    NotSentReason, OrderStatus, OrderTerms, Ppm, Price, Quantity, Quote, Reason, RejectReason,
    Side, Timestamp,
};
use tradewind_risk::{Cause, CauseKind, DenyReason, PositionEffect, Scope, TradingState};

use crate::account_stream::{StreamBalance, StreamState};
use crate::command::{Action, CommandId, CommandResult, Principal};

/// One announcement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The input it belongs to and its place among that input's events.
    pub id: EventId,
    /// When, by the engine's clock.
    pub at: Timestamp,
    /// The event that led to this one; following it ends at a quote, a candle, a command or a timer's own event.
    pub cause: Option<EventId>,
    /// What happened.
    pub kind: EventKind,
}

/// How far a bot is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum BotState {
    /// Not running.
    #[default]
    Stopped,
    /// Waiting for its turn to start.
    Starting,
    /// Waiting for past candles.
    Warming,
    /// At work.
    Running,
    /// No entries; exits run.
    Paused,
    /// Failed; it comes back by itself or waits for a person.
    Faulted,
}

impl BotState {
    /// Its name on every wire of ours.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Warming => "warming",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Faulted => "faulted",
        }
    }
}

/// How an event type is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Every one, from the log if need be.
    Lossless,
    /// Every one that there is room for; drops are counted and announced.
    Drop,
    /// The newest per key.
    Latest,
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident => $text:literal, $delivery:ident;)*) => {
        /// The kinds of event, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum EventType {
            $($(#[$doc])* $name,)*
        }

        impl EventType {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name on every wire of ours.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How it is delivered.
            #[must_use]
            pub const fn delivery(self) -> Delivery {
                match self { $(Self::$name => Delivery::$delivery,)* }
            }

            /// The type of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        }
    };
}

events! {
    /// A quote, where somebody wants each or it led to a signal.
    PriceUpdate => "price_update", Latest;
    /// A candle closed.
    CandleClosed => "candle_closed", Drop;
    /// A strategy wants a position.
    SignalGenerated => "signal_generated", Drop;
    /// An intent is durable and its order on its way.
    OrderPlaced => "order_placed", Lossless;
    /// The venue has the order.
    OrderAccepted => "order_accepted", Lossless;
    /// The order traded.
    OrderFilled => "order_filled", Lossless;
    /// The order was cancelled.
    OrderCancelled => "order_cancelled", Lossless;
    /// The venue refused the order.
    OrderRejected => "order_rejected", Lossless;
    /// The order ended by the venue's rules, or never left.
    OrderExpired => "order_expired", Lossless;
    /// The order's fate is not known.
    OrderUnknown => "order_unknown", Lossless;
    /// A position was opened.
    PositionOpened => "position_opened", Lossless;
    /// A position was closed.
    PositionClosed => "position_closed", Lossless;
    /// Risk denied an order.
    RiskDecisionRejected => "risk_decision_rejected", Lossless;
    /// A circuit breaker opened.
    CircuitBreakerFired => "circuit_breaker_fired", Lossless;
    /// A scope's trading state changed.
    TradingStateChanged => "trading_state_changed", Lossless;
    /// The kill switch was thrown.
    KillSwitch => "kill_switch", Lossless;
    /// The kill switch was reset.
    KillSwitchReset => "kill_switch_reset", Lossless;
    /// A bot started, stopped, or is on its way.
    BotStateChanged => "bot_state_changed", Lossless;
    /// A bot's strategy failed.
    BotError => "bot_error", Lossless;
    /// A strategy answered too late, or a wake came while it was still busy.
    EvaluationLate => "evaluation_late", Drop;
    /// The instruments that a bot may enter changed.
    UniverseChanged => "universe_changed", Lossless;
    /// A budget that is a share of its account's equity was set.
    BudgetChanged => "budget_changed", Lossless;
    /// Equity, as of now.
    EquitySnapshot => "equity_snapshot", Drop;
    /// A feed became better or worse.
    FeedHealthChanged => "feed_health_changed", Drop;
    /// A subscriber lost events.
    QueueOverflow => "queue_overflow", Drop;
    /// Data is missing.
    Gap => "gap", Drop;
    /// An account was read from the venue and taken over.
    Reconciled => "reconciled", Lossless;
    /// A command was carried out or refused.
    Command => "command", Lossless;
    /// An account's stream came up, went down or became unsure.
    AccountStreamChanged => "account_stream_changed", Lossless;
    /// An account's stream reported balances.
    BalancesReported => "balances_reported", Drop;
    /// An account's stream reported a deposit, a withdrawal or a transfer.
    TransferReported => "transfer_reported", Lossless;
    /// The desk is stopping.
    DeskStopping => "desk_stopping", Lossless;
    /// A position was not covered by a stop at the venue for two seconds.
    PositionUnprotected => "position_unprotected", Lossless;
    /// An outside process wants a bot to hold something else than before.
    TargetReceived => "target_received", Drop;
    /// Targets of an outside process were refused.
    TargetRefused => "target_refused", Drop;
    /// Something that a person should look at, and that changes no state by itself.
    Alarm => "alarm", Lossless;
}

/// What a target holds besides its exposure and reason. Recovery reads it instead of asking the strategy again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalDetails {
    /// Who decided.
    pub source: SignalSource,
    /// The price not to trade beyond.
    pub limit: Option<Price>,
    /// The exit plan of this position in place of the bot's own.
    pub exit: Option<ExitPlan>,
}

/// Who decided a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignalSource {
    /// The bot's strategy.
    #[default]
    Strategy,
    /// The exit plan of the position.
    ExitPlan,
    /// The bot's strategy, which moves the stop of a position and leaves the rest as it is.
    Stop,
    /// The bot's strategy, which adds to the position that is held.
    Add,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EventKind {
    /// See [`EventType::PriceUpdate`].
    PriceUpdate(Quote),
    /// See [`EventType::CandleClosed`].
    CandleClosed(Candle),
    /// See [`EventType::SignalGenerated`].
    SignalGenerated {
        /// Whose strategy.
        bot: BotId,
        /// On what.
        instrument: InstrumentId,
        /// The position it wants, as a signed share of the budget.
        exposure: Ppm,
        /// Why.
        reason: Reason,
        /// The quote it was decided on, if it was one. Its `price_update` is this event's cause, which is not in the
        /// log as an event of its own: this is where a chain of causes finds it.
        quote: Option<Quote>,
        /// The rest of the target, for recovery; `None` for a strategy's plain target.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        details: Option<Box<SignalDetails>>,
    },
    /// See [`EventType::OrderPlaced`].
    OrderPlaced {
        /// The order.
        terms: OrderTerms,
        /// For whom.
        bot: Option<BotId>,
        /// Entry or exit.
        purpose: PositionEffect,
    },
    /// See [`EventType::OrderAccepted`].
    OrderAccepted {
        /// The order.
        terms: OrderTerms,
        /// For whom.
        bot: Option<BotId>,
    },
    /// See [`EventType::OrderFilled`].
    OrderFilled {
        /// The fill.
        fill: Fill,
        /// For whom; `None` for a person, or for an order that is not ours.
        bot: Option<BotId>,
        /// Where the order is now.
        status: OrderStatus,
        /// How much of it is filled now.
        cumulative: Quantity,
    },
    /// See [`EventType::OrderCancelled`].
    OrderCancelled {
        /// The order.
        terms: OrderTerms,
        /// For whom.
        bot: Option<BotId>,
        /// How much of it was filled before.
        cumulative: Quantity,
    },
    /// See [`EventType::OrderRejected`].
    OrderRejected {
        /// The order.
        terms: OrderTerms,
        /// For whom.
        bot: Option<BotId>,
        /// The venue's reason.
        reason: RejectReason,
    },
    /// See [`EventType::OrderExpired`].
    OrderExpired {
        /// The order.
        terms: OrderTerms,
        /// For whom.
        bot: Option<BotId>,
        /// How much of it was filled before.
        cumulative: Quantity,
        /// Set if it never left.
        not_sent: Option<NotSentReason>,
    },
    /// See [`EventType::OrderUnknown`].
    OrderUnknown {
        /// The order.
        terms: OrderTerms,
        /// For whom.
        bot: Option<BotId>,
    },
    /// See [`EventType::PositionOpened`].
    PositionOpened {
        /// Account.
        account: AccountId,
        /// Whose.
        bot: Option<BotId>,
        /// In what.
        instrument: InstrumentId,
        /// Signed quantity.
        quantity: Quantity,
        /// Price of the opening fill.
        price: Price,
    },
    /// See [`EventType::PositionClosed`].
    PositionClosed {
        /// Account.
        account: AccountId,
        /// Whose.
        bot: Option<BotId>,
        /// In what.
        instrument: InstrumentId,
        /// Profit or loss realised since it was opened, fees in the quote asset deducted, in the settlement asset.
        realized: Amount,
    },
    /// See [`EventType::RiskDecisionRejected`].
    RiskDecisionRejected {
        /// Who wanted it.
        bot: Option<BotId>,
        /// Account.
        account: AccountId,
        /// Of what.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
        /// How much.
        quantity: Quantity,
        /// Why not.
        reason: DenyReason,
    },
    /// See [`EventType::CircuitBreakerFired`].
    CircuitBreakerFired {
        /// Which breaker.
        name: String,
        /// How many failures opened it.
        failures: u32,
    },
    /// See [`EventType::TradingStateChanged`].
    TradingStateChanged {
        /// Of what.
        scope: Scope,
        /// What it is now.
        state: TradingState,
        /// The cause that was opened; none when one was closed.
        cause: Option<Cause>,
        /// The reason of the cause that was closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closed: Option<CauseKind>,
    },
    /// See [`EventType::KillSwitch`].
    KillSwitch {
        /// Why.
        reason: String,
        /// By whom.
        principal: Principal,
    },
    /// See [`EventType::KillSwitchReset`].
    KillSwitchReset {
        /// Why.
        reason: String,
        /// By whom.
        principal: Principal,
    },
    /// See [`EventType::BotStateChanged`].
    BotStateChanged {
        /// Which.
        bot: BotId,
        /// What it was.
        from: BotState,
        /// What it is.
        to: BotState,
        /// Why, in words.
        reason: String,
    },
    /// See [`EventType::BotError`].
    BotError {
        /// Which.
        bot: BotId,
        /// What went wrong.
        error: String,
        /// Faults (panics, overruns) within the last five minutes.
        faults: u32,
    },
    /// See [`EventType::EvaluationLate`].
    EvaluationLate {
        /// Which.
        bot: BotId,
        /// Wakes skipped or answers dropped since it last answered in time.
        skipped: u64,
    },
    /// See [`EventType::UniverseChanged`].
    UniverseChanged {
        /// Which bot's.
        bot: BotId,
        /// All that it may enter, the first by its ranking first.
        members: Vec<InstrumentId>,
        /// Those that it could not enter before.
        joined: Vec<InstrumentId>,
        /// Those that it can only leave from now on.
        left: Vec<InstrumentId>,
    },
    /// See [`EventType::BudgetChanged`].
    BudgetChanged {
        /// Which bot's.
        bot: BotId,
        /// What it may use, in the quote asset of its instruments.
        budget: Amount,
        /// What it got of the desk's money; negative if it gave some back.
        moved: Amount,
        /// The equity of its account in that asset, of which the budget is a share.
        equity: Amount,
    },
    /// See [`EventType::EquitySnapshot`].
    EquitySnapshot {
        /// Account.
        account: AccountId,
        /// Equity of the account in the report asset, EXTERNAL left out.
        equity: Amount,
        /// Realised profit and loss since the start, in the report asset.
        realized: Amount,
        /// Unrealised profit and loss, in the report asset.
        unrealized: Amount,
        /// Assets that could not be valued and are not in the sum.
        unpriced: u32,
    },
    /// See [`EventType::FeedHealthChanged`].
    FeedHealthChanged {
        /// Of what.
        instrument: InstrumentId,
        /// What it is now.
        health: FeedHealth,
    },
    /// See [`EventType::QueueOverflow`].
    QueueOverflow {
        /// Which subscriber.
        subscriber: String,
        /// How many events it lost in this episode.
        dropped: u64,
    },
    /// See [`EventType::Gap`].
    Gap {
        /// Of what; `None` for several.
        instrument: Option<InstrumentId>,
        /// How much is missing, where that is known.
        missing: Option<u64>,
        /// Since when, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Timestamp>,
    },
    /// See [`EventType::Reconciled`].
    Reconciled {
        /// Which account.
        account: AccountId,
        /// Fills taken over.
        fills: u32,
        /// Open orders taken over.
        orders: u32,
    },
    /// See [`EventType::Command`].
    Command {
        /// Which.
        id: CommandId,
        /// By whom.
        principal: Principal,
        /// What.
        action: Action,
        /// The result.
        result: CommandResult,
    },
    /// See [`EventType::AccountStreamChanged`].
    AccountStreamChanged {
        /// The account.
        account: AccountId,
        /// How far it can be relied on now.
        state: StreamState,
        /// Why, in the words of the venue or the transport; empty when there is nothing to say.
        reason: String,
    },
    /// See [`EventType::BalancesReported`].
    BalancesReported {
        /// The account.
        account: AccountId,
        /// The balances that may have changed.
        balances: Vec<StreamBalance>,
    },
    /// See [`EventType::TransferReported`].
    TransferReported {
        /// The account.
        account: AccountId,
        /// The asset.
        asset: AssetId,
        /// How much came in; negative went out.
        amount: Amount,
    },
    /// See [`EventType::DeskStopping`].
    DeskStopping,
    /// See [`EventType::PositionUnprotected`].
    PositionUnprotected {
        /// Account.
        account: AccountId,
        /// Whose.
        bot: BotId,
        /// In what.
        instrument: InstrumentId,
        /// How much of the position no stop covers.
        quantity: Quantity,
        /// Why, in words.
        reason: String,
    },
    /// See [`EventType::TargetReceived`]. A target that only says the same for longer is not announced.
    TargetReceived {
        /// The source that sent it.
        source: String,
        /// The bot.
        bot: BotId,
        /// The instrument.
        instrument: InstrumentId,
        /// Signed share of the bot's budget.
        exposure: Ppm,
        /// When it was decided, by the source.
        event_time: Timestamp,
        /// From then on it counts no more.
        expires: Timestamp,
    },
    /// See [`EventType::TargetRefused`]. Announced at most once a second for each source.
    TargetRefused {
        /// The source that sent it.
        source: String,
        /// The bot that it names, if there is one.
        bot: Option<BotId>,
        /// Why, in words.
        reason: String,
        /// How many of the source were refused since the start.
        refused: u64,
    },
    /// See [`EventType::Alarm`].
    Alarm {
        /// Which.
        alarm: AlarmKind,
        /// On which account, if it is about one.
        account: Option<AccountId>,
        /// In what, if it is about one instrument.
        instrument: Option<InstrumentId>,
        /// What happened, in words.
        text: String,
    },
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AlarmKind {
    /// An instrument of the account was traded that the desk does not list.
    UnlistedTrade,
    /// An account has an asset under an id that the desk's table contradicts.
    AssetContradicted,
    /// An order that counted as never placed showed up at the venue.
    LateOrder,
    /// The venue ended a stop that protects a position.
    StopExpired,
    /// A kill that was to sell what is EXTERNAL left some of it.
    LeftUnsold,
    /// A handler of the bus causes the events that start it.
    HandlerLoop,
    /// A component of the desk does nothing.
    ComponentHangs,
}

impl AlarmKind {
    /// Its name on every wire of ours.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnlistedTrade => "unlisted_trade",
            Self::AssetContradicted => "asset_contradicted",
            Self::LateOrder => "late_order",
            Self::StopExpired => "stop_expired",
            Self::LeftUnsold => "left_unsold",
            Self::HandlerLoop => "handler_loop",
            Self::ComponentHangs => "component_hangs",
        }
    }
}

impl EventKind {
    /// Its type.
    #[must_use]
    pub const fn event_type(&self) -> EventType {
        match self {
            Self::PriceUpdate(_) => EventType::PriceUpdate,
            Self::CandleClosed(_) => EventType::CandleClosed,
            Self::SignalGenerated { .. } => EventType::SignalGenerated,
            Self::OrderPlaced { .. } => EventType::OrderPlaced,
            Self::OrderAccepted { .. } => EventType::OrderAccepted,
            Self::OrderFilled { .. } => EventType::OrderFilled,
            Self::OrderCancelled { .. } => EventType::OrderCancelled,
            Self::OrderRejected { .. } => EventType::OrderRejected,
            Self::OrderExpired { .. } => EventType::OrderExpired,
            Self::OrderUnknown { .. } => EventType::OrderUnknown,
            Self::PositionOpened { .. } => EventType::PositionOpened,
            Self::PositionClosed { .. } => EventType::PositionClosed,
            Self::RiskDecisionRejected { .. } => EventType::RiskDecisionRejected,
            Self::CircuitBreakerFired { .. } => EventType::CircuitBreakerFired,
            Self::TradingStateChanged { .. } => EventType::TradingStateChanged,
            Self::KillSwitch { .. } => EventType::KillSwitch,
            Self::KillSwitchReset { .. } => EventType::KillSwitchReset,
            Self::BotStateChanged { .. } => EventType::BotStateChanged,
            Self::BotError { .. } => EventType::BotError,
            Self::EvaluationLate { .. } => EventType::EvaluationLate,
            Self::UniverseChanged { .. } => EventType::UniverseChanged,
            Self::BudgetChanged { .. } => EventType::BudgetChanged,
            Self::EquitySnapshot { .. } => EventType::EquitySnapshot,
            Self::FeedHealthChanged { .. } => EventType::FeedHealthChanged,
            Self::QueueOverflow { .. } => EventType::QueueOverflow,
            Self::Gap { .. } => EventType::Gap,
            Self::Reconciled { .. } => EventType::Reconciled,
            Self::Command { .. } => EventType::Command,
            Self::AccountStreamChanged { .. } => EventType::AccountStreamChanged,
            Self::BalancesReported { .. } => EventType::BalancesReported,
            Self::TransferReported { .. } => EventType::TransferReported,
            Self::DeskStopping => EventType::DeskStopping,
            Self::PositionUnprotected { .. } => EventType::PositionUnprotected,
            Self::TargetReceived { .. } => EventType::TargetReceived,
            Self::TargetRefused { .. } => EventType::TargetRefused,
            Self::Alarm { .. } => EventType::Alarm,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_name_and_what_must_not_be_lost_is_lossless() {
        for event_type in EventType::ALL {
            assert_eq!(EventType::from_name(event_type.name()), Some(*event_type));
            let must_not_be_lost = ["order_", "position_", "risk_", "kill_", "circuit_"];
            if must_not_be_lost
                .iter()
                .any(|prefix| event_type.name().starts_with(prefix))
            {
                assert_eq!(
                    event_type.delivery(),
                    Delivery::Lossless,
                    "{}",
                    event_type.name()
                );
            }
        }
        assert_eq!(EventType::ALL.len(), 36);
    }
}
