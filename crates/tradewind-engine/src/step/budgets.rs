//! Budgets: money of the desk that is set aside for a bot.

use std::collections::BTreeMap;

use tradewind_events::BotConfig;
use tradewind_model::{AccountId, Amount, AssetId, InstrumentKind, Money, OwnerId};

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
    let Some(asset) = asset_of(parts, config) else {
        return true;
    };
    let account = config.account;
    let ledger = &parts.portfolio.ledger;
    let has = |owner| ledger.balance(account, asset, owner);
    let Some((from, to)) = way(parts, config, amount, has) else {
        return false;
    };
    let amount = amount.max(-amount);
    let money = Money { asset, amount };
    parts.portfolio.transfer(account, money, from, to);
    true
}

/// The first bot whose budget could not be changed by its amount after those before it. Nothing is moved. Accounts that were not
/// read yet cover everything: budgets are given when they are.
pub(super) fn first_uncovered<'a>(
    parts: &Parts,
    changes: Vec<(&'a BotConfig, Amount)>,
) -> Option<&'a BotConfig> {
    let mut moved: BTreeMap<(AccountId, AssetId, OwnerId), Amount> = BTreeMap::new();
    changes.into_iter().find_map(|(config, amount)| {
        let (account, asset) = (config.account, asset_of(parts, config)?);
        if !parts.accounts.get(account).is_reconciled() {
            return None;
        }
        let ledger = &parts.portfolio.ledger;
        let has = |owner| {
            let moved = moved.get(&(account, asset, owner)).copied();
            ledger.balance(account, asset, owner) + moved.unwrap_or_default()
        };
        let Some((from, to)) = way(parts, config, amount, has) else {
            return Some(config);
        };
        let amount = amount.max(-amount);
        *moved.entry((account, asset, from)).or_default() -= amount;
        *moved.entry((account, asset, to)).or_default() += amount;
        None
    })
}

/// The asset of a bot's budget.
fn asset_of(parts: &Parts, config: &BotConfig) -> Option<AssetId> {
    let first = config.instruments.first()?;
    Some(parts.config.instrument(*first).quote)
}

/// From whom to whom money goes, if a bot's budget grows by `amount`. `None` if no owner has so much.
fn way(
    parts: &Parts,
    config: &BotConfig,
    amount: Amount,
    has: impl Fn(OwnerId) -> Amount,
) -> Option<(OwnerId, OwnerId)> {
    let (bot, needed) = (OwnerId::Bot(config.id), amount.max(-amount));
    if amount < Amount::ZERO {
        return (has(bot) >= needed).then_some((bot, OwnerId::Unallocated));
    }
    let is_limited = parts.config.accounts[config.account.index()]
        .capital
        .is_some();
    let givers: &[OwnerId] = match is_limited {
        true => &[OwnerId::Unallocated],
        false => &[OwnerId::Unallocated, OwnerId::External],
    };
    let mut givers = givers.iter().copied();
    Some((givers.find(|owner| has(*owner) >= needed)?, bot))
}
