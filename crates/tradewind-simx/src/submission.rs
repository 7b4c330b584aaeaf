//! Taking a new order: check it, plan it, trade it, and let the rest wait or expire.
//!
//! An order without a trigger goes through [`Exchange::work`] at once, one with a trigger when that fires, and one of a
//! list when its turn comes: the way is the same, so what holds for the first holds for all.

use tradewind_model::{
    AccountId, Amount, InstrumentId, InstrumentStatus, Money, OrderKind, OrderStatus, Price,
    Quantity, Side, TimeInForce, Timestamp, VenueOrderId,
};

use crate::action::{NewOrder, Size};
use crate::config::FillModel;
use crate::exchange::Exchange;
use crate::filters::{self, Rules};
use crate::matching::{Incoming, Plan, Step, plan};
use crate::order::{EndReason, Order};
use crate::outbox::{OrderEvent, Outbox};
use crate::refusal::{Filter, Refusal};
use crate::settlement::SpokenFor;
use crate::trigger::Trigger;
use crate::waiting::SlotId;

/// What an order is announced as when it begins to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It is new.
    New,
    /// It waited for its trigger or its list.
    Waited,
}

/// No order has this id: they count from 1.
const NO_ID: VenueOrderId = VenueOrderId(0);

impl Exchange {
    /// Takes a new order, trades it as far as it goes and lets the rest wait or expire, as its kind says. One with a
    /// trigger waits for that first.
    ///
    /// Reports the acceptance, each fill on both sides, and the end if it ended; then whatever its trades triggered.
    /// Gives the order as it then stands.
    ///
    /// # Errors
    /// Any [`Refusal`] but those of cancels and amendments.
    pub fn submit(
        &mut self,
        now: Timestamp,
        new: &NewOrder,
        out: &mut Outbox,
    ) -> Result<Order, Refusal> {
        self.check(now, new)?;
        let algo = u32::from(new.trigger.is_some());
        self.check_counts(new.account, new.instrument, waits(new), algo)?;
        let mut order = Self::order_of(now, new);
        let taken = match new.trigger {
            None => self.work(now, &mut order, Entry::New, out),
            Some(trigger) => self.shelve_new(now, &mut order, trigger, out),
        };
        let taken = taken.map(|()| self.after(now, order, out));
        self.ledger.publish(&mut out.balances);
        taken
    }

    /// Lets what an order's trades triggered happen, and gives the order as it stands then.
    fn after(&mut self, now: Timestamp, order: Order, out: &mut Outbox) -> Order {
        self.settle_dues(now, order.instrument, out);
        let last = out
            .orders
            .iter()
            .rev()
            .find(|report| report.order.id == order.id);
        last.map_or(order, |report| report.order)
    }

    /// What can be refused without looking at the book, but for the number of open orders.
    ///
    /// # Errors
    /// An unknown account or instrument, a closed market, a filter, a combination, a name that is taken.
    pub fn check(&self, now: Timestamp, new: &NewOrder) -> Result<(), Refusal> {
        if !self.ledger.knows(new.account) {
            return Err(Refusal::UnknownAccount);
        }
        let instrument = self
            .instruments
            .get(new.instrument.index())
            .ok_or(Refusal::UnknownInstrument)?;
        if instrument.status != InstrumentStatus::Trading {
            return Err(Refusal::MarketClosed);
        }
        let posts = matches!(new.kind, OrderKind::PostOnly { .. });
        if new
            .trigger
            .is_some_and(|trigger| posts || trigger.is_empty())
        {
            return Err(Refusal::Combination);
        }
        let rules = Rules {
            instrument,
            caps: &self.config.caps,
            average: self.average_price(now, new.instrument),
        };
        filters::check(&rules, new)?;
        if self.orders.is_name_open(new.account, &new.client_id) {
            return Err(Refusal::DuplicateClientId);
        }
        Ok(())
    }

    /// Whether the account may have `more` orders open in the instrument, `algo` of them with a trigger.
    pub(crate) fn check_counts(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        more: u32,
        algo: u32,
    ) -> Result<(), Refusal> {
        let open = self.orders.counts(account, instrument);
        let most = self.instruments[instrument.index()].open_orders_max;
        if most > 0 && more > 0 && open.orders + more > most {
            return Err(Refusal::Filter(Filter::OrderCount));
        }
        let most = self.config.caps.algo_orders_max;
        if most > 0 && algo > 0 && open.algo + algo > most {
            return Err(Refusal::Filter(Filter::AlgoOrderCount));
        }
        Ok(())
    }

    /// The order that `new` describes; it has no id yet.
    pub(crate) fn order_of(now: Timestamp, new: &NewOrder) -> Order {
        let (quantity, quote_wanted) = match new.size {
            Size::Base(quantity) => (quantity, Amount::ZERO),
            Size::Quote(amount) => (Quantity::ZERO, amount),
        };
        Order {
            id: NO_ID,
            account: new.account,
            instrument: new.instrument,
            client_id: new.client_id,
            side: new.side,
            kind: new.kind,
            trigger: new.trigger.map(|trigger| Trigger {
                tracking: None,
                ..trigger
            }),
            quantity,
            quote_wanted,
            filled: Quantity::ZERO,
            quote_filled: Amount::ZERO,
            status: OrderStatus::Accepted,
            end: None,
            created_at: now,
            updated_at: now,
            working_since: None,
            list: None,
            self_trade: new.self_trade,
            labels: new.labels,
            amendments: 0,
        }
    }

    /// Brings an order that is in no slot to the book. One that is refused stays as it is.
    fn work(
        &mut self,
        now: Timestamp,
        order: &mut Order,
        entry: Entry,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let mut steps = std::mem::take(&mut self.steps);
        let done = self.admit(order, &mut steps).map(|(plan, money)| {
            self.spoken_for = Some(SpokenFor {
                account: order.account,
                money,
            });
            self.carry_out(now, order, entry, &plan, &steps, out);
            self.spoken_for = None;
            self.follow_up(now, order, out);
        });
        steps.clear();
        self.steps = steps;
        done
    }

    /// Whether an order could go to the book now.
    pub(crate) fn may_work(&self, order: &Order) -> Result<(), Refusal> {
        self.admit(order, &mut Vec::new()).map(drop)
    }

    /// Plans the order and refuses what the plan shows to be impossible. Tells what it will pay and lock, too.
    fn admit(&self, order: &Order, steps: &mut Vec<Step>) -> Result<(Plan, Money), Refusal> {
        let listing = &self.listings[order.instrument.index()];
        let incoming = Incoming {
            account: order.account,
            side: order.side,
            size: size(order),
            limit: order.kind.limit(),
            self_trade: order.self_trade,
            step: self.instruments[order.instrument.index()].step,
        };
        let model = self.config.fill_model;
        let mut plan = plan(&incoming, model, listing, &self.orders.waiting, steps);
        if matches!(order.kind, OrderKind::PostOnly { .. })
            && (!steps.is_empty() || plan.met_itself)
        {
            return Err(Refusal::WouldTake);
        }
        let asset = listing.paid_in(order.side);
        let free = self.ledger.balance(order.account, asset).free;
        let amount = self
            .needed(order, &plan)
            .filter(|needed| *needed <= free)
            .ok_or(Refusal::InsufficientBalance)?;
        if is_fill_or_kill(order.kind) && plan.filled != order.remaining() {
            steps.clear();
            plan = Plan::default();
        }
        Ok((plan, Money { asset, amount }))
    }

    /// What the account must have free: a limit order's whole worth at its limit, all that is to be spent, else what the
    /// plan comes to.
    fn needed(&self, order: &Order, plan: &Plan) -> Option<Amount> {
        let listing = &self.listings[order.instrument.index()];
        match (order.side, size(order), order.kind.limit()) {
            (Side::Buy, Size::Base(quantity), Some(limit)) => listing.worth(limit, quantity),
            (Side::Buy, Size::Quote(amount), _) => plan.worth.map(|_| amount),
            (Side::Buy, Size::Base(_), None) => plan.worth,
            (Side::Sell, Size::Base(quantity), _) => {
                plan.worth.map(|_| listing.base_amount(quantity))
            }
            (Side::Sell, Size::Quote(_), _) => plan.worth.map(|_| listing.base_amount(plan.filled)),
        }
    }

    fn carry_out(
        &mut self,
        now: Timestamp,
        order: &mut Order,
        entry: Entry,
        plan: &Plan,
        steps: &[Step],
        out: &mut Outbox,
    ) {
        order.working_since = Some(now);
        if let Size::Quote(_) = size(order) {
            order.quantity = plan.filled;
        }
        if order.id == NO_ID {
            order.id = self.orders.next_id();
        }
        let event = match entry {
            Entry::New => OrderEvent::Accepted,
            Entry::Waited => OrderEvent::Activated,
        };
        self.report(now, event, order, out);
        for step in steps {
            match *step {
                Step::Market(level) => self.take_from_market(now, order, level, out),
                Step::Order(maker, level) => self.take_from_order(now, order, maker, level, out),
                Step::Expire(maker) => {
                    self.end(now, maker, OrderEvent::Expired(EndReason::SelfTrade), out);
                }
            }
        }
        if plan.met_itself {
            self.expire(now, order, EndReason::SelfTrade, out);
        } else if order.status == OrderStatus::Filled && !plan.exhausted {
            self.orders.passed_through(order);
        } else {
            self.conclude(now, order, out);
        }
    }

    /// The rest of the order waits or expires, as its kind says.
    fn conclude(&mut self, now: Timestamp, order: &mut Order, out: &mut Outbox) {
        match order.kind {
            OrderKind::Market | OrderKind::Stop { .. } => {
                self.expire(now, order, EndReason::NoLiquidity, out);
            }
            OrderKind::Limit {
                time_in_force: TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill,
                ..
            } => {
                self.expire(now, order, EndReason::TimeInForce, out);
            }
            OrderKind::Limit {
                time_in_force: TimeInForce::GoodTillCancel,
                price,
            }
            | OrderKind::PostOnly { price }
            | OrderKind::StopLimit { price, .. } => {
                let slot = self.orders.opened(order);
                self.lock(slot);
                self.queue(now, slot, price);
            }
        }
    }

    /// Ends an order that is in no slot.
    fn expire(&mut self, now: Timestamp, order: &mut Order, reason: EndReason, out: &mut Outbox) {
        (order.status, order.end, order.updated_at) = (OrderStatus::Expired, Some(reason), now);
        self.report(now, OrderEvent::Expired(reason), order, out);
        self.orders.passed_through(order);
    }

    /// Puts what is left of an order at the end of its price's line.
    pub(crate) fn queue(&mut self, now: Timestamp, slot: SlotId, price: Price) {
        let waiting = &mut self.orders.waiting;
        let Order {
            instrument, side, ..
        } = waiting.get(slot).order;
        let listing = &mut self.listings[instrument.index()];
        waiting.get_mut(slot).ahead = match self.config.fill_model {
            FillModel::TradeThrough => i64::MAX,
            FillModel::QuoteTouch | FillModel::Book => listing.ladder.waiting_at(side, price),
        };
        listing.book_mut(side).push(waiting, slot, price);
        listing.change(now);
    }

    /// Sets aside what an order in a slot needs while it waits; that it is there was checked.
    pub(crate) fn lock(&mut self, slot: SlotId) {
        let order = &self.orders.waiting.get(slot).order;
        let listing = &self.listings[order.instrument.index()];
        let needed = listing
            .needs(order)
            .expect("worth was checked when the order was taken");
        self.ledger
            .lock(order.account, listing.paid_in(order.side), needed);
        self.orders.waiting.get_mut(slot).held = needed;
    }

    /// Takes a new order that waits for its trigger.
    fn shelve_new(
        &mut self,
        now: Timestamp,
        order: &mut Order,
        trigger: Trigger,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.may_wait(order, &trigger)?;
        order.id = self.orders.next_id();
        let slot = self.orders.opened(order);
        self.lock(slot);
        *order = self.shelve(now, slot, OrderEvent::Accepted, out);
        Ok(())
    }

    /// Whether an order may wait for its trigger: it must not fire at once, and the account must cover it.
    pub(crate) fn may_wait(&self, order: &Order, trigger: &Trigger) -> Result<(), Refusal> {
        let listing = &self.listings[order.instrument.index()];
        let reached = |last| trigger.price.is_some() && trigger.is_reached(order.side, last);
        if listing.last_price().is_some_and(reached) {
            return Err(Refusal::WouldTrigger);
        }
        let asset = listing.paid_in(order.side);
        let free = self.ledger.balance(order.account, asset).free;
        if listing.needs(order).is_none_or(|needed| needed > free) {
            return Err(Refusal::InsufficientBalance);
        }
        Ok(())
    }

    /// Lets an order in a slot wait for its trigger and reports it.
    pub(crate) fn shelve(
        &mut self,
        now: Timestamp,
        slot: SlotId,
        event: OrderEvent,
        out: &mut Outbox,
    ) -> Order {
        let order = &mut self.orders.waiting.get_mut(slot).order;
        let listing = &mut self.listings[order.instrument.index()];
        order.status = OrderStatus::Accepted;
        if let (Some(trigger), Some(last)) = (&mut order.trigger, listing.last_price()) {
            // One without a stop price tracks from here on, or from the first print.
            trigger.observe(order.side, now, last);
        }
        let order = *order;
        if let Some(trigger) = &order.trigger {
            listing.triggers.insert(&order, trigger, slot);
        }
        self.report(now, event, &order, out);
        order
    }

    /// An order's trigger fired, or its turn in its list came: it leaves its slot and works.
    pub(crate) fn activate(
        &mut self,
        now: Timestamp,
        slot: SlotId,
        entry: Entry,
        out: &mut Outbox,
    ) {
        self.unlock(slot);
        let mut order = self.orders.leave(slot);
        (order.status, order.updated_at) = (OrderStatus::Accepted, now);
        if let Err(refusal) = self.work(now, &mut order, entry, out) {
            self.expire(now, &mut order, EndReason::Refused(refusal), out);
            self.follow_up(now, &order, out);
        }
    }
}

/// How large the order is, or what is left of it.
fn size(order: &Order) -> Size {
    if order.quote_wanted.is_zero() {
        Size::Base(order.remaining())
    } else {
        Size::Quote(order.quote_wanted)
    }
}

/// How many open orders a new order may become.
fn waits(new: &NewOrder) -> u32 {
    u32::from(new.trigger.is_some() || !matches!(new.kind, OrderKind::Market))
}

const fn is_fill_or_kill(kind: OrderKind) -> bool {
    matches!(
        kind,
        OrderKind::Limit {
            time_in_force: TimeInForce::FillOrKill,
            ..
        }
    )
}
