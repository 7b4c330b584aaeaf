//! What the exchange holds of one instrument besides its rules: the market's levels, waiting orders, the last print.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    Amount, AssetId, Instrument, InstrumentId, Level, Price, Quantity, Quote, Side, Timestamp,
    Trade,
};

use crate::average::Average;
use crate::book::Book;
use crate::config::FillModel;
use crate::ladder::Ladder;
use crate::order::Order;
use crate::triggers::Triggers;

/// State of one instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listing {
    pub(crate) base: AssetId,
    pub(crate) quote: AssetId,
    /// Worth of one count of quantity at one count of price; fixed, as decimals do not change.
    worth_unit: i128,
    /// One count of quantity as an amount of the base asset.
    base_unit: i128,
    /// What the market model shows.
    pub(crate) ladder: Ladder,
    pub(crate) buys: Book,
    pub(crate) sells: Book,
    /// Orders that wait for a price.
    pub(crate) triggers: Triggers,
    /// Changes of the visible book so far.
    pub(crate) changes: u64,
    changed_at: Timestamp,
    /// Number of the last print: one more than the one before.
    pub(crate) prints: u64,
    pub(crate) last: Option<Trade>,
    pub(crate) average: Average,
}

impl Listing {
    /// # Panics
    /// If a price and a quantity have more than 18 decimals together: no exact worth.
    pub(crate) fn new(rules: &Instrument, model: FillModel) -> Self {
        let worth = rules
            .notional(Price(1), Quantity(1))
            .expect("an instrument's worth is exact in 18 places");
        Self {
            base: rules.base,
            quote: rules.quote,
            worth_unit: worth.0,
            base_unit: rules.quantity_amount(Quantity(1)).0,
            ladder: Ladder::new(model),
            buys: Book::new(Side::Buy),
            sells: Book::new(Side::Sell),
            triggers: Triggers::default(),
            changes: 0,
            changed_at: Timestamp::EPOCH,
            prints: 0,
            last: None,
            average: Average::default(),
        }
    }

    /// Notes that the visible book is another one now.
    pub(crate) fn change(&mut self, now: Timestamp) {
        self.changes += 1;
        self.changed_at = now;
    }

    /// What `quantity` at `price` is worth, if that can be told.
    pub(crate) fn worth(&self, price: Price, quantity: Quantity) -> Option<Amount> {
        (i128::from(price.0) * i128::from(quantity.0))
            .checked_mul(self.worth_unit)
            .map(Amount)
    }

    /// `quantity` as an amount of the base asset.
    pub(crate) fn base_amount(&self, quantity: Quantity) -> Amount {
        Amount(i128::from(quantity.0) * self.base_unit)
    }

    /// The asset that an order of this side pays, and locks.
    pub(crate) const fn paid_in(&self, side: Side) -> AssetId {
        match side {
            Side::Buy => self.quote,
            Side::Sell => self.base,
        }
    }

    /// What an order locks for what remains of it while it waits: at its limit, else at its stop price, else at the last
    /// price. `None` when that cannot be told.
    pub(crate) fn needs(&self, order: &Order) -> Option<Amount> {
        let remaining = order.remaining();
        if order.side == Side::Sell {
            return Some(self.base_amount(remaining));
        }
        let stop = || order.trigger.and_then(|trigger| trigger.price);
        let price = order
            .kind
            .limit()
            .or_else(stop)
            .or_else(|| self.reference())?;
        self.worth(price, remaining)
    }

    /// The average price that filters go by: of the last minutes' trades, else the last price.
    pub(crate) fn average(&self, now: Timestamp, minutes: u8) -> Option<Price> {
        let (worth, volume) = self.average.traded(now, minutes);
        let one = self.worth_unit.checked_mul(i128::from(volume.0))?;
        let average = worth
            .0
            .checked_div(one)
            .and_then(|price| i64::try_from(price).ok());
        average.map(Price).or_else(|| self.reference())
    }

    /// The most counts of quantity that `value` buys at `price`.
    pub(crate) fn counts_for(&self, value: Amount, price: Price) -> i64 {
        let one = i128::from(price.0) * self.worth_unit;
        i64::try_from(value.0.checked_div(one).unwrap_or(0)).unwrap_or(i64::MAX)
    }

    /// Waiting orders of one side.
    pub(crate) const fn book(&self, side: Side) -> &Book {
        match side {
            Side::Buy => &self.buys,
            Side::Sell => &self.sells,
        }
    }

    /// Waiting orders of one side, to change.
    pub(crate) const fn book_mut(&mut self, side: Side) -> &mut Book {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }

    /// The last print's price: what triggers go by.
    pub(crate) fn last_price(&self) -> Option<Price> {
        self.last.map(|print| print.price)
    }

    /// The price that stands for the market's: the last print's, else the middle of the touch.
    pub(crate) fn reference(&self) -> Option<Price> {
        let middle = || {
            let (bid, ask) = (self.ladder.best(Side::Sell)?, self.ladder.best(Side::Buy)?);
            Some(Price(i64::midpoint(bid.price.0, ask.price.0)))
        };
        self.last.map(|print| print.price).or_else(middle)
    }

    /// The best visible level of the side that an order of side `taker` takes from, all orders included.
    pub(crate) fn best(&self, taker: Side) -> Option<Level> {
        self.visible(taker).next()
    }

    /// Visible levels of the side that an order of side `taker` takes from, best first, all orders included.
    pub(crate) fn visible(&self, taker: Side) -> impl Iterator<Item = Level> + '_ {
        let mut market = self.ladder.side(taker).iter().copied().peekable();
        let waiting = self.book(taker.opposite()).levels();
        let mut waiting = waiting
            .map(|queue| Level {
                price: queue.price,
                quantity: queue.quantity,
            })
            .peekable();
        std::iter::from_fn(move || match (market.peek(), waiting.peek()) {
            (Some(theirs), Some(ours)) if theirs.price == ours.price => {
                let level = Level {
                    price: theirs.price,
                    quantity: theirs.quantity + ours.quantity,
                };
                (market.next(), waiting.next(), Some(level)).2
            }
            (Some(theirs), Some(ours)) if better(taker, ours.price, theirs.price) => waiting.next(),
            (Some(_), _) => market.next(),
            (None, _) => waiting.next(),
        })
    }

    /// Best bid and ask of the visible book, if it has both.
    pub(crate) fn touch(&self, instrument: InstrumentId) -> Option<Quote> {
        let (bid, ask) = (self.best(Side::Sell)?, self.best(Side::Buy)?);
        Some(Quote {
            instrument,
            bid: bid.price,
            ask: ask.price,
            bid_quantity: bid.quantity,
            ask_quantity: ask.quantity,
            event_time: Some(self.changed_at),
            received_at: self.changed_at,
        })
    }

    /// When the visible book last changed.
    pub(crate) const fn changed_at(&self) -> Timestamp {
        self.changed_at
    }
}

/// Whether `one` is a strictly better price than `other` for an order of side `taker` to take at.
pub(crate) const fn better(taker: Side, one: Price, other: Price) -> bool {
    match taker {
        Side::Buy => one.0 < other.0,
        Side::Sell => one.0 > other.0,
    }
}
