//! What a market can do, and the seam between whoever makes it and the exchange.

use serde::{Deserialize, Serialize};
use tradewind_model::{Depth, InstrumentId, Quote, Timestamp, Trade};

/// One change of the market, as the exchange takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarketEvent<'a> {
    /// The best bid and ask are now these; deeper levels stay.
    Quote(Quote),
    /// Somebody took this much at this price. Its id is ignored: the exchange numbers its prints itself.
    Trade(Trade),
    /// The visible levels are now these and no others.
    Levels(&'a Depth),
}

impl MarketEvent<'_> {
    /// Whose market.
    #[must_use]
    pub const fn instrument(&self) -> InstrumentId {
        match self {
            Self::Quote(quote) => quote.instrument,
            Self::Trade(trade) => trade.instrument,
            Self::Levels(depth) => depth.instrument,
        }
    }
}

/// The same, owning its levels: what a reader of recordings makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarketRecord {
    /// See [`MarketEvent::Quote`].
    Quote(Quote),
    /// See [`MarketEvent::Trade`].
    Trade(Trade),
    /// See [`MarketEvent::Levels`].
    Levels(Depth),
}

impl MarketRecord {
    /// The event it is a record of.
    #[must_use]
    pub const fn as_event(&self) -> MarketEvent<'_> {
        match self {
            Self::Quote(quote) => MarketEvent::Quote(*quote),
            Self::Trade(trade) => MarketEvent::Trade(*trade),
            Self::Levels(depth) => MarketEvent::Levels(depth),
        }
    }
}

/// Something that makes a market.
pub trait MarketSource {
    /// When the next event is due; `None` when there will be none.
    fn next_at(&self) -> Option<Timestamp>;

    /// Hands every event due at or before `until` to `sink`, in order of time, each with its time.
    ///
    /// The sequence of events does not depend on how the time is cut into calls.
    fn advance(&mut self, until: Timestamp, sink: &mut dyn FnMut(Timestamp, MarketEvent<'_>));
}
