//! What files hold: exact rows.

use tradewind_model::{Amount, Side, Timestamp};

use crate::house::{NumberRow, TargetRow};

/// What the rows of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Open, high, low, close and volume of intervals.
    Candles,
    /// Public trades.
    Trades,
    /// Best bids and asks.
    Quotes,
    /// The best levels of order books.
    Books,
    /// Numbers of a named series.
    Numbers,
    /// Targets of a bot in an instrument.
    Targets,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Candles => "candles",
            Self::Trades => "trades",
            Self::Quotes => "quotes",
            Self::Books => "book",
            Self::Numbers => "numbers",
            Self::Targets => "targets",
        }
    }
}

/// One candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleRow {
    /// Start of its interval.
    pub open_time: Timestamp,
    /// First price.
    pub open: Amount,
    /// Highest price.
    pub high: Amount,
    /// Lowest price.
    pub low: Amount,
    /// Last price.
    pub close: Amount,
    /// Volume in the base asset; `None` where the file has none.
    pub volume: Option<Amount>,
}

/// One trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeRow {
    /// When.
    pub at: Timestamp,
    /// Price.
    pub price: Amount,
    /// Quantity.
    pub quantity: Amount,
    /// The venue's number of it; 0 where the file has none.
    pub id: u64,
    /// Who took; `None` where the file does not tell.
    pub taker: Option<Side>,
}

/// One best bid and ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuoteRow {
    /// When.
    pub at: Timestamp,
    /// Best bid.
    pub bid: Amount,
    /// Best ask.
    pub ask: Amount,
    /// Wanted at the bid; `None` where the file has no sizes.
    pub bid_size: Option<Amount>,
    /// Offered at the ask; `None` where the file has no sizes.
    pub ask_size: Option<Amount>,
}

/// The best levels of a book, the best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookRow {
    /// When.
    pub at: Timestamp,
    /// Prices and sizes of bids, [`BookRow::LEVELS`] at most.
    pub bids: Vec<(Amount, Amount)>,
    /// Prices and sizes of asks, [`BookRow::LEVELS`] at most.
    pub asks: Vec<(Amount, Amount)>,
}

impl BookRow {
    /// Levels of each side that are kept.
    pub const LEVELS: usize = 20;

    /// Both sides.
    pub(crate) fn levels(&self) -> impl Iterator<Item = (Amount, Amount)> {
        self.bids.iter().chain(&self.asks).copied()
    }
}

/// A row of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A candle.
    Candle(CandleRow),
    /// A trade.
    Trade(TradeRow),
    /// A quote.
    Quote(QuoteRow),
    /// A book.
    Book(Box<BookRow>),
    /// A number.
    Number(NumberRow),
    /// A target, which names no instrument: its series does.
    Target(Box<TargetRow>),
}

impl Row {
    /// What kind of row it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Candle(_) => Kind::Candles,
            Self::Trade(_) => Kind::Trades,
            Self::Quote(_) => Kind::Quotes,
            Self::Book(_) => Kind::Books,
            Self::Number(_) => Kind::Numbers,
            Self::Target(_) => Kind::Targets,
        }
    }

    /// When it happened; a candle's start; when a number or a target was received.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Candle(row) => row.open_time,
            Self::Trade(row) => row.at,
            Self::Quote(row) => row.at,
            Self::Book(row) => row.at,
            Self::Number(row) => row.received_at,
            Self::Target(row) => row.received_at,
        }
    }

    /// The largest price in it.
    pub(crate) fn largest(&self) -> Amount {
        match self {
            Self::Candle(row) => row.high,
            Self::Trade(row) => row.price,
            Self::Quote(row) => row.ask.max(row.bid),
            Self::Book(row) => row
                .levels()
                .map(|(price, _)| price)
                .max()
                .unwrap_or_default(),
            Self::Number(_) | Self::Target(_) => Amount::ZERO,
        }
    }
}

/// An exact amount as a count of 10^-`decimals`; `None` if it is finer, or larger than 64 bits hold.
#[must_use]
pub fn counts(amount: Amount, decimals: u8) -> Option<i64> {
    let unit = 10_i128.pow(u32::from(Amount::DECIMALS.saturating_sub(decimals)));
    (amount.0 % unit == 0).then(|| i64::try_from(amount.0 / unit).ok())?
}

/// The same of a candle's volume, which may be finer than the step of orders: what is finer is cut off.
#[must_use]
pub fn volume_counts(volume: Amount, decimals: u8) -> Option<i64> {
    let unit = 10_i128.pow(u32::from(Amount::DECIMALS.saturating_sub(decimals)));
    i64::try_from(volume.0 / unit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_exact_or_none() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        assert_eq!(counts(amount("1.25"), 2), Some(125));
        assert_eq!(counts(amount("1.25"), 1), None);
        assert_eq!(counts(amount("10000000000"), 9), None);
        assert_eq!(volume_counts(amount("1.25"), 1), Some(12));
        assert_eq!(volume_counts(amount("10000000000"), 9), None);
    }
}
