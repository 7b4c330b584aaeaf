//! The market generated from a seed: all instruments, the market they share, and whose turn it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{Depth, Instrument, InstrumentId, Interval, Timestamp};

use super::dice::{Dice, Purpose, bits};
use super::event::{MarketEvent, MarketSource};
use super::history::History;
use super::klines::KlineStore;
use super::process::{Process, Tide};
use super::universe::MARKET_GAIT;
use super::walk::Walk;

/// How often the market as a whole moves.
const MARKET_STEP: Duration = Duration::from_millis(250);
/// Minutes in which the market, gone astray, comes back by two thirds: twenty days.
const ANCHOR_MINUTES: f64 = 28_800.0;

/// A market of the [`universe`](super::universe)'s instruments, drawn from a seed.
///
/// The same seed, start and instruments give the same events. Serialisable: what is read back goes on where it stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generated {
    seed: u64,
    history: History,
    /// The market as a whole: its draws, its walk, how far it went in logarithms, when it moves next.
    dice: Dice,
    walk: Walk,
    #[serde(with = "bits")]
    gone: f64,
    market_next: Timestamp,
    minute_next: Timestamp,
    processes: Vec<Process>,
    /// Memory for levels.
    #[serde(skip, default = "no_levels")]
    levels: Depth,
}

/// Whose turn it is. Of those due at the same time, the first in this order comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Minute,
    Market,
    Beat(usize),
    Trade(usize),
}

impl Generated {
    /// A market that begins at `start`, with 30 days of history before it.
    ///
    /// `instruments` are the universe's, or the first few of them, with their ids.
    #[must_use]
    pub fn new(seed: u64, start: Timestamp, instruments: &[Instrument]) -> Self {
        let history = History::new(seed, start, instruments);
        let process =
            |(place, instrument)| Process::new(seed, instrument, history.walk(place), start);
        Self {
            seed,
            dice: Dice::new(seed, Purpose::Live, u64::MAX, 0),
            walk: history.market_walk(),
            gone: 0.0,
            market_next: start + MARKET_STEP,
            minute_next: Interval::Minute1.close_time(start),
            processes: instruments.iter().enumerate().map(process).collect(),
            levels: no_levels(),
            history,
        }
    }

    /// A candle store that knows this market's history. Prints are to be recorded in it as they come.
    #[must_use]
    pub fn kline_store(&self, instruments: &[Instrument]) -> KlineStore {
        KlineStore::with_history(instruments, self.history.clone())
    }

    /// Lets the time until `now` pass without events: prices go on where they stopped. For an exchange that was down.
    pub fn skip_to(&mut self, now: Timestamp) {
        let Some(next) = self.next_at() else { return };
        let gap = now.since(next);
        self.market_next = self.market_next + gap;
        for process in &mut self.processes {
            process.skip(gap);
        }
        self.minute_next = self.minute_next.max(Interval::Minute1.close_time(now));
    }

    /// The seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The next turn and its time.
    fn next_turn(&self) -> (Timestamp, Turn) {
        let mut next = (self.minute_next, Turn::Minute).min((self.market_next, Turn::Market));
        for (place, process) in self.processes.iter().enumerate() {
            next = next
                .min((process.beat_next, Turn::Beat(place)))
                .min((process.trade_next, Turn::Trade(place)));
        }
        next
    }

    fn turn_minute(&mut self) {
        self.minute_next = self.minute_next + Interval::Minute1.duration();
        self.walk.turn_minute(&MARKET_GAIT, &mut self.dice);
        self.processes.iter_mut().for_each(Process::turn_minute);
    }

    fn move_market(&mut self) {
        self.market_next = self.market_next + MARKET_STEP;
        let minutes = MARKET_STEP.as_secs_f64() / 60.0;
        let moved = self.walk.step(&MARKET_GAIT, minutes, &mut self.dice);
        self.gone += moved - self.gone * minutes / ANCHOR_MINUTES;
    }
}

impl MarketSource for Generated {
    fn next_at(&self) -> Option<Timestamp> {
        Some(self.next_turn().0)
    }

    fn advance(&mut self, until: Timestamp, sink: &mut dyn FnMut(Timestamp, MarketEvent<'_>)) {
        loop {
            let (at, turn) = self.next_turn();
            if at > until {
                return;
            }
            match turn {
                Turn::Minute => self.turn_minute(),
                Turn::Market => self.move_market(),
                Turn::Beat(place) => {
                    let market = Tide {
                        gone: self.gone,
                        volatility: self.walk.volatility.now(),
                    };
                    self.processes[place].beat(market, &mut self.levels, sink);
                }
                Turn::Trade(place) => self.processes[place].trade(sink),
            }
        }
    }
}

const fn no_levels() -> Depth {
    Depth {
        instrument: InstrumentId(0),
        bids: Vec::new(),
        asks: Vec::new(),
        received_at: Timestamp::EPOCH,
    }
}
