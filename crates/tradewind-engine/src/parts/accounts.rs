//! Accounts at run time: whether they are reconciled, their equity, and fills that no order of ours explains.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use tradewind_events::{Configuration, EquityPoint};
use tradewind_model::{AccountId, Amount, ClientOrderId, Fill, InstrumentId, Timestamp, TradeId};

/// How many foreign fills, and how many early ones, are kept per account.
const FILLS_KEPT: usize = 4_096;

/// All accounts, by dense id.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Accounts {
    records: Vec<AccountRecord>,
}

/// One account.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    reconciled: bool,
    /// Since when it is not.
    #[serde(default)]
    unreconciled_since: Timestamp,
    /// As of the last valuation.
    equity: EquityPoint,
    started_with: Option<Amount>,
    /// How many instruments its bots trade.
    instruments: u32,
    /// Fills reported before the account was read, which its reading may not contain.
    early: Vec<Fill>,
    /// Saved apart, in chunks.
    #[serde(skip)]
    foreign: ForeignFills,
}

/// What identifies a fill on its account.
pub(crate) type FillKey = (InstrumentId, TradeId, ClientOrderId);

/// Identities of the last fills that no order of ours explains.
#[derive(Debug, Default)]
struct ForeignFills {
    known: BTreeSet<FillKey>,
    /// Oldest first.
    order: VecDeque<FillKey>,
}

impl Accounts {
    pub(crate) fn new(configuration: &Configuration) -> Self {
        let mut accounts = Self::default();
        accounts.update(configuration);
        accounts
    }

    /// Adds accounts that are new in `configuration`. Counts again how many instruments each account's bots trade.
    pub(crate) fn update(&mut self, configuration: &Configuration) {
        let added = configuration.accounts.len().max(self.records.len());
        self.records.resize_with(added, AccountRecord::default);
        for (record, account) in self.records.iter_mut().zip(&configuration.accounts) {
            record.instruments = instruments_traded(configuration, account.id);
        }
    }

    pub(crate) fn contains(&self, account: AccountId) -> bool {
        account.index() < self.records.len()
    }

    /// The account of a dense id.
    pub(crate) fn get(&self, account: AccountId) -> &AccountRecord {
        &self.records[account.index()]
    }

    pub(crate) fn get_mut(&mut self, account: AccountId) -> &mut AccountRecord {
        &mut self.records[account.index()]
    }

    /// A copy that holds no foreign fills.
    pub(crate) fn without_foreign_fills(&self) -> Self {
        let records = self.records.iter().map(|record| AccountRecord {
            early: record.early.clone(),
            foreign: ForeignFills::default(),
            ..*record
        });
        Self {
            records: records.collect(),
        }
    }

    pub(crate) fn are_reconciled(&self) -> bool {
        self.records.iter().all(AccountRecord::is_reconciled)
    }
}

impl AccountRecord {
    pub(crate) const fn is_reconciled(&self) -> bool {
        self.reconciled
    }

    /// Since when the account is not reconciled; `None` if it is.
    pub(crate) fn unreconciled_since(&self) -> Option<Timestamp> {
        (!self.reconciled).then_some(self.unreconciled_since)
    }

    /// Notes that the account was read from its venue.
    pub(crate) const fn set_reconciled(&mut self) {
        self.reconciled = true;
    }

    /// Notes that the account must be read from its venue first.
    pub(crate) const fn await_reconcile(&mut self, now: Timestamp) {
        self.reconciled = false;
        self.unreconciled_since = now;
    }

    /// What recovery restores of it.
    pub(crate) fn recovered(&self) -> impl Serialize + '_ {
        let foreign: Vec<FillKey> = self.foreign_fills().collect();
        (self.reconciled, self.instruments, &self.early, foreign)
    }

    pub(crate) const fn equity(&self) -> &EquityPoint {
        &self.equity
    }

    /// Takes a valuation. The first complete one is what the account started with.
    pub(crate) fn value_at(&mut self, equity: EquityPoint) {
        if self.started_with.is_none() && equity.unpriced == 0 {
            self.started_with = Some(equity.equity);
        }
        self.equity = equity;
    }

    /// Equity at the first complete valuation, or now before there was one.
    pub(crate) fn started_with(&self) -> Amount {
        self.started_with.unwrap_or(self.equity.equity)
    }

    /// How many instruments its bots trade.
    pub(crate) const fn instruments(&self) -> u32 {
        self.instruments
    }

    /// Keeps a fill that came before the account was read.
    pub(crate) fn note_early(&mut self, fill: &Fill) {
        if !self.reconciled && self.early.len() < FILLS_KEPT {
            self.early.push(*fill);
        }
    }

    /// Takes the fills that came before the account was read.
    pub(crate) fn take_early(&mut self) -> Vec<Fill> {
        std::mem::take(&mut self.early)
    }

    /// Notes a foreign fill. False if it was reported before.
    pub(crate) fn note_foreign(&mut self, fill: &Fill) -> bool {
        self.foreign
            .note((fill.instrument, fill.trade_id, fill.client_id))
    }
}

impl AccountRecord {
    /// Identities of the last foreign fills, oldest first.
    pub(crate) fn foreign_fills(&self) -> impl Iterator<Item = FillKey> + '_ {
        self.foreign.order.iter().copied()
    }

    /// Adds identities of foreign fills, oldest first.
    pub(crate) fn restore_foreign(&mut self, fills: Vec<FillKey>) {
        for key in fills {
            self.foreign.note(key);
        }
    }
}

impl ForeignFills {
    fn note(&mut self, key: FillKey) -> bool {
        if !self.known.insert(key) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > FILLS_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

fn instruments_traded(configuration: &Configuration, account: AccountId) -> u32 {
    let bots = configuration.bots.iter();
    let traded: BTreeSet<InstrumentId> = bots
        .filter(|bot| bot.account == account)
        .flat_map(|bot| bot.instruments.iter().copied())
        .collect();
    u32::try_from(traded.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(equity: i64, unpriced: u32) -> EquityPoint {
        EquityPoint {
            equity: Amount::whole(equity),
            unpriced,
            ..EquityPoint::default()
        }
    }

    #[test]
    fn an_account_started_with_its_first_complete_valuation() {
        let mut record = AccountRecord::default();
        record.value_at(point(5, 1));
        assert_eq!(record.started_with(), Amount::whole(5));
        record.value_at(point(100, 0));
        record.value_at(point(120, 0));
        assert_eq!(record.started_with(), Amount::whole(100));
        assert_eq!(record.equity().equity, Amount::whole(120));
    }

    #[test]
    fn a_foreign_fill_is_new_once_until_4096_others_came() {
        let key = |id| (InstrumentId(0), TradeId(id), ClientOrderId(0));
        let mut fills = ForeignFills::default();
        assert!(fills.note(key(0)) && !fills.note(key(0)));
        for id in 1..=4_096 {
            assert!(fills.note(key(id)));
        }
        assert!(!fills.note(key(1)));
        assert!(fills.note(key(0)), "the oldest was dropped");
    }
}
