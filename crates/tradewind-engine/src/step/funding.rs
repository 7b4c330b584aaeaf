//! Funding of contracts. The venue pays or takes one amount per account and contract; the desk divides it by owner.

use tradewind_events::{Funding, Outputs};
use tradewind_model::{AccountId, InstrumentId, OwnerId, Quantity};

use super::causes::note_absurd;
use crate::parts::Parts;

/// Divides a payment among the owners of the contract in proportion to their positions. The last one gets the rounding
/// remainder.
pub(crate) fn on_funding(parts: &mut Parts, funding: &Funding, out: &mut Outputs) {
    let Funding {
        account,
        instrument,
        amount,
    } = *funding;
    if !parts.accounts.contains(account) || !parts.market.contains(instrument) {
        return;
    }
    let holders = holders(parts, account, instrument);
    let rules = parts.config.instrument(instrument);
    let Some(((last, _), others)) = holders.split_last() else {
        let fits = parts
            .portfolio
            .fund(account, OwnerId::Unallocated, rules, amount);
        return note_absurd(parts, account, fits, out);
    };
    let held: i128 = holders.iter().map(|(_, held)| i128::from(held.0)).sum();
    let (mut left, mut fits) = (amount, true);
    for (owner, quantity) in others {
        let share = amount.mul_div(i128::from(quantity.0), held);
        let share = share.unwrap_or_default();
        left -= share;
        fits &= parts.portfolio.fund(account, *owner, rules, share);
    }
    fits &= parts.portfolio.fund(account, *last, rules, left);
    note_absurd(parts, account, fits, out);
}

/// Owners with a position in the contract.
fn holders(
    parts: &Parts,
    account: AccountId,
    instrument: InstrumentId,
) -> Vec<(OwnerId, Quantity)> {
    let positions = parts.portfolio.positions();
    let in_it = positions.filter(|(key, _)| (key.0, key.2) == (account, instrument));
    in_it
        .map(|(key, position)| (key.1, position.quantity))
        .collect()
}
