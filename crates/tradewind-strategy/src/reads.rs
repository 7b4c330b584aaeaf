//! What a strategy sees of instruments that its bot reads and does not trade: those of other venues and of house sources.

use std::fmt;

use tradewind_model::{Depth, FeedHealth, Instrument, InstrumentId, Quote, Trade};

use crate::strategy::WarmUp;

/// Whether a bot trades an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It trades it: a decision is carried out there.
    #[default]
    Traded,
    /// It only reads it: a target is a fault of the bot.
    Read,
}

/// What a strategy uses of the instruments that its bot only reads. The engine keeps an index of it, so that data of an
/// instrument costs nothing where nobody subscribed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadUse {
    /// Whether each of their quotes evaluates the strategy.
    pub quotes: bool,
    /// The candles it is fed, each with the number of closed ones before its first decision. Each that closes evaluates it
    /// afterwards. A source without past candles warms nothing up.
    pub candles: Vec<WarmUp>,
    /// Which of the bot's instruments are evaluated.
    pub pairing: Pairing,
}

/// Which of a bot's traded instruments are evaluated on data of an instrument that it reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pairing {
    /// Those of the same base and quote asset.
    #[default]
    SameAssets,
    /// All.
    All,
}

impl Pairing {
    /// Whether data of `read` evaluates a strategy on `traded`.
    #[must_use]
    pub fn pairs(self, traded: &Instrument, read: &Instrument) -> bool {
        match self {
            Self::SameAssets => (traded.base, traded.quote) == (read.base, read.quote),
            Self::All => true,
        }
    }
}

/// Market data of one instrument, as of an evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The instrument.
    pub instrument: &'a Instrument,
    /// How far its data can be trusted now.
    pub health: FeedHealth,
    /// Its latest sound quote, however old. It has the venue's stamp, where there is one, and when it was received.
    pub quote: Option<&'a Quote>,
    /// The top of its book, if the source has books and the feed is live.
    pub depth: Option<&'a Depth>,
    /// Its latest public trades, oldest first; at most 32.
    pub trades: &'a [Trade],
}

impl<'a> Reading<'a> {
    /// Its quote, if its feed is live.
    #[must_use]
    pub fn live_quote(&self) -> Option<&'a Quote> {
        self.quote.filter(|_| self.health == FeedHealth::Live)
    }
}

/// Where market data is read from.
pub trait MarketReader: fmt::Debug {
    /// The data of an instrument; `None` for an unknown one.
    fn read(&self, instrument: InstrumentId) -> Option<Reading<'_>>;
}

/// The instruments that a bot only reads.
#[derive(Clone, Copy, Debug)]
pub struct Reads<'a> {
    ids: &'a [InstrumentId],
    market: &'a dyn MarketReader,
}

impl<'a> Reads<'a> {
    /// These instruments, whose data is in `market`.
    #[must_use]
    pub fn new(ids: &'a [InstrumentId], market: &'a dyn MarketReader) -> Self {
        Self { ids, market }
    }

    /// No instrument.
    #[must_use]
    pub fn none() -> Self {
        Self::new(&[], &NoMarket)
    }

    /// The data of one of them; `None` for an instrument that the bot does not read.
    #[must_use]
    pub fn of(&self, instrument: InstrumentId) -> Option<Reading<'a>> {
        let is_read = self.ids.contains(&instrument);
        is_read.then(|| self.market.read(instrument)).flatten()
    }

    /// All of them, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = Reading<'a>> + 'a {
        let market = self.market;
        self.ids.iter().filter_map(move |id| market.read(*id))
    }

    /// The first of the same assets as `traded`: its price can be compared.
    #[must_use]
    pub fn paired(&self, traded: &Instrument) -> Option<Reading<'a>> {
        self.iter()
            .find(|read| Pairing::SameAssets.pairs(traded, read.instrument))
    }
}

/// A market without instruments.
#[derive(Clone, Copy, Debug)]
pub struct NoMarket;

impl MarketReader for NoMarket {
    fn read(&self, _: InstrumentId) -> Option<Reading<'_>> {
        None
    }
}
