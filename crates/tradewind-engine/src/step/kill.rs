//! Kills and resets: of the desk, and of a venue, an account, an instrument or a bot alone.
//!
//! A kill blocks entries and exits of its scope and cancels the entries that wait. Stops at the venue stay. Only a reset of
//! the same scope ends it, and only once every account of the scope was read from its venue and agreed with the books.

use tradewind_events::{CommandResult, EventKind, Output, Outputs, Principal};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{AccountId, OrderStatus};
use tradewind_risk::{CauseKind, PositionEffect, Scope, TradingState};

use super::causes::{close_cause, open_until_cleared};
use super::commands::CommandError;
use super::flatten;
use crate::parts::Parts;

/// The result of a kill or a reset.
type Done = Result<CommandResult, CommandError>;

/// Why an account does not count as read clean since a kill. Its text is the answer to a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotClean {
    #[error("it was not read from its venue since the kill; it is being read now")]
    NotRead,
    #[error("orders of it have an unknown fate: {0}")]
    UnknownOrders(usize),
    #[error("what a bot held was sold or moved by somebody else; `tradewind risk clear` first")]
    Unexplained,
}

/// Kills the desk.
pub(super) fn kill(
    parts: &mut Parts,
    (reason, flattens, sells_external): (&str, bool, bool),
    principal: &Principal,
    out: &mut Outputs,
) -> Done {
    let before = parts.states.desk();
    if flattens && before == TradingState::Killed {
        return Err(CommandError::AlreadyKilled);
    }
    let cause = parts.context.cause(out);
    match before {
        _ if flattens => flatten::begin(parts, sells_external, out),
        TradingState::Flattening => flatten::end(parts, out),
        _ => set_killed(parts, Scope::Desk, out),
    }
    let killed = EventKind::KillSwitch {
        reason: reason.to_owned(),
        principal: principal.clone(),
    };
    parts.emit(cause, killed, out);
    let answer = stop_orders(parts, Scope::Desk, out);
    if flattens {
        flatten::on_timer(parts, out);
    }
    Ok(answer)
}

/// Kills a part of the desk.
pub(super) fn kill_scope(parts: &mut Parts, scope: Scope, out: &mut Outputs) -> Done {
    check_part(parts, scope)?;
    set_killed(parts, scope, out);
    Ok(stop_orders(parts, scope, out))
}

fn set_killed(parts: &mut Parts, scope: Scope, out: &mut Outputs) {
    let (state, reason) = (TradingState::Killed, CauseKind::Killed);
    open_until_cleared(parts, scope, state, reason, out);
}

/// Cancels the entries of a scope and reads its accounts, so that what the venue has is known. Counts what is still open.
fn stop_orders(parts: &mut Parts, scope: Scope, out: &mut Outputs) -> CommandResult {
    if !is_on(Mutation::KillKeepsEntries) {
        parts.cancel_entries_of(scope, out);
    }
    withdraw_unsent(parts, scope, out);
    let accounts = note_kill(parts, scope);
    out.extend(accounts.into_iter().map(Output::Reconcile));
    let open = parts.orders.open();
    let open = open.filter(|order| order.effect() != PositionEffect::Protect);
    let open = open.filter(|order| scope.covers(parts.scope_of(order)));
    CommandResult::Killed {
        open_orders: u32::try_from(open.count()).unwrap_or(u32::MAX),
        durable: true,
    }
}

/// Keeps what was decided before the kill, and waits for its turn or its connection, from leaving after it. The kill of the whole
/// desk has the gate for this. Stops go: they protect what the kill leaves open.
fn withdraw_unsent(parts: &Parts, scope: Scope, out: &mut Outputs) {
    if scope == Scope::Desk {
        return;
    }
    for order in parts.orders.open() {
        let may_wait = order.status() == OrderStatus::Pending;
        let is_stop = order.effect() == PositionEffect::Protect;
        if may_wait && !is_stop && scope.covers(parts.scope_of(order)) {
            let terms = order.terms();
            out.push(Output::Withdraw {
                account: terms.account,
                instrument: terms.instrument,
                client_id: terms.client_id,
            });
        }
    }
}

/// The accounts of a scope must be read before its reset. Returns them.
pub(crate) fn note_kill(parts: &mut Parts, scope: Scope) -> Vec<AccountId> {
    let accounts = accounts(parts, scope);
    for account in &accounts {
        parts.accounts.get_mut(*account).note_kill();
    }
    accounts
}

/// Lifts the kill of the desk.
pub(super) fn reset(
    parts: &mut Parts,
    reason: &str,
    principal: &Principal,
    out: &mut Outputs,
) -> Done {
    let cause = parts.context.cause(out);
    if parts.states.desk() != TradingState::Killed {
        return Err(CommandError::NotKilled);
    }
    lift(parts, Scope::Desk, out)?;
    let reset = EventKind::KillSwitchReset {
        reason: reason.to_owned(),
        principal: principal.clone(),
    };
    parts.emit(cause, reset, out);
    Ok(CommandResult::Accepted(None))
}

/// Lifts the kill of a part of the desk. Kills of other scopes stay, the desk's too.
pub(super) fn reset_scope(parts: &mut Parts, scope: Scope, out: &mut Outputs) -> Done {
    check_part(parts, scope)?;
    let mut causes = parts.states.causes().iter();
    if !causes.any(|cause| cause.scope == scope && cause.reason == CauseKind::Killed) {
        return Err(CommandError::ScopeNotKilled);
    }
    lift(parts, scope, out)?;
    Ok(CommandResult::Accepted(None))
}

fn lift(parts: &mut Parts, scope: Scope, out: &mut Outputs) -> Result<(), CommandError> {
    for account in accounts(parts, scope) {
        if let Some(why) = not_clean(parts, account) {
            if why == NotClean::NotRead {
                out.push(Output::Reconcile(account));
            }
            let name = parts.config.accounts[account.index()].name.clone();
            return Err(CommandError::NotClean(name, why));
        }
    }
    close_cause(parts, scope, &CauseKind::Killed, out);
    Ok(())
}

/// Why an account does not count as read clean since the kill; `None` if it does.
fn not_clean(parts: &Parts, account: AccountId) -> Option<NotClean> {
    if !parts.accounts.get(account).is_clean() {
        return Some(NotClean::NotRead);
    }
    let open = parts.orders.open();
    let unknown = open
        .filter(|order| order.status() == OrderStatus::Unknown && order.terms().account == account);
    match unknown.count() {
        0 => {}
        count => return Some(NotClean::UnknownOrders(count)),
    }
    let venue = parts.config.accounts[account.index()].venue;
    let concerns = |scope: Scope| match scope {
        Scope::Account(id) => id == account,
        Scope::Instrument(id) => parts.config.instrument(id).venue == venue,
        Scope::Desk | Scope::Bot(_) | Scope::Venue(_) => false,
    };
    let mut causes = parts.states.causes().iter();
    let is_open =
        causes.any(|cause| cause.reason == CauseKind::BalanceUnexplained && concerns(cause.scope));
    is_open.then_some(NotClean::Unexplained)
}

/// The accounts on which orders of a scope can be.
fn accounts(parts: &Parts, scope: Scope) -> Vec<AccountId> {
    let venue = match scope {
        Scope::Account(account) => return vec![account],
        Scope::Bot(bot) => return vec![parts.bots.bot(bot).config().account],
        Scope::Desk => None,
        Scope::Venue(venue) => Some(venue),
        Scope::Instrument(instrument) => Some(parts.config.instrument(instrument).venue),
    };
    let accounts = parts.config.accounts.iter();
    let there = accounts.filter(|account| venue.is_none_or(|venue| account.venue == venue));
    there.map(|account| account.id).collect()
}

/// Refuses what is no part of this desk.
fn check_part(parts: &Parts, scope: Scope) -> Result<(), CommandError> {
    let is_part = match scope {
        // The desk as a whole has the latch besides.
        Scope::Desk => false,
        Scope::Account(account) => parts.accounts.contains(account),
        Scope::Instrument(instrument) => parts.market.contains(instrument),
        Scope::Bot(bot) => parts.bots.get(bot).is_some(),
        Scope::Venue(venue) => venue.index() < parts.config.venues.len(),
    };
    if is_part {
        Ok(())
    } else {
        Err(CommandError::NoScope)
    }
}
