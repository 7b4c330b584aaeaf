//! Files and folders of recorded data: which there are, what each one is, and every line of it read once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use tradewind_model::Interval;
use tradewind_simx::recorded::{CandleRow, CandleTable, CaptureSurvey, LineError, Product};

use super::{CandleSeries, Capture, RecordingError, names};

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
    let known = ["csv", "gz"];
    path.is_file()
        && path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| known.contains(&extension))
}

/// The lines of a file, unpacked if it is packed.
pub(super) fn lines(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    Ok(if packed {
        Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    })
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
        let mut reader = Numbered::open(path)?;
        let Some(first) = reader.next_line()? else {
            self.notes.push(format!("{} is empty", path.display()));
            return Ok(());
        };
        if first.contains('{') {
            self.read_capture(path, &first, reader)
        } else {
            self.read_candles(path, &first, reader)
        }
    }

    fn read_capture(
        &mut self,
        path: &Path,
        first: &str,
        mut reader: Numbered<'_>,
    ) -> Result<(), RecordingError> {
        let mut survey = CaptureSurvey::default();
        let mut next = Some(first.to_owned());
        while let Some(line) = next {
            reader.judge(survey.read(&line))?;
            next = reader.next_line()?;
        }
        self.captures.push(Capture {
            path: path.to_owned(),
            survey,
        });
        Ok(())
    }

    fn read_candles(
        &mut self,
        path: &Path,
        first: &str,
        mut reader: Numbered<'_>,
    ) -> Result<(), RecordingError> {
        let name = names::parse(path).map_err(|reason| RecordingError::Name {
            path: path.to_owned(),
            reason,
        })?;
        let (table, is_row) = reader.judge(CandleTable::first_line(first))?;
        let mut rows: Vec<CandleRow> = Vec::new();
        let mut next = if is_row {
            Some(first.to_owned())
        } else {
            reader.next_line()?
        };
        while let Some(line) = next {
            let row = reader.judge(table.row(&line))?;
            if rows
                .last()
                .is_some_and(|last| last.open_time >= row.open_time)
            {
                return Err(reader.error("the candle is not later than the one before it"));
            }
            rows.push(row);
            next = reader.next_line()?;
        }
        self.keep_finest(
            path,
            CandleSeries {
                product: name.product,
                interval: name.interval,
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

/// Lines and their numbers, so that an error can name its place.
struct Numbered<'a> {
    path: &'a Path,
    reader: Box<dyn BufRead + Send>,
    line: u64,
}

impl<'a> Numbered<'a> {
    fn open(path: &'a Path) -> Result<Self, RecordingError> {
        let reader = lines(path).map_err(|source| RecordingError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path,
            reader,
            line: 0,
        })
    }

    /// The next line that is not blank.
    fn next_line(&mut self) -> Result<Option<String>, RecordingError> {
        loop {
            let mut line = String::new();
            self.line += 1;
            match self.reader.read_line(&mut line) {
                Ok(0) => return Ok(None),
                Ok(_) if line.trim().is_empty() => {}
                Ok(_) => return Ok(Some(line.trim_end().to_owned())),
                Err(source)
                    if matches!(
                        source.kind(),
                        io::ErrorKind::InvalidData
                            | io::ErrorKind::InvalidInput
                            | io::ErrorKind::UnexpectedEof
                    ) =>
                {
                    return Err(self.error("it is no UTF-8 text, or badly packed"));
                }
                Err(source) => {
                    return Err(RecordingError::Io {
                        path: self.path.to_owned(),
                        source,
                    });
                }
            }
        }
    }

    fn judge<T>(&self, read: Result<T, LineError>) -> Result<T, RecordingError> {
        read.map_err(|error| self.error(&error.to_string()))
    }

    fn error(&self, reason: &str) -> RecordingError {
        RecordingError::Malformed {
            path: self.path.to_owned(),
            line: self.line,
            reason: reason.to_owned(),
        }
    }
}
