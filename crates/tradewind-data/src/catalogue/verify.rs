//! Whether the catalogue is what it was written as.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Crc;
use tradewind_model::{Amount, Timestamp};

use super::CatalogueError;
use super::manifest::{self, Entry};
use super::series::Series;
use crate::parquet::ParquetRows;
use crate::row::{Kind, Row};
use crate::table::Holes;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Files that were read to their end.
    pub files: u64,
    /// Their rows.
    pub rows: u64,
    /// What is wrong, one line each.
    pub problems: Vec<String>,
    /// Missing candles by series: known, and no problem.
    pub holes: Vec<(Series, Holes)>,
    /// Files that nothing names, which the next import removes.
    pub left_over: Vec<PathBuf>,
}

pub(super) fn verify(root: &Path) -> Result<Verified, CatalogueError> {
    let entries = manifest::read(root)?;
    let mut found = Verified::default();
    let mut series: Option<(Series, Holes, Timestamp)> = None;
    for entry in &entries {
        let path = root.join(&entry.file);
        if series
            .as_ref()
            .is_none_or(|(known, ..)| *known != entry.series)
        {
            found.holes.extend(
                series
                    .take()
                    .filter(|(_, holes, _)| holes.candles > 0)
                    .map(|(series, holes, _)| (series, holes)),
            );
        }
        let (mut holes, mut before) = match series.take() {
            Some((_, holes, last)) => (holes, Some(last)),
            None => (Holes::default(), None),
        };
        let first = entries.iter().find(|first| first.series == entry.series);
        let offset = first.unwrap_or(entry).offset();
        match file(&path, entry, &mut before, &mut holes, offset) {
            Ok(()) => {
                found.files += 1;
                found.rows += entry.rows;
            }
            Err(reason) => found.problems.push(format!(
                "{}: {reason}; import its source again",
                path.display()
            )),
        }
        series = Some((entry.series.clone(), holes, before.unwrap_or(entry.last)));
    }
    found.holes.extend(
        series
            .filter(|(_, holes, _)| holes.candles > 0)
            .map(|(series, holes, _)| (series, holes)),
    );
    let files = manifest::files(root).map_err(|source| CatalogueError::Io {
        path: root.to_owned(),
        source,
    })?;
    found.left_over = files
        .into_iter()
        .filter(|path| !entries.iter().any(|entry| root.join(&entry.file) == *path))
        .collect();
    Ok(found)
}

fn file(
    path: &Path,
    entry: &Entry,
    before: &mut Option<Timestamp>,
    holes: &mut Holes,
    offset: Duration,
) -> Result<(), String> {
    let (bytes, crc) = sum(path).map_err(|error| error.to_string())?;
    if bytes != entry.bytes || crc != entry.crc {
        return Err(format!(
            "it has {bytes} bytes with checksum {crc:08x}, and was written with {} and {:08x}",
            entry.bytes, entry.crc
        ));
    }
    let kind = entry.series.kind;
    let mut rows = 0;
    for row in ParquetRows::open(path, kind).map_err(|error| error.to_string())? {
        let row = row.map_err(|error| error.to_string())?;
        let at = row.at();
        rows += 1;
        if before.is_some_and(|before| at < before || at == before && kind == Kind::Candles) {
            return Err(format!(
                "row {rows} at {at} is not later than the one before it"
            ));
        }
        if entry.series.offset(at) != offset {
            return Err(format!(
                "row {rows} at {at} begins at another hour than the first of the series"
            ));
        }
        if !is_sound(&row) {
            return Err(format!("row {rows} at {at} is not sound"));
        }
        if let (Some(before), Some(interval)) = (*before, entry.series.interval) {
            holes.step(before, at, interval);
        }
        *before = Some(at);
    }
    if rows == entry.rows {
        Ok(())
    } else {
        Err(format!(
            "it has {rows} rows, and was written with {}",
            entry.rows
        ))
    }
}

fn is_sound(row: &Row) -> bool {
    let positive = |amount: Amount| amount > Amount::ZERO;
    match row {
        Row::Candle(row) => {
            positive(row.low)
                && row.low <= row.open.min(row.close)
                && row.high >= row.open.max(row.close)
                && row.volume.is_none_or(|volume| volume >= Amount::ZERO)
        }
        Row::Trade(row) => positive(row.price) && positive(row.quantity),
        Row::Quote(row) => positive(row.bid) && positive(row.ask),
        // Any number may be one.
        Row::Number(_) | Row::Target(_) => true,
        Row::Book(row) => {
            row.bids.is_sorted_by(|better, worse| better.0 > worse.0)
                && row.asks.is_sorted_by(|better, worse| better.0 < worse.0)
                && row
                    .levels()
                    .all(|(price, size)| positive(price) && positive(size))
        }
    }
}

fn sum(path: &Path) -> std::io::Result<(u64, u32)> {
    let mut file = File::open(path)?;
    let mut crc = Crc::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, crc.sum()));
        }
        crc.update(buffer.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
}
