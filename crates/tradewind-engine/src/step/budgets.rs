//! Budgets: money of the desk that is set aside for a bot.
//!
//! A budget that is a share of its account's equity is set when the account is read first, and one minute after each 00:00 UTC: the
//! bot gets what it lacks of its share, or gives back what is more, as far as the money is free. What was moved is an event, so that
//! recovery needs no prices.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_events::{BotConfig, EventKind, Outputs, Timer};
use tradewind_model::{
    AccountId, Amount, AssetId, BotId, InstrumentKind, Interval, Money, OwnerId, Ppm, Timestamp,
};
use tradewind_portfolio::value_account;
use tradewind_risk::PositionEffect;

use crate::parts::Parts;
use crate::parts::bot::ShareBudget;

/// How long after 00:00 UTC budgets are set, and how long after that again while something has no price.
const AFTER_MIDNIGHT: Duration = Duration::from_secs(60);

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

/// The desk starts: budgets that are shares are set next at the end of the day, or soon if that was missed.
pub(super) fn set_timer(parts: &mut Parts, out: &mut Outputs) {
    let shares = parts.bots.iter().filter(|bot| !bot.is_removed());
    let mut shares = shares.filter(|bot| bot.config().budget_share.is_some());
    let now = parts.now();
    let today = Interval::Day1.open_time(now);
    let Some(first) = shares.next() else {
        return;
    };
    let is_missed = |at: Option<Timestamp>| at.is_some_and(|at| at < today);
    let is_missed = is_missed(first.share().map(|share| share.at))
        || shares.any(|bot| is_missed(bot.share().map(|share| share.at)));
    let at = if is_missed {
        now + AFTER_MIDNIGHT
    } else {
        Interval::Day1.close_time(now) + AFTER_MIDNIGHT
    };
    parts.timers.set(at, Timer::Budgets, out);
}

/// Budgets that are shares are set for the day. Those of an account that cannot be valued wait for a minute.
pub(crate) fn on_timer(parts: &mut Parts, out: &mut Outputs) {
    let mut waits = false;
    for index in 0..parts.config.accounts.len() {
        let account = parts.config.accounts[index].id;
        let bots: Vec<BotId> = parts.bots.ids().collect();
        let has_share = |bot: &BotId| {
            let bot = parts.bots.bot(*bot);
            bot.is_funded() && bot.config().account == account && bot.share().is_some()
        };
        let bots: Vec<BotId> = bots.into_iter().filter(has_share).collect();
        if bots.is_empty() {
            continue;
        }
        if !parts.accounts.get(account).is_reconciled() || !set_shares(parts, &bots, out) {
            waits = true;
        }
    }
    let at = if waits {
        parts.now() + AFTER_MIDNIGHT
    } else {
        Interval::Day1.close_time(parts.now()) + AFTER_MIDNIGHT
    };
    parts.timers.set(at, Timer::Budgets, out);
}

/// Sets the budgets of funded bots of one account; those that give money back come first. False, with nothing moved, while
/// something has no price.
fn set_shares(parts: &mut Parts, bots: &[BotId], out: &mut Outputs) -> bool {
    let changes = bots.iter().map(|bot| {
        let (equity, share) = share_of(parts, *bot)?;
        let own = own_value(parts, *bot)?;
        Some((*bot, equity, own, share - own))
    });
    let Some(mut changes) = changes.collect::<Option<Vec<_>>>() else {
        return false;
    };
    changes.sort_by_key(|(_, _, _, missing)| *missing >= Amount::ZERO);
    for (bot, equity, own, missing) in changes {
        let moved = movable(parts, bot, missing);
        let config = parts.bots.bot(bot).config().clone();
        if allocate(parts, &config, moved) {
            note_share(parts, bot, (own + moved, moved, equity), out);
        }
    }
    true
}

/// Gives a bot its share of its account's equity for the first time. False if the desk's money does not cover it.
pub(super) fn fund_share(parts: &mut Parts, bot: BotId, out: &mut Outputs) -> bool {
    // Recovery reads from an event what it got.
    let valued = (!parts.is_recovering).then(|| valued_share(parts, bot));
    let Some((equity, share)) = valued.flatten() else {
        return false;
    };
    let config = parts.bots.bot(bot).config().clone();
    if share <= Amount::ZERO || !allocate(parts, &config, share) {
        return false;
    }
    note_share(parts, bot, (share, share, equity), out);
    true
}

fn note_share(
    parts: &mut Parts,
    bot: BotId,
    (budget, moved, equity): (Amount, Amount, Amount),
    out: &mut Outputs,
) {
    let now = parts.now();
    keep_share(parts, bot, budget, now);
    let changed = EventKind::BudgetChanged {
        bot,
        budget,
        moved,
        equity,
    };
    parts.emit(None, changed, out);
}

fn keep_share(parts: &mut Parts, bot: BotId, budget: Amount, at: Timestamp) {
    let config = parts.bots.bot(bot).config();
    let asset = asset_of(parts, config);
    let owner = OwnerId::Bot(bot);
    let realized = asset.map(|asset| parts.portfolio.realized(config.account, owner, asset));
    let share = ShareBudget {
        budget,
        realized: realized.unwrap_or_default(),
        at,
    };
    parts.bots.bot_mut(bot).set_share(share);
}

/// Takes a budget over as it was set.
pub(crate) fn fold(parts: &mut Parts, bot: BotId, budget: Amount, moved: Amount) {
    let Some(config) = parts.bots.get(bot).map(|bot| bot.config().clone()) else {
        return;
    };
    allocate(parts, &config, moved);
    parts.bots.bot_mut(bot).note_funded();
    let now = parts.now();
    keep_share(parts, bot, budget, now);
}

/// A budget that was an amount is a share from now on: it is set in a minute.
pub(super) fn become_share(parts: &mut Parts, bot: BotId, budget: Amount, out: &mut Outputs) {
    keep_share(parts, bot, budget, Timestamp::EPOCH);
    set_timer(parts, out);
}

/// The equity of a bot's account in the asset of its budget, and its share of it; `None` while something has no price.
fn share_of(parts: &Parts, bot: BotId) -> Option<(Amount, Amount)> {
    valued(parts, bot, None).and_then(|equity| part_of(parts, bot, equity))
}

/// The same with what has a price alone: at the first reading of an account there may be no quotes yet.
fn valued_share(parts: &Parts, bot: BotId) -> Option<(Amount, Amount)> {
    let config = parts.bots.bot(bot).config();
    let asset = asset_of(parts, config)?;
    let (portfolio, prices) = (&parts.portfolio, parts.prices());
    let value = value_account(portfolio, prices, config.account, asset, None);
    part_of(parts, bot, value.equity)
}

fn part_of(parts: &Parts, bot: BotId, equity: Amount) -> Option<(Amount, Amount)> {
    let share: Ppm = parts.bots.bot(bot).config().budget_share?;
    Some((equity, equity.share(share)?))
}

/// What a bot has, in the asset of its budget.
fn own_value(parts: &Parts, bot: BotId) -> Option<Amount> {
    valued(parts, bot, Some(OwnerId::Bot(bot)))
}

fn valued(parts: &Parts, bot: BotId, owner: Option<OwnerId>) -> Option<Amount> {
    let config = parts.bots.bot(bot).config();
    let asset = asset_of(parts, config)?;
    let (portfolio, prices) = (&parts.portfolio, parts.prices());
    let value = value_account(portfolio, prices, config.account, asset, owner);
    (value.unpriced == 0).then_some(value.equity)
}

/// How much of `missing` can be moved: what the desk has of its own, or what the bot has in cash and no open entry may need.
fn movable(parts: &Parts, bot: BotId, missing: Amount) -> Amount {
    let config = parts.bots.bot(bot).config();
    let Some(asset) = asset_of(parts, config) else {
        return Amount::ZERO;
    };
    let has = |owner| parts.portfolio.ledger.balance(config.account, asset, owner);
    if missing >= Amount::ZERO {
        return missing.min(has(OwnerId::Unallocated).max(Amount::ZERO));
    }
    let mut open = parts.orders.open();
    let enters = |order: &crate::parts::order::Order| {
        order.bot() == Some(bot) && order.effect() == PositionEffect::Entry
    };
    if open.any(enters) {
        return Amount::ZERO;
    }
    missing.max(-has(OwnerId::Bot(bot)).max(Amount::ZERO))
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
