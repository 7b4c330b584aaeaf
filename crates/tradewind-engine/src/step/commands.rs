//! Commands: each is carried out once, announced with its sender, and answered.

use tradewind_events::{
    Action, BotState, Command, CommandResult, Event, EventKind, Output, Outputs, StopMode,
};
use tradewind_model::{
    AccountId, BotId, ClientOrderId, InstrumentId, OrderKind, OwnerId, Quantity, Reason, Side,
    Timestamp,
};
use tradewind_risk::{BreakerScope, CauseKind, DenyReason, PositionEffect, Scope};

use super::adoption::{AdoptionError, adopt};
use super::breakers;
use super::causes::{close_cause, is_safe_mode};
use super::configure::{ApplyBotsError, apply_bots};
use super::holdings::external_to_sell;
use super::kill::{NotClean, kill, kill_scope, reset, reset_scope};
use super::lifecycle::{forget_request, schedule_bots, set_state, start_bot};
use super::submission::{OrderRequest, submit};
use super::target::{flat, reconcile_position};
use crate::context::Trigger;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;

/// Why a command is refused. Its text is the answer to the command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("the command is older than it may be: it expired {0}")]
    Expired(Timestamp),
    #[error("no bot {}", .0.0)]
    NoBot(BotId),
    #[error("no open order {0}")]
    NoOpenOrder(ClientOrderId),
    #[error("no such instrument")]
    NoInstrument,
    #[error("no such account or instrument")]
    NoAccountOrInstrument,
    #[error("the bot is {}, only a running one can be paused", .0.name())]
    NotRunning(BotState),
    #[error("there is no position of the desk's own in it")]
    NoPositionOfTheDesk,
    #[error("the bot has no position in it")]
    NoPositionOfTheBot,
    #[error("{rule}: {0}", rule = .0.rule())]
    Denied(DenyReason),
    #[error("the desk is killed already: reset it before its positions can be closed")]
    AlreadyKilled,
    #[error("SAFE mode: `tradewind risk clear desk` first")]
    SafeMode,
    #[error("the kill switch is not set")]
    NotKilled,
    #[error("risk holds nothing back there")]
    NothingToClear,
    #[error("no such part of the desk")]
    NoScope,
    #[error("that part of the desk is not killed by itself")]
    ScopeNotKilled,
    #[error("account {0}: {1}")]
    NotClean(String, NotClean),
    #[error(
        "other bots were applied under this Idempotency-Key, and these were not: send them under another"
    )]
    OtherBots,
    #[error(transparent)]
    NotAdopted(#[from] AdoptionError),
    #[error(transparent)]
    NotApplied(#[from] ApplyBotsError),
}

/// The id of the order that was made, if one was.
pub(crate) type Done = Result<Option<ClientOrderId>, CommandError>;

/// Somebody gave a command.
pub(crate) fn on_command(parts: &mut Parts, command: &Command, out: &mut Outputs) {
    if let Some(result) = parts.commands.result(command.id) {
        let result = match is_of_other_bots(parts, &command.action, result) {
            true => CommandResult::Refused(CommandError::OtherBots.to_string()),
            false => result.clone(),
        };
        return out.push(Output::Reply(command.id, result));
    }
    // The command's own event gets its id first, so that later events can name it as their cause.
    let event = parts.context.reserve();
    let index = out.len();
    parts.context.set_trigger(Trigger::Event(event));
    let result = match carry_out(parts, command, out) {
        Ok(result) => result,
        Err(error) => CommandResult::Refused(error.to_string()),
    };
    let kind = EventKind::Command {
        id: command.id,
        principal: command.principal.clone(),
        action: command.action.clone(),
        result: result.clone(),
    };
    let event = Event {
        id: event,
        at: parts.now(),
        cause: None,
        kind,
    };
    out.insert(index, Output::Event(event));
    out.push(Output::Reply(command.id, result.clone()));
    parts.commands.note(command.id, result);
}

/// Whether a repeated command names other bots than it did when it was accepted: those in force have another revision.
fn is_of_other_bots(parts: &Parts, action: &Action, result: &CommandResult) -> bool {
    let Action::ApplyBots(applied) = action else {
        return false;
    };
    matches!(result, CommandResult::Accepted(_)) && applied.revision != parts.config.bots_revision
}

fn carry_out(
    parts: &mut Parts,
    command: &Command,
    out: &mut Outputs,
) -> Result<CommandResult, CommandError> {
    let expired = command.expires_at.filter(|expiry| *expiry < parts.now());
    if let Some(expiry) = expired {
        return Err(CommandError::Expired(expiry));
    }
    let principal = &command.principal;
    let done = match &command.action {
        Action::StartBot(bot) => start(parts, *bot, out),
        Action::StopBot { bot, mode } => stop(parts, *bot, *mode, out),
        Action::PauseBot(bot) => pause(parts, *bot, out),
        Action::PlaceOrder {
            account,
            instrument,
            side,
            quantity,
            kind,
        } => {
            let request = manual(*account, *instrument, *side, *quantity);
            place(parts, request, *kind, out)
        }
        Action::CancelOrder(id) => cancel(parts, *id, out),
        Action::ClosePosition {
            account,
            bot: None,
            instrument,
        } => close_manual(parts, *account, *instrument, out),
        Action::ClosePosition {
            bot: Some(bot),
            instrument,
            ..
        } => close_of_bot(parts, *bot, *instrument, out),
        Action::ClearRisk { scope, .. } => clear_risk(parts, *scope, out),
        Action::Kill {
            reason,
            flatten,
            include_external,
        } => {
            return kill(parts, (reason, *flatten, *include_external), principal, out);
        }
        Action::KillScope { scope, .. } => return kill_scope(parts, *scope, out),
        Action::Reset { reason } => return reset(parts, reason, principal, out),
        Action::ResetScope { scope, .. } => return reset_scope(parts, *scope, out),
        Action::Adopt(adoption) => return adopt(parts, adoption, out),
        Action::ApplyBots(applied) => {
            apply_bots(parts, applied, out)?;
            Ok(None)
        }
    };
    done.map(CommandResult::Accepted)
}

fn state_of(parts: &Parts, bot: BotId) -> Result<BotState, CommandError> {
    let known = parts.bots.get(bot).filter(|bot| !bot.is_removed());
    known.map(|bot| bot.state()).ok_or(CommandError::NoBot(bot))
}

fn start(parts: &mut Parts, bot: BotId, out: &mut Outputs) -> Done {
    let state = state_of(parts, bot)?;
    if is_safe_mode(parts) {
        return Err(CommandError::SafeMode);
    }
    // A start lets a bot enter again. Mostly there is nothing to clear.
    clear_risk(parts, Scope::Bot(bot), out).ok();
    match state {
        BotState::Paused => {
            set_state(parts, bot, BotState::Running, "resumed by a person", out);
        }
        BotState::Stopped | BotState::Faulted => {
            parts.bots.bot_mut(bot).note_start();
            set_state(parts, bot, BotState::Starting, "started by a person", out);
            start_bot(parts, bot, out);
        }
        BotState::Starting | BotState::Warming | BotState::Running => {}
    }
    Ok(None)
}

/// Ends what risk holds back in a scope. Monitors restart their counts there.
pub(crate) fn clear_risk(parts: &mut Parts, scope: Scope, out: &mut Outputs) -> Done {
    let by_risk = |kind: &CauseKind| {
        matches!(
            kind,
            CauseKind::MessagesPerFill
                | CauseKind::RepeatedEntries
                | CauseKind::DailyLoss
                | CauseKind::DailyLossAlarm
                | CauseKind::BotDailyLoss
                | CauseKind::Drawdown
                | CauseKind::Turnover
                | CauseKind::AbsurdNumbers
                | CauseKind::BalanceUnexplained
                | CauseKind::FillNotBooked
                | CauseKind::SafeMode
                | CauseKind::ForeignDesk
                | CauseKind::AssetContradicted
        )
    };
    let causes = parts.states.causes().iter();
    let ended = causes.filter(|cause| cause.scope == scope && by_risk(&cause.reason));
    let ended: Vec<_> = ended.map(|cause| cause.reason.clone()).collect();
    let closed = close_breakers(parts, scope, out);
    for reason in &ended {
        close_cause(parts, scope, reason, out);
    }
    if let Scope::Account(account) = scope
        && ended.contains(&CauseKind::AssetContradicted)
    {
        parts.streams.accept_met(account);
    }
    if ended.contains(&CauseKind::SafeMode) && parts.accounts.are_reconciled() {
        schedule_bots(parts, out);
    }
    parts.monitors.clear(scope);
    if let Scope::Bot(bot) = scope {
        state_of(parts, bot)?;
        parts.bots.bot_mut(bot).throttle_mut().clear_entries();
    }
    if ended.is_empty() && !closed {
        return Err(CommandError::NothingToClear);
    }
    Ok(None)
}

/// Closes the circuit breakers of a scope; an account's with its venue's. False if none was open.
fn close_breakers(parts: &mut Parts, scope: Scope, out: &mut Outputs) -> bool {
    let scopes = match scope {
        Scope::Desk => Vec::new(),
        Scope::Bot(bot) => vec![BreakerScope::Bot(bot)],
        Scope::Instrument(instrument) => vec![BreakerScope::Feed(instrument)],
        Scope::Venue(venue) => vec![BreakerScope::Venue(venue)],
        Scope::Account(account) => {
            let known = parts.config.accounts.get(account.index());
            let venue = known.map(|account| BreakerScope::Venue(account.venue));
            venue
                .into_iter()
                .chain([BreakerScope::Account(account)])
                .collect()
        }
    };
    let mut closed = false;
    for scope in scopes {
        closed |= breakers::close(parts, scope, out);
    }
    closed
}

fn pause(parts: &mut Parts, bot: BotId, out: &mut Outputs) -> Done {
    match state_of(parts, bot)? {
        BotState::Running => set_state(parts, bot, BotState::Paused, "paused by a person", out),
        BotState::Paused => {}
        state
        @ (BotState::Stopped | BotState::Starting | BotState::Warming | BotState::Faulted) => {
            return Err(CommandError::NotRunning(state));
        }
    }
    parts.orders.cancel_entries(Some(bot), out);
    Ok(None)
}

fn stop(parts: &mut Parts, bot: BotId, mode: StopMode, out: &mut Outputs) -> Done {
    state_of(parts, bot)?;
    parts.orders.cancel_entries(Some(bot), out);
    if mode == StopMode::Close {
        for place in parts.bots.places(bot) {
            close(parts, place, out);
        }
    }
    forget_request(parts, bot, out);
    parts.bots.bot_mut(bot).note_stop();
    set_state(parts, bot, BotState::Stopped, "stopped by a person", out);
    Ok(None)
}

fn close(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    let cause = parts.context.cause(out);
    parts.bots.at_mut(place).forget_refused_exits();
    let target = flat(Reason::plain("closed by a person"));
    reconcile_position(parts, place, target, cause, false, out);
}

fn close_of_bot(
    parts: &mut Parts,
    bot: BotId,
    instrument: InstrumentId,
    out: &mut Outputs,
) -> Done {
    parts.bots.get(bot).ok_or(CommandError::NoBot(bot))?;
    let place = parts.bots.place(bot, instrument);
    let is_open = |place: &BotInstrument| !parts.bots.at(*place).position().quantity.is_zero();
    let place = place.filter(is_open);
    let place = place.ok_or(CommandError::NoPositionOfTheBot)?;
    let before = out.len();
    close(parts, place, out);
    match last_denial(&out[before..]) {
        Some(reason) => Err(CommandError::Denied(reason)),
        None => Ok(parts.bots.at(place).working()),
    }
}

/// The denial just announced.
fn last_denial(out: &[Output]) -> Option<DenyReason> {
    out.iter().rev().find_map(|output| match output {
        Output::Event(Event {
            kind: EventKind::RiskDecisionRejected { reason, .. },
            ..
        }) => Some(*reason),
        _ => None,
    })
}

fn close_manual(
    parts: &mut Parts,
    account: AccountId,
    instrument: InstrumentId,
    out: &mut Outputs,
) -> Done {
    let rules = parts.config.instruments.get(instrument.index());
    let rules = rules.ok_or(CommandError::NoInstrument)?;
    let key = (account, OwnerId::Unallocated, instrument);
    let own = parts.portfolio.closable(rules, &key);
    let (quantity, side) = if own.is_zero() {
        (external_to_sell(parts, account, rules), Side::Sell)
    } else {
        let held = parts.portfolio.position(&key).quantity;
        (own, Side::of(held).opposite())
    };
    if quantity.is_zero() {
        return Err(CommandError::NoPositionOfTheDesk);
    }
    let request = OrderRequest {
        effect: PositionEffect::Exit,
        ..manual(account, instrument, side, quantity)
    };
    submit_manual(parts, request, OrderKind::Market, out)
}

/// Closes a position made by hand, or sells what is EXTERNAL, for a kill. A denial is announced, and the next attempt follows.
pub(super) fn close_for_kill(
    parts: &mut Parts,
    account: AccountId,
    instrument: InstrumentId,
    out: &mut Outputs,
) {
    close_manual(parts, account, instrument, out).ok();
}

fn place(parts: &mut Parts, request: OrderRequest, kind: OrderKind, out: &mut Outputs) -> Done {
    if !parts.accounts.contains(request.account) || !parts.market.contains(request.instrument) {
        return Err(CommandError::NoAccountOrInstrument);
    }
    let key = (request.account, OwnerId::Unallocated, request.instrument);
    let held = parts.portfolio.position(&key).quantity;
    let is_against = held.0.signum() == -request.side.signed(Quantity(1)).0;
    let effect = if is_against && request.quantity <= held.abs() {
        PositionEffect::Exit
    } else {
        PositionEffect::Entry
    };
    submit_manual(parts, OrderRequest { effect, ..request }, kind, out)
}

/// A person's entry.
const fn manual(
    account: AccountId,
    instrument: InstrumentId,
    side: Side,
    quantity: Quantity,
) -> OrderRequest {
    OrderRequest {
        place: None,
        account,
        instrument,
        side,
        quantity,
        effect: PositionEffect::Entry,
        limit: None,
        stop: None,
        on_quote: true,
        continues: false,
        cause: None,
    }
}

fn submit_manual(
    parts: &mut Parts,
    request: OrderRequest,
    kind: OrderKind,
    out: &mut Outputs,
) -> Done {
    let cause = parts.context.cause(out);
    let request = OrderRequest { cause, ..request };
    submit(parts, &request, kind, out)
        .map(Some)
        .map_err(CommandError::Denied)
}

fn cancel(parts: &mut Parts, id: ClientOrderId, out: &mut Outputs) -> Done {
    if parts.orders.open_order(id).is_none() {
        return Err(CommandError::NoOpenOrder(id));
    }
    parts.orders.cancel(id, out);
    Ok(Some(id))
}
