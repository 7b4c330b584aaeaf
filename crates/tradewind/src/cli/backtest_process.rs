//! A backtest of a strategy in a file of the user: its process gets the whole history first, and answers while it is played.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use tradewind_backtest::{FileOptions, Report, run_files_in_process};
use tradewind_engine::StrategySource;
use tradewind_model::{Candle, Decision, Quote};
use tradewind_process::{History, Mode, ProcessStrategy, Processes};
use tradewind_strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

use crate::user_strategy::{DEADLINE_MAX, ProcessOptions, Reference, load};

/// What a backtest's process may map: it has the whole history.
const MEMORY: u64 = 16 << 30;

/// Runs it; returns the report, and what the process noted while it computed.
pub(super) fn run(
    reference: &Reference,
    interpreter: &str,
    options: FileOptions,
) -> anyhow::Result<(Report, Vec<String>)> {
    let process = ProcessOptions {
        interpreter: interpreter.to_owned(),
        deadline: DEADLINE_MAX,
        memory_bytes: MEMORY,
        group: None,
    };
    let intervals = [];
    let loaded = load(
        reference,
        Path::new(""),
        &process,
        &options.parameters,
        &intervals,
    )
    .with_context(|| format!("cannot use {}", options.strategy))?;
    if let Some(wrong) = loaded.declaration.problems.first() {
        bail!("--param {}: {}; {}", wrong.path, wrong.problem, wrong.cure);
    }
    let options = FileOptions {
        process: Some(loaded.process.clone()),
        ..options
    };
    let notes = Arc::new(Mutex::new(Notes::default()));
    let kept = Arc::clone(&notes);
    let report =
        run_files_in_process(&options, &loaded.process, &loaded.wakes, |desk, candles| {
            let history = Arc::new(history(&candles));
            drop(candles);
            let (instruments, fee) = (desk.instruments.clone(), desk.fee);
            let processes = Processes::beginning_with(&loaded.declared);
            StrategySource::new(move |bot| {
                let mode = Mode::Backtest(Arc::clone(&history));
                Ok(Box::new(Noted {
                    strategy: ProcessStrategy::new(bot, &instruments, &processes, mode)
                        .with_fee(fee),
                    notes: Arc::clone(&kept),
                }))
            })
        })?;
    let notes = std::mem::take(&mut *notes.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(fault) = notes.fault {
        bail!("{}: {fault}", options.strategy);
    }
    Ok((report, notes.warnings))
}

fn history(candles: &[Candle]) -> History {
    let mut history = History::default();
    candles.iter().for_each(|candle| history.push(candle));
    history
}

/// What is to be known of a run besides its report.
#[derive(Debug, Default)]
struct Notes {
    warnings: Vec<String>,
    /// The first fault. The strategy is not called any more after it.
    fault: Option<String>,
}

/// A strategy whose first fault ends its part in the run.
#[derive(Debug)]
struct Noted {
    strategy: ProcessStrategy,
    notes: Arc<Mutex<Notes>>,
}

impl Noted {
    fn call(
        &mut self,
        call: impl FnOnce(&mut ProcessStrategy) -> Result<Decision, StrategyError>,
    ) -> Result<Decision, StrategyError> {
        let lock = || self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if lock().fault.is_some() {
            return Err(StrategyError::Other("its process failed".to_owned()));
        }
        let decided = call(&mut self.strategy);
        let warnings = self.strategy.take_warnings();
        if !warnings.is_empty() {
            lock().warnings.extend(warnings);
        }
        if let Err(error) = &decided {
            lock().fault = Some(error.to_string());
        }
        decided
    }
}

impl Strategy for Noted {
    fn timeframes(&self) -> Vec<WarmUp> {
        self.strategy.timeframes()
    }

    fn on_quote(&mut self, view: &View<'_>, quote: &Quote) -> Result<Decision, StrategyError> {
        self.call(|strategy| strategy.on_quote(view, quote))
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        self.call(|strategy| strategy.on_candle(view, candle))
    }

    fn on_timer(&mut self, view: &View<'_>) -> Result<Decision, StrategyError> {
        self.call(|strategy| strategy.on_timer(view))
    }

    fn save(&self) -> Vec<u8> {
        self.strategy.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        self.strategy.restore(state)
    }
}
