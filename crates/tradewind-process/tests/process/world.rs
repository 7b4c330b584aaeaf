//! A strategy in a file, and candles for it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tradewind_events::{BotConfig, StrategyProcess};
use tradewind_model::{
    Amount, Candle, CarriedOut, Decision, FeedHealth, Instrument, InstrumentId, PositionState, Ppm,
    Price, Quantity, Quote,
};
use tradewind_process::{History, Mode, ProcessError, ProcessStrategy, Processes, Wanted, declare};
use tradewind_strategy::{MarketReader, Reading, Strategy as _, StrategyError, View};
use tradewind_testkit::{BTC, USDT, bot, candle, spot};

/// A decision: the candle's index, the exposure, and the reason.
pub(crate) type Decided = (i64, i64, String);

pub(crate) struct World {
    _folder: TempDir,
    pub(crate) process: StrategyProcess,
    processes: Processes,
}

/// Loads a file, to see what is wrong with it.
pub(crate) fn load(source: &str, class: Option<&str>) -> Result<StrategyProcess, ProcessError> {
    let folder = TempDir::new().unwrap();
    read(&folder, source, class)
}

fn read(
    folder: &TempDir,
    source: &str,
    class: Option<&str>,
) -> Result<StrategyProcess, ProcessError> {
    let file = folder.path().join("strategy_of_a_test.py");
    fs::write(&file, source).unwrap();
    let wanted = Wanted {
        kind: "python".to_owned(),
        path: file.display().to_string(),
        class: class.map(str::to_owned),
        interpreter: "python3".to_owned(),
        memory_bytes: 1 << 30,
        ..Wanted::default()
    };
    let declared = declare(&wanted)?.declaration;
    let timeframes = declared.timeframes.iter().map(|name| name.parse().unwrap());
    Ok(StrategyProcess {
        kind: wanted.kind,
        file: wanted.path,
        class: declared.class,
        hash: declared.hash,
        interpreter: wanted.interpreter,
        timeframes: timeframes.map(|one| (one, declared.warm_up)).collect(),
        has_signals: declared.callbacks.iter().any(|one| one == "signals"),
        deadline: Duration::from_secs(5),
        memory_bytes: wanted.memory_bytes,
        group: None,
    })
}

impl World {
    pub(crate) fn new(source: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let process = read(&folder, source, None).unwrap();
        Self {
            _folder: folder,
            process,
            processes: Processes::default(),
        }
    }

    pub(crate) fn bot(&self) -> BotConfig {
        BotConfig {
            process: Some(Box::new(self.process.clone())),
            parameters: BTreeMap::new(),
            ..bot(0)
        }
    }

    pub(crate) fn strategy(&self, mode: Mode) -> ProcessStrategy {
        ProcessStrategy::new(&self.bot(), &[spot()], &self.processes, mode)
    }

    /// What is decided candle by candle, where each decision fills at once at the close.
    pub(crate) fn run(&mut self, mode: Mode, closes: &[i64]) -> Vec<Decided> {
        let mut strategy = self.strategy(mode);
        let (mut position, mut decided) = (PositionState::default(), Vec::new());
        for (place, close) in (0..).zip(closes) {
            let closed = candle(place, *close);
            let view = shown(&closed, position, CarriedOut::All);
            let decision = strategy.on_candle(&view, &closed).unwrap();
            if let Decision::Target(target) = decision {
                position = held(target.exposure.0.signum() * 100_000, &closed);
                decided.push((place, target.exposure.0, target.reason.to_string()));
            }
        }
        decided
    }

    pub(crate) fn backtest(&mut self, closes: &[i64]) -> Vec<Decided> {
        let mut history = History::default();
        for (place, close) in (0..).zip(closes) {
            history.push(&candle(place, *close));
        }
        self.run(Mode::Backtest(Arc::new(history)), closes)
    }

    /// A decision on a candle, with a position that was entered at its close.
    pub(crate) fn candle(
        &self,
        strategy: &mut ProcessStrategy,
        place: i64,
        close: i64,
        quantity: i64,
    ) -> Result<Decision, StrategyError> {
        let closed = candle(place, close);
        strategy.on_candle(&view(&closed, quantity, CarriedOut::All), &closed)
    }

    pub(crate) fn feed(&self, strategy: &mut ProcessStrategy, place: i64, close: i64) {
        let closed = candle(place, close);
        let fed = strategy.on_candle(&view(&closed, 0, CarriedOut::Nothing), &closed);
        assert!(matches!(fed, Ok(Decision::Hold { .. })), "{fed:?}");
    }
}

/// A position that was entered at a candle's close.
fn held(quantity: i64, candle: &Candle) -> PositionState {
    let is_held = quantity != 0;
    PositionState {
        quantity: Quantity(quantity),
        entry_price: is_held.then_some(Price(candle.close.0)),
        opened_at: is_held.then_some(candle.close_time()),
    }
}

fn view(candle: &Candle, quantity: i64, carried_out: CarriedOut) -> View<'static> {
    shown(candle, held(quantity, candle), carried_out)
}

pub(crate) fn shown(
    candle: &Candle,
    position: PositionState,
    carried_out: CarriedOut,
) -> View<'static> {
    let instrument: &'static tradewind_model::Instrument = Box::leak(Box::new(spot()));
    View {
        position,
        budget: Amount::whole(1_000),
        carried_out,
        exposure: Ppm(400_000),
        ..View::bare(candle.close_time(), instrument)
    }
}

/// The traded instrument, and two that are only read: of two and of four decimals.
pub(crate) fn with_reads() -> Vec<Instrument> {
    let read = |id, name: &str, decimals| Instrument {
        price_decimals: decimals,
        ..Instrument::spot(InstrumentId(id), name, BTC, USDT)
    };
    vec![spot(), read(1, "a:BTC/USDT", 2), read(2, "b:BTC/USDT", 4)]
}

/// A market that has a quote of one instrument, and nothing of the others.
#[derive(Debug)]
pub(crate) struct OneQuote<'a>(pub(crate) &'a [Instrument], pub(crate) Quote);

impl MarketReader for OneQuote<'_> {
    fn read(&self, instrument: InstrumentId) -> Option<Reading<'_>> {
        (instrument == self.1.instrument).then(|| Reading {
            instrument: &self.0[instrument.index()],
            health: FeedHealth::Live,
            quote: Some(&self.1),
            depth: None,
            trades: &[],
        })
    }
}
