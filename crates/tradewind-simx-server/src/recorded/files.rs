//! Files and folders of recorded data: which there are, what each one is, and every line of it read once.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tradewind_data::{Content, Hints, Kind, Lines, Product, Row, Table};
use tradewind_model::Interval;
use tradewind_simx::recorded::CaptureSurvey;

use super::{CandleSeries, Capture, RecordingError};

/// Files in `path` that can be recordings, by name; `path` itself when it is a file.
pub(super) fn list(path: &Path) -> Result<Vec<PathBuf>, RecordingError> {
    let io = |source| RecordingError::Io {
        path: path.to_owned(),
        source,
    };
    if !fs::metadata(path).map_err(io)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries: Result<Vec<_>, io::Error> = fs::read_dir(path).map_err(io)?.collect();
    let mut files: Vec<PathBuf> = entries
        .map_err(io)?
        .iter()
        .map(fs::DirEntry::path)
        .filter(|path| is_recording(path))
        .collect();
    files.sort();
    Ok(files)
}

fn is_recording(path: &Path) -> bool {
    let known = ["csv", "gz", "zip", "tsv"];
    path.is_file()
        && path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| known.contains(&extension))
}

/// Everything that was found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    captures: Vec<Capture>,
    candles: BTreeMap<Product, CandleSeries>,
    notes: Vec<String>,
}

impl Found {
    /// Reads one file to the end.
    pub(super) fn read(&mut self, path: &Path) -> Result<(), RecordingError> {
        match tradewind_data::open(path, &Hints::default())? {
            Content::Empty => self.notes.push(format!("{} is empty", path.display())),
            Content::Capture => self.read_capture(path)?,
            Content::Table(table) => self.read_candles(path, &table)?,
        }
        Ok(())
    }

    fn read_capture(&mut self, path: &Path) -> Result<(), RecordingError> {
        let mut survey = CaptureSurvey::default();
        let mut lines = Lines::open(path)?;
        while lines.advance()? {
            let read = survey.read(lines.text());
            read.map_err(|error| lines.error(&error.to_string()))?;
        }
        self.captures.push(Capture {
            path: path.to_owned(),
            survey,
        });
        Ok(())
    }

    fn read_candles(&mut self, path: &Path, table: &Table) -> Result<(), RecordingError> {
        let (Kind::Candles, Some(interval)) = (table.kind, table.interval) else {
            return Err(RecordingError::NotPlayed {
                path: path.to_owned(),
                kind: table.kind.name(),
            });
        };
        let of_file = |note: &String| format!("{}: {note}", path.display());
        self.notes.extend(table.notes.iter().map(of_file));
        let mut rows = Vec::new();
        for row in table.rows()? {
            if let Row::Candle(row) = row? {
                rows.push(row);
            }
        }
        self.keep_finest(
            path,
            CandleSeries {
                product: table.product.clone(),
                interval,
                digits: table.digits,
                rows,
            },
        );
        Ok(())
    }

    /// Of one instrument's tables only the one with the shortest candles is played.
    fn keep_finest(&mut self, path: &Path, series: CandleSeries) {
        let known = self
            .candles
            .get(&series.product)
            .map(|known| known.interval);
        let finer = known.is_none_or(|known: Interval| series.interval < known);
        let (kept, left) = if finer {
            (Some(series.interval), known)
        } else {
            (known, Some(series.interval))
        };
        if let (Some(kept), Some(left)) = (kept, left) {
            let symbol = series.product.symbol();
            self.notes.push(format!(
                "{}: {symbol} is played from its {kept} candles, those of {left} are left out",
                path.display()
            ));
        }
        if finer {
            self.candles.insert(series.product.clone(), series);
        }
    }

    pub(super) fn finish(self) -> (Vec<Capture>, Vec<CandleSeries>, Vec<String>) {
        (
            self.captures,
            self.candles.into_values().collect(),
            self.notes,
        )
    }
}
