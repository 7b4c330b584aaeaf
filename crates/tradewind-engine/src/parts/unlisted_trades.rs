//! Trades in what the desk does not list: many of them are not as many alarms and readings.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, Timestamp};

/// Symbols followed at a time, of all accounts.
const UNLISTED_MAX: usize = 64;
/// Between two alarms about one symbol.
const ALARM_EVERY: Duration = Duration::from_secs(60);
/// Between two readings of an account because of them.
const READING_EVERY: Duration = Duration::from_secs(5);

/// What was announced of such trades.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct UnlistedTrades {
    symbols: Vec<Symbol>,
    /// When each account was read because of them last.
    read_at: Vec<(AccountId, Timestamp)>,
}

/// Whose order such a trade was of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trader {
    #[default]
    Somebody,
    ThisDesk,
    AnotherDesk,
}

impl Trader {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Somebody => "somebody else",
            Self::ThisDesk => "an order of this desk",
            Self::AnotherDesk => "another desk",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Symbol {
    account: AccountId,
    #[serde(default)]
    trader: Trader,
    /// The venue's name for it.
    name: String,
    announced_at: Timestamp,
    /// Trades since then.
    more: u32,
}

impl UnlistedTrades {
    pub(crate) const fn is_empty(&self) -> bool {
        self.symbols.is_empty() && self.read_at.is_empty()
    }

    /// Counts a trade. If it is to be announced, how many were not that came before it.
    pub(crate) fn count(
        &mut self,
        account: AccountId,
        (trader, name): (Trader, &str),
        now: Timestamp,
    ) -> Option<u32> {
        let is_due = |symbol: &Symbol| now.since(symbol.announced_at) >= ALARM_EVERY;
        let is_meant = |symbol: &&mut Symbol| {
            (symbol.account, symbol.trader, symbol.name.as_str()) == (account, trader, name)
        };
        if let Some(symbol) = self.symbols.iter_mut().find(is_meant) {
            symbol.more = symbol.more.saturating_add(1);
            return is_due(symbol).then(|| {
                symbol.announced_at = now;
                std::mem::take(&mut symbol.more) - 1
            });
        }
        if self.symbols.len() == UNLISTED_MAX {
            self.symbols.retain(|symbol| !is_due(symbol));
        }
        if self.symbols.len() == UNLISTED_MAX {
            return None;
        }
        self.symbols.push(Symbol {
            account,
            trader,
            name: name.to_owned(),
            announced_at: now,
            more: 0,
        });
        Some(0)
    }

    /// Takes out the symbols of an account whose latest trades are to be announced now, with how many they are.
    pub(crate) fn take_due(
        &mut self,
        account: AccountId,
        now: Timestamp,
    ) -> Vec<(Trader, String, u32)> {
        let is_due = |symbol: &mut Symbol| {
            symbol.account == account && now.since(symbol.announced_at) >= ALARM_EVERY
        };
        let due = self.symbols.extract_if(.., is_due);
        let due = due.filter(|symbol| symbol.more > 0);
        due.map(|symbol| (symbol.trader, symbol.name, symbol.more))
            .collect()
    }

    /// Notes that an account is to be read because of a trade. When: now, or later if it was read a moment ago.
    pub(crate) fn reading_at(&mut self, account: AccountId, now: Timestamp) -> Timestamp {
        let place = self.read_at.iter().position(|(known, _)| *known == account);
        let place = place.unwrap_or_else(|| {
            self.read_at.push((account, Timestamp::EPOCH));
            self.read_at.len() - 1
        });
        let last = &mut self.read_at[place].1;
        let at = now.max(*last + READING_EVERY);
        if at == now {
            *last = now;
        }
        at
    }
}
