//! The ledger: what each account has, free and locked, and where the other side of every movement went.
//!
//! Every posting is double: what an account gains, another account, the market model or the fee account loses. So for
//! each asset the sum over everybody is what was deposited, always; [`Ledger::imbalance`] says by how much it is not.

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, Amount, AssetId};

use crate::outbox::BalanceChange;
use crate::refusal::Refusal;

/// What an account has of an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What can be used; never negative.
    pub free: Amount,
    /// What open orders hold; never negative.
    pub locked: Amount,
}

/// All balances, dense by account and asset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    accounts: Vec<Vec<Balance>>,
    /// What the market model gained, asset by asset; usually negative for what it sold.
    market: Vec<Amount>,
    fees: Vec<Amount>,
    deposited: Vec<Amount>,
    /// Balances changed since the last [`publish`](Self::publish).
    #[serde(skip)]
    touched: Vec<(AccountId, AssetId)>,
}

/// Which part of a balance pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purse {
    /// What can be used.
    Free,
    /// What was set aside for the order.
    Locked,
}

impl Ledger {
    pub(crate) fn new(assets: usize) -> Self {
        let none = vec![Amount::ZERO; assets];
        Self {
            accounts: Vec::new(),
            market: none.clone(),
            fees: none.clone(),
            deposited: none,
            touched: Vec::new(),
        }
    }

    /// Makes room for assets up to `last`.
    pub(crate) fn know_assets(&mut self, last: AssetId) {
        let assets = self.market.len().max(last.index() + 1);
        for amounts in [&mut self.market, &mut self.fees, &mut self.deposited] {
            amounts.resize(assets, Amount::ZERO);
        }
        for balances in &mut self.accounts {
            balances.resize(assets, Balance::default());
        }
    }

    pub(crate) fn open_account(&mut self) -> AccountId {
        self.accounts
            .push(vec![Balance::default(); self.market.len()]);
        AccountId(
            u32::try_from(self.accounts.len() - 1)
                .expect("an exchange has fewer than 2^32 accounts"),
        )
    }

    pub(crate) fn deposit(
        &mut self,
        account: AccountId,
        asset: AssetId,
        amount: Amount,
    ) -> Result<(), Refusal> {
        let balances = self
            .accounts
            .get_mut(account.index())
            .ok_or(Refusal::UnknownAccount)?;
        let balance = balances
            .get_mut(asset.index())
            .ok_or(Refusal::UnknownAsset)?;
        let free = balance
            .free
            .0
            .checked_add(amount.0)
            .ok_or(Refusal::InsufficientBalance)?;
        let deposited = &mut self.deposited[asset.index()];
        let sum = deposited.0.checked_add(amount.0);
        let (false, Some(sum)) = (free < 0, sum) else {
            return Err(Refusal::InsufficientBalance);
        };
        balance.free = Amount(free);
        *deposited = Amount(sum);
        self.touch(account, asset);
        Ok(())
    }

    /// Sets `amount` of what is free aside. The caller has checked that there is as much.
    pub(crate) fn lock(&mut self, account: AccountId, asset: AssetId, amount: Amount) {
        let balance = self.balance_mut(account, asset);
        balance.free -= amount;
        balance.locked += amount;
        debug_assert!(balance.free.0 >= 0, "locked more than was free");
        self.touch(account, asset);
    }

    /// Makes `amount` of what was set aside free again.
    pub(crate) fn unlock(&mut self, account: AccountId, asset: AssetId, amount: Amount) {
        let balance = self.balance_mut(account, asset);
        balance.locked -= amount;
        balance.free += amount;
        debug_assert!(balance.locked.0 >= 0, "freed more than was locked");
        self.touch(account, asset);
    }

    /// Takes what an order pays.
    pub(crate) fn pay(&mut self, account: AccountId, asset: AssetId, amount: Amount, from: Purse) {
        let balance = self.balance_mut(account, asset);
        let purse = match from {
            Purse::Free => &mut balance.free,
            Purse::Locked => &mut balance.locked,
        };
        *purse -= amount;
        debug_assert!(purse.0 >= 0, "paid more than there was");
        self.touch(account, asset);
    }

    /// Gives what an order brings in.
    pub(crate) fn receive(&mut self, account: AccountId, asset: AssetId, amount: Amount) {
        self.balance_mut(account, asset).free += amount;
        self.touch(account, asset);
    }

    /// Takes a fee, which the fee account gets. The caller has checked that there is as much.
    pub(crate) fn charge(&mut self, account: AccountId, asset: AssetId, fee: Amount) {
        if fee.is_zero() {
            return;
        }
        let balance = self.balance_mut(account, asset);
        balance.free -= fee;
        debug_assert!(balance.free.0 >= 0, "a fee of more than there was");
        self.fees[asset.index()] += fee;
        self.touch(account, asset);
    }

    /// Books the market model's side of a trade: it gains `amount`.
    pub(crate) fn market_gains(&mut self, asset: AssetId, amount: Amount) {
        self.market[asset.index()] += amount;
    }

    /// Reports every balance changed since the last time, once each, and forgets which they were.
    pub(crate) fn publish(&mut self, out: &mut Vec<BalanceChange>) {
        for index in 0..self.touched.len() {
            let (account, asset) = self.touched[index];
            let Balance { free, locked } = self.balance(account, asset);
            out.push(BalanceChange {
                account,
                asset,
                free,
                locked,
            });
        }
        self.touched.clear();
    }

    pub(crate) fn accounts(&self) -> usize {
        self.accounts.len()
    }

    pub(crate) fn knows(&self, account: AccountId) -> bool {
        account.index() < self.accounts.len()
    }

    pub(crate) fn balance(&self, account: AccountId, asset: AssetId) -> Balance {
        let balances = self.accounts.get(account.index());
        balances
            .and_then(|balances| balances.get(asset.index()))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn balances(&self, account: AccountId) -> &[Balance] {
        self.accounts
            .get(account.index())
            .map_or(&[], Vec::as_slice)
    }

    pub(crate) fn fees(&self, asset: AssetId) -> Amount {
        self.fees.get(asset.index()).copied().unwrap_or_default()
    }

    /// What everybody has together, less what was deposited: zero, or the exchange has made or lost money.
    pub(crate) fn imbalance(&self, asset: AssetId) -> Amount {
        let Some(deposited) = self.deposited.get(asset.index()) else {
            return Amount::ZERO;
        };
        let held = self.accounts.iter().map(|balances| balances[asset.index()]);
        let held: Amount = held.map(|balance| balance.free + balance.locked).sum();
        held + self.market[asset.index()] + self.fees[asset.index()] - *deposited
    }

    fn balance_mut(&mut self, account: AccountId, asset: AssetId) -> &mut Balance {
        &mut self.accounts[account.index()][asset.index()]
    }

    fn touch(&mut self, account: AccountId, asset: AssetId) {
        if !self.touched.contains(&(account, asset)) {
            self.touched.push((account, asset));
        }
    }
}
