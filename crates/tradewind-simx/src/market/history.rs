//! The past of the generated market: one-minute candles for 30 days before its start.
//!
//! Nothing of it is kept but where each walk stood at the start of each day; a day is drawn again from there when
//! somebody asks. The last candle closes at the price at which the live market begins, and the walks go on as they
//! were, so nothing shows where the past ends.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{Instrument, Interval, Price, Quantity, Timestamp};

use super::dice::{Dice, Purpose, bits};
use super::hours::busyness;
use super::klines::Kline;
use super::process::{TRADE_SPREAD, TRADE_WORTH, TRADES, own_gait, round, start_log};
use super::universe::{Character, MARKET_GAIT, character};
use super::walk::{Gait, Walk};

/// Days before the start.
pub(super) const DAYS: usize = 30;
/// Minutes in a day.
pub(super) const DAY: usize = 1_440;
/// Number of the walk of the market as a whole; those of instruments are their ids.
const MARKET: u64 = u64::MAX;

/// A minute of history in 40 bytes: thousands of them are kept from one question to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PastMinute {
    open: u32,
    high: u32,
    low: u32,
    close: u32,
    trades: u32,
    volume: i64,
    taker_volume: i64,
}

impl PastMinute {
    /// The candle it stands for. Its quote volumes are its volumes at its middle price.
    pub(super) fn to_kline(self, open_time: Timestamp, instrument: &Instrument) -> Kline {
        let price = |counts: u32| Price(i64::from(counts));
        let middle = Price(i64::midpoint(i64::from(self.open), i64::from(self.close)));
        let worth = |counts: i64| {
            instrument
                .notional(middle, Quantity(counts))
                .unwrap_or_default()
        };
        Kline {
            open_time,
            open: price(self.open),
            high: price(self.high),
            low: price(self.low),
            close: price(self.close),
            volume: Quantity(self.volume),
            quote_volume: worth(self.volume),
            trades: self.trades,
            taker_volume: Quantity(self.taker_volume),
            taker_quote_volume: worth(self.taker_volume),
        }
    }
}

/// Where the walks stood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct History {
    seed: u64,
    /// Start of the minute the live market begins in: end of the last candle.
    end: Timestamp,
    /// The market's walk at the start of each day, and at the end.
    market: Vec<Walk>,
    /// Each instrument's.
    instruments: Vec<Past>,
}

/// One instrument's past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Past {
    instrument: Instrument,
    days: Vec<DayStart>,
    /// Its walk at the end.
    walk: Walk,
}

/// Where an instrument stood at the start of a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct DayStart {
    /// Logarithm of its price in counts.
    #[serde(with = "bits")]
    log: f64,
    walk: Walk,
}

impl History {
    /// The past of a market that begins at `start`.
    pub(super) fn new(seed: u64, start: Timestamp, instruments: &[Instrument]) -> Self {
        let mut walk = Walk::REST;
        let (mut market, mut moves) = (vec![walk], Vec::with_capacity(DAYS * DAY));
        for day in 0..DAYS {
            walk_day(seed, MARKET, day, &MARKET_GAIT, &mut walk, |moved, _| {
                moves.push(moved)
            });
            market.push(walk);
        }
        let instruments = instruments
            .iter()
            .map(|instrument| Past::new(seed, instrument, &moves))
            .collect();
        Self {
            seed,
            end: Interval::Minute1.open_time(start),
            market,
            instruments,
        }
    }

    /// End of the last candle.
    pub(super) const fn end(&self) -> Timestamp {
        self.end
    }

    /// Start of the first candle.
    pub(super) fn start(&self) -> Timestamp {
        self.end - Duration::from_secs(60) * u32::try_from(DAYS * DAY).unwrap_or(0)
    }

    /// Close of an instrument's last candle: the price it starts with.
    pub(super) fn last_close(&self, instrument: usize) -> Option<Price> {
        self.instruments
            .get(instrument)
            .map(|past| Price(character(past.instrument.id).price))
    }

    /// The market's walk where history ends.
    pub(super) fn market_walk(&self) -> Walk {
        self.market.last().copied().unwrap_or(Walk::REST)
    }

    /// An instrument's walk where history ends.
    pub(super) fn walk(&self, instrument: usize) -> Walk {
        self.instruments
            .get(instrument)
            .map_or(Walk::REST, |past| past.walk)
    }

    /// Start of a day, counted from 0.
    pub(super) fn day_start(&self, day: usize) -> Timestamp {
        self.start() + Duration::from_secs(86_400) * u32::try_from(day).unwrap_or(0)
    }

    /// The minutes of one day, counted from 0, of one instrument.
    pub(super) fn day(&self, instrument: usize, day: usize) -> Vec<PastMinute> {
        let Some(past) = self.instruments.get(instrument).filter(|_| day < DAYS) else {
            return Vec::new();
        };
        let traits = character(past.instrument.id);
        let mut market = Vec::with_capacity(DAY);
        walk_day(
            self.seed,
            MARKET,
            day,
            &MARKET_GAIT,
            &mut self.market[day].clone(),
            |moved, _| market.push(moved),
        );

        let DayStart { log, mut walk } = past.days[day];
        let id = u64::from(past.instrument.id.0);
        let mut shape = Shape {
            dice: Dice::new(self.seed, Purpose::PastShape, id, day as u64),
            instrument: &past.instrument,
            traits,
            noise: libm::hypot(MARKET_GAIT.noise * traits.beta, own_gait(traits).noise),
            log,
            open_time: self.day_start(day),
        };
        let mut market = market.into_iter();
        let mut minutes = Vec::with_capacity(DAY);
        walk_day(
            self.seed,
            id,
            day,
            &own_gait(traits),
            &mut walk,
            |moved, volatility| {
                let whole = moved + traits.beta * market.next().unwrap_or(0.0);
                minutes.push(shape.minute(whole, volatility));
            },
        );
        minutes
    }
}

impl Past {
    /// Walks all days forward and then lays them so that they end at the start price.
    fn new(seed: u64, instrument: &Instrument, market: &[f64]) -> Self {
        let traits = character(instrument.id);
        let (gait, id) = (own_gait(traits), u64::from(instrument.id.0));
        let mut walk = Walk::REST;
        let mut days: Vec<DayStart> = Vec::with_capacity(DAYS);
        let mut log = 0.0;
        for (day, market) in market.chunks(DAY).enumerate() {
            days.push(DayStart { log, walk });
            let mut market = market.iter();
            walk_day(seed, id, day, &gait, &mut walk, |moved, _| {
                log += moved + traits.beta * market.next().copied().unwrap_or(0.0);
            });
        }
        let shift = start_log(traits) - log;
        for day in &mut days {
            day.log += shift;
        }
        Self {
            instrument: instrument.clone(),
            days,
            walk,
        }
    }
}

/// Walks one day minute by minute and hands over each move with the volatility it had.
fn walk_day(
    seed: u64,
    id: u64,
    day: usize,
    gait: &Gait,
    walk: &mut Walk,
    mut each: impl FnMut(f64, f64),
) {
    let mut dice = Dice::new(seed, Purpose::Past, id, day as u64);
    for _ in 0..DAY {
        let volatility = walk.volatility.now();
        each(walk.step(gait, 1.0, &mut dice), volatility);
        walk.turn_minute(gait, &mut dice);
    }
}

/// Makes candles out of moves.
struct Shape<'a> {
    dice: Dice,
    instrument: &'a Instrument,
    traits: &'a Character,
    /// Usual deviation of its minute, the market's part included.
    noise: f64,
    log: f64,
    open_time: Timestamp,
}

impl Shape<'_> {
    fn minute(&mut self, moved: f64, volatility: f64) -> PastMinute {
        let (from, to) = (self.log, self.log + moved);
        self.log = to;
        let deviation = volatility * self.noise;
        // The extremes of a Brownian bridge between the two ends.
        let mut reach = |sign: f64| {
            let span = moved * moved + 2.0 * deviation * deviation * self.dice.exponential();
            f64::midpoint(from, to) + sign * span.sqrt() / 2.0
        };
        let (top, bottom) = (reach(1.0), reach(-1.0));
        let [open, close, high, low] =
            [from, to, top, bottom].map(|log| round(libm::exp(log)).max(1));
        let [high, low] = [high.max(open).max(close), low.min(open).min(close)];
        let [open, high, low, close] =
            [open, high, low, close].map(|price| u32::try_from(price).unwrap_or(u32::MAX));
        let (trades, volume, taker_volume) = self.volume(volatility, close >= open);
        self.open_time = self.open_time + Duration::from_secs(60);
        PastMinute {
            open,
            high,
            low,
            close,
            trades,
            volume,
            taker_volume,
        }
    }

    /// Trades of a minute, their volume, and the part whose taker bought.
    fn volume(&mut self, volatility: f64, rose: bool) -> (u32, i64, i64) {
        let busy = busyness(self.open_time) * (0.8 + 0.2 * volatility);
        let trades = round(TRADES * 60.0 * busy * (0.8 + 0.4 * self.dice.uniform())).max(1);
        // Large trades are cut by what the touch shows, which leaves about half of the distribution's mean.
        let mean =
            TRADE_WORTH * self.traits.noise * libm::exp(TRADE_SPREAD * TRADE_SPREAD / 2.0) * 0.5;
        let worth = mean * trades as f64 * libm::exp(0.25 * self.dice.normal());
        let lean = if rose { 0.55 } else { 0.45 };
        let taker = lean + 0.1 * (self.dice.uniform() - 0.5);
        let step = self.instrument.step.0.max(1);
        let counts = |worth: f64| {
            let counts = worth / 1e6 * self.traits.value_count(1_000_000) as f64;
            (round(counts) / step * step).max(step)
        };
        (
            u32::try_from(trades).unwrap_or(u32::MAX),
            counts(worth),
            counts(worth * taker),
        )
    }
}
