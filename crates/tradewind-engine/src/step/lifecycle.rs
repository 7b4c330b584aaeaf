//! The lives of the desk and its bots: started in turn, warmed up, running, failed, back again.

use std::time::Duration;

use tradewind_events::{
    BotState, EvaluationError, EventKind, OnRestart, Output, Outputs, Started, StorageHealth, Timer,
};
use tradewind_model::{AccountId, BotId, ClientOrderIds, Interval};
use tradewind_risk::{CauseKind, Scope, TradingState};
use tradewind_strategy::BuildError;

use super::breakers::on_bot_fault;
use super::budgets;
use super::causes::{close_cause, is_safe_mode, on_storage, open_cause, open_until_cleared};
use super::components;
use super::decisions::end_waits;
use super::exits::set_age_timer;
use super::flatten;
use super::market_data::set_staleness_timer;
use super::monitoring::set_loss_timer;
use super::order_entry;
use super::protection;
use super::requests::request_candles;
use super::targets;
use super::universe;
use crate::parts::Parts;
use crate::parts::counters::Counters;
use crate::parts::order::Order;
use crate::parts::protection::Protection;
use crate::parts::targets::Targets;

/// How the announcement of a panic begins.
const PANICKED: &str = "panicked: ";
/// The announcement of an overrun.
const OVERRAN: &str = "took longer than it may";
/// How the announcement of a failed process begins.
const PROCESS: &str = "its process ";
/// How the announcement of a decision for an instrument begins that its bot only reads, and how it ends.
const NOT_TRADED: &str = "decided on ";
const NOT_TRADED_WHY: &str =
    ", which it only reads: only instruments of its account's venue can be traded";

/// The desk starts: every account is read from its venue before anything may be sent.
pub(crate) fn on_started(parts: &mut Parts, started: &Started, out: &mut Outputs) {
    let ids = ClientOrderIds::new(started.instance, started.epoch);
    parts.ids = ids.with_former(started.former.clone());
    restart(parts, out);
    if started.killed {
        let state = TradingState::Killed;
        open_until_cleared(parts, Scope::Desk, state, CauseKind::Killed, out);
        close_cause(parts, Scope::Desk, &CauseKind::Flattening, out);
    }
    for index in 0..parts.config.accounts.len() {
        let account = parts.config.accounts[index].id;
        await_account(parts, account, out);
        order_entry::forget(parts, account, out);
    }
    protection::list_uncovered(parts, out);
    components::forget(parts, out);
    set_staleness_timer(parts, out);
    set_loss_timer(parts, out);
    budgets::set_timer(parts, out);
    let at = parts.now() + parts.config.equity_every;
    parts.timers.set(at, Timer::Equity, out);
}

/// Ends what a former run of the desk left: causes, timers and counts of the process, requests to lanes. Orders without an
/// outcome are unknown and queried. Bots at work get their turns again. What people decided stays.
fn restart(parts: &mut Parts, out: &mut Outputs) {
    close_cause(parts, Scope::Desk, &CauseKind::Stopping, out);
    // A disk that still refuses is reported again by this run.
    for health in [StorageHealth::Writing, StorageHealth::MarketOn] {
        on_storage(parts, health, out);
    }
    if parts.states.desk() == TradingState::Flattening {
        flatten::end(parts, out);
    }
    parts.timers.restart(out);
    parts.streams.trust_assets();
    parts.counters = Counters::default();
    parts.accounts.restart();
    parts.protection = Protection::default();
    parts.targets = Targets::default();
    for id in parts.orders.restart() {
        let Some(order) = parts.orders.open_order(id) else {
            continue;
        };
        let (terms, bot, cause) = (*order.terms(), order.bot(), order.placed_by());
        parts.emit(Some(cause), EventKind::OrderUnknown { terms, bot }, out);
    }
    out.extend(parts.orders.open().map(Order::query));
    if parts.config.on_restart == OnRestart::Cancel {
        parts.orders.cancel_entries(None, out);
    }
    if parts.bots.are_scheduled() {
        parts.drop_market();
    }
    parts.bots.end_schedule();
    for bot in parts.bots.ids() {
        restart_bot(parts, bot, out);
    }
}

fn restart_bot(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    for place in parts.bots.places(bot) {
        set_age_timer(parts, place, out);
    }
    let runtime = parts.bots.bot_mut(bot);
    runtime.restart();
    targets::doubt(parts, bot, out);
    let runtime = parts.bots.bot_mut(bot);
    runtime.note_pause();
    let waits = match runtime.state() {
        BotState::Stopped => false,
        BotState::Faulted => !runtime.is_given_up(),
        BotState::Starting | BotState::Warming | BotState::Running | BotState::Paused => true,
    };
    if waits {
        parts.bots.bot_mut(bot).note_return();
        let reason = "waiting for its turn";
        set_state(parts, bot, BotState::Starting, reason, out);
    }
}

/// Halts an account until it is read from its venue, and requests the reading.
pub(super) fn await_account(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    let now = parts.now();
    parts.accounts.get_mut(account).await_reconcile(now);
    let (scope, state) = (Scope::Account(account), TradingState::Halted);
    open_cause(parts, scope, state, CauseKind::NotReconciled, out);
    out.push(Output::Reconcile(account));
}

/// Gives every bot its turn to start, one after the other. Once, however often accounts are read again; in SAFE mode not at
/// all.
pub(crate) fn schedule_bots(parts: &mut Parts, out: &mut Outputs) {
    if is_safe_mode(parts) || !parts.bots.start_schedule() {
        return;
    }
    let mut at = parts.now();
    for bot in parts.bots.ids() {
        let runtime = parts.bots.bot(bot);
        match runtime.state() {
            BotState::Starting => {}
            BotState::Stopped if runtime.is_held() || runtime.is_removed() => continue,
            BotState::Stopped if runtime.config().starts => {}
            BotState::Stopped => {
                set_state(parts, bot, BotState::Stopped, "not set to start", out);
                continue;
            }
            BotState::Warming | BotState::Running | BotState::Paused | BotState::Faulted => {
                continue;
            }
        }
        set_state(parts, bot, BotState::Starting, "waiting for its turn", out);
        parts.timers.set(at, Timer::BotStart(bot), out);
        at = at + parts.config.stagger;
    }
}

/// It is a bot's turn: its strategy is built and its past candles are requested.
pub(crate) fn start_bot(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let runtime = parts.bots.get(bot);
    let Some(runtime) = runtime.filter(|bot| bot.state() == BotState::Starting) else {
        return;
    };
    let config = &parts.config;
    let mut instruments = runtime.config().instruments.iter();
    if !instruments.any(|instrument| config.instrument(*instrument).has_data()) {
        return set_state(parts, bot, BotState::Stopped, "no data", out);
    }
    if let Err(error) = build_strategy(parts, bot) {
        return set_state(parts, bot, BotState::Faulted, &error.to_string(), out);
    }
    if parts.bots.bot(bot).is_remote() {
        out.push(Output::ResetLane(bot));
    }
    let reason = "waiting for past candles";
    set_state(parts, bot, BotState::Warming, reason, out);
    request_warm_up(parts, bot, out);
    finish_warm_up(parts, bot, out);
}

/// Requests what a bot's strategy is to be fed with before it decides, for each instrument that has data.
fn request_warm_up(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let warm_ups = parts.strategies.warm_ups(bot).iter();
    let needed = warm_ups.filter(|warm_up| warm_up.candles > 0);
    let intervals: Vec<Interval> = needed.map(|warm_up| warm_up.interval).collect();
    let read = parts.strategies.reads(bot).candles.iter();
    let read = read.filter(|warm_up| warm_up.candles > 0);
    let read: Vec<Interval> = read.map(|warm_up| warm_up.interval).collect();
    parts.bots.bot_mut(bot).members_mut().forget_days();
    for place in parts.bots.places(bot) {
        let state = parts.bots.at_mut(place);
        state.forget_candles();
        let instrument = state.instrument();
        let intervals = if parts.bots.is_traded(place) {
            &intervals
        } else if parts.bots.bot(bot).config().reads.contains(&instrument) {
            &read
        } else {
            continue;
        };
        if parts.config.instrument(instrument).has_data() {
            for &interval in intervals {
                request_candles(parts, place, interval, out);
            }
        }
    }
}

/// Rebuilds a bot's strategy, without state. Requests to the old strategy are void.
pub(super) fn build_strategy(parts: &mut Parts, bot: BotId) -> Result<(), BuildError> {
    let runtime = parts.bots.bot_mut(bot);
    parts.strategies.build(runtime.config())?;
    runtime.lane_mut().reset();
    Ok(())
}

/// A bot that has all its past candles goes to work.
pub(crate) fn finish_warm_up(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let runtime = parts.bots.bot_mut(bot);
    if runtime.state() != BotState::Warming || !runtime.is_warm() {
        return;
    }
    runtime.end_return();
    let (state, reason) = if runtime.take_pause() {
        (BotState::Paused, "paused before a fault")
    } else {
        (BotState::Running, "warm")
    };
    set_state(parts, bot, state, reason, out);
    universe::begin(parts, bot, out);
    set_bot_timer(parts, bot, out);
    targets::follow_all(parts, bot, out);
}

/// Sets the next wake of a bot's own interval, if it has one.
pub(crate) fn set_bot_timer(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let now = parts.now();
    if let Some(at) = parts.bots.bot_mut(bot).schedule_wake(now) {
        parts.timers.set(at, Timer::BotWake(bot), out);
    }
}

/// Whether the text of an announced error is that of a fault, which counts towards stopping its bot.
pub(crate) fn is_fault(error: &str) -> bool {
    error.starts_with(PANICKED)
        || error.starts_with(PROCESS)
        || error == OVERRAN
        || error.ends_with(NOT_TRADED_WHY)
}

/// A strategy failed. Its own errors are announced and it continues; a panic or an overrun is a fault.
pub(crate) fn fail_bot(parts: &mut Parts, bot: BotId, error: &EvaluationError, out: &mut Outputs) {
    let now = parts.now();
    let (text, is_fault) = match error {
        EvaluationError::Error(text) => (text.clone(), false),
        EvaluationError::Panic(text) => (format!("{PANICKED}{text}"), true),
        EvaluationError::Overrun => (OVERRAN.to_owned(), true),
        EvaluationError::Process(text) => (format!("{PROCESS}{text}"), true),
        EvaluationError::NotTraded(name) => (format!("{NOT_TRADED}{name}{NOT_TRADED_WHY}"), true),
    };
    let runtime = parts.bots.bot_mut(bot);
    runtime.activity_mut().errors += 1;
    parts.counters.bot_error();
    if is_fault {
        runtime.note_fault(now);
        on_bot_fault(parts, bot, out);
    }
    let runtime = parts.bots.bot_mut(bot);
    let announced = EventKind::BotError {
        bot,
        error: text.clone(),
        faults: u32::try_from(runtime.faults()).unwrap_or(u32::MAX),
    };
    let is_stopped = runtime.state() == BotState::Stopped;
    let cause = parts.context.cause(out);
    parts.emit(cause, announced, out);
    // A bot that a person stopped stays stopped, whatever its last answer was.
    if is_fault && !is_stopped {
        halt_faulted(parts, bot, &text, out);
    }
}

/// A fault stops a bot: it comes back by itself after a while, or waits for a person.
fn halt_faulted(parts: &mut Parts, bot: BotId, text: &str, out: &mut Outputs) {
    parts.orders.cancel_entries(Some(bot), out);
    let runtime = parts.bots.bot_mut(bot);
    runtime.note_pause();
    let (count, is_given_up) = (runtime.faults(), runtime.is_given_up());
    if is_given_up {
        let reason =
            format!("{text}; {count} faults in five minutes, a person must start it again");
        parts.timers.cancel(Timer::BotRetry(bot), out);
        return set_state(parts, bot, BotState::Faulted, &reason, out);
    }
    set_state(parts, bot, BotState::Faulted, text, out);
    let at = parts.now() + Duration::from_secs(1 << (count - 1));
    parts.timers.set(at, Timer::BotRetry(bot), out);
}

/// Gives up a bot's request to another lane, and every return that was planned.
pub(crate) fn forget_request(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let runtime = parts.bots.bot_mut(bot);
    runtime.take_pause();
    runtime.lane_mut().take_pending();
    parts.timers.cancel(Timer::EvaluationDeadline(bot), out);
    parts.timers.cancel(Timer::BotRetry(bot), out);
}

/// A faulted bot comes back, with a new strategy.
pub(crate) fn retry_bot(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let Some(runtime) = parts.bots.get(bot) else {
        return;
    };
    if runtime.state() == BotState::Faulted && !runtime.is_given_up() {
        set_state(parts, bot, BotState::Starting, "back after a fault", out);
        start_bot(parts, bot, out);
    }
}

/// Changes a bot's state and announces it; nothing if it is the same for the same reason.
pub(crate) fn set_state(
    parts: &mut Parts,
    bot: BotId,
    to: BotState,
    reason: &str,
    out: &mut Outputs,
) {
    let now = parts.now();
    if let Some(from) = parts.bots.bot_mut(bot).change_state(to, reason, now) {
        let changed = EventKind::BotStateChanged {
            bot,
            from,
            to,
            reason: reason.to_owned(),
        };
        parts.emit(None, changed, out);
        if matches!(to, BotState::Stopped | BotState::Faulted) {
            end_waits(parts, bot, out);
        }
    }
}
