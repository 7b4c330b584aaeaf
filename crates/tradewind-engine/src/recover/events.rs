//! Events: decisions that were announced, and changes that market data led to.

use tradewind_events::{
    Action, BotState, CommandResult, EquityPoint, Event, EventKind, Outputs, SignalDetails,
    SignalSource, StopMode,
};
use tradewind_model::{
    AccountId, BotId, InstrumentId, LastEntry, OwnerId, Ppm, Reason, Stop, Target,
};
use tradewind_risk::{CauseKind, Scope};

use super::group::{Group, Pending};
use super::orders::{fold_denial, fold_flatten, fold_target};
use crate::parts::Parts;
use crate::parts::bot::Bot;
use crate::parts::bot_instrument::BotInstrument;
use crate::step::adoption::book;
use crate::step::budgets;
use crate::step::commands::clear_risk;
use crate::step::configure::fold_applied_bots;
use crate::step::decisions::set_waits;
use crate::step::kill::note_kill;
use crate::step::lifecycle::is_fault;
use crate::step::positions::refresh_position;
use crate::step::retries::retry;
use crate::step::target::flat;
use crate::step::universe;

/// Folds an event.
pub(super) fn fold(parts: &mut Parts, group: &mut Group, event: &Event, out: &mut Outputs) {
    match &event.kind {
        EventKind::SignalGenerated {
            bot,
            instrument,
            exposure,
            reason,
            details,
            ..
        } => {
            let Some(place) = parts.bots.place(*bot, *instrument) else {
                return;
            };
            let details = details.as_deref().cloned().unwrap_or_default();
            if details.source == SignalSource::ExitPlan {
                let now = parts.now();
                parts.bots.at_mut(place).start_exit(now);
                return group.expect(place, Pending::ExitPlan(reason.clone()));
            }
            if details.source == SignalSource::Stop {
                return fold_stop(parts, place, &details, out);
            }
            let state = parts.bots.at_mut(place);
            state.set_last_entry(LastEntry::Standing);
            let target = target(*exposure, reason, details);
            fold_target(parts, group, place, target, Some(event.id), out);
        }
        EventKind::OrderPlaced { terms, .. } => group.announce(terms.client_id, event.id),
        EventKind::RiskDecisionRejected {
            bot: Some(bot),
            instrument,
            side,
            reason,
            ..
        } => {
            if let Some(place) = parts.bots.place(*bot, *instrument) {
                fold_denial(parts, group, place, (*side, *reason), out);
            }
        }
        EventKind::PositionClosed {
            account,
            bot: Some(bot),
            instrument,
            ..
        } => write_off(parts, *account, *bot, *instrument, out),
        EventKind::BotStateChanged {
            bot,
            from,
            to,
            reason,
        } => change_state(parts, *bot, (*from, *to), reason),
        EventKind::BotError { bot, error, .. } => {
            let now = parts.now();
            if let Some(bot) = parts.bots.get_mut(*bot).filter(|_| is_fault(error)) {
                bot.note_fault(now);
            }
        }
        EventKind::UniverseChanged { bot, members, .. } => {
            universe::take_over(parts, *bot, members);
        }
        EventKind::BudgetChanged {
            bot, budget, moved, ..
        } => budgets::fold(parts, *bot, *budget, *moved),
        EventKind::TradingStateChanged {
            scope,
            cause,
            closed,
            ..
        } => {
            if let Some(cause) = cause {
                if let (Scope::Bot(bot), CauseKind::RuleUnknown) = (scope, &cause.reason) {
                    set_waits(parts, *bot, true);
                }
                parts.states.open(cause.clone());
            }
            if let Some(reason) = closed {
                if let (Scope::Bot(bot), CauseKind::RuleUnknown) = (scope, reason) {
                    set_waits(parts, *bot, false);
                }
                let before = parts.states.at(*scope);
                if parts.states.close(*scope, reason) && !before.lets_exit() {
                    retry(parts, None, out);
                }
            }
        }
        EventKind::KillSwitchReset { .. } => {
            parts.states.close(Scope::Desk, &CauseKind::Killed);
        }
        EventKind::Command {
            id, action, result, ..
        } => {
            fold_command(parts, group, action, result, out);
            parts.commands.note(*id, result.clone());
        }
        EventKind::EquitySnapshot {
            account,
            equity,
            realized,
            unrealized,
            unpriced,
        } if parts.accounts.contains(*account) => {
            parts.accounts.get_mut(*account).value_at(EquityPoint {
                at: event.at,
                equity: *equity,
                realized: *realized,
                unrealized: *unrealized,
                unpriced: *unpriced,
            });
        }
        _ => {}
    }
}

fn target(exposure: Ppm, reason: &Reason, details: SignalDetails) -> Target {
    Target {
        adds: details.source == SignalSource::Add,
        exposure,
        limit: details.limit,
        exit: details.exit.map(Box::new),
        reason: reason.clone(),
    }
}

/// A position that was closed without a fill was written off.
fn write_off(
    parts: &mut Parts,
    account: AccountId,
    bot: BotId,
    instrument: InstrumentId,
    out: &mut Outputs,
) {
    let key = (account, OwnerId::Bot(bot), instrument);
    let Some(place) = parts.bots.place(bot, instrument) else {
        return;
    };
    if parts.portfolio.position(&key).quantity.is_zero() {
        return;
    }
    let rules = parts.config.instrument(instrument);
    parts.portfolio.give_up(rules, key);
    refresh_position(parts, place, out);
}

fn change_state(parts: &mut Parts, bot: BotId, (from, to): (BotState, BotState), reason: &str) {
    let now = parts.now();
    let Some(bot) = parts.bots.get_mut(bot) else {
        return;
    };
    match to {
        BotState::Faulted => bot.note_pause(),
        BotState::Running | BotState::Paused if from == BotState::Warming => {
            bot.take_pause();
            bot.end_return();
        }
        _ => {}
    }
    bot.change_state(to, reason, now);
}

/// What a command changes besides what is announced after it.
fn fold_command(
    parts: &mut Parts,
    group: &mut Group,
    action: &Action,
    result: &CommandResult,
    out: &mut Outputs,
) {
    if let Action::ClosePosition {
        bot: Some(bot),
        instrument,
        ..
    } = action
    {
        return close(parts, group, *bot, *instrument, result, out);
    }
    if matches!(result, CommandResult::Refused(_)) {
        return;
    }
    match action {
        Action::ClearRisk { scope, .. } => {
            clear_risk(parts, *scope, out).ok();
        }
        Action::StartBot(bot) => {
            clear_risk(parts, Scope::Bot(*bot), out).ok();
            let bot = parts.bots.get_mut(*bot);
            let is_down =
                |bot: &&mut Bot| matches!(bot.state(), BotState::Stopped | BotState::Faulted);
            if let Some(bot) = bot.filter(is_down) {
                bot.note_start();
            }
        }
        Action::StopBot { bot, mode } => {
            parts.orders.cancel_entries(Some(*bot), out);
            let places: Vec<BotInstrument> = match mode {
                StopMode::Close => parts.bots.places(*bot).collect(),
                StopMode::Keep => Vec::new(),
            };
            for place in places {
                parts.bots.at_mut(place).forget_refused_exits();
                let target = flat(Reason::plain("closed by a person"));
                fold_target(parts, group, place, target, None, out);
            }
            parts.bots.bot_mut(*bot).note_stop();
        }
        Action::PauseBot(bot) => parts.orders.cancel_entries(Some(*bot), out),
        Action::CancelOrder(id) => parts.orders.cancel(*id, out),
        Action::Kill { flatten, .. } => {
            parts.cancel_entries_of(Scope::Desk, out);
            note_kill(parts, Scope::Desk);
            if *flatten {
                fold_flatten(parts, group, out);
            }
        }
        Action::KillScope { scope, .. } => {
            parts.cancel_entries_of(*scope, out);
            note_kill(parts, *scope);
        }
        Action::Adopt(adoption) => {
            if let Some(place) = parts.bots.place(adoption.bot, adoption.instrument) {
                book(parts, place, adoption, None, out).ok();
            }
        }
        Action::ApplyBots(applied) => fold_applied_bots(parts, applied, out),
        Action::PlaceOrder { .. }
        | Action::ClosePosition { .. }
        | Action::Reset { .. }
        | Action::ResetScope { .. } => {}
    }
}

/// A person closes a bot's position. A command that was refused did something only if a denial
/// follows: then the exit is tried again.
fn close(
    parts: &mut Parts,
    group: &mut Group,
    bot: BotId,
    instrument: InstrumentId,
    result: &CommandResult,
    out: &mut Outputs,
) {
    let Some(place) = parts.bots.place(bot, instrument) else {
        return;
    };
    match result {
        CommandResult::Accepted(_) | CommandResult::Killed { .. } => {
            parts.bots.at_mut(place).forget_refused_exits();
            let target = flat(Reason::plain("closed by a person"));
            fold_target(parts, group, place, target, None, out);
        }
        CommandResult::Refused(_) => group.expect(place, Pending::Refused),
    }
}

/// A strategy moved the stop of its position.
fn fold_stop(parts: &mut Parts, place: BotInstrument, details: &SignalDetails, out: &mut Outputs) {
    let stop = details.exit.as_ref().map(|plan| plan.stop);
    if let Some(Stop::At(stop)) = stop
        && parts.bots.at_mut(place).tighten_stop(stop)
    {
        refresh_position(parts, place, out);
    }
}
