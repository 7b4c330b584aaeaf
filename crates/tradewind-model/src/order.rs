//! Orders and fills.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ClientOrderId, InstrumentId, TradeId, VenueOrderId};
use crate::number::{Money, Price, Quantity};
use crate::time::Timestamp;

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Buy.
    Buy,
    /// Sell.
    Sell,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// `quantity` with this side's sign: bought is positive.
    #[must_use]
    pub const fn signed(self, quantity: Quantity) -> Quantity {
        match self {
            Self::Buy => quantity,
            Self::Sell => Quantity(-quantity.0),
        }
    }

    /// The side that brings a position by `change`; buying for zero.
    #[must_use]
    pub const fn of(change: Quantity) -> Self {
        if change.0 < 0 { Self::Sell } else { Self::Buy }
    }

    /// `buy` or `sell`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// How an order trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderKind {
    /// At the best prices there are, at once.
    Market,
    /// At this price or better.
    Limit {
        /// The limit.
        price: Price,
        /// How long it stays.
        time_in_force: TimeInForce,
    },
    /// At this price or better and only as maker: refused by the venue if it would take.
    PostOnly {
        /// The limit.
        price: Price,
    },
    /// At market, once a trade reaches the trigger: for a seller at it or below, for a buyer at it or above.
    Stop {
        /// The trigger.
        trigger: Price,
    },
    /// At the limit or better, once a trade reaches the trigger; then until cancelled.
    StopLimit {
        /// The trigger.
        trigger: Price,
        /// The limit.
        price: Price,
    },
}

impl OrderKind {
    /// The limit, if there is one.
    #[must_use]
    pub const fn limit(self) -> Option<Price> {
        match self {
            Self::Market | Self::Stop { .. } => None,
            Self::Limit { price, .. }
            | Self::PostOnly { price }
            | Self::StopLimit { price, .. } => Some(price),
        }
    }

    /// The price that a trade must reach before the order works, if it waits for one.
    #[must_use]
    pub const fn trigger(self) -> Option<Price> {
        match self {
            Self::Stop { trigger } | Self::StopLimit { trigger, .. } => Some(trigger),
            Self::Market | Self::Limit { .. } | Self::PostOnly { .. } => None,
        }
    }
}

/// How long a limit order stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeInForce {
    /// Until cancelled.
    GoodTillCancel,
    /// What fills at once; the rest is cancelled.
    ImmediateOrCancel,
    /// All at once or nothing.
    FillOrKill,
}

/// The terms of a new order, as sent to the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTerms {
    /// Account it trades on.
    pub account: AccountId,
    /// What it trades.
    pub instrument: InstrumentId,
    /// Our id of it.
    pub client_id: ClientOrderId,
    /// Buy or sell.
    pub side: Side,
    /// Quantity, positive.
    pub quantity: Quantity,
    /// How it trades.
    pub kind: OrderKind,
}

/// The limit order that takes a stop's profit. The venue keeps the two as a pair: whatever begins to trade ends the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeProfit {
    /// Our id of it.
    pub client_id: ClientOrderId,
    /// Where it rests, as a maker only.
    pub price: Price,
}

impl OrderTerms {
    /// The terms of the order that takes this stop's profit.
    #[must_use]
    pub const fn of_take_profit(&self, order: TakeProfit) -> Self {
        Self {
            client_id: order.client_id,
            kind: OrderKind::PostOnly { price: order.price },
            ..*self
        }
    }
}

/// The status of an order. See `tradewind-engine`'s `order.rs` for the transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OrderStatus {
    /// Let through by risk and durable; the venue has not answered yet.
    Pending,
    /// On the venue's book, untouched.
    Accepted,
    /// Partly filled, the rest works.
    PartiallyFilled,
    /// Its fate is not known; its exposure stays reserved until it is.
    Unknown,
    /// Filled to the last unit.
    Filled,
    /// Cancelled, possibly after partial fills.
    Cancelled,
    /// Ended by the venue's own rules: time in force, halt, self-trade prevention.
    Expired,
    /// Refused by the venue.
    Rejected,
    /// Never left: the gate was latched or it was too old.
    NotSent,
}

impl OrderStatus {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Accepted,
        Self::PartiallyFilled,
        Self::Unknown,
        Self::Filled,
        Self::Cancelled,
        Self::Expired,
        Self::Rejected,
        Self::NotSent,
    ];

    /// Whether it can still fill.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::Accepted | Self::PartiallyFilled | Self::Unknown
        )
    }

    /// Its name on every wire of ours.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::PartiallyFilled => "partially_filled",
            Self::Unknown => "unknown",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::NotSent => "not_sent",
        }
    }
}

/// Whether a fill added liquidity or took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Liquidity {
    /// It waited on the book.
    Maker,
    /// It took what waited.
    Taker,
}

/// One execution of one of an account's orders.
///
/// Its identity is (account, instrument, trade id, order): the two sides of a self-trade share a trade id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// The venue's id of the execution.
    pub trade_id: TradeId,
    /// The venue's id of the order.
    pub venue_order_id: VenueOrderId,
    /// Our id of the order; one without our tag belongs to another program.
    pub client_id: ClientOrderId,
    /// Side of the order.
    pub side: Side,
    /// Price.
    pub price: Price,
    /// Quantity, positive.
    pub quantity: Quantity,
    /// Fee paid, positive; negative is a rebate.
    pub fee: Money,
    /// Maker or taker.
    pub liquidity: Liquidity,
    /// The venue's stamp.
    pub event_time: Timestamp,
}
