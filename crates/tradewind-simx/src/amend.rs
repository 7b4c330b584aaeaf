//! Making an order smaller without losing its place in line.

use tradewind_model::{InstrumentStatus, Side, Timestamp};

use crate::action::AmendOrder;
use crate::exchange::Exchange;
use crate::filters::{self, Rules};
use crate::order::Order;
use crate::outbox::{OrderEvent, Outbox};
use crate::refusal::{Filter, Refusal};
use crate::waiting::SlotId;

impl Exchange {
    /// Lowers an open order's quantity; it keeps its place in line and gets another name.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`] unless the order is open; a filter that what is left would break; the refusals whose names
    /// begin with `Amend`.
    pub fn amend(
        &mut self,
        now: Timestamp,
        amend: &AmendOrder,
        out: &mut Outbox,
    ) -> Result<Order, Refusal> {
        let slot = self
            .orders
            .find_open(amend.account, amend.instrument, amend.order)
            .ok_or(Refusal::UnknownOrder)?;
        self.check_amendment(now, slot, amend)?;
        let former_quantity = self.orders.waiting.get(slot).order.quantity;
        let former_id = self.orders.rename(slot, amend.client_id);
        self.shrink(now, slot, amend);
        let order = self.orders.waiting.get(slot).order;
        let event = OrderEvent::Amended {
            former_id,
            former_quantity,
        };
        self.report(now, event, &order, out);
        self.ledger.publish(&mut out.balances);
        Ok(order)
    }

    fn check_amendment(
        &self,
        now: Timestamp,
        slot: SlotId,
        amend: &AmendOrder,
    ) -> Result<(), Refusal> {
        let order = &self.orders.waiting.get(slot).order;
        if self.instruments[order.instrument.index()].status != InstrumentStatus::Trading {
            return Err(Refusal::MarketClosed);
        }
        if order.list.is_some() {
            return Err(Refusal::AmendNotSupported);
        }
        if amend.quantity > order.quantity {
            return Err(Refusal::AmendIncreases);
        }
        if amend.quantity == order.quantity || amend.quantity <= order.filled {
            return Err(Refusal::AmendChangesNothing);
        }
        let caps = &self.config.caps;
        if caps.amendments_max > 0 && order.amendments >= caps.amendments_max {
            return Err(Refusal::Filter(Filter::AmendCount));
        }
        let taken = self.orders.is_name_open(amend.account, &amend.client_id);
        if taken && amend.client_id != order.client_id {
            return Err(Refusal::DuplicateClientId);
        }
        let rules = Rules {
            instrument: &self.instruments[order.instrument.index()],
            caps,
            average: self.average_price(now, order.instrument),
        };
        filters::check_size(&rules, order, amend.quantity)
    }

    /// Takes the difference off the book and frees what it held.
    fn shrink(&mut self, now: Timestamp, slot: SlotId, amend: &AmendOrder) {
        let held = self.orders.waiting.get(slot).held;
        let order = &mut self.orders.waiting.get_mut(slot).order;
        let less = order.quantity - amend.quantity;
        order.quantity = amend.quantity;
        order.updated_at = now;
        order.amendments = order.amendments.saturating_add(1);
        let order = *order;
        let listing = &mut self.listings[order.instrument.index()];
        if let (Some(_), Some(price)) = (order.working_since, order.kind.limit()) {
            listing.book_mut(order.side).reduce(price, less);
            listing.change(now);
        }
        let stop = order.trigger.and_then(|trigger| trigger.price);
        let needed = if order.side == Side::Sell || order.kind.limit().or(stop).is_some() {
            listing.needs(&order)
        } else {
            // It holds what it was worth at a price that has moved since, and keeps that share.
            let whole = order.remaining() + less;
            held.mul_div(i128::from(order.remaining().0), i128::from(whole.0))
        };
        let needed = needed.unwrap_or(held).min(held);
        self.ledger
            .unlock(order.account, listing.paid_in(order.side), held - needed);
        self.orders.waiting.get_mut(slot).held = needed;
    }
}
