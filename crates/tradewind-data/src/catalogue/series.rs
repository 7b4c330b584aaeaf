//! Names of series: `binance:BTC/USDT@1m`, `kraken:BTC/EUR@trades`, `house:fear@numbers`, `signals:follower:binance:BTC/USDT@targets`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tradewind_model::{Interval, Timestamp};

use crate::names;
use crate::product::Product;
use crate::row::Kind;

/// Longest name of a subject that is no product.
const NAME_BYTES_MAX: usize = 200;

/// What the rows of a series are of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A product: candles, trades, quotes and books.
    Product(Product),
    /// A name: that of a series of numbers, or `BOT:INSTRUMENT` of targets.
    Name(String),
}

impl Subject {
    /// A name, if the catalogue can keep it: up to 200 letters, digits and `- _ . : /` of ASCII.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
        let is_legal = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(legal);
        is_legal.then(|| Self::Name(name.to_owned()))
    }

    /// The product, if it is one.
    #[must_use]
    pub const fn product(&self) -> Option<&Product> {
        match self {
            Self::Product(product) => Some(product),
            Self::Name(_) => None,
        }
    }

    /// As a folder is called. Two names may have one folder: files are found by the manifest.
    pub(super) fn folder(&self) -> String {
        match self {
            Self::Product(product) => format!("{}_{}", product.base(), product.quote()),
            Self::Name(name) => name.replace([':', '/', '.'], "_"),
        }
    }
}

impl From<Product> for Subject {
    fn from(product: Product) -> Self {
        Self::Product(product)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Product(product) => write!(f, "{}/{}", product.base(), product.quote()),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Rows of one kind, of one product at one venue or of one name at one source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// The venue or source, in small letters.
    pub venue: String,
    /// What it is of.
    pub subject: Subject,
    /// What its rows are.
    pub kind: Kind,
    /// How long its candles are.
    pub interval: Option<Interval>,
}

impl Series {
    /// `1m`, `trades`, `quotes`, `book`, `numbers` or `targets`.
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
        write!(f, "{}:{}@{}", self.venue, self.subject, self.of())
    }
}

/// A text that names no series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no series; write it as binance:BTC/USDT@1m, or with @trades, @quotes or @book; house:NAME@numbers; house:BOT:INSTRUMENT@targets"
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
                "numbers" => (Kind::Numbers, None),
                "targets" => (Kind::Targets, None),
                length => (Kind::Candles, Some(length.parse().ok()?)),
            };
            let subject = match kind {
                Kind::Numbers => Subject::named(product)?,
                Kind::Targets => {
                    let (bot, instrument) = product.split_once(':')?;
                    (!bot.is_empty() && !instrument.is_empty())
                        .then(|| Subject::named(product))??
                }
                _ => Subject::Product(names::product(product)?),
            };
            Some(Self {
                venue: Self::venue(venue)?,
                subject,
                kind,
                interval,
            })
        };
        read().ok_or_else(|| SeriesError(text.to_owned()))
    }
}
