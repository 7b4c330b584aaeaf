//! The double-entry ledger: balances per account, asset and owner, moved only by typed entries.
//!
//! Every entry moves an amount between an owner and the venue, or between two owners. So the sum over owners always is
//! the account's balance, which a property test holds and every reconciliation compares with the venue.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{AccountId, Amount, AssetId, OwnerId};

/// Why an amount moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EntryKind {
    /// Bought or sold.
    Trade,
    /// A fee, or a rebate.
    Fee,
    /// Funding of a contract.
    Funding,
    /// Interest.
    Interest,
    /// A deposit, a withdrawal, or a move between owners: a flow, not profit.
    Transfer,
    /// One asset into another outside of trading.
    Conversion,
}

/// One movement of one asset on one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Why.
    pub kind: EntryKind,
    /// On which account.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// To whom; a negative amount is from them.
    pub owner: OwnerId,
    /// The other side: another owner, or `None` for the venue.
    pub against: Option<OwnerId>,
    /// How much.
    pub amount: Amount,
}

/// Balances, and nothing that was not posted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    balances: BTreeMap<(AccountId, AssetId, OwnerId), Amount>,
    totals: BTreeMap<(AccountId, AssetId), Amount>,
}

impl Ledger {
    /// Posts one entry.
    pub fn post(&mut self, entry: &Entry) {
        let key = (entry.account, entry.asset);
        *self
            .balances
            .entry((entry.account, entry.asset, entry.owner))
            .or_default() += entry.amount;
        match entry.against {
            Some(_) if is_on(Mutation::OneSidedTransfer) => {}
            Some(other) => {
                *self
                    .balances
                    .entry((entry.account, entry.asset, other))
                    .or_default() -= entry.amount;
            }
            None => *self.totals.entry(key).or_default() += entry.amount,
        }
    }

    /// What an owner has.
    #[must_use]
    pub fn balance(&self, account: AccountId, asset: AssetId, owner: OwnerId) -> Amount {
        self.balances
            .get(&(account, asset, owner))
            .copied()
            .unwrap_or_default()
    }

    /// What the account has of an asset, over all owners: what the venue must show.
    #[must_use]
    pub fn total(&self, account: AccountId, asset: AssetId) -> Amount {
        self.totals
            .get(&(account, asset))
            .copied()
            .unwrap_or_default()
    }

    /// All balances that are not zero, by account, asset and owner.
    pub fn balances(&self) -> impl Iterator<Item = (AccountId, AssetId, OwnerId, Amount)> + '_ {
        self.balances
            .iter()
            .filter(|(_, amount)| !amount.is_zero())
            .map(|(&(account, asset, owner), &amount)| (account, asset, owner, amount))
    }

    /// Assets the account has or had.
    pub fn assets(&self, account: AccountId) -> impl Iterator<Item = (AssetId, Amount)> + '_ {
        self.totals
            .iter()
            .filter(move |((of, _), _)| *of == account)
            .map(|(&(_, asset), &amount)| (asset, amount))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradewind_model::BotId;

    const OWNERS: [OwnerId; 4] = [
        OwnerId::Bot(BotId(0)),
        OwnerId::Unallocated,
        OwnerId::Dust,
        OwnerId::External,
    ];

    proptest! {
        #[test]
        fn the_sum_over_owners_is_the_total(
            moves in prop::collection::vec((0_usize..4, prop::option::of(0_usize..4), -1_000_i128..1_000), 0..60)
        ) {
            let mut ledger = Ledger::default();
            for (owner, against, amount) in moves {
                ledger.post(&Entry {
                    kind: EntryKind::Transfer,
                    account: AccountId(0),
                    asset: AssetId(0),
                    owner: OWNERS[owner],
                    against: against.map(|index| OWNERS[index]),
                    amount: Amount(amount),
                });
            }
            let sum: Amount = OWNERS.iter().map(|&owner| ledger.balance(AccountId(0), AssetId(0), owner)).sum();
            prop_assert_eq!(sum, ledger.total(AccountId(0), AssetId(0)));
        }
    }
}
