//! Carrying out: fills of incoming and of waiting orders, prints, ends, reports.

use tradewind_model::{
    Amount, InstrumentId, Level, Liquidity, Money, OrderStatus, Side, Timestamp, Trade, TradeId,
};

use crate::config::{FillModel, Prints};
use crate::exchange::Exchange;
use crate::fees::FeeChoice;
use crate::order::{EndReason, Order};
use crate::outbox::{OrderEvent, OrderReport, Outbox};
use crate::settlement::{Deal, SpokenFor, Tariff, settle, settle_market};
use crate::waiting::SlotId;

impl Exchange {
    /// An incoming order takes from the market model.
    pub(crate) fn take_from_market(
        &mut self,
        now: Timestamp,
        order: &mut Order,
        level: Level,
        out: &mut Outbox,
    ) {
        let deal = self.print(now, order.instrument, order.side, level, out);
        let listing = &mut self.listings[order.instrument.index()];
        settle_market(&mut self.ledger, listing, order.side, &deal);
        if self.config.fill_model != FillModel::QuoteTouch {
            listing.ladder.take(order.side, level.price, level.quantity);
            if let Some(queue) = listing.book(order.side.opposite()).at(level.price) {
                self.orders.waiting.pass(queue.first, level.quantity);
            }
            listing.change(now);
        }
        self.fill(order, &deal, Liquidity::Taker, out);
    }

    /// An incoming order takes from a waiting one.
    pub(crate) fn take_from_order(
        &mut self,
        now: Timestamp,
        order: &mut Order,
        maker: SlotId,
        level: Level,
        out: &mut Outbox,
    ) {
        let deal = self.print(now, order.instrument, order.side, level, out);
        self.fill(order, &deal, Liquidity::Taker, out);
        self.fill_waiting(maker, &deal, out);
    }

    /// The market takes from a waiting order.
    pub(crate) fn give_to_market(
        &mut self,
        now: Timestamp,
        maker: SlotId,
        level: Level,
        out: &mut Outbox,
    ) {
        let Order {
            instrument, side, ..
        } = self.orders.waiting.get(maker).order;
        let deal = self.print(now, instrument, side.opposite(), level, out);
        settle_market(
            &mut self.ledger,
            &self.listings[instrument.index()],
            side,
            &deal,
        );
        self.fill_waiting(maker, &deal, out);
    }

    /// Numbers a public print, remembers it as the last one and publishes it.
    pub(crate) fn print(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        taker: Side,
        level: Level,
        out: &mut Outbox,
    ) -> Deal {
        let Level { price, quantity } = level;
        let listing = &mut self.listings[instrument.index()];
        listing.prints += 1;
        let id = TradeId(listing.prints);
        let print = Trade {
            instrument,
            taker,
            id,
            price,
            quantity,
            event_time: Some(now),
            received_at: now,
        };
        listing.last = Some(print);
        if let Some(worth) = listing.worth(price, quantity) {
            listing.average.record(now, worth, quantity);
        }
        if !listing.triggers.is_empty() {
            self.printed.push_back(price);
        }
        if self.config.prints == Prints::Reported {
            out.prints.push(print);
        }
        Deal {
            at: now,
            trade_id: id,
            price,
            quantity,
        }
    }

    /// Books a deal for a waiting order, which leaves its line if nothing of it remains. If it is one of a pair, the other
    /// ends first.
    fn fill_waiting(&mut self, slot: SlotId, deal: &Deal, out: &mut Outbox) {
        self.break_pair(deal.at, slot, out);
        let mut order = self.orders.waiting.get(slot).order;
        let paid = self.fill(&mut order, deal, Liquidity::Maker, out);
        let listing = &mut self.listings[order.instrument.index()];
        let book = listing.book_mut(order.side);
        let waiting = self.orders.waiting.get_mut(slot);
        waiting.held -= paid;
        if order.remaining().is_zero() {
            debug_assert!(waiting.held.is_zero(), "a filled order holds nothing");
            book.unlink(&mut self.orders.waiting, slot, deal.price);
            self.orders.leave(slot);
            self.orders.passed_through(&order);
            self.follow_up(deal.at, &order, out);
        } else {
            waiting.order = order;
            book.reduce(deal.price, deal.quantity);
        }
        self.listings[order.instrument.index()].change(deal.at);
    }

    /// Books a deal for an order, wherever it is kept; tells what the order paid.
    fn fill(
        &mut self,
        order: &mut Order,
        deal: &Deal,
        liquidity: Liquidity,
        out: &mut Outbox,
    ) -> Amount {
        let paid = self.pays(order, deal);
        if let (Some(spoken), Liquidity::Taker) = (&mut self.spoken_for, liquidity) {
            spoken.money.amount -= paid;
        }
        let in_fee_asset = self.fee_in_fee_asset(order, deal, liquidity);
        let same = |spoken: &SpokenFor| {
            let asset = in_fee_asset.map(|fee| fee.asset);
            spoken.account == order.account && Some(spoken.money.asset) == asset
        };
        let tariff = Tariff {
            fees: &self.config.fees,
            in_fee_asset,
            spoken_for: self
                .spoken_for
                .filter(same)
                .map_or(Amount::ZERO, |spoken| spoken.money.amount),
        };
        let listing = &self.listings[order.instrument.index()];
        let execution = settle(&mut self.ledger, &tariff, listing, order, deal, liquidity);
        self.orders.executed(&execution);
        self.report(deal.at, OrderEvent::Filled(execution), order, out);
        paid
    }

    /// What an order pays in a deal.
    fn pays(&self, order: &Order, deal: &Deal) -> Amount {
        let listing = &self.listings[order.instrument.index()];
        match order.side {
            Side::Buy => listing
                .worth(deal.price, deal.quantity)
                .expect("worth was checked when the order was taken"),
            Side::Sell => listing.base_amount(deal.quantity),
        }
    }

    /// The fee of a deal in the fee asset, discounted, at that asset's last price in the deal's quote asset; `None` if the
    /// account did not choose it or it has no price.
    fn fee_in_fee_asset(&self, order: &Order, deal: &Deal, liquidity: Liquidity) -> Option<Money> {
        if self.fee_choices[order.account.index()] == FeeChoice::Received {
            return None;
        }
        let fee_asset = self.config.fee_asset?;
        let listing = &self.listings[order.instrument.index()];
        let fees = &self.config.fees;
        let worth = fees.exact(listing.worth(deal.price, deal.quantity)?, liquidity)?;
        let worth = fee_asset.discounted(worth);
        let amount = if fee_asset.asset == listing.quote {
            worth
        } else {
            let priced = self.instruments.iter().find(|instrument| {
                (instrument.base, instrument.quote) == (fee_asset.asset, listing.quote)
            })?;
            let last = self.listings[priced.id.index()].reference()?;
            worth.mul_div(Amount::ONE.0, priced.price_amount(last).0)?
        };
        Some(Money {
            asset: fee_asset.asset,
            amount: fees.round(amount),
        })
    }

    /// Ends an open order and, with it, the list it belongs to; gives it as it then stands.
    pub(crate) fn end(
        &mut self,
        now: Timestamp,
        slot: SlotId,
        event: OrderEvent,
        out: &mut Outbox,
    ) -> Order {
        let list = self.orders.waiting.get(slot).order.list;
        let order = self.retire(now, slot, event, out);
        if let Some(list) = list {
            let event = match event {
                OrderEvent::Expired(_) => OrderEvent::Expired(EndReason::List),
                event => event,
            };
            self.end_list(now, list, event, out);
        }
        order
    }

    /// Ends one open order wherever it waits, frees what it held and reports it.
    pub(crate) fn retire(
        &mut self,
        now: Timestamp,
        slot: SlotId,
        event: OrderEvent,
        out: &mut Outbox,
    ) -> Order {
        self.unlock(slot);
        let order = &self.orders.waiting.get(slot).order;
        if order.working_since.is_some() {
            let price = order.kind.limit().expect("only orders with a limit wait");
            let listing = &mut self.listings[order.instrument.index()];
            listing
                .book_mut(order.side)
                .unlink(&mut self.orders.waiting, slot, price);
            listing.change(now);
        } else if !order.is_pending() {
            self.unshelve(slot);
        }
        let mut order = self.orders.leave(slot);
        (order.status, order.end) = match event {
            OrderEvent::Expired(reason) => (OrderStatus::Expired, Some(reason)),
            _ => (OrderStatus::Cancelled, None),
        };
        order.updated_at = now;
        self.report(now, event, &order, out);
        self.orders.passed_through(&order);
        order
    }

    /// Frees what an order in a slot holds.
    pub(crate) fn unlock(&mut self, slot: SlotId) {
        let held = std::mem::take(&mut self.orders.waiting.get_mut(slot).held);
        let order = &self.orders.waiting.get(slot).order;
        let asset = self.listings[order.instrument.index()].paid_in(order.side);
        if !held.is_zero() {
            self.ledger.unlock(order.account, asset, held);
        }
    }

    /// Takes an order away from the trigger it waits for.
    pub(crate) fn unshelve(&mut self, slot: SlotId) {
        let order = &self.orders.waiting.get(slot).order;
        if let Some(trigger) = &order.trigger {
            let listing = &mut self.listings[order.instrument.index()];
            listing.triggers.remove(order, trigger);
        }
    }

    /// Tells the account what happened to its order.
    pub(crate) fn report(
        &mut self,
        at: Timestamp,
        event: OrderEvent,
        order: &Order,
        out: &mut Outbox,
    ) {
        self.reports += 1;
        out.orders.push(OrderReport {
            id: self.reports,
            at,
            event,
            order: *order,
        });
    }
}
