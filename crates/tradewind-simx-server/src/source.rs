//! Where the market's events come from.

use tradewind_model::Timestamp;
use tradewind_simx::{Generated, MarketEvent, MarketSource};

/// The source of one exchange.
#[derive(Debug)]
pub(crate) enum Source {
    /// Drawn from a seed.
    Generated(Box<Generated>),
}

impl Source {
    /// Hands every event due until `until` to `sink`.
    pub(crate) fn advance(&mut self, until: Timestamp, sink: &mut dyn FnMut(Timestamp, MarketEvent<'_>)) {
        match self {
            Self::Generated(market) => market.advance(until, sink),
        }
    }

    /// Whether there will be no more events.
    pub(crate) fn has_ended(&self) -> bool {
        match self {
            Self::Generated(_) => false,
        }
    }
}
