//! One instrument of the generated market, live: when it quotes and trades, and what.
//!
//! Two clocks run. At each beat the price has moved, and the touch with it; every fourth beat, and one that jumps, tells all levels anew. At
//! each trade somebody takes from the touch, and a quote tells what is left. Both draw the time of the next from here,
//! so the sequence depends on nothing outside.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{Depth, Instrument, Price, Quantity, Quote, Side, Timestamp, Trade, TradeId};

use super::depth::{LevelDraw, draw_levels};
use super::dice::{Dice, Purpose, bits};
use super::event::MarketEvent;
use super::hours::busyness;
use super::universe::{Character, INSTRUMENT_GAIT, MARKET_GAIT, character};
use super::walk::{Gait, Walk};

/// Beats and trades a second at usual busyness.
const BEATS: f64 = 12.5;
pub(super) const TRADES: f64 = 2.8;
/// Beats from one telling of all levels to the next.
const BEATS_PER_LEVELS: u64 = 4;
/// Levels the touch may move over before all are told anew: a quote takes those it jumps over with it.
const LEVELS_JUMPED: i64 = 4;
/// Median worth of a trade in the quote asset for an instrument of restlessness 1, and the spread of its logarithm.
pub(super) const TRADE_WORTH: f64 = 220.0;
pub(super) const TRADE_SPREAD: f64 = 1.5;
/// Minutes in which a price that went astray comes back by two thirds: ten days.
const ANCHOR_MINUTES: f64 = 14_400.0;
/// Least price in counts: below it, a tick would be too large a step.
const PRICE_MIN: f64 = 50.0;

/// The market as a whole, as an instrument feels it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tide {
    /// How far it has gone, in logarithms.
    pub(super) gone: f64,
    /// Its volatility, as a multiple of the usual.
    pub(super) volatility: f64,
}

/// An instrument that moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Process {
    instrument: Instrument,
    dice: Dice,
    walk: Walk,
    /// Logarithm of the start price in counts.
    #[serde(with = "bits")]
    anchor: f64,
    /// Its own distance from there, in logarithms.
    #[serde(with = "bits")]
    drift: f64,
    /// Its volatility at the last beat, the market's share included, as a multiple of the usual.
    #[serde(with = "bits")]
    volatility: f64,
    seed: u64,
    beats: u64,
    /// The bid when the levels were told last.
    drawn_at: Price,
    beat_last: Timestamp,
    pub(super) beat_next: Timestamp,
    pub(super) trade_next: Timestamp,
    /// The touch, once there is one.
    touch: Option<Quote>,
}

impl Process {
    /// An instrument that starts at its start price with its walk as history left it.
    pub(super) fn new(seed: u64, instrument: &Instrument, walk: Walk, start: Timestamp) -> Self {
        let mut process = Self {
            instrument: instrument.clone(),
            dice: Dice::new(seed, Purpose::Live, u64::from(instrument.id.0), 0),
            walk,
            anchor: start_log(character(instrument.id)),
            drift: 0.0,
            volatility: 1.0,
            seed,
            beats: 0,
            drawn_at: Price(0),
            beat_last: start,
            beat_next: start,
            trade_next: start,
            touch: None,
        };
        process.trade_next = process.after(start, TRADES);
        process
    }

    /// Lets `gap` pass without anything happening.
    pub(super) fn skip(&mut self, gap: Duration) {
        for at in [
            &mut self.beat_last,
            &mut self.beat_next,
            &mut self.trade_next,
        ] {
            *at = *at + gap;
        }
    }

    /// A minute has passed.
    pub(super) fn turn_minute(&mut self) {
        self.walk.turn_minute(&self.gait(), &mut self.dice);
    }

    /// The price moves, and the market with it.
    pub(super) fn beat(
        &mut self,
        market: Tide,
        levels: &mut Depth,
        sink: &mut dyn FnMut(Timestamp, MarketEvent<'_>),
    ) {
        let at = self.beat_next;
        let minutes = at.since(self.beat_last).as_secs_f64() / 60.0;
        self.beat_last = at;
        self.beat_next = self.after(at, BEATS);
        let moved = self
            .walk
            .step(&self.gait(), minutes.min(1.0), &mut self.dice);
        self.drift += moved - self.drift * minutes.min(1.0) / ANCHOR_MINUTES;
        self.volatility = self.volatility_in(market);
        let quote = self.draw_touch(at, market.gone);
        self.touch = Some(quote);
        let draw = self.level_draw(at, quote);
        let jumped = (quote.bid.0 - self.drawn_at.0).abs() > draw.grid * LEVELS_JUMPED;
        if jumped || self.beats.is_multiple_of(BEATS_PER_LEVELS) {
            self.drawn_at = quote.bid;
            draw_levels(&draw, levels);
            sink(at, MarketEvent::Levels(levels));
        } else {
            sink(at, MarketEvent::Quote(quote));
        }
        self.beats += 1;
    }

    /// Somebody takes from the touch.
    pub(super) fn trade(&mut self, sink: &mut dyn FnMut(Timestamp, MarketEvent<'_>)) {
        let at = self.trade_next;
        self.trade_next = self.after(at, TRADES);
        let Some(touch) = self.touch else { return };
        let lean = (self.walk.run(&self.gait()) * 0.15).clamp(-0.35, 0.35);
        let taker = if self.dice.uniform() < 0.5 + lean {
            Side::Buy
        } else {
            Side::Sell
        };
        let worth =
            TRADE_WORTH * self.traits().noise * libm::exp(TRADE_SPREAD * self.dice.normal());
        let shown = if taker == Side::Buy {
            touch.ask_quantity
        } else {
            touch.bid_quantity
        };
        let quantity = self.counts(worth).min(shown);
        let (instrument, price) = (self.instrument.id, touch.opposite_side(taker));
        let (id, event_time) = (TradeId(0), Some(at));
        sink(
            at,
            MarketEvent::Trade(Trade {
                instrument,
                taker,
                id,
                price,
                quantity,
                event_time,
                received_at: at,
            }),
        );
        let left = self.after_trade(at, touch, taker, quantity);
        self.touch = Some(left);
        sink(at, MarketEvent::Quote(left));
    }

    /// The touch that a trade leaves: less of it, or the next price if it took all.
    fn after_trade(
        &mut self,
        at: Timestamp,
        touch: Quote,
        taker: Side,
        quantity: Quantity,
    ) -> Quote {
        let fresh = self.draw_quantity();
        let mut left = Quote {
            event_time: Some(at),
            received_at: at,
            ..touch
        };
        let (price, shown, away) = match taker {
            Side::Buy => (&mut left.ask, &mut left.ask_quantity, 1),
            Side::Sell => (&mut left.bid, &mut left.bid_quantity, -1),
        };
        *shown -= quantity;
        if shown.is_zero() {
            (*price, *shown) = (Price((price.0 + away).max(1)), fresh);
        }
        left
    }

    fn draw_touch(&mut self, at: Timestamp, market: f64) -> Quote {
        let traits = self.traits();
        let log = self.anchor + self.drift + traits.beta * market;
        let middle = libm::exp(log).max(PRICE_MIN);
        // Where a tick is wider than the usual spread, a wild market still shows two of them more often than a calm one.
        let usual = (middle * traits.spread_bp / 10_000.0).max(1.0);
        let wide = (0.4 + 0.6 * self.volatility) * (0.75 + 0.5 * self.dice.uniform());
        let half = (usual * wide).max(1.0) / 2.0;
        let bid = round(middle - half).max(1);
        let ask = round(middle + half).max(bid + 1);
        Quote {
            instrument: self.instrument.id,
            bid: Price(bid),
            ask: Price(ask),
            bid_quantity: self.draw_quantity(),
            ask_quantity: self.draw_quantity(),
            event_time: Some(at),
            received_at: at,
        }
    }

    /// Its volatility and the market's, each by its share in how far the price goes in a usual minute.
    fn volatility_in(&self, market: Tide) -> f64 {
        let whole = |own: f64, shared: f64| (own * own + shared * shared).sqrt();
        let (own, shared) = (self.gait().noise, self.traits().beta * MARKET_GAIT.noise);
        let moves = whole(own * self.walk.volatility.now(), shared * market.volatility);
        moves / whole(own, shared)
    }

    fn level_draw(&self, at: Timestamp, touch: Quote) -> LevelDraw {
        let grid = touch.mid().0 as f64 * self.traits().spread_bp / 10_000.0;
        LevelDraw {
            seed: self.seed ^ u64::from(self.instrument.id.0) << 40,
            at,
            touch,
            grid: round(grid).max(1),
            usual: self.counts(self.traits().depth / self.volatility.max(0.7)),
        }
    }

    /// A quantity at the touch: often small, sometimes large, and smaller when the market is wild.
    fn draw_quantity(&mut self) -> Quantity {
        let thin = 0.5 + 0.5 * self.volatility;
        let share = 0.05 + 0.6 * self.dice.exponential();
        self.counts(self.traits().depth * share / thin)
    }

    /// About this worth of the quote asset at the start price, in counts of quantity; at least one step.
    fn counts(&self, worth: f64) -> Quantity {
        let counts = worth / 1e6 * self.traits().value_count(1_000_000) as f64;
        let step = self.instrument.step.0.max(1);
        Quantity((round(counts) / step * step).max(step))
    }

    /// A time after `at`, as far off as chance wants for `rate` events a second.
    fn after(&mut self, at: Timestamp, rate: f64) -> Timestamp {
        let busy = (busyness(at) * (0.8 + 0.2 * self.volatility)).clamp(0.85, 1.8);
        let seconds = self.dice.exponential() / (rate * busy);
        at + Duration::from_nanos(u64::try_from(round(seconds * 1e9).max(1)).unwrap_or(1))
    }

    fn gait(&self) -> Gait {
        own_gait(self.traits())
    }

    fn traits(&self) -> &'static Character {
        character(self.instrument.id)
    }
}

/// How an instrument walks by itself.
pub(super) fn own_gait(traits: &Character) -> Gait {
    let Gait {
        noise,
        swing,
        jumps,
        jump,
    } = INSTRUMENT_GAIT;
    Gait {
        noise: noise * traits.noise,
        swing: swing * traits.noise,
        jumps,
        jump: jump * traits.noise,
    }
}

/// Logarithm of the start price in counts.
pub(super) fn start_log(traits: &Character) -> f64 {
    libm::log(traits.price as f64)
}

/// The nearest whole number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "prices and quantities stay far below 2^53, and `as` saturates"
)]
pub(super) fn round(value: f64) -> i64 {
    libm::round(value) as i64
}
