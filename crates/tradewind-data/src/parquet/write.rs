//! Writes rows as Parquet.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

use super::thrift::{Value, fields, text};
use super::{MAGIC, Schema, Unit};
use crate::row::Row;

/// A file being written. Without [`finish`](Self::finish) it is no Parquet file.
pub(crate) struct ParquetWriter<W: Write> {
    out: W,
    written: u64,
    schema: Schema,
    columns: Vec<Vec<i64>>,
    groups: Vec<Value>,
    rows: u64,
    /// The numbers of one row.
    counts: Vec<i64>,
}

impl<W: Write> ParquetWriter<W> {
    pub(crate) fn new(mut out: W, schema: Schema) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        let columns = schema
            .columns()
            .iter()
            .map(|_| Vec::with_capacity(schema.group()))
            .collect();
        Ok(Self {
            out,
            written: MAGIC.len() as u64,
            schema,
            columns,
            groups: Vec::new(),
            rows: 0,
            counts: Vec::new(),
        })
    }

    /// Adds a row; false if it does not fit the columns exactly.
    pub(crate) fn push(&mut self, row: &Row) -> io::Result<bool> {
        if self.schema.counts(row, &mut self.counts).is_none() {
            return Ok(false);
        }
        for (column, count) in self.columns.iter_mut().zip(&self.counts) {
            column.push(*count);
        }
        self.rows += 1;
        if self
            .columns
            .first()
            .is_some_and(|column| column.len() == self.schema.group())
        {
            self.group()?;
        }
        Ok(true)
    }

    /// Writes the end, and gives back what was written to.
    pub(crate) fn finish(mut self, series: &str) -> io::Result<W> {
        self.group()?;
        let columns = self.schema.columns();
        let mut schema = vec![fields([
            (4, text("rows")),
            (5, Value::I32(small(columns.len()))),
        ])];
        schema.extend(columns.iter().map(|(name, unit)| element(name, *unit)));
        let footer = fields([
            (1, Value::I32(2)),
            (2, Value::List(schema)),
            (3, Value::I64(self.rows.cast_signed())),
            (4, Value::List(std::mem::take(&mut self.groups))),
            (
                5,
                Value::List(vec![fields([
                    (1, text("tradewind.series")),
                    (2, text(series)),
                ])]),
            ),
            (6, text("tradewind")),
        ]);
        let mut bytes = Vec::new();
        footer.write(&mut bytes);
        self.out.write_all(&bytes)?;
        self.out
            .write_all(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes())?;
        self.out.write_all(MAGIC)?;
        Ok(self.out)
    }

    fn group(&mut self) -> io::Result<()> {
        let count = self.columns.first().map_or(0, Vec::len);
        if count == 0 {
            return Ok(());
        }
        let mut chunks = Vec::new();
        let mut total = 0;
        let names = self.schema.columns();
        for ((name, _), values) in names.iter().zip(&mut self.columns) {
            let mut plain = Vec::with_capacity(count * 8);
            for value in values.drain(..) {
                plain.extend_from_slice(&value.to_le_bytes());
            }
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&plain)?;
            let packed = encoder.finish()?;
            let header = page_header(count, plain.len(), &packed);
            let start = self.written;
            self.out.write_all(&header)?;
            self.out.write_all(&packed)?;
            let bytes = (header.len() + packed.len()) as u64;
            self.written += bytes;
            let unpacked = (header.len() + plain.len()) as u64;
            total += unpacked;
            let meta = fields([
                (1, Value::I32(2)),
                (2, Value::List(vec![Value::I32(0), Value::I32(3)])),
                (3, Value::List(vec![text(name)])),
                (4, Value::I32(2)),
                (5, Value::I64(count as i64)),
                (6, Value::I64(unpacked.cast_signed())),
                (7, Value::I64(bytes.cast_signed())),
                (9, Value::I64(start.cast_signed())),
            ]);
            chunks.push(fields([(2, Value::I64(start.cast_signed())), (3, meta)]));
        }
        self.groups.push(fields([
            (1, Value::List(chunks)),
            (2, Value::I64(total.cast_signed())),
            (3, Value::I64(count as i64)),
        ]));
        Ok(())
    }
}

fn small(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn page_header(count: usize, plain: usize, packed: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(packed);
    let data = fields([
        (1, Value::I32(small(count))),
        (2, Value::I32(0)),
        (3, Value::I32(3)),
        (4, Value::I32(3)),
    ]);
    let header = fields([
        (1, Value::I32(0)),
        (2, Value::I32(small(plain))),
        (3, Value::I32(small(packed.len()))),
        (4, Value::I32(crc.sum().cast_signed())),
        (5, data),
    ]);
    let mut bytes = Vec::new();
    header.write(&mut bytes);
    bytes
}

fn element(name: &str, unit: Unit) -> Value {
    let mut of = vec![(1, Value::I32(2)), (3, Value::I32(0)), (4, text(name))];
    match unit {
        Unit::Plain => {}
        Unit::Time => {
            let nanos = fields([(3, fields([]))]);
            let kind = fields([(1, Value::Bool(true)), (2, nanos)]);
            of.push((10, fields([(8, kind)])));
        }
        Unit::Decimal(scale) => {
            let (scale, precision) = (Value::I32(i32::from(scale)), Value::I32(18));
            of.extend([
                (6, Value::I32(5)),
                (7, scale.clone()),
                (8, precision.clone()),
            ]);
            of.push((10, fields([(5, fields([(1, scale), (2, precision)]))])));
        }
    }
    fields(of)
}
