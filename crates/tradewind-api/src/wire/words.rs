//! Enums of the wire: one for each inner enum, with an exhaustive conversion, so that a new variant must be added here.

use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use serde::{Deserialize, Serialize};
use tradewind_events::BotState as InnerBotState;
use tradewind_model as model;
use tradewind_risk as risk;
use utoipa::ToSchema;

/// Declares a wire enum and its conversion from the inner one of the same variants.
macro_rules! words {
    ($(#[$doc:meta])* case $case:tt, $name:ident from $inner:path { $($(#[$note:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = $case)]
        pub enum $name { $($(#[$note])* $variant,)* }

        impl From<$inner> for $name {
            fn from(inner: $inner) -> Self {
                type Inner = $inner;
                match inner { $(Inner::$variant => Self::$variant,)* }
            }
        }
    };
}

words! {
    /// Buy or sell.
    case "snake_case", Side from model::Side {
        /// Buy.
        Buy,
        /// Sell.
        Sell,
    }
}
words! {
    /// Whether an order adds risk.
    case "snake_case", Purpose from risk::PositionEffect {
        /// Opens or enlarges a position.
        Entry,
        /// Only reduces one.
        Exit,
        /// A stop at the venue. It covers a position while the desk cannot exit.
        Protect,
    }
}
words! {
    /// The status of an order.
    case "snake_case", OrderStatus from model::OrderStatus {
        /// Durable, not yet answered.
        Pending,
        /// On the venue's book, untouched.
        Accepted,
        /// Partly filled, the rest works.
        PartiallyFilled,
        /// Its fate is not known.
        Unknown,
        /// Filled.
        Filled,
        /// Cancelled, possibly after partial fills.
        Cancelled,
        /// Expired at the venue.
        Expired,
        /// Refused by the venue.
        Rejected,
        /// Never left.
        NotSent,
    }
}
words! {
    /// How long a limit order stays.
    case "snake_case", TimeInForce from model::TimeInForce {
        /// Until cancelled.
        GoodTillCancel,
        /// What fills at once.
        ImmediateOrCancel,
        /// All at once or nothing.
        FillOrKill,
    }
}
words! {
    /// Whether a fill added liquidity or took it.
    case "snake_case", Liquidity from model::Liquidity {
        /// It waited on the book.
        Maker,
        /// It took what waited.
        Taker,
    }
}
words! {
    /// What may pass.
    case "SCREAMING_SNAKE_CASE", TradingState from risk::TradingState {
        /// Everything.
        Active,
        /// Exits, cancels, queries.
        Reducing,
        /// Cancels and queries.
        Halted,
        /// Shrinking orders of the gate's own.
        Flattening,
        /// Cancels and queries, until a person resets it.
        Killed,
    }
}
words! {
    /// How far an instrument's data can be trusted.
    case "SCREAMING_SNAKE_CASE", FeedHealth from model::FeedHealth {
        /// No data yet, or none any more.
        Stale,
        /// A piece is missing.
        Gap,
        /// Being put together again.
        Resync,
        /// Current.
        Live,
    }
}
words! {
    /// How far a bot is.
    case "snake_case", BotState from InnerBotState {
        /// Not running.
        Stopped,
        /// Waiting for its turn to start.
        Starting,
        /// Waiting for past candles.
        Warming,
        /// At work.
        Running,
        /// No entries; exits run.
        Paused,
        /// Failed.
        Faulted,
    }
}
words! {
    /// Who ends a cause.
    case "snake_case", Clearing from risk::Clearing {
        /// It clears automatically.
        Itself,
        /// A person with the right to.
        Person,
    }
}

/// What a cause covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    /// Everything.
    Desk,
    /// One account.
    Account,
    /// One instrument.
    Instrument,
    /// One bot.
    Bot,
    /// One venue: all its accounts.
    Venue,
}

/// How an order trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderType {
    /// At the best prices there are.
    Market,
    /// At the limit or better.
    Limit,
    /// At the limit or better and only as maker.
    PostOnly,
    /// At market, once a trade reaches the trigger.
    Stop,
    /// At the limit or better, once a trade reaches the trigger.
    StopLimit,
}

impl From<model::OrderKind> for OrderType {
    fn from(kind: model::OrderKind) -> Self {
        match kind {
            model::OrderKind::Market => Self::Market,
            model::OrderKind::Limit { .. } => Self::Limit,
            model::OrderKind::PostOnly { .. } => Self::PostOnly,
            model::OrderKind::Stop { .. } => Self::Stop,
            model::OrderKind::StopLimit { .. } => Self::StopLimit,
        }
    }
}

/// The word that is written like this, if there is one.
pub(crate) fn word<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    let text: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    T::deserialize(text).ok()
}
