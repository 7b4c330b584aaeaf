//! What house sources sent, out of files: numbers of named series, and targets for the bot that follows them.

use std::path::Path;

use tradewind_data::{
    Catalogue, DataError, Kind, NumberRow, Row, Series, SeriesError, Span, TargetRow, numbers,
    targets,
};
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
        let rows = match catalogued(path, Kind::Numbers, options)? {
            Some((_, rows)) => rows
                .into_iter()
                .filter_map(|row| match row {
                    Row::Number(row) => Some(row),
                    _ => None,
                })
                .collect(),
            None => numbers(path, options.utc_offset)?,
        };
        let rows = rows
            .into_iter()
            .map(|row| (row.received_at, point(name, row)));
        feeds.push(feed(rows, options.span));
    }
    for path in &options.targets {
        let rows = match catalogued(path, Kind::Targets, options)? {
            Some((series, rows)) => {
                let subject = series.subject.to_string();
                let instrument = subject.split_once(':').map(|(_, name)| name.to_owned());
                rows.into_iter()
                    .filter_map(|row| match row {
                        Row::Target(row) => Some(TargetRow {
                            instrument: instrument.clone(),
                            ..*row
                        }),
                        _ => None,
                    })
                    .collect()
            }
            None => targets(path, options.utc_offset)?,
        };
        let rows = rows.into_iter();
        let rows = rows.map(|row| {
            let at = row.received_at;
            Ok((at, target(&row, path, configuration)?))
        });
        let rows: Vec<_> = rows.collect::<Result<_, BacktestError>>()?;
        feeds.push(feed(rows.into_iter(), options.span));
    }
    Ok(feeds)
}

/// The rows of a series of the catalogue up to the end of what is played; `None` for a file. What was received before its
/// beginning counts at its beginning.
fn catalogued(
    path: &Path,
    kind: Kind,
    options: &FileOptions,
) -> Result<Option<(Series, Vec<Row>)>, BacktestError> {
    let Some(name) = path
        .to_str()
        .and_then(|path| path.strip_prefix("catalogue:"))
    else {
        return Ok(None);
    };
    let refused = BacktestError::Options;
    let series: Series = name
        .parse()
        .map_err(|error: SeriesError| refused(error.to_string()))?;
    if series.kind != kind {
        let reason = format!(
            "{series} has {}, and {} are needed",
            series.kind.name(),
            kind.name()
        );
        return Err(refused(reason));
    }
    let root = options.catalogue.clone();
    let root = root.ok_or_else(|| refused("there is no folder of a catalogue".to_owned()))?;
    let span = Span {
        from: Span::ALL.from,
        to: options.span.to,
    };
    let rows = Catalogue::new(root).rows(&series, span);
    let rows = rows.map_err(BacktestError::from)?;
    let rows: Result<Vec<Row>, DataError> = rows.collect();
    Ok(Some((series, rows?)))
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
