//! Funding of contracts: the venue pays or takes one amount per account and contract, the desk shares it out.

use tradewind_events::Funding;
use tradewind_model::{AccountId, InstrumentId, OwnerId, Quantity};

use crate::engine::Engine;

impl Engine {
    /// Books a payment to those who hold the contract, by how much they hold; what rounding leaves goes to the last.
    pub(crate) fn on_funding(&mut self, funding: &Funding) {
        let Funding {
            account,
            instrument,
            amount,
        } = *funding;
        let known = account.index() < self.accounts.len()
            && instrument.index() < self.config.instruments.len();
        if !known {
            return;
        }
        let holders = self.holders(account, instrument);
        let held: i128 = holders.iter().map(|(_, held)| i128::from(held.0)).sum();
        let rules = &self.config.instruments[instrument.index()];
        let mut left = amount;
        for (place, (owner, quantity)) in holders.iter().enumerate() {
            let share = if place + 1 == holders.len() {
                left
            } else {
                amount
                    .mul_div(i128::from(quantity.0), held)
                    .unwrap_or_default()
            };
            left -= share;
            self.portfolio.fund(account, *owner, rules, share);
        }
        if holders.is_empty() {
            self.portfolio
                .fund(account, OwnerId::Unallocated, rules, amount);
        }
    }

    /// Owners with a position in the contract.
    fn holders(&self, account: AccountId, instrument: InstrumentId) -> Vec<(OwnerId, Quantity)> {
        self.portfolio
            .positions()
            .filter(|(key, _)| (key.0, key.2) == (account, instrument))
            .map(|(key, position)| (key.1, position.quantity))
            .collect()
    }
}
