//! Intents and denials: what became of a decision.

use tradewind_events::{Intent, Outputs};
use tradewind_model::{EventId, LimitPolicy, OrderPolicy, Ppm, Side, Target};
use tradewind_risk::{DenyReason, PositionEffect};

use super::group::{Group, Pending};
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::stop_shares::StopShares;
use crate::step::exit_way::is_free;
use crate::step::flatten;
use crate::step::plan_changes::change_plan;
use crate::step::positions::closable;
use crate::step::submission::{PlacedOrder, apply_policy, keep_order, note_refused, note_sent};
use crate::step::target::{note_submitted, retry_exit, unless_it_waits};

/// Folds an intent: the order is born again, with its reservation.
pub(super) fn fold_intent(
    parts: &mut Parts,
    group: &mut Group,
    intent: &Intent,
    out: &mut Outputs,
) {
    let terms = intent.terms;
    let is_known = parts.accounts.contains(terms.account)
        && parts.market.contains(terms.instrument)
        && parts.orders.get_mut(terms.client_id).is_none();
    if !is_known {
        return;
    }
    let place = intent
        .bot
        .and_then(|bot| parts.bots.place(bot, terms.instrument));
    // A stop is placed beside whatever else is decided.
    let decided = place.filter(|_| intent.purpose != PositionEffect::Protect);
    let pending = decided.and_then(|place| {
        let pending = take(parts, group, place, terms.side)?;
        (!is_of_exit_plan(parts, place, intent, &pending)).then_some(pending)
    });
    let limit = match &pending {
        Some(Pending::Target(target, _)) => target.limit,
        Some(Pending::Remainder(order)) => order.limit(),
        Some(Pending::Leftover | Pending::Refused | Pending::ExitPlan(_)) | None => None,
    };
    let unannounced = EventId {
        seq: parts.context.seq(),
        index: 0,
    };
    parts.ids.note(terms.client_id);
    let take_profit = intent.take_profit.map(|order| {
        parts.ids.note(order.client_id);
        let announced = group.announced_by(order.client_id);
        (order, announced.unwrap_or(unannounced))
    });
    keep_order(
        parts,
        PlacedOrder {
            terms,
            place,
            effect: intent.purpose,
            limit,
            placed_by: group.announced_by(terms.client_id).unwrap_or(unannounced),
            replaces: intent.replaces,
            shares: shares(parts, intent),
            take_profit,
        },
    );
    note_sent(parts, &terms, intent.bot, intent.purpose, out);
    let Some(place) = decided else { return };
    parts.protection.end_wait(place);
    match pending {
        // The exit plan closes a position behind an entry; without the quote that decided it, only the exit shows that.
        None if intent.purpose == PositionEffect::Exit => {
            parts.bots.at_mut(place).set_exposure(Ppm::ZERO);
        }
        None => {}
        Some(Pending::Target(target, cause)) => {
            if let Some(policy) = policy(parts, place, intent.purpose) {
                apply_policy(parts, terms.client_id, &policy, out);
            }
            let turns = turns(parts, place, intent.purpose, &target);
            note_submitted(parts, place, (intent.purpose, turns), target, cause);
        }
        Some(Pending::Remainder(before)) if before.reprices() > 0 => {
            if let Some(policy) = policy(parts, place, intent.purpose) {
                apply_policy(parts, terms.client_id, &policy, out);
            }
            let reprices = before.reprices() - 1;
            parts.orders.set_reprices(terms.client_id, reprices);
        }
        Some(
            Pending::Remainder(_) | Pending::Leftover | Pending::Refused | Pending::ExitPlan(_),
        ) => {}
    }
}

/// Whether an exit was its exit plan's, decided on a quote that is gone, and not the outcome of what seemed to be pending: it closes
/// the whole position, which a target on the position's own side does not.
fn is_of_exit_plan(
    parts: &Parts,
    place: BotInstrument,
    intent: &Intent,
    pending: &Pending,
) -> bool {
    let Pending::Target(target, _) = pending else {
        return false;
    };
    let state = parts.bots.at(place);
    let held = state.position().quantity.0.signum();
    intent.purpose == PositionEffect::Exit
        && parts.market.quote(state.instrument()).is_none()
        && held != 0
        && target.exposure.0.signum() == held
        && intent.terms.quantity >= closable(parts, place)
}

/// The positions that a protective stop covers.
fn shares(parts: &Parts, intent: &Intent) -> StopShares {
    let shares = intent.shares.iter().filter_map(|share| {
        let place = parts.bots.place(share.bot, intent.terms.instrument)?;
        Some((place, share.quantity))
    });
    shares.collect()
}

/// Takes what a bot was about to do or, if that is an exit that waited, the target of that.
fn take(parts: &mut Parts, group: &mut Group, place: BotInstrument, side: Side) -> Option<Pending> {
    let pending = group.take(place);
    if pending.is_some() || !is_exit(parts, place, side) || !is_free(parts, place) {
        return pending;
    }
    let (target, cause) = parts.bots.at_mut(place).take_next()?;
    Some(Pending::Target(target, cause))
}

/// Whether an order of this side reduces a bot's position.
fn is_exit(parts: &Parts, place: BotInstrument, side: Side) -> bool {
    let state = parts.bots.at(place);
    !state.position().quantity.is_zero() && side == state.closing_side()
}

/// Exits that waited for a stop or a reading go on: their targets are worked on.
pub(super) fn fold_resumed(parts: &mut Parts, group: &mut Group, places: Vec<BotInstrument>) {
    for place in places {
        match parts.bots.at_mut(place).take_next() {
            Some((target, cause)) => group.expect(place, Pending::Target(target, cause)),
            None => parts.protection.end_wait(place),
        }
    }
}

/// The limit policy by which an order was placed, if it was.
fn policy(parts: &Parts, place: BotInstrument, effect: PositionEffect) -> Option<LimitPolicy> {
    match parts.bots.bot(place.bot()).config().policy {
        OrderPolicy::Limit(policy) if effect == PositionEffect::Entry => Some(policy),
        _ => None,
    }
}

/// Whether an exit only makes way for a position on the other side.
fn turns(parts: &Parts, place: BotInstrument, effect: PositionEffect, target: &Target) -> bool {
    let held = parts.bots.at(place).position().quantity.0.signum();
    let wanted = target.exposure.0.signum();
    effect == PositionEffect::Exit && wanted != 0 && held != 0 && held != wanted
}

/// Folds a denial: an exit that was denied is tried again later.
pub(super) fn fold_denial(
    parts: &mut Parts,
    group: &mut Group,
    place: BotInstrument,
    (side, reason): (Side, DenyReason),
    out: &mut Outputs,
) {
    let is_exit = is_exit(parts, place, side);
    let pending = take(parts, group, place, side);
    if matches!(pending, Some(Pending::Refused)) {
        parts.bots.at_mut(place).forget_refused_exits();
    }
    if is_exit {
        note_refused(parts, place, reason);
    }
    let Some(Pending::Target(..) | Pending::Leftover | Pending::Refused) = pending else {
        return;
    };
    if is_exit && is_free(parts, place) {
        drop(parts.bots.at_mut(place).take_next());
        retry_exit(parts, place, out);
    }
}

/// A kill closes positions first: every bot's position that no exit closes yet is to be flat.
pub(super) fn fold_flatten(parts: &mut Parts, group: &mut Group, out: &mut Outputs) {
    for place in flatten::to_be_closed(parts) {
        parts.bots.at_mut(place).forget_refused_exits();
        fold_target(parts, group, place, flatten::target(), None, out);
    }
}

/// A bot was given a target. It waits if an order works; else its outcome follows.
pub(super) fn fold_target(
    parts: &mut Parts,
    group: &mut Group,
    place: BotInstrument,
    target: Target,
    cause: Option<EventId>,
    out: &mut Outputs,
) {
    if let Some(target) = unless_it_waits(parts, place, target, cause, out) {
        change_plan(parts, place, &target, out);
        group.expect(place, Pending::Target(target, cause));
    }
}
