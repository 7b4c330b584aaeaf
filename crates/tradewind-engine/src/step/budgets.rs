//! Budgets: money of the desk that is set aside for a bot.

use tradewind_events::BotConfig;
use tradewind_model::{Amount, Money, OwnerId};

use crate::parts::Parts;

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
