//! What the venue says about our orders, folded into orders, ledger and positions.
//!
//! One function takes every report, from whichever channel and in whatever order it comes. A fill is booked exactly
//! once, by its trade id, even if its order had ended already; it is never dropped.

use tradewind_events::{BotState, EventKind, Output, Outputs, Timer};
use tradewind_model::{
    AccountId, BotId, ExecutionReport, Fill, NotSentReason, OrderKind, OrderStatus, OwnerId,
    PositionState, Quantity, RejectReason, ReportKind, TimeInForce,
};
use tradewind_portfolio::{Booking, PositionChange};
use tradewind_risk::{CauseKind, Clearing, PositionEffect, Scope, TradingState};

use crate::engine::Engine;
use crate::parts::order::{Order, ReportClass, Step, transition};
use crate::step::submission::{OrderRequest, owner_of};

impl Engine {
    pub(crate) fn on_report(&mut self, report: &ExecutionReport, out: &mut Outputs) {
        let Some(order) = self.orders.get_mut(report.client_id) else {
            return self.on_foreign(report, out);
        };
        if !is_about(report, order) {
            // It contradicts what we sent: nothing of it is believed, the venue is asked.
            out.push(query_order(order));
            return;
        }
        order.venue_order_id = order.venue_order_id.or(report.venue_order_id);
        if let ReportKind::Filled(fill) = &report.kind {
            if !order.trades.insert(fill.trade_id) {
                self.counters.totals.duplicate_reports += 1;
                return;
            }
            order.filled = Quantity(order.filled.0.saturating_add(fill.quantity.0));
        }
        let class = ReportClass::of(&report.kind, order.filled, order.terms.quantity);
        let step = transition(order.status, class);
        if let Step::To(next) = step {
            order.status = next;
        }
        let venue_cumulative = report.cumulative.unwrap_or_default();
        let is_news = venue_cumulative > order.cumulative;
        order.cumulative = order.cumulative.max(venue_cumulative);
        // The venue has filled more than we heard of: an execution is missing.
        if step == Step::Ask || (is_news && venue_cumulative > order.filled) {
            out.push(query_order(order));
        }
        // It is still there although a cancel was sent: the cancel was lost, and is sent again.
        let again = order.cancelling && step == Step::Stay && report.kind == ReportKind::Accepted;
        if again {
            order.cancelling = false;
        }
        let order = order.clone();
        match &report.kind {
            ReportKind::Filled(fill) => self.booked(&order, fill, out),
            _ if step == Step::Stay || step == Step::Ask => {
                self.counters.totals.duplicate_reports += 1
            }
            kind => self.announce(&order, kind, out),
        }
        if again && order.status.is_open() {
            self.cancel(order.terms.client_id, out);
        }
        // An order has ended once all of its executions are booked: a cancel may overtake a fill.
        let complete = !order.status.is_open() && order.filled >= order.cumulative;
        if complete && self.orders.open_order(order.terms.client_id).is_some() {
            self.ended(&order, out);
        }
    }

    /// Asks about every open order: its reports may have gone unheard.
    pub(crate) fn on_resync(&self, out: &mut Outputs) {
        out.extend(self.orders.open().map(query_order));
    }

    /// Announces a change of an order's state that is not a fill.
    fn announce(&mut self, order: &Order, kind: &ReportKind, out: &mut Outputs) {
        let (terms, cumulative) = (order.terms, order.filled);
        let bot = order.bot.map(|(bot, _)| bot);
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
        self.context.emit(out, Some(order.placed_by), event);
        if order.status == OrderStatus::Unknown {
            out.push(query_order(order));
        }
    }

    /// Books a fill that was not heard of before.
    fn booked(&mut self, order: &Order, fill: &Fill, out: &mut Outputs) {
        let instrument = &self.config.instruments[fill.instrument.index()];
        let booking = self.portfolio.book(instrument, owner_of(order), fill);
        if booking.is_none() {
            self.unbookable(fill.account, out);
        }
        self.counters.filled(order.status);
        let bot = order.bot.map(|(bot, _)| bot);
        let filled = EventKind::OrderFilled {
            fill: *fill,
            bot,
            status: order.status,
            cumulative: order.filled,
        };
        let cause = self.context.emit(out, Some(order.placed_by), filled);
        let Some(Booking { change, position }) = booking else {
            return;
        };
        let (account, instrument) = (fill.account, fill.instrument);
        match change {
            PositionChange::Opened | PositionChange::Turned => {
                let (quantity, price) = (position.quantity, fill.price);
                let opened = EventKind::PositionOpened {
                    account,
                    bot,
                    instrument,
                    quantity,
                    price,
                };
                self.context.emit(out, Some(cause), opened);
            }
            PositionChange::Closed => {
                let realized = position.realized;
                let closed = EventKind::PositionClosed {
                    account,
                    bot,
                    instrument,
                    realized,
                };
                self.context.emit(out, Some(cause), closed);
            }
            PositionChange::Increased | PositionChange::Reduced => {}
        }
        if let Some((bot, slot)) = order.bot {
            self.bots[bot.index()].stats.fills += 1;
            self.refresh_position(bot, slot, out);
        }
    }

    /// A fill whose worth does not fit any number of ours: the ledger cannot be trusted until a person has looked.
    fn unbookable(&mut self, account: AccountId, out: &mut Outputs) {
        self.open_cause(
            Scope::Account(account),
            TradingState::Reducing,
            CauseKind::FillNotBooked,
            Clearing::Person,
            out,
        );
    }

    /// Copies a bot's position from the portfolio to where its strategy and its guard look.
    pub(crate) fn refresh_position(&mut self, bot: BotId, slot: usize, out: &mut Outputs) {
        let runtime = &mut self.bots[bot.index()];
        let place = &mut runtime.slots[slot];
        let instrument = &self.config.instruments[place.instrument.index()];
        let key = (runtime.config.account, OwnerId::Bot(bot), instrument.id);
        let position = self.portfolio.position(&key);
        let flat = position.quantity.is_zero();
        place.position = PositionState {
            quantity: position.quantity,
            entry_price: position.entry_price(instrument),
            opened_at: (!flat).then_some(position.opened_at),
        };
        self.guard(bot, slot, out);
    }

    /// An order has ended: its place is free, and what waited for it goes on.
    fn ended(&mut self, order: &Order, out: &mut Outputs) {
        let id = order.terms.client_id;
        self.orders.close(id);
        let Some((bot, slot)) = order.bot else { return };
        if matches!(
            order.terms.kind,
            OrderKind::Limit { .. } | OrderKind::PostOnly { .. }
        ) {
            out.push(Output::CancelTimer(Timer::OrderTimeout(id)));
        }
        let place = &mut self.bots[bot.index()].slots[slot];
        if place.working != Some(id) {
            return;
        }
        place.working = None;
        let leaves =
            order.purpose == PositionEffect::Exit && place.exposure == tradewind_model::Ppm::ZERO;
        let waits = order.cross_remainder && order.status == OrderStatus::Cancelled;
        if order.filled.is_zero() && !waits && !leaves {
            // Nothing came of it: the same target may be asked for again.
            place.exposure = order.exposure_before;
        }
        if place.next.is_some() {
            self.reconcile_next(bot, slot, out);
        } else if order.cross_remainder
            && order.status == OrderStatus::Cancelled
            && !order.remaining().is_zero()
            && self.bots[bot.index()].state == BotState::Running
        {
            self.take_remainder(order, out);
        } else if leaves
            && !self
                .closing(bot, slot, Some(order.placed_by), out)
                .is_zero()
        {
            self.retry_exit(bot, slot, out);
        }
    }

    /// The rest of a limit order that waited too long: once more at the touch, or at market.
    fn take_remainder(&mut self, order: &Order, out: &mut Outputs) {
        let request = OrderRequest {
            bot: order.bot,
            account: order.terms.account,
            instrument: order.terms.instrument,
            side: order.terms.side,
            quantity: order.remaining(),
            purpose: order.purpose,
            limit: order.limit,
            on_quote: false,
            cause: Some(order.placed_by),
        };
        if order.reprices == 0 {
            let kind = order
                .limit
                .map_or(OrderKind::Market, |price| OrderKind::Limit {
                    price,
                    time_in_force: TimeInForce::ImmediateOrCancel,
                });
            self.submit(&request, kind, out);
            return;
        }
        self.submit_by_policy(&request, out);
        let follower = order
            .bot
            .and_then(|(bot, slot)| self.bots[bot.index()].slots[slot].working);
        if let Some(follower) = follower.and_then(|id| self.orders.open_order_mut(id)) {
            follower.reprices = order.reprices - 1;
        }
    }

    /// A report on an order this engine did not make: somebody else's, or one forgotten long ago. Its fills are kept.
    fn on_foreign(&mut self, report: &ExecutionReport, out: &mut Outputs) {
        let ReportKind::Filled(fill) = &report.kind else {
            return;
        };
        if !self.is_known(fill) {
            return;
        }
        // An order of this start that is not known any more ended long ago, and its fills were booked then.
        let is_old = self.ids.made(fill.client_id);
        if is_old || !self.accounts[fill.account.index()].first_time(fill) {
            self.counters.totals.duplicate_reports += 1;
            return;
        }
        self.accounts[fill.account.index()].note_unreconciled(fill);
        let instrument = &self.config.instruments[fill.instrument.index()];
        if self
            .portfolio
            .book(instrument, OwnerId::External, fill)
            .is_none()
        {
            self.unbookable(fill.account, out);
        }
        let cumulative = report.cumulative.unwrap_or(fill.quantity);
        let filled = EventKind::OrderFilled {
            fill: *fill,
            bot: None,
            status: OrderStatus::PartiallyFilled,
            cumulative,
        };
        self.context.emit(out, None, filled);
    }
}

/// Whether a report speaks of the order it names.
fn is_about(report: &ExecutionReport, order: &Order) -> bool {
    let terms = &order.terms;
    let same = (report.account, report.instrument) == (terms.account, terms.instrument);
    let ReportKind::Filled(fill) = &report.kind else {
        return same;
    };
    let of = (fill.account, fill.instrument, fill.side);
    same && of == (terms.account, terms.instrument, terms.side) && is_possible(fill)
}

/// Whether somebody could have traded so.
pub(crate) const fn is_possible(fill: &Fill) -> bool {
    fill.quantity.0 > 0 && fill.price.0 > 0
}

fn query_order(order: &Order) -> Output {
    Output::Query {
        account: order.terms.account,
        instrument: order.terms.instrument,
        client_id: order.terms.client_id,
    }
}
