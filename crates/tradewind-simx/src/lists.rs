//! Order lists at work: taking them, ending them, and what the fate of one order does to the others.
//!
//! What a trade leads to for *other* orders (a trigger that fires, a chain that goes on) never happens in the middle of
//! that trade: it is noted as due and done by [`Exchange::settle_dues`] at the end of the verb. Only that the other order
//! of a pair ends happens at once, because from then on it must not trade.

use tradewind_model::{
    Amount, InstrumentId, OrderKind, OrderStatus, Price, Timestamp, VenueOrderId,
};

use crate::action::{CancelList, NewOrder, Size};
use crate::exchange::Exchange;
use crate::list::{ListId, ListKind, ListShape, ListStatus, NewList, OrderList};
use crate::order::{EndReason, Order};
use crate::outbox::{ListReport, OrderEvent, Outbox};
use crate::refusal::{Filter, Refusal};
use crate::submission::Entry;
use crate::waiting::SlotId;

impl Exchange {
    /// Takes a list of orders.
    ///
    /// # Errors
    /// What [`submit`](Self::submit) would refuse of any of its orders; [`Refusal::Combination`] for orders that do not
    /// make such a list; [`Refusal::PriceRelation`] for a pair that does not enclose the market.
    pub fn submit_list(
        &mut self,
        now: Timestamp,
        new: &NewList,
        out: &mut Outbox,
    ) -> Result<OrderList, Refusal> {
        self.check_list(now, new)?;
        let taken = match &new.shape {
            ListShape::OneCancelsOther { above, below } => {
                self.take_pair(now, new, above, below, out)
            }
            ListShape::OneTriggersOther { working, .. }
            | ListShape::OneTriggersPair { working, .. } => self.take_chain(now, new, working, out),
        };
        if taken.is_ok() {
            self.settle_dues(now, new.instrument, out);
        }
        self.ledger.publish(&mut out.balances);
        taken.map(|list| as_told(list, out))
    }

    /// Ends the open orders of a list.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`] unless the account has this list open in this instrument.
    pub fn cancel_list(
        &mut self,
        now: Timestamp,
        cancel: &CancelList,
        out: &mut Outbox,
    ) -> Result<OrderList, Refusal> {
        let list = self
            .orders
            .find_open_list(cancel.account, cancel.list)
            .filter(|list| list.instrument == cancel.instrument)
            .ok_or(Refusal::UnknownOrder)?;
        let event = OrderEvent::Cancelled {
            cancel_id: cancel.cancel_id,
        };
        self.end_list(now, list.id, event, out);
        self.ledger.publish(&mut out.balances);
        Ok(as_told(list, out))
    }

    fn check_list(&self, now: Timestamp, new: &NewList) -> Result<(), Refusal> {
        let mut names = Vec::new();
        let (mut orders, mut algo) = (0, 0);
        for order in new.shape.orders() {
            if (order.account, order.instrument) != (new.account, new.instrument) {
                return Err(Refusal::Combination);
            }
            self.check(now, order)?;
            if names.contains(&order.client_id) {
                return Err(Refusal::DuplicateClientId);
            }
            names.push(order.client_id);
            orders += 1;
            algo += u32::from(order.trigger.is_some());
        }
        check_shape(&new.shape)?;
        if self.orders.is_list_name_open(new.account, &new.client_id) {
            return Err(Refusal::DuplicateClientId);
        }
        self.check_counts(new.account, new.instrument, orders, algo)?;
        let most = self.config.caps.order_lists_max;
        let open = self.orders.counts(new.account, new.instrument).lists;
        if most > 0 && open >= most {
            return Err(Refusal::Filter(Filter::OrderListCount));
        }
        Ok(())
    }

    /// A pair that is placed at once.
    fn take_pair(
        &mut self,
        now: Timestamp,
        new: &NewList,
        above: &NewOrder,
        below: &NewOrder,
        out: &mut Outbox,
    ) -> Result<OrderList, Refusal> {
        let last = self.listings[new.instrument.index()].reference();
        let encloses = |last: Price| {
            price(above).is_none_or(|above| above > last)
                && price(below).is_none_or(|below| below < last)
        };
        if !last.is_none_or(encloses) {
            return Err(Refusal::PriceRelation);
        }
        self.may_place_pair(&Self::order_of(now, above), &Self::order_of(now, below))?;
        let ids = [
            self.orders.next_id(),
            self.orders.next_id(),
            VenueOrderId(0),
        ];
        let list = self.open_list(now, new, ids, out);
        let mut open = |id, new| {
            let order = Order {
                id,
                list: Some(list.id),
                ..Self::order_of(now, new)
            };
            self.orders.opened(&order)
        };
        let pair = (open(ids[0], above), open(ids[1], below));
        self.place_pair(now, pair, OrderEvent::Accepted, out);
        Ok(list)
    }

    /// A chain: its first order works at once, the others are pending.
    fn take_chain(
        &mut self,
        now: Timestamp,
        new: &NewList,
        working: &NewOrder,
        out: &mut Outbox,
    ) -> Result<OrderList, Refusal> {
        let first = Self::order_of(now, working);
        self.may_work(&first)?;
        let mut ids = [VenueOrderId(0); 3];
        for (id, _) in ids.iter_mut().zip(new.shape.orders()) {
            *id = self.orders.next_id();
        }
        let list = self.open_list(now, new, ids, out);
        let slot = self.orders.opened(&Order {
            id: ids[0],
            list: Some(list.id),
            ..first
        });
        for (id, pending) in ids.iter().zip(new.shape.orders()).skip(1) {
            let order = Order {
                id: *id,
                list: Some(list.id),
                status: OrderStatus::Pending,
                ..Self::order_of(now, pending)
            };
            self.orders.opened(&order);
            self.report(now, OrderEvent::Accepted, &order, out);
        }
        self.activate(now, slot, Entry::New, out);
        Ok(list)
    }

    fn open_list(
        &mut self,
        now: Timestamp,
        new: &NewList,
        ids: [VenueOrderId; 3],
        out: &mut Outbox,
    ) -> OrderList {
        let list = OrderList::new(self.orders.next_list_id(), new, ids, now);
        self.orders.list_opened(list);
        tell(now, list, out);
        list
    }

    /// Whether both orders of a pair may be placed now; the account need only cover the dearer one.
    fn may_place_pair(&self, above: &Order, below: &Order) -> Result<(), Refusal> {
        for order in [above, below] {
            match &order.trigger {
                Some(trigger) => self.may_wait(order, trigger)?,
                None => self.may_work(order)?,
            }
        }
        Ok(())
    }

    /// Puts both orders of a pair where they wait; that they may was checked.
    fn place_pair(
        &mut self,
        now: Timestamp,
        pair: (SlotId, SlotId),
        event: OrderEvent,
        out: &mut Outbox,
    ) {
        self.lock_dearer(pair);
        for slot in [pair.0, pair.1] {
            let order = &mut self.orders.waiting.get_mut(slot).order;
            (order.status, order.updated_at) = (OrderStatus::Accepted, now);
            match order.kind.limit() {
                Some(price) if order.trigger.is_none() => {
                    order.working_since = Some(now);
                    let order = *order;
                    self.queue(now, slot, price);
                    self.report(now, event, &order, out);
                }
                _ => {
                    self.shelve(now, slot, event, out);
                }
            }
        }
    }

    /// One lock for both: the order that needs more holds it.
    fn lock_dearer(&mut self, pair: (SlotId, SlotId)) {
        let needs = |slot: SlotId| {
            let order = &self.orders.waiting.get(slot).order;
            self.listings[order.instrument.index()].needs(order)
        };
        let dearer = if needs(pair.0) >= needs(pair.1) {
            pair.0
        } else {
            pair.1
        };
        self.lock(dearer);
    }

    /// An order of a pair begins to trade: the other one ends, and what was locked for both is locked for this one.
    pub(crate) fn break_pair(&mut self, now: Timestamp, survivor: SlotId, out: &mut Outbox) {
        let Some(other) = self.partner(survivor) else {
            return;
        };
        let (order, partner) = (
            self.orders.waiting.get(survivor).order,
            self.orders.waiting.get(other).order,
        );
        let shared = self.orders.waiting.get(survivor).held + self.orders.waiting.get(other).held;
        let listing = &self.listings[order.instrument.index()];
        let asset = listing.paid_in(order.side);
        let needed = listing
            .needs(&order)
            .map_or(shared, |needed| needed.min(shared));
        self.ledger.unlock(partner.account, asset, shared - needed);
        self.orders.waiting.get_mut(survivor).held = needed;
        self.orders.waiting.get_mut(other).held = Amount::ZERO;
        self.retire(now, other, OrderEvent::Expired(EndReason::List), out);
    }

    /// The other order of the pair that this one is placed in.
    fn partner(&self, slot: SlotId) -> Option<SlotId> {
        let order = &self.orders.waiting.get(slot).order;
        let list = self.orders.list(order.list?)?;
        let pair = list.placed_together();
        if pair.len() < 2 || !pair.contains(&order.id) {
            return None;
        }
        let other = pair.iter().find(|id| **id != order.id)?;
        self.orders.slot(*other)
    }

    /// Notes what an order that is finished means for its list.
    pub(crate) fn follow_up(&mut self, now: Timestamp, order: &Order, out: &mut Outbox) {
        let Some(list) = order.list.filter(|_| !order.is_open()) else {
            return;
        };
        if order.status == OrderStatus::Filled {
            self.dues.push_back(list);
        } else {
            self.end_list(now, list, OrderEvent::Expired(EndReason::List), out);
        }
    }

    /// Ends all open orders of a list, and with them the list.
    pub(crate) fn end_list(
        &mut self,
        now: Timestamp,
        id: ListId,
        event: OrderEvent,
        out: &mut Outbox,
    ) {
        let Some(list) = self.orders.list(id) else {
            return;
        };
        for order in list.orders() {
            let Some(slot) = self.orders.slot(*order) else {
                continue;
            };
            let event = match event {
                OrderEvent::Expired(_) if self.orders.waiting.get(slot).order.is_pending() => {
                    OrderEvent::Expired(EndReason::Entry)
                }
                event => event,
            };
            self.retire(now, slot, event, out);
        }
        self.finish_list(now, list, out);
    }

    fn finish_list(&mut self, now: Timestamp, list: OrderList, out: &mut Outbox) {
        if list.status == ListStatus::AllDone {
            return;
        }
        let mut list = list;
        list.status = ListStatus::AllDone;
        self.orders.list_closed(list);
        tell(now, list, out);
    }

    /// Does what is due, one after the other until nothing is left: triggers fire by what was printed, then chains go on,
    /// so that what is placed now is not fired by what was printed before.
    pub(crate) fn settle_dues(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        out: &mut Outbox,
    ) {
        loop {
            if let Some(slot) = self.fired(now, instrument) {
                self.fire(now, slot, out);
            } else if let Some(list) = self.dues.pop_front() {
                self.go_on(now, list, out);
            } else {
                return;
            }
        }
    }

    /// An order of a list is filled: the others are placed, or the list is done.
    fn go_on(&mut self, now: Timestamp, id: ListId, out: &mut Outbox) {
        let Some(list) = self.orders.list(id) else {
            return;
        };
        let slots: Vec<SlotId> = list
            .orders()
            .iter()
            .filter_map(|order| self.orders.slot(*order))
            .collect();
        match *slots.as_slice() {
            [] => self.finish_list(now, list, out),
            [only] if self.orders.waiting.get(only).order.is_pending() => {
                self.place_pending(now, only, out)
            }
            [above, below] if list.kind == ListKind::OneTriggersPair => {
                self.place_pending_pair(now, id, (above, below), out);
            }
            _ => {}
        }
    }

    fn place_pending(&mut self, now: Timestamp, slot: SlotId, out: &mut Outbox) {
        let order = self.orders.waiting.get(slot).order;
        let Some(trigger) = order.trigger else {
            return self.activate(now, slot, Entry::Waited, out);
        };
        match self.may_wait(&order, &trigger) {
            Ok(()) => {
                self.lock(slot);
                self.shelve(now, slot, OrderEvent::Activated, out);
            }
            Err(refusal) => {
                let reason = EndReason::Refused(refusal);
                self.end(now, slot, OrderEvent::Expired(reason), out);
            }
        }
    }

    fn place_pending_pair(
        &mut self,
        now: Timestamp,
        id: ListId,
        pair: (SlotId, SlotId),
        out: &mut Outbox,
    ) {
        let order = |slot| self.orders.waiting.get(slot).order;
        match self.may_place_pair(&order(pair.0), &order(pair.1)) {
            Ok(()) => self.place_pair(now, pair, OrderEvent::Activated, out),
            Err(refusal) => {
                let reason = EndReason::Refused(refusal);
                self.end_list(now, id, OrderEvent::Expired(reason), out);
            }
        }
    }

    /// The order whose trigger is fired next by what was printed.
    fn fired(&mut self, now: Timestamp, instrument: InstrumentId) -> Option<SlotId> {
        let triggers = &self.listings[instrument.index()].triggers;
        while let Some(price) = self.printed.front().copied() {
            let fired = triggers
                .fired(price)
                .or_else(|| triggers.observe(&mut self.orders.waiting, now, price));
            if fired.is_some() {
                return fired;
            }
            self.printed.pop_front();
        }
        None
    }

    fn fire(&mut self, now: Timestamp, slot: SlotId, out: &mut Outbox) {
        self.break_pair(now, slot, out);
        self.unshelve(slot);
        self.activate(now, slot, Entry::Waited, out);
    }
}

/// The price an order lies at: its stop, or its limit. A trigger that only trails has none.
fn price(order: &NewOrder) -> Option<Price> {
    match order.trigger {
        Some(trigger) => trigger.price,
        None => order.kind.limit(),
    }
}

/// What makes a list, whatever the market.
fn check_shape(shape: &ListShape) -> Result<(), Refusal> {
    let by_base = shape
        .orders()
        .all(|order| matches!(order.size, Size::Base(_)));
    let first_works = match shape {
        ListShape::OneCancelsOther { .. } => true,
        ListShape::OneTriggersOther { working, .. }
        | ListShape::OneTriggersPair { working, .. } => {
            working.trigger.is_none() && working.kind.limit().is_some()
        }
    };
    let pair = match shape {
        ListShape::OneCancelsOther { above, below }
        | ListShape::OneTriggersPair { above, below, .. } => Some((above, below)),
        ListShape::OneTriggersOther { .. } => None,
    };
    let pair_waits = pair.is_none_or(|(above, below)| {
        let waits = |order: &NewOrder| {
            order.trigger.is_some() || matches!(order.kind, OrderKind::PostOnly { .. })
        };
        let both = waits(above) && waits(below) && (above.trigger.or(below.trigger)).is_some();
        both && (above.side, above.size) == (below.side, below.size)
    });
    if !(by_base && first_works && pair_waits) {
        return Err(Refusal::Combination);
    }
    let prices = pair.and_then(|(above, below)| Some((price(above)?, price(below)?)));
    if prices.is_some_and(|(above, below)| above <= below) {
        return Err(Refusal::PriceRelation);
    }
    Ok(())
}

/// A list as it was told last.
fn as_told(list: OrderList, out: &Outbox) -> OrderList {
    let last = out
        .lists
        .iter()
        .rev()
        .find(|report| report.list.id == list.id);
    last.map_or(list, |report| report.list)
}

fn tell(at: Timestamp, list: OrderList, out: &mut Outbox) {
    out.lists.push(ListReport {
        at,
        after_orders: out.orders.len(),
        list,
    });
}
