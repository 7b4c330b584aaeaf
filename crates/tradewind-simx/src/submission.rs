//! Taking a new order: check it, plan it, trade it, and let the rest wait or expire.

use tradewind_model::{
    Amount, AssetId, InstrumentStatus, OrderKind, OrderStatus, Price, Quantity, Side, TimeInForce,
    Timestamp,
};

use crate::action::{NewOrder, Size};
use crate::exchange::Exchange;
use crate::filters;
use crate::matching::{Incoming, Plan, Step, plan};
use crate::order::{EndReason, Order};
use crate::outbox::{OrderEvent, Outbox};
use crate::refusal::{Filter, Refusal};

impl Exchange {
    /// Takes a new order, trades it as far as it goes and lets the rest wait or expire, as its kind says.
    ///
    /// Reports the acceptance, each fill on both sides, and the end if it ended. Gives the order as it then stands.
    ///
    /// # Errors
    /// Any [`Refusal`] but [`UnknownOrder`](Refusal::UnknownOrder).
    pub fn submit(
        &mut self,
        now: Timestamp,
        new: &NewOrder,
        out: &mut Outbox,
    ) -> Result<Order, Refusal> {
        self.check(new)?;
        let mut steps = std::mem::take(&mut self.steps);
        let taken = self
            .admit(new, &mut steps)
            .map(|plan| self.carry_out(now, new, &plan, &steps, out));
        steps.clear();
        self.steps = steps;
        self.ledger.publish(&mut out.balances);
        taken
    }

    /// What can be refused without looking at the book.
    fn check(&self, new: &NewOrder) -> Result<(), Refusal> {
        if !self.ledger.knows(new.account) {
            return Err(Refusal::UnknownAccount);
        }
        let rules = self
            .instruments
            .get(new.instrument.index())
            .ok_or(Refusal::UnknownInstrument)?;
        if rules.status != InstrumentStatus::Trading {
            return Err(Refusal::MarketClosed);
        }
        filters::check(
            rules,
            new.kind,
            new.size,
            self.listings[new.instrument.index()].reference(),
        )?;
        if self.orders.is_name_open(new.account, &new.client_id) {
            return Err(Refusal::DuplicateClientId);
        }
        let waits = !matches!(new.kind, OrderKind::Market);
        let open = self.orders.open_count(new.account, new.instrument);
        if waits && rules.open_orders_max > 0 && open >= rules.open_orders_max {
            return Err(Refusal::Filter(Filter::OrderCount));
        }
        Ok(())
    }

    /// Plans the order and refuses what the plan shows to be impossible.
    fn admit(&self, new: &NewOrder, steps: &mut Vec<Step>) -> Result<Plan, Refusal> {
        let listing = &self.listings[new.instrument.index()];
        let incoming = Incoming {
            account: new.account,
            side: new.side,
            size: new.size,
            limit: new.kind.limit(),
            self_trade: new.self_trade,
            step: self.instruments[new.instrument.index()].step,
        };
        let mut plan = plan(
            &incoming,
            self.config.fill_model,
            listing,
            &self.orders.waiting,
            steps,
        );
        if matches!(new.kind, OrderKind::PostOnly { .. }) && (!steps.is_empty() || plan.met_itself)
        {
            return Err(Refusal::WouldTake);
        }
        let (asset, needed) = self.needs(new, &plan);
        let free = self.ledger.balance(new.account, asset).free;
        if needed.is_none_or(|needed| needed > free) {
            return Err(Refusal::InsufficientBalance);
        }
        if is_fill_or_kill(new.kind) && Size::Base(plan.filled) != new.size {
            steps.clear();
            plan = Plan::default();
        }
        Ok(plan)
    }

    /// What the account must have free: a limit order's whole worth at its limit, else what the plan comes to.
    fn needs(&self, new: &NewOrder, plan: &Plan) -> (AssetId, Option<Amount>) {
        let listing = &self.listings[new.instrument.index()];
        match (new.side, new.size, new.kind.limit()) {
            (Side::Buy, Size::Base(quantity), Some(limit)) => {
                (listing.quote, listing.worth(limit, quantity))
            }
            (Side::Buy, _, _) => (listing.quote, plan.worth),
            (Side::Sell, Size::Base(quantity), _) => (
                listing.base,
                plan.worth.map(|_| listing.base_amount(quantity)),
            ),
            (Side::Sell, Size::Quote(_), _) => (
                listing.base,
                plan.worth.map(|_| listing.base_amount(plan.filled)),
            ),
        }
    }

    fn carry_out(
        &mut self,
        now: Timestamp,
        new: &NewOrder,
        plan: &Plan,
        steps: &[Step],
        out: &mut Outbox,
    ) -> Order {
        let mut order = self.accept(now, new, plan);
        self.report(now, OrderEvent::Accepted, &order, out);
        for step in steps {
            match *step {
                Step::Market(level) => self.take_from_market(now, &mut order, level, out),
                Step::Order(maker, level) => {
                    self.take_from_order(now, &mut order, maker, level, out)
                }
                Step::Expire(maker) => {
                    self.end(now, maker, OrderEvent::Expired(EndReason::SelfTrade), out);
                }
            }
        }
        if order.status == OrderStatus::Filled && !plan.exhausted {
            self.orders.passed_through(order);
        } else if plan.met_itself {
            self.expire(now, &mut order, EndReason::SelfTrade, out);
        } else {
            self.conclude(now, &mut order, out);
        }
        order
    }

    fn accept(&mut self, now: Timestamp, new: &NewOrder, plan: &Plan) -> Order {
        let (quantity, quote_wanted) = match new.size {
            Size::Base(quantity) => (quantity, Amount::ZERO),
            Size::Quote(amount) => (plan.filled, amount),
        };
        Order {
            id: self.orders.next_id(),
            account: new.account,
            instrument: new.instrument,
            client_id: new.client_id,
            side: new.side,
            kind: new.kind,
            quantity,
            quote_wanted,
            filled: Quantity::ZERO,
            quote_filled: Amount::ZERO,
            status: OrderStatus::Accepted,
            end: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The rest of the order waits or expires, as its kind says.
    fn conclude(&mut self, now: Timestamp, order: &mut Order, out: &mut Outbox) {
        match order.kind {
            OrderKind::Market => self.expire(now, order, EndReason::NoLiquidity, out),
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
            | OrderKind::PostOnly { price } => {
                self.wait(now, order, price);
            }
        }
    }

    fn expire(&mut self, now: Timestamp, order: &mut Order, reason: EndReason, out: &mut Outbox) {
        (order.status, order.end, order.updated_at) = (OrderStatus::Expired, Some(reason), now);
        self.report(now, OrderEvent::Expired(reason), order, out);
        self.orders.passed_through(*order);
    }

    /// Puts the rest of a limit order at the end of its price's line and locks what it will pay.
    fn wait(&mut self, now: Timestamp, order: &Order, price: Price) {
        let listing = &mut self.listings[order.instrument.index()];
        let held = listing.held(order);
        self.ledger.lock(order.account, held.asset, held.amount);
        let ahead = listing.ladder.waiting_at(order.side, price);
        let slot = self.orders.opened(*order, ahead);
        listing
            .book_mut(order.side)
            .push(&mut self.orders.waiting, slot, price);
        listing.change(now);
    }
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
