//! Dense ids into names, by the configuration that was in force when an event was made.

use std::collections::BTreeMap;

use tradewind_events::Configuration;
use tradewind_model::{AccountId, Amount, AssetId, BotId, Instrument, InstrumentId};

/// All configurations there were, by the first sequence number each holds for.
#[derive(Debug, Default)]
pub(crate) struct Configurations {
    by_seq: BTreeMap<u64, Configuration>,
}

impl Configurations {
    pub(crate) fn insert(&mut self, from_seq: u64, configuration: Configuration) {
        self.by_seq.insert(from_seq, configuration);
    }

    /// The names in force at `seq`.
    pub(crate) fn at(&self, seq: u64) -> Names<'_> {
        let before = self.by_seq.range(..=seq).next_back();
        // An event older than every configuration can only be of the first.
        let found = before.or_else(|| self.by_seq.first_key_value());
        Names {
            configuration: found.map(|(_, configuration)| configuration),
        }
    }
}

/// Names of ids. An unknown id is printed as its number, so that no event is lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    configuration: Option<&'a Configuration>,
}

impl<'a> Names<'a> {
    pub(crate) fn instrument(self, id: InstrumentId) -> Option<&'a Instrument> {
        self.configuration?.instruments.get(id.index())
    }

    pub(crate) fn instrument_name(self, id: InstrumentId) -> String {
        self.instrument(id)
            .map_or_else(|| unnamed("instrument", id.0), |found| found.name.clone())
    }

    pub(crate) fn bot(self, id: BotId) -> String {
        let bots = self.configuration.map(|known| &known.bots);
        bots.and_then(|bots| bots.iter().find(|bot| bot.id == id))
            .map_or_else(|| unnamed("bot", id.0), |bot| bot.name.clone())
    }

    pub(crate) fn account(self, id: AccountId) -> String {
        let accounts = self.configuration.map(|known| &known.accounts);
        accounts
            .and_then(|accounts| accounts.get(id.index()))
            .map_or_else(|| unnamed("account", id.0), |found| found.name.clone())
    }

    pub(crate) fn asset(self, id: AssetId) -> String {
        self.configuration.map_or_else(
            || unnamed("asset", id.0),
            |known| known.assets.name(id).to_owned(),
        )
    }
}

fn unnamed(what: &str, id: u32) -> String {
    format!("{what} {id}")
}

/// An amount as its exact text.
pub(crate) fn text(amount: Amount) -> String {
    amount.to_string()
}
