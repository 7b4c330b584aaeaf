//! What house sources sent, out of files: numbers of named series, and targets for the bot that follows them.

use std::path::Path;

use tradewind_data::{NumberRow, Span, TargetRow, numbers, targets};
use tradewind_events::{Configuration, ExternalTarget, SeriesPoint};
use tradewind_model::Timestamp;

use super::FileOptions;
use super::desk::TARGETS_FROM;
use crate::error::BacktestError;
use crate::source::HistoryEvent;

/// The rows of one file.
pub(super) struct HouseFeed {
    rows: std::vec::IntoIter<(Timestamp, HistoryEvent)>,
}

impl HouseFeed {
    pub(super) fn next(&mut self) -> Option<(Timestamp, HistoryEvent)> {
        self.rows.next()
    }
}

/// Reads all files of numbers and targets.
pub(super) fn read(
    options: &FileOptions,
    configuration: &Configuration,
) -> Result<Vec<HouseFeed>, BacktestError> {
    let mut feeds = Vec::new();
    for (name, path) in &options.numbers {
        let rows = numbers(path, options.utc_offset)?;
        let rows = rows
            .into_iter()
            .map(|row| (row.received_at, point(name, row)));
        feeds.push(feed(rows, options.span));
    }
    for path in &options.targets {
        let rows = targets(path, options.utc_offset)?.into_iter();
        let rows = rows.map(|row| {
            let at = row.received_at;
            Ok((at, target(&row, path, configuration)?))
        });
        let rows: Vec<_> = rows.collect::<Result<_, BacktestError>>()?;
        feeds.push(feed(rows.into_iter(), options.span));
    }
    Ok(feeds)
}

fn feed(rows: impl Iterator<Item = (Timestamp, HistoryEvent)>, span: Span) -> HouseFeed {
    let rows: Vec<_> = rows.filter(|(at, _)| *at < span.to).collect();
    HouseFeed {
        rows: rows.into_iter(),
    }
}

fn point(name: &str, row: NumberRow) -> HistoryEvent {
    HistoryEvent::Number(Box::new(SeriesPoint {
        name: name.to_owned(),
        instrument: None,
        value: row.value,
        event_time: Some(row.event_time),
        received_at: row.received_at,
        max_age: row.max_age,
    }))
}

/// A target for the bot. A file that names no instrument is of the only one that is traded.
fn target(
    row: &TargetRow,
    path: &Path,
    configuration: &Configuration,
) -> Result<HistoryEvent, BacktestError> {
    let options = |reason: String| BacktestError::Options(format!("{}: {reason}", path.display()));
    let bot = configuration.bots.first();
    let bot = bot.filter(|bot| bot.external.is_some());
    let bot = bot.ok_or_else(|| {
        options(
            "targets are followed by the strategy external; run it with --strategy external"
                .to_owned(),
        )
    })?;
    let traded = bot
        .instruments
        .iter()
        .map(|id| configuration.instrument(*id));
    let names: Vec<&str> = traded.map(|one| one.name.as_str()).collect();
    let product = |name: &str| name.rsplit(':').next().unwrap_or_default().to_owned();
    let found = match &row.instrument {
        Some(wanted) => names.iter().find(|name| product(name) == product(wanted)),
        None if names.len() == 1 => names.first(),
        None => {
            let reason =
                "there are several instruments, and the targets name none; add a column instrument";
            return Err(options(reason.to_owned()));
        }
    };
    let instrument = found.ok_or_else(|| {
        let wanted = row.instrument.as_deref().unwrap_or_default();
        options(format!(
            "it has a target in {wanted}, and what is traded is {}",
            names.join(", ")
        ))
    })?;
    Ok(HistoryEvent::Target(Box::new(ExternalTarget {
        source: TARGETS_FROM.to_owned(),
        bot: bot.name.clone(),
        instrument: (*instrument).to_owned(),
        exposure: row.exposure,
        event_time: row.event_time,
        expires: row.expires,
        sequence: None,
        received_at: row.received_at,
    })))
}
