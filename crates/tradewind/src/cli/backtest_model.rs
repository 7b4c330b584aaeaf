//! A backtest of rules over a model: the model predicts in its process at each close, as live.

use anyhow::Context as _;
use tradewind_backtest::{FileOptions, Report, run_files_in_process};
use tradewind_engine::StrategySource;
use tradewind_events::{StrategyProcess, WakeRule};
use tradewind_process::{ModelStrategy, Processes};

use crate::user_strategy::DEADLINE_MAX;

/// Runs it.
pub(super) fn run(process: &StrategyProcess, options: &FileOptions) -> anyhow::Result<Report> {
    let process = StrategyProcess {
        // A late prediction would make two runs differ.
        deadline: DEADLINE_MAX,
        ..process.clone()
    };
    let wakes = process.timeframes.iter();
    let wakes: Vec<WakeRule> = wakes
        .map(|(interval, _)| WakeRule::Candles(*interval))
        .collect();
    let options = FileOptions {
        process: Some(process.clone()),
        ..options.clone()
    };
    let report = run_files_in_process(&options, &process, &wakes, |_, _| {
        let processes = Processes::default();
        StrategySource::new(move |bot| Ok(Box::new(ModelStrategy::new(bot, &processes)?)))
    });
    report.with_context(|| format!("cannot run the model {}", process.class))
}
