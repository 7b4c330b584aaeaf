//! A point of a candle's course, and the quotes that are made of it: for the desk, for waiting orders, for those that take.

use tradewind_model::{
    BotId, Instrument, InstrumentId, Ppm, Price, Quantity, Quote, Side, Timestamp,
};

/// What kind of level a position is closed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Stop,
    Target,
}

/// A point of a candle's course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CandlePoint {
    pub(crate) at: Timestamp,
    pub(crate) instrument: InstrumentId,
    pub(crate) price: Price,
    /// Whether it is the candle's open.
    pub(crate) is_open: bool,
    /// Positions that are closed here.
    pub(crate) exits: Vec<(BotId, Level)>,
    pub(crate) width: Width,
}

/// How far apart bid and ask of quotes made from prices are, and how much can be had at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Width {
    pub(crate) tick: Price,
    pub(crate) size: Quantity,
    pub(crate) half_spread: Ppm,
}

impl Width {
    pub(crate) fn of(rules: &Instrument, half_spread: Ppm) -> Self {
        Self {
            tick: rules.tick,
            size: rules.quantity_max.max(rules.step),
            half_spread,
        }
    }

    /// Half of the spread at `price`, in counts, on ticks.
    fn half(self, price: Price) -> i64 {
        let share = i128::from(price.0) * i128::from(self.half_spread.0) / i128::from(Ppm::ONE.0);
        i64::try_from(share).unwrap_or(0) / self.tick.0 * self.tick.0
    }

    /// The highest price whose quote fills a buy that waits at `limit`.
    pub(crate) fn reaching_buy(self, limit: Price) -> Price {
        Price(limit.0 - self.half(limit).max(self.tick.0))
    }

    /// A quote half a spread around `price`, one tick wide at least.
    pub(crate) fn around(self, instrument: InstrumentId, price: Price, at: Timestamp) -> Quote {
        self.touch(instrument, price, Side::Sell, self.half(price), at)
    }

    /// A quote at which an order of `side` takes at `slip` beyond `price`.
    fn touch(
        self,
        instrument: InstrumentId,
        price: Price,
        side: Side,
        slip: i64,
        at: Timestamp,
    ) -> Quote {
        let (tick, half) = (self.tick.0, self.half(price));
        let (bid, ask) = match side {
            Side::Sell => {
                let bid = (price.0 - slip).max(tick);
                (bid, (price.0 + half).max(bid + tick))
            }
            Side::Buy => {
                let ask = (price.0 + slip).max(2 * tick);
                ((price.0 - half).min(ask - tick).max(tick), ask)
            }
        };
        Quote {
            instrument,
            bid: Price(bid),
            ask: Price(ask),
            bid_quantity: self.size,
            ask_quantity: self.size,
            event_time: Some(at),
            received_at: at,
        }
    }
}

impl CandlePoint {
    /// What the desk sees: the price as the bid, at which a long position is closed.
    pub(crate) fn desk_quote(&self) -> Quote {
        let width = Width {
            half_spread: Ppm::ZERO,
            ..self.width
        };
        width.around(self.instrument, self.price, self.at)
    }

    /// What waiting orders meet.
    pub(crate) fn market_quote(&self) -> Quote {
        self.width.around(self.instrument, self.price, self.at)
    }

    /// What a market order of `side` meets: half a spread beyond the price.
    pub(crate) fn market_touch(&self, side: Side) -> Quote {
        let slip = self.width.half(self.price);
        self.width
            .touch(self.instrument, self.price, side, slip, self.at)
    }

    /// What the exit of this bot's position meets, if it is closed here: a target pays no spread.
    pub(crate) fn exit_touch(&self, bot: BotId) -> Option<Quote> {
        let (_, level) = self.exits.iter().find(|(of, _)| *of == bot)?;
        let slip = match level {
            Level::Stop => self.width.half(self.price),
            Level::Target => 0,
        };
        let touch = self
            .width
            .touch(self.instrument, self.price, Side::Sell, slip, self.at);
        Some(touch)
    }
}
