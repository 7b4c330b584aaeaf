//! From a target to an intent: what must be bought or sold so that a position reaches its bot's target.
//!
//! A bot has one working order per instrument. While there is one, a new target waits for it to end; an entry that is
//! no longer wanted is cancelled first.

use std::time::Duration;

use tradewind_events::{BotState, Outputs, Timer};
use tradewind_model::{
    Amount, EventId, ExitPlan, InstrumentKind, LastEntry, OrderKind, OrderStatus, OwnerId, Ppm,
    Quantity, Reason, Side, Sizer, Target,
};
use tradewind_risk::{DenyReason, PositionEffect};

use super::exit_way::{clear_way, is_locked};
use super::plan_changes::change_plan;
use super::positions::{closable, closing_quantity};
use super::sizing::{Sizing, size};
use super::submission::{OrderRequest, deny, submit, submit_by_policy};
use super::targets::lets_enter;
use super::universe;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::order::Order;

/// Wait before the next try of an exit that was denied, was refused or left something open.
const EXIT_RETRY: Duration = Duration::from_secs(5);
/// The same wait after an exit that its price kept from filling: the next one may reach further.
const WIDER_EXIT: Duration = Duration::from_secs(1);
/// The same wait while the trading state blocks exits.
const EXIT_RETRY_STOPPED: Duration = Duration::from_secs(60);

/// What reaches a target.
#[derive(Clone, Copy, Debug)]
struct Change {
    side: Side,
    quantity: Quantity,
    effect: PositionEffect,
    /// Whether the other side is wanted once this one is flat.
    turns: bool,
}

impl Change {
    const fn exit(side: Side, quantity: Quantity) -> Self {
        Self {
            side,
            quantity,
            effect: PositionEffect::Exit,
            turns: false,
        }
    }
}

/// The target, if it can be worked on now. It replaces one that waits. Otherwise it waits itself for the order at work, which is
/// cancelled if it is an entry.
pub(crate) fn unless_it_waits(
    parts: &mut Parts,
    place: BotInstrument,
    target: Target,
    cause: Option<EventId>,
    out: &mut Outputs,
) -> Option<Target> {
    let leaves = target.exposure == Ppm::ZERO && sells_beside(parts, place);
    let state = parts.bots.at_mut(place);
    if let Some(working) = state.working() {
        parts.orders.cancel_if_entry(working, out);
        if !leaves {
            state.wait_for(target, cause);
            return None;
        }
    }
    drop(state.take_next());
    Some(target)
}

/// Brings a bot's position in one of its instruments towards `target`.
pub(crate) fn reconcile_position(
    parts: &mut Parts,
    place: BotInstrument,
    target: Target,
    cause: Option<EventId>,
    on_quote: bool,
    out: &mut Outputs,
) {
    let Some(target) = unless_it_waits(parts, place, target, cause, out) else {
        return;
    };
    let Some(change) = change(parts, place, &target, cause, out) else {
        change_plan(parts, place, &target, out);
        let state = parts.bots.at_mut(place);
        let is_flat = state.position().quantity.is_zero();
        if target.exposure != Ppm::ZERO && (is_flat || target.adds) {
            // It cannot be sized without a quote, or what it adds is less than a step.
            state.set_last_entry(LastEntry::Denied);
        }
        return parts.protection.end_wait(place);
    };
    let request = request(parts, place, change, &target, on_quote, cause);
    if change.effect == PositionEffect::Entry && !may_enter(parts, place, &request, out) {
        return;
    }
    let closes = target.exposure == Ppm::ZERO || change.turns;
    if change.effect == PositionEffect::Entry {
        parts.protection.end_wait(place);
    } else if !closes && must_wait(parts, place) {
        // It only makes the position smaller: its bot decides again.
        return parts.bots.at_mut(place).set_last_entry(LastEntry::Denied);
    } else if is_kept_back(parts, place, out) {
        return parts.bots.at_mut(place).wait_for(target, cause);
    }
    if submit_by_policy(parts, &request, out) {
        note_submitted(parts, place, (change.effect, change.turns), target, cause);
    } else if change.effect == PositionEffect::Exit {
        retry_exit(parts, place, out);
    }
}

/// Whether an exit goes beside the order at work: an entry whose fate is unknown, while there is something to sell.
///
/// What such an entry brings later is sold when it is known.
pub(crate) fn sells_beside(parts: &Parts, place: BotInstrument) -> bool {
    let working = parts.bots.at(place).working();
    let working = working.and_then(|id| parts.orders.open_order(id));
    let is_unknown = working.is_some_and(|order| {
        order.effect() == PositionEffect::Entry && order.status() == OrderStatus::Unknown
    });
    is_unknown && !closable(parts, place).is_zero()
}

/// What must be done; `None` if nothing.
fn change(
    parts: &mut Parts,
    place: BotInstrument,
    target: &Target,
    cause: Option<EventId>,
    out: &mut Outputs,
) -> Option<Change> {
    let state = parts.bots.at(place);
    let (held, exposure) = (state.position().quantity, state.exposure());
    let (closing_side, instrument) = (state.closing_side(), state.instrument());
    let wanted_sign = target.exposure.0.signum();
    if wanted_sign == 0 || (held.0 != 0 && held.0.signum() != wanted_sign) {
        let quantity = closing_quantity(parts, place, cause, out);
        return (!quantity.is_zero()).then_some(Change {
            turns: wanted_sign != 0,
            ..Change::exit(closing_side, quantity)
        });
    }
    if held.0 != 0 && exposure == target.exposure {
        return None;
    }
    let side = if wanted_sign > 0 {
        Side::Buy
    } else {
        Side::Sell
    };
    let missing = match target.adds {
        true => added(parts, place, side, target)?,
        false => sized(parts, place, side, target)? - held.abs(),
    };
    if missing.0 < 0 {
        let instrument = parts.config.instrument(instrument);
        let quantity = instrument.floor_quantity(closable(parts, place).min(-missing));
        return (!quantity.is_zero()).then_some(Change::exit(side.opposite(), quantity));
    }
    if missing.is_zero() && !held.is_zero() {
        return None;
    }
    Some(Change {
        side,
        quantity: missing,
        effect: PositionEffect::Entry,
        turns: false,
    })
}

fn request(
    parts: &Parts,
    place: BotInstrument,
    change: Change,
    target: &Target,
    on_quote: bool,
    cause: Option<EventId>,
) -> OrderRequest {
    OrderRequest {
        place: Some(place),
        account: parts.bots.bot(place.bot()).config().account,
        instrument: parts.bots.at(place).instrument(),
        side: change.side,
        quantity: change.quantity,
        effect: change.effect,
        limit: target.limit,
        stop: (change.effect == PositionEffect::Entry).then(|| plan_of(parts, place, target).stop),
        on_quote,
        continues: false,
        cause,
    }
}

/// Whether a bot may enter: it has room for one more position, or has this one already, and runs.
fn may_enter(
    parts: &mut Parts,
    place: BotInstrument,
    request: &OrderRequest,
    out: &mut Outputs,
) -> bool {
    let bot = parts.bots.bot(place.bot());
    let limit = bot.config().positions_max;
    let is_new = parts.bots.at(place).position().quantity.is_zero();
    if is_new && bot.engaged() >= limit as usize {
        deny(parts, request, DenyReason::PositionsMax(limit), out);
        return false;
    }
    let pause = bot.closed().pause_of(request.instrument, parts.now());
    if let Some(pause) = pause.filter(|_| is_new) {
        let reason = DenyReason::Protection {
            protection: pause.protection,
            until: pause.until,
        };
        deny(parts, request, reason, out);
        return false;
    }
    let runs = bot.state() == BotState::Running
        && lets_enter(parts, place)
        && universe::lets_enter(parts, place);
    if !runs {
        parts.bots.at_mut(place).set_last_entry(LastEntry::Denied);
    }
    runs
}

/// Notes that an order works towards `target`. An exit that `turns` leaves the target waiting.
pub(crate) fn note_submitted(
    parts: &mut Parts,
    place: BotInstrument,
    (effect, turns): (PositionEffect, bool),
    target: Target,
    cause: Option<EventId>,
) {
    parts.bots.at_mut(place).set_exposure(target.exposure);
    if effect == PositionEffect::Entry {
        set_plan(parts, place, &target);
    } else if turns {
        parts.bots.at_mut(place).wait_for(target, cause);
    } else if let Some(plan) = target.exit.filter(|_| target.exposure != Ppm::ZERO) {
        // What is left of a position that is made smaller is guarded by the new plan.
        parts.bots.at_mut(place).set_exit(*plan);
    }
}

/// Sets the plan by which the position is closed that a target leads to.
fn set_plan(parts: &mut Parts, place: BotInstrument, target: &Target) {
    let plan = plan_of(parts, place, target);
    parts.bots.at_mut(place).set_exit(plan);
}

/// The plan by which the position is closed that a target leads to: its own, else that of its bot. An add, and what brings no plan,
/// loosen no stop of a position that is held.
fn plan_of(parts: &Parts, place: BotInstrument, target: &Target) -> ExitPlan {
    let plan = &parts.bots.bot(place.bot()).config().exit;
    let plan = target.exit.as_deref().unwrap_or(plan).clone();
    if target.exit.is_some() && !target.adds {
        return plan;
    }
    let state = parts.bots.at(place);
    let stop = state.kept_stop(target.exposure, plan.stop, target.adds);
    ExitPlan { stop, ..plan }
}

/// What an add buys: as much more of what the position has cost as it raises the exposure. So adds cost their share of the first
/// entry whatever the price is, and fit the budget that the whole was sized for. `None` without a position or a quote.
fn added(parts: &Parts, place: BotInstrument, side: Side, target: &Target) -> Option<Quantity> {
    let state = parts.bots.at(place);
    let (held, before) = (state.position().quantity, state.exposure());
    let more = target.exposure.0.abs() - before.0.abs();
    let entry = state.position().entry_price?;
    if held.is_zero() || before.0.signum() != target.exposure.0.signum() || more <= 0 {
        return None;
    }
    let instrument = parts.config.instrument(state.instrument());
    let quote = parts.market.quote(state.instrument())?;
    let limit = target.limit.filter(|limit| limit.0 > 0);
    let price = limit.unwrap_or_else(|| quote.opposite_side(side));
    let sizer = parts.bots.bot(place.bot()).config().sizer;
    // What is counted in pieces or contracts is added in them.
    let is_counted = matches!(sizer, Sizer::Fixed(_)) || instrument.kind == InstrumentKind::Inverse;
    let (worth, price) = if is_counted {
        (1, 1)
    } else {
        (entry.0, price.0)
    };
    let quantity = (i128::from(held.0.abs()) * i128::from(worth))
        .checked_mul(i128::from(more))?
        .checked_div(i128::from(before.0.abs()))?
        .checked_div(i128::from(price))?;
    Some(instrument.floor_quantity(Quantity(i64::try_from(quantity).ok()?)))
}

/// The quantity of the whole target; `None` without a quote.
fn sized(parts: &Parts, place: BotInstrument, side: Side, target: &Target) -> Option<Quantity> {
    let state = parts.bots.at(place);
    let config = parts.bots.bot(place.bot()).config();
    let quote = parts.market.quote(state.instrument())?;
    let limit = target.limit.filter(|limit| limit.0 > 0);
    let sizing = Sizing {
        instrument: parts.config.instrument(state.instrument()),
        budget: sizing_equity(parts, place),
        price: limit.unwrap_or_else(|| quote.opposite_side(side)),
        exit: target.exit.as_deref().unwrap_or(&config.exit),
        range: state.range(),
    };
    Some(size(config.sizer, target.exposure, &sizing))
}

/// The equity a bot sizes by: its budget less the losses that it realised since the budget was set.
pub(super) fn sizing_equity(parts: &Parts, place: BotInstrument) -> Amount {
    let bot = parts.bots.bot(place.bot());
    let config = bot.config();
    let instrument = parts.bots.at(place).instrument();
    let quote = parts.config.instrument(instrument).quote;
    let owner = OwnerId::Bot(place.bot());
    let realized = parts.portfolio.realized(config.account, owner, quote);
    let realized = realized - bot.share().map_or(Amount::ZERO, |share| share.realized);
    (bot.budget() + realized.min(Amount::ZERO)).max(Amount::ZERO)
}

/// Whether exits of a position pause because some were refused. Then the next is tried when the pause is over.
fn is_paused(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) -> bool {
    let state = parts.bots.at(place);
    let until = state.refusals().not_before();
    let timer = Timer::ExitRetry(place.bot(), state.instrument());
    let pauses = parts.now() < until;
    if pauses {
        parts.timers.set_earlier(until, timer, out);
    }
    pauses
}

/// Whether exits pause, or something locks what one sells.
fn must_wait(parts: &Parts, place: BotInstrument) -> bool {
    parts.now() < parts.bots.at(place).refusals().not_before() || is_locked(parts, place)
}

/// Whether an exit cannot be sent now: exits pause, or something locks what it sells. Then it is tried again by a timer.
fn is_kept_back(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) -> bool {
    is_paused(parts, place, out) || !clear_way(parts, place, out)
}

/// Notes an exit that was decided and not sent: it waits for the end of a pause or for the answer on a stop.
pub(crate) fn wait_to_exit(
    parts: &mut Parts,
    place: BotInstrument,
    (target, cause): (Target, Option<EventId>),
    out: &mut Outputs,
) {
    if !is_kept_back(parts, place, out) {
        let timer = Timer::ExitRetry(place.bot(), parts.bots.at(place).instrument());
        let at = parts.now() + EXIT_RETRY;
        parts.timers.set_earlier(at, timer, out);
    }
    parts.bots.at_mut(place).wait_for(target, cause);
}

/// Closes what an exit left open, or what an entry beside it has brought. The next slice follows a slice that was filled at
/// once; after any other end there is a wait.
pub(crate) fn continue_exit(
    parts: &mut Parts,
    place: BotInstrument,
    ended: &Order,
    out: &mut Outputs,
) {
    // A venue that fills too much turns the position.
    let is_next = ended.effect() == PositionEffect::Exit
        && ended.status() == OrderStatus::Filled
        && ended.terms().side == parts.bots.at(place).closing_side();
    if !is_next {
        return retry_exit(parts, place, out);
    }
    let cause = Some(ended.placed_by());
    if !clear_way(parts, place, out) {
        let target = flat(Reason::plain("closing what is left"));
        return parts.bots.at_mut(place).wait_for(target, cause);
    }
    let request = OrderRequest {
        place: Some(place),
        account: ended.terms().account,
        instrument: ended.terms().instrument,
        side: ended.terms().side,
        quantity: closing_quantity(parts, place, cause, out),
        effect: PositionEffect::Exit,
        limit: None,
        stop: None,
        on_quote: false,
        continues: true,
        cause,
    };
    if submit(parts, &request, OrderKind::Market, out).is_err() {
        retry_exit(parts, place, out);
    }
}

/// Tries again, later, to close what an exit left open: it was denied or refused.
pub(crate) fn retry_exit(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    let state = parts.bots.at_mut(place);
    if state.position().quantity.is_zero() || state.has_next() {
        return;
    }
    state.wait_for(flat(Reason::plain("closing what is left")), None);
    let (bot, instrument) = (place.bot(), state.instrument());
    let account = parts.bots.bot(bot).config().account;
    let rules = parts.state_for(account, instrument, Some(bot));
    let wait = match parts.bots.at(place).narrow_exits() {
        _ if !rules.lets_exit() => EXIT_RETRY_STOPPED,
        0 => EXIT_RETRY,
        _ => WIDER_EXIT,
    };
    let paused_until = parts.bots.at(place).refusals().not_before();
    let at = (parts.now() + wait).max(paused_until);
    parts.timers.set(at, Timer::ExitRetry(bot, instrument), out);
}

/// Continues with the target that waited for the last order to end.
pub(crate) fn reconcile_next(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    if let Some((target, cause)) = parts.bots.at_mut(place).take_next() {
        let cause = cause.or_else(|| parts.context.cause(out));
        reconcile_position(parts, place, target, cause, false, out);
    }
}

/// A target of zero exposure, which closes a bot's position.
pub(crate) const fn flat(reason: Reason) -> Target {
    Target {
        adds: false,
        exposure: Ppm::ZERO,
        limit: None,
        exit: None,
        reason,
    }
}
