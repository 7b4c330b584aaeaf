//! Names of series: `binance:BTC/USDT@1m`, `kraken:BTC/EUR@trades`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tradewind_model::{Interval, Timestamp};

use crate::names;
use crate::product::Product;
use crate::row::Kind;

/// Rows of one kind, of one product at one venue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// The venue, in small letters.
    pub venue: String,
    /// What it is of.
    pub product: Product,
    /// What its rows are.
    pub kind: Kind,
    /// How long its candles are.
    pub interval: Option<Interval>,
}

impl Series {
    /// `1m`, `trades`, `quotes` or `book`.
    #[must_use]
    pub fn of(&self) -> &'static str {
        self.interval.map_or(self.kind.name(), Interval::name)
    }

    /// How far a candle that begins then begins after its interval does; nothing for ticks.
    pub(super) fn offset(&self, at: Timestamp) -> Duration {
        self.interval
            .map_or(Duration::ZERO, |interval| at.since(interval.open_time(at)))
    }

    /// A venue's name as it is kept, if it can be one.
    #[must_use]
    pub fn venue(name: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        let legal =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        (!name.is_empty() && name.len() <= 40 && name.chars().all(legal)).then_some(name)
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}/{}@{}",
            self.venue,
            self.product.base(),
            self.product.quote(),
            self.of()
        )
    }
}

/// A text that names no series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no series; write it as binance:BTC/USDT@1m, or with @trades, @quotes or @book"
)]
pub struct SeriesError(String);

impl FromStr for Series {
    type Err = SeriesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (venue, rest) = text.split_once(':')?;
            let (product, of) = rest.rsplit_once('@')?;
            let (kind, interval) = match of {
                "trades" => (Kind::Trades, None),
                "quotes" => (Kind::Quotes, None),
                "book" => (Kind::Books, None),
                length => (Kind::Candles, Some(length.parse().ok()?)),
            };
            Some(Self {
                venue: Self::venue(venue)?,
                product: names::product(product)?,
                kind,
                interval,
            })
        };
        read().ok_or_else(|| SeriesError(text.to_owned()))
    }
}
