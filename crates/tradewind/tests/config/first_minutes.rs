//! The default desk on the generated market: what a user sees in the first five minutes, in virtual time.
//!
//! The engine, the risk gate and the matching core are the real ones, linked directly; what the sockets add is proved
//! elsewhere. A change of the bots, of a strategy or of the market that makes the first minutes dull fails here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tradewind::config::{AbsentInstruments, DeskConfig, Listing};
use tradewind_backtest::{BacktestError, HistoryEvent, Latency, Report, Setup, Source, run_with};
use tradewind_engine::StrategySource;
use tradewind_events::{Configuration, WakeRule};
use tradewind_model::{
    AccountId, Amount, Candle, Decision, Instrument, InstrumentId, Interval, MarketEvent, Quote,
    Timestamp, VenueId,
};
use tradewind_simx::{
    ExchangeConfig, Generated, KlineRange, KlineStore, MarketEvent as Happening, MarketSource as _,
    universe,
};
use tradewind_strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

const START: Timestamp = Timestamp::from_secs(1_772_445_607);
const FIVE_MINUTES: Duration = Duration::from_secs(300);

#[test]
fn within_five_minutes_there_is_something_to_see() {
    for seed in [42, 7, 9] {
        let (report, seen) = run(seed, FIVE_MINUTES);
        let told = format!(
            "seed {seed}: {} bots signalled, {:?} traded, {report:?}",
            seen.signalled.len(),
            seen.traded
        );
        assert!(seen.signalled.len() >= 20, "{told}");
        assert!(seen.traded.len() >= 4, "{told}");
        assert!(!report.denials.is_empty(), "{told}");
        assert!(report.partial_fills >= 1, "{told}");
        assert_eq!(report.bot_errors, 0, "{told}");
        assert_eq!(report.rejected, 0, "{told}");
    }
}

/// What was seen of the bots: names of those that signalled, strategies of those that held a position.
#[derive(Debug, Default)]
struct Seen {
    signalled: BTreeSet<String>,
    traded: BTreeSet<String>,
}

fn run(seed: u64, span: Duration) -> (Report, Seen) {
    let config = DeskConfig::load(None, &BTreeMap::new(), Listing::Generated).unwrap();
    let listed = universe("binance", VenueId(0));
    let usdt = listed.assets.find("USDT").unwrap();
    let configuration = config
        .resolve(
            &listed.instruments,
            listed.assets,
            AbsentInstruments::Refuse,
        )
        .unwrap();
    let mut market = Market::new(seed, span, &listed.instruments, &configuration);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let watched = Arc::clone(&seen);
    let strategies = StrategySource::new(move |bot| {
        let built =
            tradewind_strategy::build(&bot.strategy, &bot.parameters, bot.instruments.len());
        let strategy = built?;
        let (bot, rule) = (bot.name.clone(), bot.strategy.clone());
        Ok(Box::new(Watched {
            strategy,
            bot,
            rule,
            seen: Arc::clone(&watched),
        }))
    });
    let setup = Setup {
        balances: vec![(AccountId(0), usdt, Amount::whole(100_000))],
        configuration,
        exchange: ExchangeConfig::default(),
        latency: Latency::default(),
        fills_kept: Setup::FILLS_KEPT,
    };
    let report = run_with(setup, strategies, &mut market).unwrap();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    (report, seen)
}

/// A strategy that is watched: what it decides and holds is noted.
#[derive(Debug)]
struct Watched {
    strategy: Box<dyn Strategy>,
    bot: String,
    rule: String,
    seen: Arc<Mutex<Seen>>,
}

impl Watched {
    fn note(
        &self,
        view: &View<'_>,
        decided: Result<Decision, StrategyError>,
    ) -> Result<Decision, StrategyError> {
        let mut seen = self.seen.lock().unwrap();
        if matches!(decided, Ok(Decision::Target(_))) {
            seen.signalled.insert(self.bot.clone());
        }
        if !view.position.quantity.is_zero() {
            seen.traded.insert(self.rule.clone());
        }
        decided
    }
}

impl Strategy for Watched {
    fn timeframes(&self) -> Vec<WarmUp> {
        self.strategy.timeframes()
    }

    fn on_quote(&mut self, view: &View<'_>, quote: &Quote) -> Result<Decision, StrategyError> {
        let decided = self.strategy.on_quote(view, quote);
        self.note(view, decided)
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let decided = self.strategy.on_candle(view, candle);
        let is_past = view.at.since(candle.close_time()) > Duration::from_millis(500);
        if is_past {
            decided
        } else {
            self.note(view, decided)
        }
    }

    fn on_timer(&mut self, view: &View<'_>) -> Result<Decision, StrategyError> {
        let decided = self.strategy.on_timer(view);
        self.note(view, decided)
    }

    fn save(&self) -> Vec<u8> {
        self.strategy.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        self.strategy.restore(state)
    }
}

/// The generated market as a history: past candles first, then quotes, trades, levels, and each candle as it closes.
struct Market {
    generated: Generated,
    klines: KlineStore,
    /// The desk's instruments by the market's ids.
    instruments: Vec<Instrument>,
    intervals: BTreeSet<Interval>,
    now: Timestamp,
    until: Timestamp,
    ready: VecDeque<(Timestamp, MarketEvent)>,
}

impl Market {
    fn new(seed: u64, span: Duration, listed: &[Instrument], desk: &Configuration) -> Self {
        let generated = Generated::new(seed, START, listed);
        let instruments = listed.iter().map(|one| {
            desk.instruments
                .iter()
                .find(|known| known.name == one.name)
                .unwrap()
                .clone()
        });
        let wakes = desk.bots.iter().flat_map(|bot| &bot.wakes);
        let mut market = Self {
            klines: generated.kline_store(listed),
            generated,
            instruments: instruments.collect(),
            intervals: wakes
                .filter_map(|wake| match wake {
                    WakeRule::Candles(interval) => Some(*interval),
                    WakeRule::Quotes | WakeRule::Every(_) => None,
                })
                .collect(),
            now: START,
            until: START + span,
            ready: VecDeque::new(),
        };
        market.candles(START, 200);
        market
    }

    /// Puts the newest closed candles of every instrument and interval in line.
    fn candles(&mut self, at: Timestamp, count: usize) {
        for place in 0..self.instruments.len() {
            for interval in self.intervals.clone() {
                let id = InstrumentId(u32::try_from(place).unwrap());
                let klines = self
                    .klines
                    .klines(id, interval, KlineRange::newest(count + 1));
                let closed = klines
                    .iter()
                    .filter(|kline| interval.close_time(kline.open_time) <= at);
                let candles: Vec<Candle> = closed
                    .map(|kline| kline.candle(interval, &self.instruments[place]))
                    .collect();
                let fresh = candles
                    .into_iter()
                    .filter(|candle| count > 1 || candle.close_time() == at);
                self.ready
                    .extend(fresh.map(|candle| (at, MarketEvent::Candle(candle))));
            }
        }
    }

    /// Lets the market run to the next minute, or to the end.
    fn refill(&mut self) {
        let next = Interval::Minute1.close_time(self.now).min(self.until);
        let (instruments, klines, ready) = (&self.instruments, &mut self.klines, &mut self.ready);
        self.generated.advance(next, &mut |at, happening| {
            let id = |market: InstrumentId| instruments[market.index()].id;
            let event = match happening {
                Happening::Quote(quote) => MarketEvent::Quote(Quote {
                    instrument: id(quote.instrument),
                    ..quote
                }),
                Happening::Trade(trade) => {
                    klines.record(at, &trade);
                    MarketEvent::Trade(tradewind_model::Trade {
                        instrument: id(trade.instrument),
                        ..trade
                    })
                }
                Happening::Levels(levels) => {
                    let mut levels = levels.clone();
                    levels.instrument = id(levels.instrument);
                    MarketEvent::Depth(Box::new(levels))
                }
            };
            ready.push_back((at, event));
        });
        self.klines.pass(next);
        self.now = next;
        self.candles(next, 1);
    }
}

impl Source for Market {
    fn next_event(&mut self) -> Result<Option<(Timestamp, HistoryEvent)>, BacktestError> {
        while self.ready.is_empty() && self.now < self.until {
            self.refill();
        }
        let next = self.ready.pop_front();
        Ok(next.map(|(at, event)| (at, event.into())))
    }
}
