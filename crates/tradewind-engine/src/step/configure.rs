//! The configuration: the first one fills an empty engine, a later one changes it by its difference.
//!
//! A later configuration wipes nothing, and dense ids stay as they are. Accounts and instruments can be added. Changed
//! filters of an instrument become a new revision. Bots are added, changed or removed. The settings of the whole desk
//! are taken over. A configuration that gives an existing id to something else is refused as a whole.
//!
//! While the desk runs, a command may replace its bots ([`apply_bots`]): all of what it changes, or nothing.

use tradewind_events::{
    AppliedBots, BotConfig, BotState, Configuration, EventKind, Outputs, Timer,
};
use tradewind_model::{Account, Amount, AssetId, BotId, Instrument};
use tradewind_risk::{CauseKind, Scope, TradingState};

use super::budgets::{allocate, become_share, first_uncovered, fund_share, set_timer};
use super::causes::{close_cause, open_cause, open_until_cleared};
use super::lifecycle::{await_account, build_strategy, forget_request, set_state, start_bot};
use super::market_data::on_instrument;
use super::plan_changes::follow_configuration;
use super::targets;
use crate::parts::Parts;
use crate::parts::accounts::Accounts;
use crate::parts::bots::Bots;

/// The desk's configuration.
pub(crate) fn on_configured(parts: &mut Parts, configuration: &Configuration, out: &mut Outputs) {
    let known = &parts.config;
    let is_first =
        known.accounts.is_empty() && known.instruments.is_empty() && known.bots.is_empty();
    if is_first {
        return configure(parts, configuration);
    }
    let (scope, refused) = (Scope::Desk, CauseKind::ConfigurationRefused);
    if !extends(configuration, known) {
        return open_cause(parts, scope, TradingState::Reducing, refused, out);
    }
    close_cause(parts, scope, &refused, out);
    take_over(parts, configuration, out);
    change_bots(parts, &configuration.bots, configuration.bots.iter(), out);
    parts.accounts.update(&parts.config);
    if let Some(series) = &configuration.series {
        parts.market.retain_series(series);
    }
    parts.index_wakes();
}

/// An asset that the venue named at run time takes the next id. Any other id contradicts the desk's table: balances and transfers of
/// accounts under it are not booked, fills are, and the accounts are halted, until the next start has read the table anew.
pub(crate) fn add_asset(parts: &mut Parts, asset: AssetId, name: &str, out: &mut Outputs) {
    let assets = &mut parts.config.assets;
    if asset.index() == assets.len() {
        assets.intern(name);
        parts.streams.agree(asset, name);
    } else if (asset.index() > assets.len() || assets.name(asset) != name)
        && !parts.streams.contradict(asset, name)
        && asset.index() < parts.config.assets.len()
    {
        // Nobody knows which accounts have it.
        let (scope, state) = (Scope::Desk, TradingState::Halted);
        open_until_cleared(parts, scope, state, CauseKind::AssetContradicted, out);
    }
}

/// Fills an empty engine. A strategy that cannot be built is announced when its bot is to start.
fn configure(parts: &mut Parts, configuration: &Configuration) {
    parts.config = configuration.clone();
    parts.bots = Bots::new(&configuration.bots);
    parts.accounts = Accounts::new(configuration);
    parts.build_strategies();
    parts.index_wakes();
}

/// Whether everything in the present configuration has the same id in `new`.
fn extends(new: &Configuration, known: &Configuration) -> bool {
    let names = |of: &Configuration| -> Vec<String> {
        let assets = of.assets.iter().map(|asset| asset.name);
        assets.collect()
    };
    let account = |of: &Account| (of.id, of.name.clone(), of.venue, of.mode);
    let accounts = known.accounts.iter().zip(&new.accounts);
    let instruments = known.instruments.iter().zip(&new.instruments);
    names(new).starts_with(&names(known))
        && new.venues.starts_with(&known.venues)
        && new.accounts.len() >= known.accounts.len()
        && { accounts }.all(|(one, other)| account(one) == account(other))
        && new.instruments.len() >= known.instruments.len()
        && { instruments }.all(|(one, other)| (one.id, &one.name) == (other.id, &other.name))
}

/// Takes over everything but the bots.
fn take_over(parts: &mut Parts, new: &Configuration, out: &mut Outputs) {
    for (index, listed) in new.instruments.iter().enumerate() {
        let known = parts.config.instruments.get(index);
        if known.is_some_and(|known| !is_same(known, listed)) {
            on_instrument(parts, listed, out);
        }
    }
    let known = parts.config.accounts.len();
    let mut instruments = std::mem::take(&mut parts.config.instruments);
    instruments.extend(new.instruments.iter().skip(instruments.len()).cloned());
    parts.config = Configuration {
        // The ledger's history is valued in it.
        report_asset: parts.config.report_asset,
        bots: std::mem::take(&mut parts.config.bots),
        instruments,
        ..new.clone()
    };
    parts.accounts.update(&parts.config);
    parts.market.resize(parts.config.instruments.len());
    for account in new.accounts.iter().skip(known) {
        await_account(parts, account.id, out);
    }
}

/// Whether the rules are the same, whatever the revision.
fn is_same(known: &Instrument, listed: &Instrument) -> bool {
    let revision = known.revision;
    let listed = Instrument {
        revision,
        ..listed.clone()
    };
    *known == listed
}

/// Why bots are not applied. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyBotsError {
    #[error("the bots have revision {0} by now: read them again, then apply the file again")]
    Revision(u32),
    #[error("bot {0} has the id of another bot, or an instrument or an account that is not there")]
    Ids(String),
    #[error("the budget of bot {0} is not covered by its account")]
    Budget(String),
}

/// Replaces the bots by those that a person applied.
pub(crate) fn apply_bots(
    parts: &mut Parts,
    applied: &AppliedBots,
    out: &mut Outputs,
) -> Result<(), ApplyBotsError> {
    let revision = parts.config.bots_revision;
    if applied.revision != revision + 1 {
        return Err(ApplyBotsError::Revision(revision));
    }
    if let Some(wrong) = first_misplaced(parts, &applied.bots) {
        return Err(ApplyBotsError::Ids(wrong.name.clone()));
    }
    if let Some(bot) = first_uncovered(parts, budget_changes(parts, &applied.bots)) {
        return Err(ApplyBotsError::Budget(bot.name.clone()));
    }
    fold_applied_bots(parts, applied, out);
    Ok(())
}

/// What an accepted command changes.
pub(crate) fn fold_applied_bots(parts: &mut Parts, applied: &AppliedBots, out: &mut Outputs) {
    let ordered = budget_changes(parts, &applied.bots);
    let ordered: Vec<&BotConfig> = ordered.into_iter().map(|(bot, _)| bot).collect();
    change_bots(parts, &applied.bots, ordered.into_iter(), out);
    parts.config.bots_revision = applied.revision;
    parts.config.bots_text = Some(applied.text.as_str().into());
    parts.index_wakes();
}

/// The bots in the order in which they are changed, each with what its budget grows by. Those that give money back come first.
fn budget_changes<'a>(parts: &Parts, bots: &'a [BotConfig]) -> Vec<(&'a BotConfig, Amount)> {
    let change = |bot: &'a BotConfig| match parts.bots.get(bot.id) {
        // A share is set by itself.
        _ if bot.budget_share.is_some() => (bot, Amount::ZERO),
        Some(known) if known.is_funded() => (bot, bot.budget - known.budget()),
        // It gets all of its budget when its account is read.
        Some(_) => (bot, Amount::ZERO),
        None => (bot, bot.budget),
    };
    let mut changes: Vec<_> = bots.iter().map(change).collect();
    changes.sort_by_key(|(_, amount)| *amount >= Amount::ZERO);
    changes
}

/// The first bot that names something that is not there, or another bot's place.
fn first_misplaced<'a>(parts: &Parts, bots: &'a [BotConfig]) -> Option<&'a BotConfig> {
    let known = parts.bots.ids().len();
    let mut next = known;
    bots.iter().enumerate().find_map(|(index, bot)| {
        let is_placed = match parts.bots.get(bot.id) {
            Some(known) => {
                let known = known.config();
                (&known.name, known.account) == (&bot.name, bot.account)
            }
            None => {
                next += 1;
                bot.id.index() + 1 == next && parts.accounts.contains(bot.account)
            }
        };
        let mut used = bot.instruments.iter().chain(&bot.reads);
        let is_there = used.all(|id| id.index() < parts.config.instruments.len());
        let is_twice = bots[..index].iter().any(|other| other.id == bot.id);
        (!is_placed || !is_there || is_twice).then_some(bot)
    })
}

/// Changes and adds `bots`, in their order, and removes those that `listed` does not name.
fn change_bots<'a>(
    parts: &mut Parts,
    listed: &[BotConfig],
    bots: impl Iterator<Item = &'a BotConfig>,
    out: &mut Outputs,
) {
    for config in bots {
        match parts.bots.get(config.id) {
            Some(known) if known.is_configured_as(config) => {}
            Some(_) => change(parts, config, out),
            None if config.id.index() == parts.bots.ids().len() => add(parts, config, out),
            None => {}
        }
    }
    for bot in parts.bots.ids() {
        let is_listed = listed.iter().any(|config| config.id == bot);
        if !is_listed && !parts.bots.bot(bot).is_removed() {
            remove(parts, bot, out);
        }
    }
}

/// Adds a bot. If the others were given their turns already, it starts at once.
fn add(parts: &mut Parts, config: &BotConfig, out: &mut Outputs) {
    let bot = config.id;
    parts.config.bots.push(config.clone());
    parts.bots.add(config.clone());
    parts.strategies.grow(parts.bots.ids().len());
    build_strategy(parts, bot).ok();
    let is_covered = if config.budget_share.is_some() {
        set_timer(parts, out);
        !parts.accounts.get(config.account).is_reconciled() || fund_share(parts, bot, out)
    } else {
        move_budget(parts, config, Amount::ZERO)
    };
    if is_covered && parts.accounts.get(config.account).is_reconciled() {
        parts.bots.bot_mut(bot).note_funded();
    }
    if !parts.bots.are_scheduled() {
        return;
    }
    if !is_covered {
        let reason = "its budget is not covered by the account";
        return set_state(parts, bot, BotState::Stopped, reason, out);
    }
    give_turn(parts, bot, out);
}

/// Starts a bot that the configuration did not list before, unless it is not set to start or a person stopped it. Before the others
/// have their turns it gets its own with them.
fn give_turn(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let runtime = parts.bots.bot(bot);
    if runtime.config().starts && !runtime.is_held() && parts.bots.are_scheduled() {
        set_state(parts, bot, BotState::Starting, "waiting for its turn", out);
        let at = parts.now();
        parts.timers.set(at, Timer::BotStart(bot), out);
    }
}

/// Changes a bot. A bot at work is restarted if its strategy, or what the strategy is fed with, changed.
fn change(parts: &mut Parts, config: &BotConfig, out: &mut Outputs) {
    let known = parts.bots.bot(config.id);
    let (before, known_budget) = (known.config().clone(), known.budget());
    let is_same_bot = (&before.name, before.account) == (&config.name, config.account);
    if !is_same_bot {
        return complain(
            parts,
            config.id,
            "a bot's name and account cannot change",
            out,
        );
    }
    let mut config = config.clone();
    config.revision = config.revision.max(before.revision + 1);
    // A bot that has no budget yet gets the new one.
    let is_funded = parts.bots.bot(config.id).is_funded();
    let budget = known_budget;
    let is_moved = config.budget_share.is_none();
    if is_funded && is_moved && !move_budget(parts, &config, budget) {
        complain(
            parts,
            config.id,
            "its budget is not covered by the account",
            out,
        );
        config.budget = before.budget;
        config.budget_share = before.budget_share;
    }
    let becomes_share = is_funded && before.budget_share.is_none() && config.budget_share.is_some();
    let bot = config.id;
    let is_at_work = !matches!(
        parts.bots.bot(bot).state(),
        BotState::Stopped | BotState::Faulted
    );
    let is_back = parts.bots.bot(bot).is_removed();
    let is_other_rule = rule(&before) != rule(&config);
    parts.config.bots[bot.index()] = config.clone();
    let is_other_source = source(&before) != source(&config);
    parts.bots.bot_mut(bot).reconfigure(config);
    if becomes_share {
        become_share(parts, bot, known_budget, out);
    }
    follow_configuration(parts, bot, &before.exit, out);
    if is_other_source {
        targets::forget(parts, bot, out);
    }
    if is_back {
        build_strategy(parts, bot).ok();
        return give_turn(parts, bot, out);
    }
    if !is_other_rule {
        return;
    }
    build_strategy(parts, bot).ok();
    if is_at_work {
        parts.orders.cancel_entries(Some(bot), out);
        forget_request(parts, bot, out);
        parts.bots.bot_mut(bot).note_pause();
        let reason = "its configuration changed";
        set_state(parts, bot, BotState::Starting, reason, out);
        start_bot(parts, bot, out);
    }
}

/// The source whose targets a bot follows.
fn source(config: &BotConfig) -> Option<&str> {
    let control = config.external.as_ref();
    control.map(|control| control.source.as_str())
}

/// What a strategy does and is fed with.
fn rule(config: &BotConfig) -> impl PartialEq + '_ {
    let strategy = (
        &config.strategy,
        config.strategy_version,
        &config.parameters,
    );
    let fed = (
        &config.instruments,
        &config.reads,
        &config.wakes,
        config.lane,
    );
    (strategy, fed, config.sizer)
}

/// Removes a bot: it is stopped for good and keeps its id. Its positions are still closed by their exit plans.
fn remove(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    parts.orders.cancel_entries(Some(bot), out);
    forget_request(parts, bot, out);
    parts.bots.bot_mut(bot).remove();
    let reason = "removed from the configuration";
    set_state(parts, bot, BotState::Stopped, reason, out);
}

/// Moves the difference between a bot's budgets. False, with nothing moved, if its account does not cover it.
///
/// Before the account is read nothing is moved: budgets are given when it is.
fn move_budget(parts: &mut Parts, config: &BotConfig, before: Amount) -> bool {
    let account = parts.accounts.get(config.account);
    !account.is_reconciled() || allocate(parts, config, config.budget - before)
}

fn complain(parts: &mut Parts, bot: BotId, error: &str, out: &mut Outputs) {
    let faults = u32::try_from(parts.bots.bot(bot).faults()).unwrap_or(u32::MAX);
    let error = error.to_owned();
    parts.emit(None, EventKind::BotError { bot, error, faults }, out);
}
