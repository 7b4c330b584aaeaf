//! Reads the Parquet that is written here, a group of rows at a time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::Crc;
use flate2::bufread::GzDecoder;

use super::thrift::Value;
use super::{GROUP, MAGIC, Schema, Unit};
use crate::row::{Kind, Row};

const FOOTER_MAX: u64 = 64 << 20;

/// The rows of a file.
pub(crate) struct ParquetRows {
    file: File,
    schema: Schema,
    groups: std::vec::IntoIter<Group>,
    columns: Vec<Vec<i64>>,
    next: usize,
    /// The numbers of one row.
    counts: Vec<i64>,
}

struct Group {
    rows: usize,
    /// Where each column's page begins, and how many bytes it has with its header.
    chunks: Vec<(u64, usize)>,
}

impl ParquetRows {
    pub(crate) fn open(path: &Path, kind: Kind) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let footer = footer(&mut file)?;
        let schema = schema(&footer, kind)
            .ok_or_else(|| bad("its columns are not those of the catalogue"))?;
        let width = schema.columns().len();
        let groups: Option<Vec<Group>> = footer
            .field(4)
            .map_or(&[][..], Value::as_list)
            .iter()
            .map(|group| self::group(group, width))
            .collect();
        let groups = groups.ok_or_else(|| bad("its groups of rows are damaged"))?;
        Ok(Self {
            file,
            schema,
            groups: groups.into_iter(),
            columns: Vec::new(),
            next: 0,
            counts: Vec::new(),
        })
    }

    fn load(&mut self) -> io::Result<bool> {
        let Some(group) = self.groups.next() else {
            return Ok(false);
        };
        self.columns.clear();
        for (start, length) in group.chunks {
            self.file.seek(SeekFrom::Start(start))?;
            let mut bytes = Vec::new();
            (&mut self.file)
                .take(length as u64)
                .read_to_end(&mut bytes)?;
            self.columns.push(page(&bytes, group.rows).map_err(bad)?);
        }
        self.next = 0;
        Ok(true)
    }
}

impl Iterator for ParquetRows {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        while self
            .columns
            .first()
            .is_none_or(|column| self.next >= column.len())
        {
            match self.load() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.groups = Vec::new().into_iter();
                    return Some(Err(error));
                }
            }
        }
        let next = self.next;
        let of_column = |column: &Vec<i64>| column.get(next).copied().unwrap_or(0);
        self.counts.clear();
        self.counts.extend(self.columns.iter().map(of_column));
        self.next += 1;
        Some(Ok(self.schema.row(&self.counts)))
    }
}

fn bad(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

fn footer(file: &mut File) -> io::Result<Value> {
    let cut = || bad("it is cut off");
    let length = file.seek(SeekFrom::End(0))?;
    let tail = length.checked_sub(8).ok_or_else(cut)?;
    file.seek(SeekFrom::Start(tail))?;
    let mut end = [0; 8];
    file.read_exact(&mut end)?;
    if end.get(4..) != Some(MAGIC) {
        return Err(cut());
    }
    let [a, b, c, d, ..] = end;
    let size = u64::from(u32::from_le_bytes([a, b, c, d]));
    let start = tail
        .checked_sub(size)
        .filter(|_| size <= FOOTER_MAX)
        .ok_or_else(cut)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    Value::read(&bytes)
        .map(|(value, _)| value)
        .ok_or_else(|| bad("its footer is damaged"))
}

/// The schema, if the columns are those that are written here.
fn schema(footer: &Value, kind: Kind) -> Option<Schema> {
    let elements = footer.field(2)?.as_list();
    let scale = |name: &str| {
        let found = elements
            .iter()
            .find(|element| element.field(4).and_then(Value::as_text) == Some(name))?;
        u8::try_from(found.int(7)?).ok()
    };
    let (price, quantity) = match kind {
        Kind::Candles => ("open", "volume"),
        Kind::Trades => ("price", "quantity"),
        Kind::Quotes => ("bid", "bid_size"),
        Kind::Books => ("bid_1", "bid_size_1"),
        Kind::Numbers => ("value", ""),
        Kind::Targets => ("exposure", ""),
    };
    let schema = Schema {
        kind,
        price: scale(price)?,
        quantity: scale(quantity),
    };
    let columns = schema.columns();
    let same = elements.len() == columns.len() + 1
        && elements
            .iter()
            .skip(1)
            .zip(&columns)
            .all(|(element, (name, unit))| {
                let scale = if let Unit::Decimal(scale) = unit {
                    Some(i64::from(*scale))
                } else {
                    None
                };
                element.field(4).and_then(Value::as_text) == Some(&**name)
                    && element.int(1) == Some(2)
                    && element.int(7) == scale
            });
    same.then_some(schema)
}

fn group(group: &Value, width: usize) -> Option<Group> {
    let rows = usize::try_from(group.int(3)?)
        .ok()
        .filter(|rows| *rows <= GROUP)?;
    let chunk = |chunk: &Value| {
        let meta = chunk.field(3)?;
        let length = usize::try_from(meta.int(7)?)
            .ok()
            .filter(|length| *length <= GROUP * 16)?;
        Some((u64::try_from(meta.int(9)?).ok()?, length))
    };
    let chunks: Option<Vec<_>> = group.field(1)?.as_list().iter().map(chunk).collect();
    Some(Group {
        rows,
        chunks: chunks.filter(|chunks| chunks.len() == width)?,
    })
}

/// The values of a page.
fn page(bytes: &[u8], rows: usize) -> Result<Vec<i64>, &'static str> {
    const DAMAGED: &str = "a page is damaged";
    let (header, taken) = Value::read(bytes).ok_or(DAMAGED)?;
    let packed = bytes.get(taken..).ok_or(DAMAGED)?;
    let mut crc = Crc::new();
    crc.update(packed);
    if header.int(4) != Some(i64::from(crc.sum().cast_signed())) {
        return Err("the checksum of a page is wrong");
    }
    let mut plain = Vec::with_capacity(rows * 8);
    let unpacked = GzDecoder::new(packed)
        .take((rows * 8) as u64 + 1)
        .read_to_end(&mut plain);
    if unpacked.is_err() || plain.len() != rows * 8 {
        return Err(DAMAGED);
    }
    let values = plain.as_chunks::<8>().0.iter();
    Ok(values.map(|bytes| i64::from_le_bytes(*bytes)).collect())
}
