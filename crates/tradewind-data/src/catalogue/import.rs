//! Brings tables into the catalogue: all of them, or none.
//!
//! New files get names of their own and the manifest names them at the end, so a process that is killed leaves what was
//! there. What is there already and is the same is left alone; what differs is refused with its line.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Crc;
use tradewind_model::Amount;

use super::manifest::{self, Entry};
use super::series::Series;
use super::{Catalogue, CatalogueError};
use crate::error::DataError;
use crate::order::Mended;
use crate::parquet::{ParquetRows, ParquetWriter, Schema};
use crate::row::{Kind, Row};
use crate::table::Table;
use crate::time;

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows that are new.
    pub added: u64,
    /// Rows that were there already.
    pub known: u64,
}

/// An import. Nothing of it holds before [`commit`](Self::commit).
#[derive(Debug)]
pub struct Import<'a> {
    catalogue: &'a Catalogue,
    entries: Vec<Entry>,
    /// Files that the manifest does not name: what former imports replaced, and what a killed one left.
    unnamed: Vec<PathBuf>,
    _lock: File,
}

type Numbered = (Row, u64);

impl<'a> Import<'a> {
    pub(super) fn begin(catalogue: &'a Catalogue) -> Result<Self, CatalogueError> {
        let root = catalogue.root();
        let io = |source| CatalogueError::Io {
            path: root.to_owned(),
            source,
        };
        fs::create_dir_all(root).map_err(io)?;
        let lock = File::create(root.join("lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(CatalogueError::Busy {
                    path: root.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let entries = manifest::read(root)?;
        let mut unnamed = manifest::files(root).map_err(io)?;
        unnamed.retain(|path| !entries.iter().any(|entry| root.join(&entry.file) == *path));
        Ok(Self {
            catalogue,
            entries,
            unnamed,
            _lock: lock,
        })
    }

    /// Adds the rows of a table.
    ///
    /// # Errors
    /// A row that is there with other values, with its line; a file that cannot be read or written.
    pub fn add(&mut self, table: &Table, series: &Series) -> Result<Imported, CatalogueError> {
        self.check_offset(table, series)?;
        let mut rows = table.rows()?;
        let mut adding = Adding::new(&table.path, series);
        let mut mended = Mended::default();
        while let Some((row, line)) = rows.next_row(&mut mended)? {
            self.push(&mut adding, row, line)?;
        }
        self.finish(adding)
    }

    /// Adds a row to a series; rows of one series come in order of time.
    ///
    /// # Errors
    /// See [`add`](Self::add).
    pub fn push(&mut self, adding: &mut Adding, row: Row, line: u64) -> Result<(), CatalogueError> {
        let period = name_of(row.at(), adding.series.kind);
        if period != adding.period {
            self.merge(adding)?;
            adding.period = period;
        }
        adding.rows.push((row, line));
        Ok(())
    }

    /// Adds what is left of a series.
    ///
    /// # Errors
    /// See [`add`](Self::add).
    pub fn finish(&mut self, mut adding: Adding) -> Result<Imported, CatalogueError> {
        self.merge(&mut adding)?;
        Ok(adding.done)
    }

    /// Candles of one series begin at the same hour: two days that overlap would count twice.
    fn check_offset(&self, table: &Table, series: &Series) -> Result<(), CatalogueError> {
        let known = self.entries.iter().find(|entry| entry.series == *series);
        let Some(known) = known
            .map(Entry::offset)
            .filter(|known| *known != table.offset)
        else {
            return Ok(());
        };
        let reason = format!(
            "its candles begin {} s after midnight UTC and those of the catalogue {} s; import it under another --venue, or say its --utc-offset",
            table.offset.as_secs(),
            known.as_secs()
        );
        Err(CatalogueError::Data(DataError::file(&table.path, reason)))
    }

    /// Makes everything that was added hold.
    ///
    /// # Errors
    /// The manifest cannot be written; nothing holds then.
    pub fn commit(mut self) -> Result<(), CatalogueError> {
        let root = self.catalogue.root();
        self.entries
            .sort_by(|a, b| (&a.series, a.first).cmp(&(&b.series, b.first)));
        let io = |source| CatalogueError::Io {
            path: root.to_owned(),
            source,
        };
        manifest::write(root, &self.entries).map_err(io)?;
        // What this import replaced may be named by a run that has yet to open it: the next import removes it.
        for path in &self.unnamed {
            let named = |entry: &Entry| root.join(&entry.file) == *path;
            if self.entries.iter().any(named) {
                continue;
            }
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn merge(&mut self, adding: &mut Adding) -> Result<(), CatalogueError> {
        let Adding {
            series,
            path,
            period,
            rows,
            done,
        } = adding;
        let (series, path, period) = (&*series, &*path, &**period);
        let new = std::mem::take(rows);
        if new.is_empty() {
            return Ok(());
        }
        let root = self.catalogue.root();
        let known = self
            .entries
            .iter()
            .position(|entry| entry.series == *series && self::period_of(entry) == period);
        let entry = known.and_then(|place| self.entries.get(place)).cloned();
        let mut old = Vec::new();
        if let Some(entry) = &entry {
            let path = root.join(&entry.file);
            let rows: io::Result<Vec<Row>> =
                ParquetRows::open(&path, series.kind).and_then(Iterator::collect);
            old = rows.map_err(|source| CatalogueError::Damaged {
                path,
                reason: source.to_string(),
            })?;
        }
        let count = new.len() as u64;
        let schema = schema(series.kind, &new, entry.as_ref());
        let before = old.len() as u64;
        let all = union(old, new).map_err(|(line, reason)| CatalogueError::Differs {
            path: path.clone(),
            line,
            reason: format!("{reason}; keep one of the two, or import under another --venue"),
        })?;
        let added = all.len() as u64 - before;
        done.added += added;
        done.known += count - added;
        if added == 0 {
            return Ok(());
        }
        let made = write(root, series, period, schema, &all).map_err(|error| match error {
            WriteError::Row => CatalogueError::Data(DataError::file(
                path,
                "a number has more than 18 digits with the decimals of its column, or a row has no volume where others do; split the file, or import under another --venue",
            )),
            WriteError::Io(source) => CatalogueError::Io { path: root.to_owned(), source },
        })?;
        match known {
            Some(place) => self.entries[place] = made,
            None => self.entries.push(made),
        }
        Ok(())
    }
}

/// A series to which rows are added one by one.
#[derive(Debug)]
pub struct Adding {
    series: Series,
    path: PathBuf,
    period: String,
    rows: Vec<Numbered>,
    done: Imported,
}

impl Adding {
    /// Rows of `series` that come from `path`.
    #[must_use]
    pub fn new(path: &Path, series: &Series) -> Self {
        Self {
            series: series.clone(),
            path: path.to_owned(),
            period: String::new(),
            rows: Vec::new(),
            done: Imported::default(),
        }
    }
}

/// Candles and what houses send are kept by month, ticks by day, books by hour.
fn period_of(entry: &Entry) -> String {
    name_of(entry.first, entry.series.kind)
}

fn name_of(at: tradewind_model::Timestamp, kind: Kind) -> String {
    let (year, month, day) = time::date(at);
    match kind {
        Kind::Candles | Kind::Numbers | Kind::Targets => format!("{year:04}-{month:02}"),
        Kind::Trades | Kind::Quotes => format!("{year:04}-{month:02}-{day:02}"),
        Kind::Books => {
            let hour = at.as_millis().rem_euclid(86_400_000) / 3_600_000;
            format!("{year:04}-{month:02}-{day:02}-{hour:02}")
        }
    }
}

/// As many decimals as the old and the new rows need.
fn schema(kind: Kind, new: &[Numbered], entry: Option<&Entry>) -> Schema {
    let mut price = entry.map_or(0, |entry| entry.price);
    let mut quantity = entry.and_then(|entry| entry.quantity);
    let mut sizes = |size: Option<Amount>| {
        if let Some(size) = size {
            quantity = Some(quantity.unwrap_or(0).max(places(size)));
        }
    };
    for (row, _) in new {
        match row {
            Row::Candle(row) => {
                price = [row.open, row.high, row.low, row.close]
                    .into_iter()
                    .map(places)
                    .fold(price, u8::max);
                sizes(row.volume);
            }
            Row::Trade(row) => {
                price = price.max(places(row.price));
                sizes(Some(row.quantity));
            }
            Row::Quote(row) => {
                price = price.max(places(row.bid)).max(places(row.ask));
                sizes(row.bid_size);
                sizes(row.ask_size);
            }
            Row::Number(row) => price = price.max(row.value.places()),
            Row::Target(row) => price = price.max(row.exposure.places()),
            Row::Book(row) => {
                for (at, size) in row.levels() {
                    price = price.max(places(at));
                    sizes(Some(size));
                }
            }
        }
    }
    Schema {
        kind,
        price,
        quantity,
    }
}

/// Digits after the point, zeros at the end apart.
fn places(amount: Amount) -> u8 {
    let (mut rest, mut places) = (amount.0, Amount::DECIMALS);
    while places > 0 && rest % 10 == 0 {
        rest /= 10;
        places -= 1;
    }
    places
}

/// Old and new rows in order of time, each once. Both are in order already.
fn union(old: Vec<Row>, new: Vec<Numbered>) -> Result<Vec<Row>, (u64, String)> {
    let mut all = Vec::with_capacity(old.len() + new.len());
    let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
    loop {
        let ends = [old.peek().map(Row::at), new.peek().map(|(row, _)| row.at())];
        let Some(at) = ends.into_iter().flatten().min() else {
            return Ok(all);
        };
        let [has_old, has_new] = ends.map(|end| end == Some(at));
        if !has_new {
            all.extend(old.next());
        } else if !has_old {
            all.extend(new.next().map(|(row, _)| row));
        } else {
            let known: Vec<Row> =
                std::iter::from_fn(|| old.next_if(|row| row.at() == at)).collect();
            let fresh: Vec<Numbered> =
                std::iter::from_fn(|| new.next_if(|(row, _)| row.at() == at)).collect();
            if known.iter().eq(fresh.iter().map(|(row, _)| row)) {
                all.extend(known);
            } else {
                all.extend(by_id(known, &fresh)?);
            }
        }
    }
}

/// Trades of one moment, which their ids distinguish. Other rows of one moment are the same or differ.
fn by_id(mut old: Vec<Row>, new: &[Numbered]) -> Result<Vec<Row>, (u64, String)> {
    let id = |row: &Row| if let Row::Trade(row) = row { row.id } else { 0 };
    let line = new.first().map_or(0, |(_, line)| *line);
    let at = old
        .first()
        .map_or_else(String::new, |row| row.at().to_string());
    if old
        .iter()
        .chain(new.iter().map(|(row, _)| row))
        .any(|row| id(row) == 0)
    {
        return Err((line, format!("the catalogue has other values at {at}")));
    }
    for (row, line) in new {
        match old.iter().find(|known| id(known) == id(row)) {
            Some(known) if known == row => {}
            Some(_) => {
                return Err((
                    *line,
                    format!(
                        "the catalogue has other values for the trade {} at {at}",
                        id(row)
                    ),
                ));
            }
            None => old.push(row.clone()),
        }
    }
    old.sort_by_key(id);
    Ok(old)
}

enum WriteError {
    Row,
    Io(io::Error),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writes a file aside, makes it durable, and gives it its name, which no other content has.
fn write(
    root: &Path,
    series: &Series,
    period: &str,
    schema: Schema,
    rows: &[Row],
) -> Result<Entry, WriteError> {
    let folder = PathBuf::from(&series.venue).join(series.subject.folder());
    fs::create_dir_all(root.join(&folder))?;
    let aside = root
        .join(&folder)
        .join(format!("{}-{period}.part", series.of()));
    let out = Summed {
        out: BufWriter::new(File::create(&aside)?),
        crc: Crc::new(),
        bytes: 0,
    };
    let mut writer = ParquetWriter::new(out, schema)?;
    for row in rows {
        if !writer.push(row)? {
            fs::remove_file(&aside)?;
            return Err(WriteError::Row);
        }
    }
    let Summed { out, crc, bytes } = writer.finish(&series.to_string())?;
    out.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    let file = folder.join(format!(
        "{}-{period}-{:08x}.parquet",
        series.of(),
        crc.sum()
    ));
    fs::rename(&aside, root.join(&file))?;
    manifest::sync_folder(&root.join(&folder))?;
    let at = |row: Option<&Row>| row.map_or(tradewind_model::Timestamp::EPOCH, Row::at);
    Ok(Entry {
        series: series.clone(),
        file: file.to_string_lossy().into_owned(),
        rows: rows.len() as u64,
        first: at(rows.first()),
        last: at(rows.last()),
        bytes,
        crc: crc.sum(),
        price: schema.price,
        quantity: schema.quantity,
    })
}

/// Counts and sums what passes.
struct Summed<W> {
    out: W,
    crc: Crc,
    bytes: u64,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.out.write(buffer)?;
        self.crc.update(buffer.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
