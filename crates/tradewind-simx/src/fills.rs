//! Carrying out: fills of incoming and of waiting orders, prints, ends, reports.

use tradewind_model::{
    InstrumentId, Level, Liquidity, OrderStatus, Side, Timestamp, Trade, TradeId,
};

use crate::config::{FillModel, Prints};
use crate::exchange::Exchange;
use crate::order::Order;
use crate::outbox::{OrderEvent, OrderReport, Outbox};
use crate::settlement::{Deal, settle, settle_market};
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
        if self.config.fill_model == FillModel::Book {
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

    /// Books a deal for a waiting order, which leaves its line if nothing of it remains.
    fn fill_waiting(&mut self, slot: SlotId, deal: &Deal, out: &mut Outbox) {
        let mut order = self.orders.waiting.get(slot).order;
        self.fill(&mut order, deal, Liquidity::Maker, out);
        let listing = &mut self.listings[order.instrument.index()];
        let book = listing.book_mut(order.side);
        book.reduce(deal.price, deal.quantity);
        self.orders.waiting.get_mut(slot).order = order;
        if order.remaining().is_zero() {
            book.unlink(&mut self.orders.waiting, slot, deal.price);
            self.orders.closed(slot);
        }
        listing.change(deal.at);
    }

    /// Books a deal for an order, wherever it is kept.
    fn fill(&mut self, order: &mut Order, deal: &Deal, liquidity: Liquidity, out: &mut Outbox) {
        let listing = &self.listings[order.instrument.index()];
        let execution = settle(
            &mut self.ledger,
            &self.config.fees,
            listing,
            order,
            deal,
            liquidity,
        );
        self.orders.executed(&execution);
        self.report(deal.at, OrderEvent::Filled(execution), order, out);
    }

    /// Ends a waiting order, frees what it held and reports it.
    ///
    /// # Panics
    /// If the order has no limit: such orders never wait.
    pub(crate) fn end(
        &mut self,
        now: Timestamp,
        slot: SlotId,
        event: OrderEvent,
        out: &mut Outbox,
    ) -> Order {
        let mut order = self.orders.waiting.get(slot).order;
        let price = order.kind.limit().expect("only orders with a limit wait");
        let listing = &mut self.listings[order.instrument.index()];
        let held = listing.held(&order);
        self.ledger.unlock(order.account, held.asset, held.amount);
        listing
            .book_mut(order.side)
            .unlink(&mut self.orders.waiting, slot, price);
        listing.change(now);
        (order.status, order.end) = match event {
            OrderEvent::Expired(reason) => (OrderStatus::Expired, Some(reason)),
            OrderEvent::Accepted | OrderEvent::Filled(_) | OrderEvent::Cancelled { .. } => {
                (OrderStatus::Cancelled, None)
            }
        };
        order.updated_at = now;
        self.orders.waiting.get_mut(slot).order = order;
        self.report(now, event, &order, out);
        self.orders.closed(slot);
        order
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
