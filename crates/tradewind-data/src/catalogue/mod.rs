//! The catalogue: market data that was imported, sound and in order, kept as Parquet.
//!
//! A *series* is what one product at one venue did: its candles of one length, its trades or its quotes. Its rows lie in
//! files of a month (candles) or a day (ticks) that any reader of Parquet reads. The manifest says which files hold; it is
//! replaced as a whole, so the catalogue is what it was or what it is to be, whenever a process is killed.

mod import;
mod manifest;
mod rows;
mod series;
mod verify;

use std::io;
use std::path::{Path, PathBuf};

use tradewind_model::Timestamp;

use crate::error::DataError;
use crate::parquet::{ParquetWriter, Schema};
use crate::row::Kind;
use crate::table::Table;
use manifest::Entry;

pub use import::{Adding, Import, Imported};
pub use rows::CatalogueRows;
pub(crate) use rows::CatalogueSource;
pub use series::{Series, SeriesError, Subject};
pub use verify::Verified;

/// Why the catalogue cannot do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The file system refused.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// A file to import cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file of the catalogue is not what it was.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A row to import is there already, with other values.
    #[error("{}: line {line}: {reason}", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// The line; 0 where rows were put in order.
        line: u64,
        /// What differs.
        reason: String,
    },
    /// Somebody else imports.
    #[error("{}: another import is running; wait for it", path.display())]
    Busy {
        /// The catalogue.
        path: PathBuf,
    },
    /// There is no such series, or no row of it in that time.
    #[error("{series} is not in the catalogue{when}; `tradewind data list` shows what is")]
    Unknown {
        /// The series.
        series: String,
        /// In which time, in words.
        when: String,
    },
}

/// What a series holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesSummary {
    /// The series.
    pub series: Series,
    /// Its rows.
    pub rows: u64,
    /// When the first one is.
    pub first: Timestamp,
    /// When the last one is.
    pub last: Timestamp,
    /// Candles missing between the first and the last.
    pub missing: u64,
    /// Its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A folder of imported data.
#[derive(Clone, Debug)]
pub struct Catalogue {
    root: PathBuf,
}

impl Catalogue {
    /// The catalogue in this folder, which need not exist.
    #[must_use]
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Begins an import; one at a time.
    ///
    /// # Errors
    /// Another one is running, or the folder cannot be used.
    pub fn import(&self) -> Result<Import<'_>, CatalogueError> {
        Import::begin(self)
    }

    /// What it holds.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub fn list(&self) -> Result<Vec<SeriesSummary>, CatalogueError> {
        let mut found: Vec<SeriesSummary> = Vec::new();
        for entry in manifest::read(&self.root)? {
            match found.last_mut().filter(|last| last.series == entry.series) {
                Some(last) => {
                    last.rows += entry.rows;
                    last.last = entry.last;
                    last.files += 1;
                    last.bytes += entry.bytes;
                }
                None => found.push(SeriesSummary {
                    rows: entry.rows,
                    first: entry.first,
                    last: entry.last,
                    missing: 0,
                    files: 1,
                    bytes: entry.bytes,
                    series: entry.series,
                }),
            }
        }
        for summary in &mut found {
            summary.missing = missing(summary);
        }
        Ok(found)
    }

    /// The rows of a series from a moment on and before another, oldest first.
    ///
    /// # Errors
    /// There is none.
    pub fn rows(&self, series: &Series, span: Span) -> Result<CatalogueRows, CatalogueError> {
        Ok(CatalogueRows::new(
            &self.root,
            self.entries(series, span)?,
            span,
        ))
    }

    /// The same as a table, for callers that play tables.
    ///
    /// # Errors
    /// There is none, or a file of it is damaged.
    pub fn table(&self, series: &Series, span: Span) -> Result<Table, CatalogueError> {
        let entries = self.entries(series, span)?;
        rows::table(&self.root, series, entries, span)
    }

    /// Checks every file: length, checksums, order, soundness, holes.
    ///
    /// # Errors
    /// The manifest or the folder cannot be read.
    pub fn verify(&self) -> Result<Verified, CatalogueError> {
        verify::verify(&self.root)
    }

    /// Whether the rows of a series have volumes or sizes.
    ///
    /// # Errors
    /// There is none, or only some of them have.
    pub fn has_sizes(&self, series: &Series, span: Span) -> Result<bool, CatalogueError> {
        let entries = self.entries(series, span)?;
        let with = entries
            .iter()
            .filter(|entry| entry.quantity.is_some())
            .count();
        if with != 0 && with != entries.len() {
            return Err(CatalogueError::Damaged {
                path: self.root.clone(),
                reason: format!(
                    "only some of the files of {series} have volumes; export a shorter time with --from and --to"
                ),
            });
        }
        Ok(with != 0)
    }

    /// Writes a series as one Parquet file.
    ///
    /// # Errors
    /// There is no such series, or it cannot be read or written.
    pub fn write_parquet(
        &self,
        series: &Series,
        span: Span,
        out: impl io::Write,
    ) -> Result<u64, CatalogueError> {
        let entries = self.entries(series, span)?;
        let schema = Schema {
            kind: series.kind,
            price: entries.iter().map(|entry| entry.price).max().unwrap_or(0),
            quantity: entries.iter().filter_map(|entry| entry.quantity).max(),
        };
        let io = |source| CatalogueError::Io {
            path: PathBuf::from("the output"),
            source,
        };
        let mut writer = ParquetWriter::new(out, schema).map_err(io)?;
        let mut count = 0;
        for row in CatalogueRows::new(&self.root, entries, span) {
            if !writer.push(&row?).map_err(io)? {
                return Err(CatalogueError::Damaged {
                    path: self.root.clone(),
                    reason: format!(
                        "the files of {series} do not fit into one with 18 digits, or only some have volumes; export a shorter time with --from and --to"
                    ),
                });
            }
            count += 1;
        }
        let mut out = writer.finish(&series.to_string()).map_err(io)?;
        out.flush().map_err(io)?;
        Ok(count)
    }

    fn entries(&self, series: &Series, span: Span) -> Result<Vec<Entry>, CatalogueError> {
        let entries = manifest::read(&self.root)?.into_iter();
        let found: Vec<Entry> = entries
            .filter(|entry| entry.series == *series && span.touches(entry.first, entry.last))
            .collect();
        if found.is_empty() {
            let when = if span == Span::ALL {
                String::new()
            } else {
                " in that time".to_owned()
            };
            return Err(CatalogueError::Unknown {
                series: series.to_string(),
                when,
            });
        }
        Ok(found)
    }
}

/// From a moment on, and before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first moment of it.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

impl Default for Span {
    fn default() -> Self {
        Self::ALL
    }
}

impl Span {
    /// All of time.
    pub const ALL: Self = Self {
        from: Timestamp::from_nanos(i64::MIN),
        to: Timestamp::MAX,
    };

    /// Whether a moment is in it.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    fn touches(&self, first: Timestamp, last: Timestamp) -> bool {
        first < self.to && self.from <= last
    }
}

/// Candles stand on a grid, so what is missing follows from how many there are.
fn missing(summary: &SeriesSummary) -> u64 {
    let (Kind::Candles, Some(interval)) = (summary.series.kind, summary.series.interval) else {
        return 0;
    };
    let span = summary.last.since(summary.first).as_nanos() / interval.duration().as_nanos() + 1;
    u64::try_from(span)
        .unwrap_or(u64::MAX)
        .saturating_sub(summary.rows)
}
