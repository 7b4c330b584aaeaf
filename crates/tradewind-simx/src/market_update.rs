//! What the market does to orders that wait.
//!
//! A quote or levels that reach a waiting order's price trade with it at that price: the order was there first. A public
//! trade at its price first serves what stood in line before it; a trade beyond its price would have met it on the way.
//! What the market shows at a price can only shorten the line before an order, never lengthen it. Whatever trades may fire
//! triggers; that happens last.

use tradewind_model::{
    Depth, InstrumentId, InstrumentStatus, Level, Quantity, Quote, Side, Timestamp, Trade,
};

use crate::config::FillModel;
use crate::exchange::Exchange;
use crate::listing::better;
use crate::outbox::Outbox;

impl Exchange {
    /// The market's best bid and ask are now these. A crossed quote or an unknown instrument is ignored.
    pub fn quote(&mut self, now: Timestamp, quote: &Quote, out: &mut Outbox) {
        if !self.trades(quote.instrument) || !quote.is_sound() {
            return;
        }
        let listing = &mut self.listings[quote.instrument.index()];
        listing.ladder.set_quote(quote);
        listing.change(now);
        if listing.buys.reaches(quote.bid) || listing.sells.reaches(quote.ask) {
            self.meet_market(now, quote.instrument, out);
        }
    }

    /// The market's visible levels are now these. Levels that make no sense or an unknown instrument are ignored.
    pub fn levels(&mut self, now: Timestamp, depth: &Depth, out: &mut Outbox) {
        if !self.trades(depth.instrument) {
            return;
        }
        let listing = &mut self.listings[depth.instrument.index()];
        if !listing.ladder.set_levels(depth) {
            return;
        }
        listing.change(now);
        if !listing.buys.is_empty() || !listing.sells.is_empty() {
            self.meet_market(now, depth.instrument, out);
        }
    }

    /// Somebody in the market took this much at this price; waiting orders at or beyond it get their part.
    ///
    /// The market's own part changes no levels: the quote or levels that follow tell what is left.
    pub fn trade(&mut self, now: Timestamp, trade: &Trade, out: &mut Outbox) {
        if !self.trades(trade.instrument) || trade.price.0 <= 0 || trade.quantity.0 <= 0 {
            return;
        }
        let listing = &self.listings[trade.instrument.index()];
        let mut left = trade.quantity;
        if listing.book(trade.taker.opposite()).reaches(trade.price) {
            left = self.hit(now, trade, out);
        }
        if !left.is_zero() {
            self.print(
                now,
                trade.instrument,
                trade.taker,
                Level {
                    price: trade.price,
                    quantity: left,
                },
                out,
            );
        }
        self.settle_dues(now, trade.instrument, out);
        self.ledger.publish(&mut out.balances);
    }

    /// Whether there is such an instrument and it is open.
    fn trades(&self, instrument: InstrumentId) -> bool {
        let rules = self.instruments.get(instrument.index());
        rules.is_some_and(|rules| rules.status == InstrumentStatus::Trading)
    }

    /// Serves waiting orders from a public trade and says how much of it was the market's own.
    fn hit(&mut self, now: Timestamp, trade: &Trade, out: &mut Outbox) -> Quantity {
        let side = trade.taker.opposite();
        let (mut left, mut passed) = (trade.quantity.0, 0);
        while left > 0 {
            let book = self.listings[trade.instrument.index()].book(side);
            let Some(queue) = book.best().filter(|_| book.reaches(trade.price)).copied() else {
                break;
            };
            let first = self.orders.waiting.get(queue.first);
            let before = if queue.price == trade.price {
                first.ahead.min(left)
            } else {
                0
            };
            let quantity = (left - before).min(first.order.remaining().0);
            self.orders.waiting.pass(queue.first, Quantity(before));
            if quantity > 0 {
                self.give_to_market(
                    now,
                    queue.first,
                    Level {
                        price: queue.price,
                        quantity: Quantity(quantity),
                    },
                    out,
                );
            }
            passed += before;
            left -= before + quantity;
        }
        Quantity(left + passed)
    }

    /// Trades what the market has moved into, then shortens the lines that it has shortened.
    fn meet_market(&mut self, now: Timestamp, instrument: InstrumentId, out: &mut Outbox) {
        for side in [Side::Buy, Side::Sell] {
            self.cross(now, instrument, side, out);
            if self.config.fill_model != FillModel::TradeThrough {
                self.shorten_lines(instrument, side);
            }
        }
        self.settle_dues(now, instrument, out);
        self.ledger.publish(&mut out.balances);
    }

    /// Waiting orders of `side` trade with market levels that reached their prices.
    fn cross(&mut self, now: Timestamp, instrument: InstrumentId, side: Side, out: &mut Outbox) {
        loop {
            let listing = &mut self.listings[instrument.index()];
            let Some((level, queue)) = listing
                .ladder
                .best(side)
                .zip(listing.book(side).best().copied())
            else {
                return;
            };
            if better(side, queue.price, level.price) {
                return;
            }
            let remaining = self.orders.waiting.get(queue.first).order.remaining();
            let quantity = match self.config.fill_model {
                FillModel::QuoteTouch => remaining,
                FillModel::Book | FillModel::TradeThrough => remaining.min(level.quantity),
            };
            if self.config.fill_model != FillModel::QuoteTouch {
                listing.ladder.take(side, level.price, quantity);
            }
            if quantity.0 > 0 {
                self.give_to_market(
                    now,
                    queue.first,
                    Level {
                        price: queue.price,
                        quantity,
                    },
                    out,
                );
            }
        }
    }

    /// No more of the market can stand before an order than the market shows at its price.
    fn shorten_lines(&mut self, instrument: InstrumentId, side: Side) {
        let listing = &self.listings[instrument.index()];
        for queue in listing.book(side).levels() {
            let shown = listing.ladder.waiting_at(side, queue.price);
            if shown == i64::MAX {
                return;
            }
            self.orders.waiting.shorten(queue.first, shown);
        }
    }
}
