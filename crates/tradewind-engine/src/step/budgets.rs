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
use tradewind_portfolio::{Valuation, rate, value_account};

use super::configure::complain;
use super::risk_context::reserved;
use crate::parts::Parts;
use crate::parts::bot::ShareBudget;

/// How long after 00:00 UTC budgets are set, and how long after that again while something has no price.
const AFTER_MIDNIGHT: Duration = Duration::from_secs(60);
/// How often that is. Then budgets are set by what has a price.
const TRIES: u32 = 15;

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
    let shares = parts.bots.iter();
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

/// Budgets that are shares and were not set today are set. Those of an account that cannot be valued wait for a minute.
pub(crate) fn on_timer(parts: &mut Parts, out: &mut Outputs) {
    let mut waits = false;
    let today = Interval::Day1.open_time(parts.now());
    for index in 0..parts.config.accounts.len() {
        let account = parts.config.accounts[index].id;
        let bots: Vec<BotId> = parts.bots.ids().collect();
        let is_due = |bot: &BotId| {
            let bot = parts.bots.bot(*bot);
            let is_due = bot.share().is_some_and(|share| share.at < today);
            is_due && bot.is_funded() && bot.config().account == account
        };
        let bots: Vec<BotId> = bots.into_iter().filter(is_due).collect();
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

/// How the budget of a bot is set.
#[derive(Clone, Copy, Debug)]
struct ShareChange {
    bot: BotId,
    /// What its account is worth, and the bot itself.
    equity: Amount,
    own: Amount,
    /// What it lacks; negative if it has too much.
    missing: Amount,
    /// Whether everything on the account has a price.
    is_priced: bool,
}

/// Sets the budgets of funded bots of one account; those that give money back come first. False, with nothing moved, while
/// something has no price and may get one.
fn set_shares(parts: &mut Parts, bots: &[BotId], out: &mut Outputs) -> bool {
    let changes = bots.iter().filter_map(|bot| change_of(parts, *bot));
    let mut changes: Vec<ShareChange> = changes.collect();
    if let Some(change) = changes.iter().find(|change| !change.is_priced).copied() {
        let tries = bots.iter().map(|bot| parts.bots.bot_mut(*bot).try_share());
        if tries.max().unwrap_or_default() < TRIES {
            return false;
        }
        complain(parts, change.bot, &without(parts, change.bot), out);
    }
    changes.sort_by_key(|change| change.missing >= Amount::ZERO);
    for change in changes {
        let bot = change.bot;
        let moved = movable(parts, bot, change.missing);
        let runtime = parts.bots.bot(bot);
        if runtime.is_removed() && moved.is_zero() {
            continue;
        }
        let config = runtime.config().clone();
        if allocate(parts, &config, moved) {
            note_share(parts, bot, (change.own + moved, moved, change.equity), out);
        }
    }
    true
}

/// What a bot lacks of its share. One that was removed gives back what it has. One that holds what has no price gets nothing.
fn change_of(parts: &Parts, bot: BotId) -> Option<ShareChange> {
    let account = valued(parts, bot, None)?;
    let own = valued(parts, bot, Some(OwnerId::Bot(bot)))?;
    let is_removed = parts.bots.bot(bot).is_removed();
    let missing = if is_removed {
        -own.equity.max(Amount::ZERO)
    } else {
        part_of(parts, bot, account.equity)? - own.equity
    };
    Some(ShareChange {
        bot,
        equity: account.equity,
        own: own.equity,
        missing: match own.unpriced {
            0 => missing,
            _ => missing.min(Amount::ZERO),
        },
        is_priced: is_removed || account.unpriced == 0,
    })
}

/// What is said of a budget that was set without what has no price.
fn without(parts: &Parts, bot: BotId) -> String {
    let config = parts.bots.bot(bot).config();
    let (account, prices) = (config.account, parts.prices());
    let asset = asset_of(parts, config);
    let balances = parts.portfolio.ledger.balances();
    let mut names: Vec<&str> = balances
        .filter(|(of, _, owner, _)| *of == account && *owner != OwnerId::External)
        .filter(|(_, one, _, _)| asset.is_some_and(|asset| rate(prices, *one, asset).is_none()))
        .map(|(_, one, _, _)| parts.config.assets.name(one))
        .collect();
    names.dedup();
    format!(
        "its account has {} without a price: shares are set without it",
        match names.is_empty() {
            true => "a position".to_owned(),
            false => names.join(", "),
        }
    )
}

/// Gives a bot its share of its account's equity for the first time, or what there is of it. False if the desk has no money.
pub(super) fn fund_share(parts: &mut Parts, bot: BotId, out: &mut Outputs) -> bool {
    // Recovery reads from an event what it got.
    let valued = (!parts.is_recovering).then(|| valued(parts, bot, None));
    // What has a price alone: at the first reading of an account there may be no quotes yet.
    let Some(equity) = valued.flatten().map(|value| value.equity) else {
        return false;
    };
    let config = parts.bots.bot(bot).config().clone();
    let given = part_of(parts, bot, equity).zip(asset_of(parts, &config));
    let Some((share, asset)) = given else {
        return false;
    };
    let ledger = &parts.portfolio.ledger;
    let has = givers(parts, config.account).iter();
    let has = has.map(|owner| ledger.balance(config.account, asset, *owner));
    let given = share.min(has.max().unwrap_or_default());
    if given <= Amount::ZERO || !allocate(parts, &config, given) {
        return false;
    }
    note_share(parts, bot, (given, given, equity), out);
    if given < share {
        set_soon(parts, bot, given, out);
    }
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
    let share = ShareBudget {
        budget,
        at,
        tries: 0,
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

/// A budget that is a share is set in a minute: the share changed, or the bot was removed.
pub(super) fn set_soon(parts: &mut Parts, bot: BotId, budget: Amount, out: &mut Outputs) {
    keep_share(parts, bot, budget, Timestamp::EPOCH);
    set_timer(parts, out);
}

/// What a bot with a share sizes by: its budget, or what it has if that is less. What has no price counts nothing.
pub(super) fn sized_share(parts: &Parts, bot: BotId, share: ShareBudget) -> Amount {
    let own = valued(parts, bot, Some(OwnerId::Bot(bot)));
    own.map_or(share.budget, |own| own.equity.min(share.budget))
}

fn part_of(parts: &Parts, bot: BotId, equity: Amount) -> Option<Amount> {
    let share: Ppm = parts.bots.bot(bot).config().budget_share?;
    equity.share(share)
}

/// What a bot's account is worth in the asset of its budget, or what an owner has there.
fn valued(parts: &Parts, bot: BotId, owner: Option<OwnerId>) -> Option<Valuation> {
    let config = parts.bots.bot(bot).config();
    let asset = asset_of(parts, config)?;
    let (portfolio, prices) = (&parts.portfolio, parts.prices());
    Some(value_account(
        portfolio,
        prices,
        config.account,
        asset,
        owner,
    ))
}

/// How much of `missing` can be moved: what the desk has of its own, or what the bot has in cash and no open order may need.
fn movable(parts: &Parts, bot: BotId, missing: Amount) -> Amount {
    let config = parts.bots.bot(bot).config();
    let Some(asset) = asset_of(parts, config) else {
        return Amount::ZERO;
    };
    let has = |owner| parts.portfolio.ledger.balance(config.account, asset, owner);
    if missing >= Amount::ZERO {
        return missing.min(has(OwnerId::Unallocated).max(Amount::ZERO));
    }
    let open = parts.orders.open();
    let needed = open
        .filter(|order| order.bot() == Some(bot))
        .map(|order| reserved(parts, order, asset));
    let free = has(OwnerId::Bot(bot)) - needed.sum();
    missing.max(-free.max(Amount::ZERO))
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
    let mut givers = givers(parts, config.account).iter().copied();
    Some((givers.find(|owner| has(*owner) >= needed)?, bot))
}

/// Whose money a budget may be given of.
fn givers(parts: &Parts, account: AccountId) -> &'static [OwnerId] {
    match parts.config.accounts[account.index()].capital {
        Some(_) => &[OwnerId::Unallocated],
        None => &[OwnerId::Unallocated, OwnerId::External],
    }
}
