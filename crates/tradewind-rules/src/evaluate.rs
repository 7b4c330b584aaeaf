//! One evaluation: the values of this moment, from candles, quote, book, position, clock and series.

use tradewind_model::{FeedHealth, Level, Side, Timestamp};
use tradewind_strategy::View;

use crate::program::{ClockValue, Held, LiveOp, MarketValue, PositionValue, Program};
use crate::state::{Slot, State};

/// An evaluation of one instrument.
pub(crate) struct StepContext<'a> {
    pub(crate) program: &'a Program,
    /// The lane of the bot's own candles.
    pub(crate) base: Option<usize>,
    pub(crate) view: &'a View<'a>,
    /// Whether candles that are late make what is of candles unknown. Not where a candle is what is decided on.
    pub(crate) is_timely: bool,
    /// Whether the same close was evaluated before, with less known: what crosses is compared with the close before it.
    pub(crate) is_again: bool,
}

impl StepContext<'_> {
    /// Computes all steps, and keeps those of the evaluation before.
    pub(crate) fn run(&self, state: &mut State, slot: usize) {
        let mut live = std::mem::take(&mut state.slots[slot].live);
        if self.program.keeps_previous && !self.is_again {
            let mut previous = std::mem::take(&mut state.slots[slot].previous);
            previous.clone_from(&live);
            state.slots[slot].previous = previous;
        }
        let own = &state.slots[slot];
        let close = own
            .base_close(self.base)
            .filter(|close| self.is_fresh(*close));
        for (place, op) in self.program.live.iter().enumerate() {
            live[place] = match *op {
                LiveOp::Constant(number) => number,
                LiveOp::Read(held) => self.read(own, &held, close),
                LiveOp::Market(value) => self.market(value),
                LiveOp::Position(value) => self.position(value, own),
                LiveOp::Clock(value) => clock(value, self.view.at),
                LiveOp::Series(series) => self.series(series),
                LiveOp::Rank(held) => self.rank(state, slot, &held, close),
                LiveOp::AtEntry(kept) => self.at_entry(own, kept, close),
                LiveOp::Previous(step) => own.previous[step],
                LiveOp::Apply(function, a, b) => function.apply(live[a], live[b]),
            };
        }
        state.slots[slot].live = live;
    }

    #[inline]
    fn read(&self, own: &Slot, held: &Held, close: Option<Timestamp>) -> f64 {
        match close {
            Some(_) => own.value(held, close),
            None => f64::NAN,
        }
    }

    /// Whether the last candle is the one that closed last, or the one before, which may be on its way.
    fn is_fresh(&self, close: Timestamp) -> bool {
        let base = self.program.base.filter(|_| self.is_timely);
        base.is_none_or(|base| self.view.at < close + base.duration() * 2)
    }

    fn is_live(&self) -> bool {
        self.view.feed.health == FeedHealth::Live
            && self
                .view
                .quote
                .is_some_and(tradewind_model::Quote::is_sound)
    }

    fn market(&self, value: MarketValue) -> f64 {
        let instrument = self.view.instrument;
        if value == MarketValue::Tick {
            return instrument.price_f64(instrument.tick);
        }
        let Some(quote) = self.view.quote.filter(|_| self.is_live()) else {
            return f64::NAN;
        };
        let (bid, ask) = (
            instrument.price_f64(quote.bid),
            instrument.price_f64(quote.ask),
        );
        match value {
            MarketValue::Bid => bid,
            MarketValue::Ask => ask,
            MarketValue::Mid => (bid + ask) / 2.0,
            MarketValue::Spread => (ask - bid) / ((bid + ask) / 2.0),
            MarketValue::Tick => instrument.price_f64(instrument.tick),
            MarketValue::Imbalance(levels) => {
                let (bids, asks) = (self.book(Side::Buy, levels), self.book(Side::Sell, levels));
                let whole = bids + asks;
                if whole > 0.0 {
                    (bids - asks) / whole
                } else {
                    f64::NAN
                }
            }
            MarketValue::Bids(levels) => self.book(Side::Buy, levels),
            MarketValue::Asks(levels) => self.book(Side::Sell, levels),
        }
    }

    /// The quantity of so many levels of one side; unknown without a book.
    fn book(&self, side: Side, levels: u8) -> f64 {
        let Some(depth) = self.view.depth else {
            return f64::NAN;
        };
        let of_side = match side {
            Side::Buy => &depth.bids,
            Side::Sell => &depth.asks,
        };
        let quantity = |level: &Level| self.view.instrument.quantity_f64(level.quantity);
        of_side.iter().take(usize::from(levels)).map(quantity).sum()
    }

    /// The last price at which the position could be sold, else the close of the last candle.
    fn price(&self, side: Side, own: &Slot) -> f64 {
        if let Some(quote) = self.view.quote.filter(|quote| quote.is_sound()) {
            return self.view.instrument.price_f64(quote.opposite_side(side));
        }
        let lane = self.base.map(|base| &own.lanes[base]);
        lane.map_or(f64::NAN, crate::lane::LaneState::last_price)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of candles are small")]
    fn position(&self, value: PositionValue, own: &Slot) -> f64 {
        let view = self.view;
        let held = &view.position;
        let open = held
            .entry_price
            .zip(held.opened_at)
            .filter(|_| is_held(view));
        let Some((entry, opened_at)) = open else {
            return match value {
                PositionValue::Entry => self.price(Side::Buy, own),
                PositionValue::Quantity => 0.0,
                _ => f64::NAN,
            };
        };
        let entry = view.instrument.price_f64(entry);
        match value {
            PositionValue::Entry => entry,
            PositionValue::Profit => self.price(Side::Sell, own) / entry - 1.0,
            PositionValue::Age => view.at.since(opened_at).as_secs_f64(),
            PositionValue::Quantity => view.instrument.quantity_f64(held.quantity),
            PositionValue::Bars => {
                let candles = self.program.base.zip(own.base_close(self.base));
                candles.map_or(f64::NAN, |(base, close)| {
                    let length = i64::try_from(base.duration().as_nanos()).unwrap_or(i64::MAX);
                    let first = base.open_time(opened_at).as_nanos();
                    (close.as_nanos().saturating_sub(first) / length).max(0) as f64
                })
            }
        }
    }

    fn series(&self, place: usize) -> f64 {
        let (name, max_age) = &self.program.series[place];
        let Some(number) = self.view.number(name) else {
            return f64::NAN;
        };
        let is_old = max_age.is_some_and(|max_age| number.age.as_nanos() > u128::from(max_age));
        if is_old {
            f64::NAN
        } else {
            number.value.to_f64()
        }
    }

    /// The place among the members of the bot's universe, or all its instruments, whose value is known; the first of equal ones is before the others.
    #[expect(clippy::cast_precision_loss, reason = "a bot has few instruments")]
    fn rank(&self, state: &State, slot: usize, held: &Held, close: Option<Timestamp>) -> f64 {
        let own = self.read(&state.slots[slot], held, close);
        let (Some(close), false) = (close, own.is_nan()) else {
            return f64::NAN;
        };
        // One candle may be on its way.
        let length = self.program.base.map(tradewind_model::Interval::duration);
        let oldest = close - length.unwrap_or_default();
        let is_before = |(place, other): &(usize, &Slot)| {
            if !self.view.is_member(*place) {
                return false;
            }
            let lane = &other.lanes[held.lane];
            let value = match lane.close() {
                Some(close) if close >= oldest => lane.value(held),
                _ => f64::NAN,
            };
            value > own || *place < slot && value.total_cmp(&own).is_eq()
        };
        let before = state.slots.iter().enumerate().filter(is_before).count();
        (before + 1) as f64
    }

    fn at_entry(&self, own: &Slot, kept: usize, close: Option<Timestamp>) -> f64 {
        if is_held(self.view) {
            own.at_entry[kept]
        } else {
            self.read(own, &self.program.at_entry[kept], close)
        }
    }

    /// Keeps values of candles up to the last one before the position was opened.
    pub(crate) fn note_entry_values(&self, state: &mut State, slot: usize) {
        let slot = &mut state.slots[slot];
        let close = slot.base_close(self.base);
        let opened_at = self.view.position.opened_at.filter(|_| is_held(self.view));
        if close.is_none()
            || opened_at
                .zip(close)
                .is_some_and(|(opened, close)| close > opened)
        {
            return;
        }
        for (place, held) in self.program.at_entry.iter().enumerate() {
            slot.at_entry[place] = slot.value(held, close);
        }
    }
}

/// Whether there is a long position that can be sold; less than the least order is dust.
pub(crate) fn is_held(view: &View<'_>) -> bool {
    let quantity = view.position.quantity;
    quantity.0 > 0 && quantity >= view.instrument.quantity_min
}

#[expect(clippy::cast_precision_loss, reason = "they are below 60")]
fn clock(value: ClockValue, at: Timestamp) -> f64 {
    const DAY: i64 = 86_400;
    let seconds = at.as_millis().div_euclid(1_000);
    let of_day = seconds.rem_euclid(DAY);
    let number = match value {
        ClockValue::Hour => of_day / 3_600,
        ClockValue::Minute => of_day / 60 % 60,
        // 1970-01-01 was a Thursday.
        ClockValue::Weekday => (seconds.div_euclid(DAY) + 3).rem_euclid(7) + 1,
    };
    number as f64
}
