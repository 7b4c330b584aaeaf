//! Reports of the venue on orders, folded into orders, ledger and positions.
//!
//! One function takes every report, from whichever channel and in whatever order it comes. A fill is booked exactly
//! once, by its trade id, even if its order had ended already. It is never dropped.

use std::sync::Arc;

use tradewind_events::{AlarmKind, BotState, EventKind, Output, Outputs, Timer};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    AccountId, BotId, ClientOrderId, EventId, ExecutionReport, Fill, NotSentReason, OrderKind,
    OrderStatus, OwnerId, Ppm, Quantity, RejectReason, ReportKind,
};
use tradewind_portfolio::{Booking, PositionChange};
use tradewind_risk::{CauseKind, ClosedTrade, PositionEffect, Scope, TradingState};

use super::alarms::{raise, raise_about};
use super::breakers;
use super::causes::{note_contradicted, note_foreign_desk, open_until_cleared};
use super::holdings::{cover_external, cover_fees, take_external};
use super::monitoring::on_booked;
use super::positions::{closing_quantity, refresh_position};
use super::protection::{follow, note_outcome};
use super::submission::{OrderRequest, submit, submit_by_policy};
use super::target::{continue_exit, reconcile_next, retry_exit};
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::exit_monitor::ExitMonitor;
use crate::parts::order::{Applied, Order, Step, is_possible};

/// The venue reports on an order, or the gate kept it back.
pub(crate) fn on_report(parts: &mut Parts, report: &ExecutionReport, out: &mut Outputs) {
    if let Some(ending) = fold_report(parts, report, out) {
        follow_up(parts, ending, out);
    }
    follow(parts, report, out);
}

/// Folds a report into order, ledger and position. Returns what is to be decided, if the order of a bot ended.
pub(crate) fn fold_report(
    parts: &mut Parts,
    report: &ExecutionReport,
    out: &mut Outputs,
) -> Option<Ending> {
    if let ReportKind::Filled(fill) = &report.kind
        && parts.accounts.contains(fill.account)
    {
        parts.accounts.get_mut(fill.account).note_heard(fill);
    }
    let Some(shared) = parts.orders.shared_mut(report.client_id) else {
        on_stray(parts, report, out);
        return None;
    };
    let order = Arc::make_mut(shared);
    if !order.is_named_by(report) {
        // It contradicts what was sent: nothing of it is used, and the venue is queried.
        out.push(order.query());
        return None;
    }
    let applied = order.apply(report);
    let Applied::Changed {
        step,
        query,
        cancel_lost,
        is_late,
    } = applied
    else {
        parts.counters.duplicate_report();
        return None;
    };
    if query {
        out.push(order.query());
    }
    if is_late {
        out.extend([order.cancel_again(), order.query()]);
    }
    let order = Arc::clone(shared);
    if is_late {
        let what = "it showed up at the venue after it counted as never placed; it is cancelled";
        raise_about(parts, (AlarmKind::LateOrder, &order), what, out);
    }
    breakers::on_report(parts, &order, &report.kind, out);
    match &report.kind {
        ReportKind::Filled(fill) => on_fill(parts, &order, fill, out),
        _ if matches!(step, Step::Stay | Step::Query) => parts.counters.duplicate_report(),
        kind => announce(parts, &order, kind, out),
    }
    let id = order.terms().client_id;
    if cancel_lost && order.status().is_open() {
        parts.orders.cancel(id, out);
    }
    note_outcome(parts, (&order, step), &report.kind, out);
    let has_ended = order.is_complete() && parts.orders.open_order(id).is_some();
    has_ended.then(|| end(parts, order, out)).flatten()
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
    note_refused_exit(parts, order, kind, out);
    if order.status() == OrderStatus::Unknown {
        out.push(order.query());
    }
}

/// An exit that was refused or not sent delays the next one.
fn note_refused_exit(parts: &mut Parts, order: &Order, kind: &ReportKind, out: &mut Outputs) {
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
        // The books may say more than there is. Refusals come ever later, and so do these readings.
        if matches!(kind, ReportKind::Rejected(_)) {
            out.push(Output::Sweep(order.terms().account));
        }
    }
}

/// Books a fill that was not reported before. Each position that a protective stop covers gets its part.
fn on_fill(parts: &mut Parts, order: &Order, fill: &Fill, out: &mut Outputs) {
    // The venue's clock may be wrong: a fill is no older than its order and not of the future.
    let event_time = fill.event_time.max(order.placed_at()).min(parts.now());
    let stamped = Fill {
        event_time,
        ..*fill
    };
    take_external(parts, order, &stamped);
    let divided = divided(parts, order, &stamped);
    if divided.is_empty() {
        // All but stops over several positions come this way, which allocates nothing.
        let owner = order.owner();
        let booking = book(parts, owner, &stamped, out);
        let cause = note_filled(parts, order, fill, out);
        if let Some(booking) = booking {
            on_part(parts, order, (owner, &stamped, booking), cause, out);
        }
        return cover_fees(parts, fill, out);
    }
    let booked: Vec<_> = divided
        .into_iter()
        .map(|(place, part)| (OwnerId::Bot(place.bot()), part))
        .map(|(owner, part)| (owner, part, book(parts, owner, &part, out)))
        .collect();
    let cause = note_filled(parts, order, fill, out);
    for (owner, part, booking) in booked {
        if let Some(booking) = booking {
            on_part(parts, order, (owner, &part, booking), cause, out);
        }
    }
    cover_fees(parts, fill, out);
}

/// Notes a fill that was booked, and announces it.
fn note_filled(parts: &mut Parts, order: &Order, fill: &Fill, out: &mut Outputs) -> EventId {
    note_assets(parts, fill, out);
    parts.accounts.get_mut(fill.account).note_fill(fill);
    parts.counters.filled(order.status());
    let filled = EventKind::OrderFilled {
        fill: *fill,
        bot: order.bot(),
        status: order.status(),
        cumulative: order.filled(),
    };
    parts.emit(Some(order.placed_by()), filled, out)
}

/// The parts of a fill of a stop over several positions; empty if all of it is its order's owner's.
fn divided(parts: &mut Parts, order: &Order, fill: &Fill) -> Vec<(BotInstrument, Fill)> {
    if order.effect() != PositionEffect::Protect {
        return Vec::new();
    }
    let step = parts.config.instrument(fill.instrument).step;
    parts.orders.divide(order.terms().client_id, fill, step)
}

/// A fill moved assets. It is booked, whatever the table says of their ids: then the account is halted.
fn note_assets(parts: &mut Parts, fill: &Fill, out: &mut Outputs) {
    let instrument = parts.config.instrument(fill.instrument);
    let assets = [instrument.base, instrument.quote, fill.fee.asset];
    note_contradicted(parts, fill.account, assets, out);
}

fn book(parts: &mut Parts, owner: OwnerId, fill: &Fill, out: &mut Outputs) -> Option<Booking> {
    let instrument = parts.config.instrument(fill.instrument);
    let booking = parts.portfolio.book(instrument, owner, fill);
    if booking.is_none() {
        halt_unbookable(parts, fill.account, out);
    }
    booking
}

/// Follows the booking of a fill, or of an owner's part of it.
fn on_part(
    parts: &mut Parts,
    order: &Order,
    (owner, part, booking): (OwnerId, &Fill, Booking),
    cause: EventId,
    out: &mut Outputs,
) {
    let bot = match owner {
        OwnerId::Bot(bot) => Some(bot),
        _ => None,
    };
    if let Some(event) = position_event(bot, part, booking) {
        parts.emit(Some(cause), event, out);
    }
    if let Some(place) = bot.and_then(|bot| parts.bots.place(bot, part.instrument)) {
        parts.bots.bot_mut(place.bot()).activity_mut().fills += 1;
        // It tells by the tries of the exit plan whether that closed the position.
        if matches!(
            booking.change,
            PositionChange::Closed | PositionChange::Turned
        ) {
            note_closed(parts, place, order.effect(), (part, booking));
        }
        if order.effect() == PositionEffect::Exit {
            parts.bots.at_mut(place).forget_refused_exits();
        }
        refresh_position(parts, place, out);
        let state = parts.bots.at_mut(place);
        if order.effect() == PositionEffect::Protect && state.position().quantity.is_zero() {
            state.set_exposure(Ppm::ZERO);
        }
    }
    on_booked(parts, part, bot, booking.change, out);
}

/// A trade of a bot is closed: its protections take note, before its exit monitor is gone.
fn note_closed(
    parts: &mut Parts,
    place: BotInstrument,
    effect: PositionEffect,
    (fill, booking): (&Fill, Booking),
) {
    let monitor = parts.bots.at(place).monitor();
    let trade = ClosedTrade {
        instrument: fill.instrument,
        at: parts.now(),
        profit: booking.position.realized,
        by_plan: effect == PositionEffect::Protect || monitor.is_some_and(ExitMonitor::is_leaving),
    };
    parts.bots.bot_mut(place.bot()).note_closed(trade);
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

/// A bot's order that ended, and what is to be decided now.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) place: BotInstrument,
    pub(crate) order: Arc<Order>,
    pub(crate) next: AfterEnd,
}

/// What follows the end of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterEnd {
    /// The target that waited is worked on.
    WaitingTarget,
    /// The remainder is placed again.
    Remainder,
    /// What an exit left open is closed later.
    Leftover,
}

/// Closes an order that has ended: its bot may place the next one.
fn end(parts: &mut Parts, order: Arc<Order>, out: &mut Outputs) -> Option<Ending> {
    let id = order.terms().client_id;
    parts.orders.close(id);
    if order.effect() == PositionEffect::Protect {
        return None;
    }
    let place = order.place()?;
    if !matches!(order.terms().kind, OrderKind::Market) {
        parts.timers.cancel(Timer::OrderTimeout(id), out);
    }
    let state = parts.bots.at_mut(place);
    let Some(leaves) = state.end_order(&order) else {
        // An entry beside which an exit went: what it has brought since is sold, too.
        let is_left = state.exposure() == Ppm::ZERO && state.working().is_none();
        let next = AfterEnd::Leftover;
        return is_left.then_some(Ending { place, order, next });
    };
    let runs = parts.bots.bot(place.bot()).state() == BotState::Running;
    let next = if parts.bots.at(place).has_next() {
        AfterEnd::WaitingTarget
    } else if order.continues() && !order.remaining().is_zero() && runs {
        AfterEnd::Remainder
    } else if leaves {
        AfterEnd::Leftover
    } else {
        return None;
    };
    Some(Ending { place, order, next })
}

/// Decides what follows the ends of several orders.
pub(crate) fn follow_up_all(parts: &mut Parts, endings: Vec<Ending>, out: &mut Outputs) {
    for ending in endings {
        follow_up(parts, ending, out);
    }
}

/// Decides what follows the end of an order.
pub(crate) fn follow_up(parts: &mut Parts, ending: Ending, out: &mut Outputs) {
    let Ending { place, order, next } = ending;
    let cause = Some(order.placed_by());
    match next {
        AfterEnd::WaitingTarget => reconcile_next(parts, place, out),
        AfterEnd::Remainder => submit_remainder(parts, place, &order, out),
        AfterEnd::Leftover => {
            if !closing_quantity(parts, place, cause, out).is_zero() {
                continue_exit(parts, place, &order, out);
            }
            return;
        }
    }
    // What was to follow may be denied: then what the exit left goes to the dust book if it is too little to be sold, and is
    // sold later if not.
    if order.effect() == PositionEffect::Exit
        && is_left(parts, place)
        && !closing_quantity(parts, place, cause, out).is_zero()
    {
        retry_exit(parts, place, out);
    }
}

/// Whether a position that is to be flat has neither an order nor a target that closes it.
pub(crate) fn is_left(parts: &Parts, place: BotInstrument) -> bool {
    let state = parts.bots.at(place);
    let is_over = state.working().is_none() && !state.has_next();
    state.exposure() == Ppm::ZERO && is_over
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
        stop: None,
        on_quote: false,
        continues: true,
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

/// A report on an order that is not kept: somebody else's, or one that ended long ago. Its fills are booked. An order of
/// this data folder that is open, though no part of the desk expects it, is cancelled. If another desk is at work, the
/// account is halted; a fill or the end of an order that it had left open is no sign of that.
fn on_stray(parts: &mut Parts, report: &ExecutionReport, out: &mut Outputs) {
    let is_act = matches!(report.kind, ReportKind::Accepted | ReportKind::Cancelled);
    let account = parts.accounts.contains(report.account);
    let account = account.then(|| parts.accounts.get(report.account));
    let was_open = account.is_some_and(|account| account.had_foreign(report.client_id));
    if is_act && parts.ids.is_foreign(report.client_id) && !was_open {
        return note_foreign_desk(parts, report.account, out);
    }
    match &report.kind {
        ReportKind::Filled(fill) if is_known(parts, fill) => {
            book_stray(parts, fill, None, report.cumulative, out);
        }
        ReportKind::Accepted if parts.ids.is_own(report.client_id) => {
            out.push(Output::Cancel {
                account: report.account,
                instrument: report.instrument,
                client_id: report.client_id,
                venue_order_id: report.venue_order_id,
            });
            let place = (
                AlarmKind::LateOrder,
                Some(report.account),
                Some(report.instrument),
            );
            let id = report.client_id;
            let text =
                format!("order {id} is open at the venue and not in the books; it is cancelled");
            raise(parts, place, text, out);
        }
        _ => {}
    }
}

/// Books a fill of an order that is not kept, once. `bot` is the owner that the journal names.
pub(super) fn book_stray(
    parts: &mut Parts,
    fill: &Fill,
    bot: Option<BotId>,
    cumulative: Option<Quantity>,
    out: &mut Outputs,
) {
    if is_on(Mutation::HandTradeIgnored) && !fill.client_id.is_ours() {
        return;
    }
    let account = parts.accounts.get(fill.account);
    // Without a reading to compare with, an order of this start that is not kept ended long ago, its fills booked.
    let is_old =
        parts.ids.made(fill.client_id) && account.cursors().get(&fill.instrument).is_none();
    if is_old || account.is_booked(fill) {
        return parts.counters.duplicate_report();
    }
    if is_new_of_another(parts, fill.account, fill.client_id) {
        note_foreign_desk(parts, fill.account, out);
    }
    note_assets(parts, fill, out);
    parts.accounts.get_mut(fill.account).note_fill(fill);
    let owner = owner_of_fill(parts, fill, bot);
    let instrument = parts.config.instrument(fill.instrument);
    let booking = parts.portfolio.book(instrument, owner, fill);
    if booking.is_none() {
        halt_unbookable(parts, fill.account, out);
    }
    let bot = match owner {
        OwnerId::Bot(bot) => Some(bot),
        _ => None,
    };
    let filled = EventKind::OrderFilled {
        fill: *fill,
        bot,
        status: OrderStatus::PartiallyFilled,
        cumulative: cumulative.unwrap_or(fill.quantity),
    };
    parts.emit(None, filled, out);
    if let Some(place) = bot.and_then(|bot| parts.bots.place(bot, fill.instrument)) {
        refresh_position(parts, place, out);
    }
    cover_external(parts, fill, out);
    cover_fees(parts, fill, out);
}

/// Whether another desk placed an order since the account was first read, when it was not open (P05). The report of its acceptance may be
/// lost: then a fill or a later reading is the first to show it.
pub(super) fn is_new_of_another(parts: &Parts, account: AccountId, id: ClientOrderId) -> bool {
    let record = parts.accounts.get(account);
    record.is_reconciled() && parts.ids.is_foreign(id) && !record.had_foreign(id)
}

/// The owner of a fill. If its bot no longer trades the instrument, the desk owns it, since no bot would close it. What another
/// desk traded is EXTERNAL.
pub(super) fn owner_of_fill(parts: &Parts, fill: &Fill, bot: Option<BotId>) -> OwnerId {
    let trades_it = |bot: BotId| {
        let config = parts.bots.get(bot).map(|bot| bot.config());
        config.is_some_and(|config| {
            config.account == fill.account && config.instruments.contains(&fill.instrument)
        })
    };
    match bot.or_else(|| parts.orders.former_bot(fill.client_id)) {
        Some(bot) if trades_it(bot) => OwnerId::Bot(bot),
        _ if parts.ids.is_own(fill.client_id) => OwnerId::Unallocated,
        _ => OwnerId::External,
    }
}

/// Whether account and instrument of a fill exist and its numbers can be a trade's.
pub(super) fn is_known(parts: &Parts, fill: &Fill) -> bool {
    parts.accounts.contains(fill.account)
        && parts.market.contains(fill.instrument)
        && is_possible(fill)
}
