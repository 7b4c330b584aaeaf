//! The engine's state as data: saved, restored, and compared by digest.
//!
//! [`EngineState`] has two halves. The *durable* one cannot be rebuilt from other data: orders, ledger, causes,
//! commands, exit monitors, bots, ids, timers. The *derived* one is the market view and the strategies' own state.
//! Fresh market data can rebuild it. Both are taken at the same input.
//!
//! Start with [`Engine::save`](crate::Engine::save).

mod difference;
mod digest;
mod record;
mod snapshot;

use serde::{Deserialize, Serialize};
use tradewind_model::BotId;

use crate::bytes::Bytes;

pub use digest::Digest;
pub(crate) use record::{restore, restore_durable};
pub(crate) use snapshot::{Snapshot, save};

/// Version of the format. It increases with every change that an older build cannot read.
pub const STATE_VERSION: u32 = 1;

/// All state of an engine, as of one input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineState {
    durable: Section,
    derived: Section,
}

/// Half of an engine's state: records in `MessagePack` with named fields, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    version: u32,
    digest: u64,
    records: Bytes,
}

impl EngineState {
    /// Orders, ledger, causes, commands, exit monitors, bots, ids, timers.
    #[must_use]
    pub const fn durable(&self) -> &Section {
        &self.durable
    }

    /// The market view and the strategies' own state.
    #[must_use]
    pub const fn derived(&self) -> &Section {
        &self.derived
    }

    /// The state as bytes, for a journal.
    ///
    /// # Panics
    /// Never: writing to memory cannot fail.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        rmp_serde::to_vec_named(self).expect("writing to memory cannot fail")
    }

    /// The state that these bytes hold.
    ///
    /// # Errors
    /// They hold none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RestoreError> {
        Ok(rmp_serde::from_slice(bytes)?)
    }

    /// One number for both halves: two states that differ anywhere differ here.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        digest.add(&self.durable.digest.to_le_bytes());
        digest.add(&self.derived.digest.to_le_bytes());
        digest.value()
    }
}

impl Section {
    fn new(records: Vec<u8>, digest: Digest) -> Self {
        Self {
            version: STATE_VERSION,
            digest: digest.value(),
            records: Bytes(records),
        }
    }

    /// Version of the format.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// A number that differs for every other content.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.0.len()
    }

    /// Whether it holds nothing. No saved half does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.0.is_empty()
    }

    /// The records, if this build can read them and they are what was saved.
    fn checked(&self) -> Result<&[u8], RestoreError> {
        if self.version != STATE_VERSION {
            return Err(RestoreError::Version {
                found: self.version,
            });
        }
        let mut digest = Digest::default();
        digest.add(&self.records.0);
        if digest.value() != self.digest {
            return Err(RestoreError::Damaged);
        }
        Ok(&self.records.0)
    }
}

/// Why an engine cannot continue from a saved state.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// Another build wrote it, in a format this one does not read.
    #[error("the state has version {found}, this build reads version {STATE_VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// The content does not match its digest.
    #[error("the state is damaged: its digest does not match")]
    Damaged,
    /// A record cannot be read.
    #[error("a record of the state cannot be read")]
    Record(#[from] rmp_serde::decode::Error),
    /// A bot's strategy refuses its saved state.
    #[error("the strategy of bot {} refuses its state", .bot.0)]
    Strategy {
        /// The bot.
        bot: BotId,
        /// The reason of the strategy.
        source: tradewind_strategy::RestoreError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, StrategySource};

    fn refusal(change: impl Fn(&mut EngineState)) -> RestoreError {
        let mut state = Engine::after(StrategySource::built_in(), 7).save();
        change(&mut state);
        Engine::restore(StrategySource::built_in(), &state).expect_err("it is refused")
    }

    #[test]
    fn a_state_is_read_back_and_continues_its_numbers() {
        let engine = Engine::after(StrategySource::built_in(), 7);
        let bytes = rmp_serde::to_vec_named(&engine.save()).unwrap();
        let state: EngineState = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(state, engine.save());
        let restored = Engine::restore(StrategySource::built_in(), &state).unwrap();
        assert_eq!(restored.seq(), 7);
        assert_eq!(restored.save().digest(), state.digest());
    }

    #[test]
    fn another_version_is_refused() {
        let refused = refusal(|state| state.durable.version += 1);
        assert!(matches!(refused, RestoreError::Version { found: 2 }));
        let refused = refusal(|state| state.derived.version = 0);
        let words = "the state has version 0, this build reads version 1";
        assert_eq!(refused.to_string(), words);
    }

    #[test]
    fn a_changed_byte_is_refused() {
        let refused = refusal(|state| state.durable.records.0[20] ^= 1);
        assert!(matches!(refused, RestoreError::Damaged));
    }
}
