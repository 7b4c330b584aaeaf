//! Budgets: money of the desk that is set aside for a bot.

use tradewind_events::BotConfig;
use tradewind_model::{AccountId, Amount, InstrumentKind, Money, OwnerId};

use crate::parts::Parts;

/// Moves what is missing of an account's configured capital from EXTERNAL to the desk, and what is too much back, as far as it
/// is there. What the desk had before a capital was configured counts as given: its money, and what its positions cost.
pub(super) fn follow_capital(parts: &mut Parts, account: AccountId) {
    let Some(wanted) = parts.config.accounts[account.index()].capital else {
        return;
    };
    let (asset, ledger) = (parts.config.report_asset, &parts.portfolio.ledger);
    let has = |owner| ledger.balance(account, asset, owner);
    let given = parts.accounts.get(account).capital();
    let given = given.unwrap_or_else(|| {
        ledger.total(account, asset) - has(OwnerId::External) + spent(parts, account)
    });
    let (from, to) = if wanted > given {
        (OwnerId::External, OwnerId::Unallocated)
    } else {
        (OwnerId::Unallocated, OwnerId::External)
    };
    let missing = (wanted - given).max(given - wanted);
    let amount = missing.min(has(from).max(Amount::ZERO));
    let signed = if wanted > given { amount } else { -amount };
    if !amount.is_zero() {
        let money = Money { asset, amount };
        parts.portfolio.transfer(account, money, from, to);
    }
    parts.accounts.get_mut(account).set_capital(given + signed);
}

/// What the desk has spent of the report asset on what it holds: the cost of its spot positions.
fn spent(parts: &Parts, account: AccountId) -> Amount {
    let positions = parts.portfolio.positions();
    let bought = positions.filter(|(key, _)| {
        let instrument = parts.config.instrument(key.2);
        let is_spot = instrument.kind == InstrumentKind::Spot;
        let is_desks = key.0 == account && key.1 != OwnerId::External;
        is_desks && is_spot && instrument.quote == parts.config.report_asset
    });
    bought.map(|(_, position)| position.cost).sum()
}

/// Gives a bot `amount`, from the desk's own money first, or takes it back if negative. False if no owner covers it.
pub(super) fn allocate(parts: &mut Parts, config: &BotConfig, amount: Amount) -> bool {
    let Some(first) = config.instruments.first() else {
        return true;
    };
    let (account, asset) = (config.account, parts.config.instrument(*first).quote);
    let ledger = &parts.portfolio.ledger;
    let (bot, needed) = (OwnerId::Bot(config.id), amount.max(-amount));
    let givers: &[OwnerId] = if amount < Amount::ZERO {
        &[bot]
    } else if parts.config.accounts[account.index()].capital.is_some() {
        &[OwnerId::Unallocated]
    } else {
        &[OwnerId::Unallocated, OwnerId::External]
    };
    let mut givers = givers.iter();
    let has = |owner: &&OwnerId| ledger.balance(account, asset, **owner) >= needed;
    let Some(from) = givers.find(has) else {
        return false;
    };
    let to = if *from == bot {
        OwnerId::Unallocated
    } else {
        bot
    };
    let money = Money {
        asset,
        amount: needed,
    };
    parts.portfolio.transfer(account, money, *from, to);
    true
}
