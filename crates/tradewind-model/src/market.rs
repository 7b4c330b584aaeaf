//! Market data: quotes, trades, the top of the book, and the health of each feed.

use serde::{Deserialize, Serialize};

use crate::candle::Candle;
use crate::id::{InstrumentId, TradeId};
use crate::number::{Price, Quantity};
use crate::order::Side;
use crate::time::Timestamp;

/// Best bid and ask with their sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// What is quoted.
    pub instrument: InstrumentId,
    /// Best bid.
    pub bid: Price,
    /// Best ask.
    pub ask: Price,
    /// Quantity wanted at the bid.
    pub bid_quantity: Quantity,
    /// Quantity offered at the ask.
    pub ask_quantity: Quantity,
    /// The venue's stamp, where it gives one.
    pub event_time: Option<Timestamp>,
    /// When the socket was read.
    pub received_at: Timestamp,
}

impl Quote {
    /// Whether both sides are positive and not absurd, and the bid lies below the ask.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        /// The sum of two such prices still fits.
        const PRICE_MAX: i64 = i64::MAX / 4;
        self.bid.0 > 0 && self.bid.0 < self.ask.0 && self.ask.0 <= PRICE_MAX
    }

    /// Twice the middle price, which unlike the middle is always whole.
    #[must_use]
    pub const fn mid_twice(&self) -> i64 {
        self.bid.0 + self.ask.0
    }

    /// The middle price, rounded down to a whole count.
    #[must_use]
    pub const fn mid(&self) -> Price {
        Price(self.mid_twice().div_euclid(2))
    }

    /// The price an order of `side` would take at.
    #[must_use]
    pub const fn opposite_side(&self, side: Side) -> Price {
        match side {
            Side::Buy => self.ask,
            Side::Sell => self.bid,
        }
    }

    /// The price an order of `side` would join the queue at.
    #[must_use]
    pub const fn same_side(&self, side: Side) -> Price {
        self.opposite_side(side.opposite())
    }
}

/// A public print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// What was traded.
    pub instrument: InstrumentId,
    /// Side of the taker.
    pub taker: Side,
    /// The venue's id of the print.
    pub id: TradeId,
    /// Price.
    pub price: Price,
    /// Quantity, positive.
    pub quantity: Quantity,
    /// The venue's stamp, where it gives one.
    pub event_time: Option<Timestamp>,
    /// When the socket was read.
    pub received_at: Timestamp,
}

/// One price level of a book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Price.
    pub price: Price,
    /// Quantity waiting there.
    pub quantity: Quantity,
}

/// The top of an order book: at most 20 levels a side, best first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depth {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Bids, highest first.
    pub bids: Vec<Level>,
    /// Asks, lowest first.
    pub asks: Vec<Level>,
    /// When the socket was read.
    pub received_at: Timestamp,
}

/// How far an instrument's data can be trusted now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FeedHealth {
    /// No data yet, or none any more.
    #[default]
    Stale,
    /// A piece of the sequence is missing.
    Gap,
    /// Being put together again.
    Resync,
    /// Current.
    Live,
}

/// What every source of market data yields, however it was transported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarketEvent {
    /// Best bid and ask.
    Quote(Quote),
    /// A public print.
    Trade(Trade),
    /// A candle that has closed.
    Candle(Candle),
    /// The top of the book.
    Depth(Box<Depth>),
    /// An instrument's data became better or worse.
    Health {
        /// Of which instrument.
        instrument: InstrumentId,
        /// What it is now.
        health: FeedHealth,
        /// Why, for people.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn market_inputs_fit_a_cache_line() {
        assert!(size_of::<Quote>() <= 64);
        assert!(size_of::<Trade>() <= 64);
        assert!(size_of::<crate::Candle>() <= 64);
    }

    #[test]
    fn a_crossed_or_empty_quote_is_not_sound() {
        let quote = |bid, ask| Quote {
            instrument: InstrumentId(0),
            bid: Price(bid),
            ask: Price(ask),
            bid_quantity: Quantity(1),
            ask_quantity: Quantity(1),
            event_time: None,
            received_at: Timestamp::EPOCH,
        };
        assert!(quote(10, 11).is_sound());
        assert!(!quote(11, 11).is_sound());
        assert!(!quote(12, 11).is_sound());
        assert!(!quote(0, 11).is_sound());
        assert_eq!(quote(10, 13).mid(), Price(11));
    }
}
