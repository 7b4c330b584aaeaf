//! A backtest of rules over a model: the model predicts in its process at each close, as live.

use std::path::Path;

use anyhow::Context as _;
use tradewind_backtest::{FileOptions, Report, run_files_in_process};
use tradewind_engine::StrategySource;
use tradewind_events::{StrategyProcess, WakeRule};
use tradewind_model::Timestamp;
use tradewind_process::{ModelStrategy, Processes};

use crate::models::trained_on;
use crate::user_strategy::DEADLINE_MAX;

/// Runs it, and warns of data that the model knows.
pub(super) fn run(
    process: &StrategyProcess,
    options: &FileOptions,
) -> anyhow::Result<(Report, Vec<String>)> {
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
    let report = report.with_context(|| format!("cannot run the model {}", process.class))?;
    let trained = trained_on(Path::new(&process.file));
    let warning = trained
        .and_then(|trained| look_ahead(&process.class, (report.from, report.until), trained));
    Ok((report, warning.into_iter().collect()))
}

/// The warning where a backtest plays time that the model was trained on, its labels and warm-up included.
fn look_ahead(
    model: &str,
    (from, until): (Timestamp, Timestamp),
    (first, last): (Timestamp, Timestamp),
) -> Option<String> {
    let nanos = |from: Timestamp, until: Timestamp| {
        i128::from(until.as_nanos()) - i128::from(from.as_nanos())
    };
    let both = nanos(from.max(first), until.min(last));
    let whole = nanos(from, until).max(1);
    (both > 0).then(|| {
        format!(
            "look-ahead: {} % of this time is what {model} was trained on ({first} .. {last}), so its profit there says nothing; \
             use data after it, or train with an earlier to =",
            (both * 100 / whole).max(1)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_a_model_was_trained_on_is_warned_of() {
        let check = |played: (i64, i64), wanted: Option<&str>| {
            let moment = |second: i64| Timestamp::from_nanos(second * 1_000_000_000);
            let played = (moment(played.0), moment(played.1));
            let warning = look_ahead("m@1", played, (moment(100), moment(200)));
            let share = warning.as_ref().and_then(|text| text.split(' ').nth(1));
            assert_eq!(share, wanted, "{warning:?}");
        };
        check((200, 300), None);
        check((0, 100), None);
        check((199, 300), Some("1"));
        check((150, 250), Some("50"));
        check((120, 130), Some("100"));
        check((0, 400), Some("25"));
    }
}
