//! Reports of the venue on orders, folded into orders, ledger and positions.
//!
//! One function takes every report, from whichever channel and in whatever order it comes. A fill is booked exactly
//! once, by its trade id, even if its order had ended already. It is never dropped.

use tradewind_events::{BotState, EventKind, Outputs, Timer};
use tradewind_model::{
    AccountId, BotId, ExecutionReport, Fill, NotSentReason, OrderKind, OrderStatus, OwnerId, Ppm,
    RejectReason, ReportKind,
};
use tradewind_portfolio::{Booking, PositionChange};
use tradewind_risk::{CauseKind, PositionEffect, Scope, TradingState};

use super::causes::open_until_cleared;
use super::positions::{closing_quantity, refresh_position};
use super::protection::follow;
use super::submission::{OrderRequest, submit, submit_by_policy};
use super::target::{reconcile_next, retry_exit, sells_beside};
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::order::{Applied, Order, Step, is_possible};

/// The venue reports on an order, or the gate kept it back.
pub(crate) fn on_report(parts: &mut Parts, report: &ExecutionReport, out: &mut Outputs) {
    let Some(order) = parts.orders.get_mut(report.client_id) else {
        return on_foreign(parts, report, out);
    };
    if !order.is_named_by(report) {
        // It contradicts what was sent: nothing of it is used, and the venue is queried.
        return out.push(order.query());
    }
    let applied = order.apply(report);
    let Applied::Changed {
        step,
        query,
        cancel_lost,
    } = applied
    else {
        return parts.counters.duplicate_report();
    };
    if query {
        out.push(order.query());
    }
    let order = order.clone();
    match &report.kind {
        ReportKind::Filled(fill) => on_fill(parts, &order, fill, out),
        _ if matches!(step, Step::Stay | Step::Query) => parts.counters.duplicate_report(),
        kind => announce(parts, &order, kind, out),
    }
    let id = order.terms().client_id;
    if cancel_lost && order.status().is_open() {
        parts.orders.cancel(id, out);
    }
    if order.is_complete() && parts.orders.open_order(id).is_some() {
        on_ended(parts, &order, out);
    }
    follow(parts, &order, &report.kind, out);
    if order.effect() == PositionEffect::Protect {
        resume_exits(parts, &order, out);
    }
}

/// Goes on with the exits that waited for an answer on a stop.
fn resume_exits(parts: &mut Parts, stop: &Order, out: &mut Outputs) {
    for place in stop.shares().places() {
        let waits = parts.protection.waits(place);
        let is_free = parts.bots.at(place).working().is_none() || sells_beside(parts, place);
        if waits && is_free {
            reconcile_next(parts, place, out);
        }
    }
}

/// Queries every open order: reports on it may be lost.
pub(crate) fn on_resync(parts: &Parts, out: &mut Outputs) {
    out.extend(parts.orders.open().map(Order::query));
}

/// Announces a change of an order's state that is not a fill.
fn announce(parts: &mut Parts, order: &Order, kind: &ReportKind, out: &mut Outputs) {
    let (terms, bot, cumulative) = (*order.terms(), order.bot(), order.filled());
    let expired = |not_sent: Option<NotSentReason>| EventKind::OrderExpired {
        terms,
        bot,
        cumulative,
        not_sent,
    };
    let rejected = |reason: &RejectReason| EventKind::OrderRejected {
        terms,
        bot,
        reason: reason.clone(),
    };
    let event = match kind {
        ReportKind::Accepted => EventKind::OrderAccepted { terms, bot },
        ReportKind::Cancelled => EventKind::OrderCancelled {
            terms,
            bot,
            cumulative,
        },
        ReportKind::Expired => expired(None),
        ReportKind::NotSent(reason) => expired(Some(*reason)),
        ReportKind::Rejected(reason) => rejected(reason),
        ReportKind::Unknown => EventKind::OrderUnknown { terms, bot },
        ReportKind::Filled(_) | ReportKind::CancelRejected(_) => return,
    };
    parts.emit(Some(order.placed_by()), event, out);
    note_refused_exit(parts, order, kind);
    if order.status() == OrderStatus::Unknown {
        out.push(order.query());
    }
}

/// An exit that was refused or not sent delays the next one.
fn note_refused_exit(parts: &mut Parts, order: &Order, kind: &ReportKind) {
    let exits = order
        .place()
        .filter(|_| order.effect() == PositionEffect::Exit);
    let reason = match kind {
        ReportKind::Rejected(reason) => format!("the venue: {} ({})", reason.text, reason.code),
        ReportKind::NotSent(reason) => format!("not sent: {reason:?}"),
        _ => return,
    };
    if let Some(place) = exits {
        let now = parts.now();
        parts.bots.at_mut(place).note_refused_exit(reason, now);
    }
}

/// Books a fill that was not reported before.
fn on_fill(parts: &mut Parts, order: &Order, fill: &Fill, out: &mut Outputs) {
    if order.effect() == PositionEffect::Protect {
        return on_stop_fill(parts, order, fill, out);
    }
    let instrument = parts.config.instrument(fill.instrument);
    let booking = parts.portfolio.book(instrument, order.owner(), fill);
    if booking.is_none() {
        halt_unbookable(parts, fill.account, out);
    }
    parts.counters.filled(order.status());
    let filled = EventKind::OrderFilled {
        fill: *fill,
        bot: order.bot(),
        status: order.status(),
        cumulative: order.filled(),
    };
    let cause = parts.emit(Some(order.placed_by()), filled, out);
    let Some(booking) = booking else { return };
    if let Some(event) = position_event(order.bot(), fill, booking) {
        parts.emit(Some(cause), event, out);
    }
    if let Some(place) = order.place() {
        parts.bots.bot_mut(place.bot()).activity_mut().fills += 1;
        if order.effect() == PositionEffect::Exit {
            parts.bots.at_mut(place).forget_refused_exits();
        }
        refresh_position(parts, place, out);
    }
}

/// Books a fill of a protective stop: to each position it covers its part.
fn on_stop_fill(parts: &mut Parts, stop: &Order, fill: &Fill, out: &mut Outputs) {
    parts.counters.filled(stop.status());
    let filled = EventKind::OrderFilled {
        fill: *fill,
        bot: stop.bot(),
        status: stop.status(),
        cumulative: stop.filled(),
    };
    let cause = parts.emit(Some(stop.placed_by()), filled, out);
    let step = parts.config.instrument(fill.instrument).step;
    for (place, part) in parts.orders.divide(stop.terms().client_id, fill, step) {
        let instrument = parts.config.instrument(fill.instrument);
        let booking = parts
            .portfolio
            .book(instrument, OwnerId::Bot(place.bot()), &part);
        let Some(booking) = booking else {
            halt_unbookable(parts, fill.account, out);
            continue;
        };
        if let Some(event) = position_event(Some(place.bot()), &part, booking) {
            parts.emit(Some(cause), event, out);
        }
        parts.bots.bot_mut(place.bot()).activity_mut().fills += 1;
        refresh_position(parts, place, out);
        if parts.bots.at(place).position().quantity.is_zero() {
            parts.bots.at_mut(place).set_exposure(Ppm::ZERO);
        }
    }
}

/// The announcement of a position that was opened, turned or closed.
fn position_event(bot: Option<BotId>, fill: &Fill, booking: Booking) -> Option<EventKind> {
    let (account, instrument) = (fill.account, fill.instrument);
    match booking.change {
        PositionChange::Opened | PositionChange::Turned => Some(EventKind::PositionOpened {
            account,
            bot,
            instrument,
            quantity: booking.position.quantity,
            price: fill.price,
        }),
        PositionChange::Closed => Some(EventKind::PositionClosed {
            account,
            bot,
            instrument,
            realized: booking.position.realized,
        }),
        PositionChange::Increased | PositionChange::Reduced => None,
    }
}

/// A fill's value is outside the number range. The ledger cannot be trusted until a person has looked at it.
fn halt_unbookable(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    let scope = Scope::Account(account);
    let state = TradingState::Reducing;
    open_until_cleared(parts, scope, state, CauseKind::FillNotBooked, out);
}

/// An order has ended: its bot may place the next one, and the target that waited is worked on.
fn on_ended(parts: &mut Parts, order: &Order, out: &mut Outputs) {
    let id = order.terms().client_id;
    parts.orders.close(id);
    if order.effect() == PositionEffect::Protect {
        return;
    }
    let Some(place) = order.place() else { return };
    if !matches!(order.terms().kind, OrderKind::Market) {
        parts.timers.cancel(Timer::OrderTimeout(id), out);
    }
    let state = parts.bots.at_mut(place);
    let Some(leaves) = state.end_order(order) else {
        // An entry beside which an exit went: what it has brought since is sold, too.
        if state.exposure() == Ppm::ZERO && state.working().is_none() {
            retry_exit(parts, place, out);
        }
        return;
    };
    if state.has_next() {
        return reconcile_next(parts, place, out);
    }
    let runs = parts.bots.bot(place.bot()).state() == BotState::Running;
    if order.continues() && !order.remaining().is_zero() && runs {
        submit_remainder(parts, place, order, out);
    } else if leaves {
        let cause = Some(order.placed_by());
        if !closing_quantity(parts, place, cause, out).is_zero() {
            retry_exit(parts, place, out);
        }
    }
}

/// The remainder of a limit order that waited too long: once more at the touch, or at market.
fn submit_remainder(parts: &mut Parts, place: BotInstrument, order: &Order, out: &mut Outputs) {
    let request = OrderRequest {
        place: Some(place),
        account: order.terms().account,
        instrument: order.terms().instrument,
        side: order.terms().side,
        quantity: order.remaining(),
        effect: order.effect(),
        limit: order.limit(),
        on_quote: false,
        cause: Some(order.placed_by()),
    };
    if order.reprices() == 0 {
        // A denial is announced; nothing more follows from it.
        submit(parts, &request, request.immediate(), out).ok();
        return;
    }
    submit_by_policy(parts, &request, out);
    if let Some(follower) = parts.bots.at(place).working() {
        parts.orders.set_reprices(follower, order.reprices() - 1);
    }
}

/// A report on an order that this engine did not make, or made long ago. Its fills are booked.
fn on_foreign(parts: &mut Parts, report: &ExecutionReport, out: &mut Outputs) {
    let ReportKind::Filled(fill) = &report.kind else {
        return;
    };
    if !is_known(parts, fill) {
        return;
    }
    // An order of this start that is no longer kept ended long ago. Its fills were booked then.
    let is_old = parts.ids.made(fill.client_id);
    let account = parts.accounts.get_mut(fill.account);
    if is_old || !account.note_foreign(fill) {
        return parts.counters.duplicate_report();
    }
    account.note_early(fill);
    let instrument = parts.config.instrument(fill.instrument);
    let booking = parts.portfolio.book(instrument, OwnerId::External, fill);
    if booking.is_none() {
        halt_unbookable(parts, fill.account, out);
    }
    let filled = EventKind::OrderFilled {
        fill: *fill,
        bot: None,
        status: OrderStatus::PartiallyFilled,
        cumulative: report.cumulative.unwrap_or(fill.quantity),
    };
    parts.emit(None, filled, out);
}

/// Whether account and instrument of a fill exist and its numbers can be a trade's.
pub(super) fn is_known(parts: &Parts, fill: &Fill) -> bool {
    parts.accounts.contains(fill.account)
        && parts.market.contains(fill.instrument)
        && is_possible(fill)
}
