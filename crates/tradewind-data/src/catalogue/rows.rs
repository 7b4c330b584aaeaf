//! The rows of a series, file after file.

use std::path::{Path, PathBuf};

use tradewind_model::{Amount, Timestamp};

use super::manifest::Entry;
use super::series::Series;
use super::{CatalogueError, Span};
use crate::error::DataError;
use crate::parquet::ParquetRows;
use crate::row::Row;
use crate::table::{Digits, Holes, Table};

/// The rows of a series, oldest first. One group of rows of one file is in memory.
pub struct CatalogueRows {
    root: PathBuf,
    entries: std::vec::IntoIter<Entry>,
    open: Option<(PathBuf, ParquetRows)>,
    span: Span,
}

impl std::fmt::Debug for CatalogueRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CatalogueRows")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl CatalogueRows {
    pub(super) fn new(root: &Path, entries: Vec<Entry>, span: Span) -> Self {
        Self {
            root: root.to_owned(),
            entries: entries.into_iter(),
            open: None,
            span,
        }
    }
}

impl Iterator for CatalogueRows {
    type Item = Result<Row, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((path, rows)) = &mut self.open {
                match rows.next() {
                    Some(Ok(row)) if self.span.holds(row.at()) => return Some(Ok(row)),
                    Some(Ok(row)) if row.at() >= self.span.to => self.open = None,
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        let error = damaged(path, &error);
                        self.entries = Vec::new().into_iter();
                        self.open = None;
                        return Some(Err(error));
                    }
                    None => self.open = None,
                }
                continue;
            }
            let entry = self.entries.next()?;
            let path = self.root.join(&entry.file);
            match ParquetRows::open(&path, entry.series.kind) {
                Ok(rows) => self.open = Some((path, rows)),
                Err(error) => {
                    self.entries = Vec::new().into_iter();
                    return Some(Err(damaged(&path, &error)));
                }
            }
        }
    }
}

fn damaged(path: &Path, error: &std::io::Error) -> DataError {
    DataError::file(
        path,
        format!("{error}; `tradewind data verify` tells what is damaged"),
    )
}

/// A series as a table: read once, as files are.
pub(super) fn table(
    root: &Path,
    series: &Series,
    entries: Vec<Entry>,
    span: Span,
) -> Result<Table, CatalogueError> {
    let digits = Digits {
        price: entries.iter().map(|entry| entry.price).max().unwrap_or(0),
        quantity: entries
            .iter()
            .filter_map(|entry| entry.quantity)
            .max()
            .unwrap_or(0),
    };
    let (mut times, mut count): (Option<(Timestamp, Timestamp)>, u64) = (None, 0);
    let (mut price_max, mut holes) = (Amount::ZERO, Holes::default());
    for row in CatalogueRows::new(root, entries.clone(), span) {
        let row = row?;
        let at = row.at();
        if let (Some((_, before)), Some(interval)) = (times, series.interval) {
            holes.step(before, at, interval);
        }
        times = Some((times.map_or(at, |(first, _)| first), at));
        price_max = price_max.max(row.largest());
        count += 1;
    }
    let Some((first, last)) = times else {
        return Err(CatalogueError::Unknown {
            series: series.to_string(),
            when: " in that time".to_owned(),
        });
    };
    let offset = series.offset(first);
    let name = PathBuf::from(format!("catalogue:{series}"));
    let Some(product) = series.subject.product() else {
        let reason = "these rows have no prices, so they are not played; a backtest takes them by --numbers or --targets";
        return Err(DataError::file(&name, reason).into());
    };
    let notes = holes.note().into_iter().collect();
    let rows = CatalogueSource {
        root: root.to_owned(),
        entries,
        span,
    };
    Ok(Table::of_catalogue(Table {
        path: name,
        kind: series.kind,
        product: product.clone(),
        interval: series.interval,
        offset,
        rows: count,
        first,
        last,
        digits,
        price_max,
        holes,
        notes,
        source: crate::table::Source::Catalogue(rows),
        span,
    })?)
}

/// Where the rows of a table of the catalogue are.
#[derive(Clone, Debug)]
pub(crate) struct CatalogueSource {
    root: PathBuf,
    entries: Vec<Entry>,
    span: Span,
}

impl CatalogueSource {
    pub(crate) fn rows(&self) -> CatalogueRows {
        CatalogueRows::new(&self.root, self.entries.clone(), self.span)
    }
}
