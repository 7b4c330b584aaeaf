//! Reads a fixture of TA-Lib's outputs and the candles they belong to. It compares nothing.

use std::{collections::BTreeMap, fs, io::Read as _, path::Path};

use data_encoding::HEXLOWER;
use tradewind_indicators::Ohlcv;

/// What TA-Lib answered.
pub(crate) struct Fixture {
    input: String,
    sha256: String,
    pub(crate) row_count: usize,
    /// For each column, the row of the first value.
    pub(crate) first: Vec<usize>,
    /// Each indicator with its columns, in the order of its lines.
    pub(crate) columns: BTreeMap<String, Vec<usize>>,
    /// The rows that were kept.
    pub(crate) rows: BTreeMap<usize, Vec<Option<f64>>>,
    /// By pattern: where it ends.
    pub(crate) hits: BTreeMap<String, Hits>,
}

/// The rows in which a pattern ends.
pub(crate) struct Hits {
    /// The first row in which it could.
    pub(crate) first: usize,
    pub(crate) count: usize,
    /// The first of them with their values.
    pub(crate) places: Vec<(usize, f64)>,
}

impl Fixture {
    pub(crate) fn read(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.talib.csv"));
        let raw = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&text(&raw))
    }

    /// Reads the answers for the whole catalogue.
    pub(crate) fn read_catalogue(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/fixtures/{name}.catalogue.csv.gz"));
        let raw = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&text(&raw))
    }

    fn parse(text: &str) -> Self {
        let (comments, table): (Vec<_>, Vec<_>) =
            text.lines().partition(|line| line.starts_with('#'));
        let header: BTreeMap<_, _> = comments
            .iter()
            .filter_map(|line| line.trim_start_matches("# ").split_once(' '))
            .collect();
        Self {
            input: header["input"].to_owned(),
            sha256: header["sha256"].to_owned(),
            row_count: header["rows"].parse().expect("a count"),
            first: header["first"]
                .split(',')
                .map(|cell| cell.parse().expect("a row"))
                .collect(),
            columns: columns(table[0]),
            rows: table[1..].iter().map(|line| row(line)).collect(),
            hits: comments
                .iter()
                .filter_map(|line| line.strip_prefix("# hits "))
                .map(hits)
                .collect(),
        }
    }

    /// Reads the candles TA-Lib was fed, and makes sure that they are the same.
    pub(crate) fn candles(&self, root: &str) -> Vec<Ohlcv> {
        let path = Path::new(root).join("data").join(&self.input);
        let raw = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let digest = ring::digest::digest(&ring::digest::SHA256, &raw);
        assert_eq!(
            HEXLOWER.encode(digest.as_ref()),
            self.sha256,
            "{}: not the file the fixture was made from",
            path.display()
        );
        text(&raw).lines().skip(1).map(candle).collect()
    }
}

/// Columns by indicator: a line's name follows the numbers, as in `bollinger:20:2:upper`.
fn columns(header: &str) -> BTreeMap<String, Vec<usize>> {
    let mut columns = BTreeMap::<_, Vec<_>>::new();
    for (column, name) in header.split(',').skip(1).enumerate() {
        let spec = match name.rsplit_once(':') {
            Some((spec, line)) if line.parse::<f64>().is_err() => spec,
            _ => name,
        };
        columns.entry(spec.to_owned()).or_default().push(column);
    }
    columns
}

/// A line of `name first count row:value,row:value`.
fn hits(line: &str) -> (String, Hits) {
    let mut parts = line.split(' ');
    let mut part = || parts.next().expect("a name, a row, a count and hits");
    let (name, first, count, places) = (part(), part(), part(), part());
    let hit = |cell: &str| {
        let (row, value) = cell.split_once(':').expect("a row and a value");
        (row.parse().expect("a row"), value.parse().expect("a value"))
    };
    let places = places.split(',').filter(|cell| !cell.is_empty());
    let hits = Hits {
        first: first.parse().expect("a row"),
        count: count.parse().expect("a count"),
        places: places.map(hit).collect(),
    };
    (name.to_owned(), hits)
}

fn row(line: &str) -> (usize, Vec<Option<f64>>) {
    let (index, cells) = line.split_once(',').expect("an index and cells");
    let number = |cell: &str| (!cell.is_empty()).then(|| cell.parse().expect("a number"));
    (
        index.parse().expect("an index"),
        cells.split(',').map(number).collect(),
    )
}

/// A line of `time,open,high,low,close,volume`.
fn candle(line: &str) -> Ohlcv {
    let cells: Vec<&str> = line.split(',').collect();
    let price = |i: usize| {
        cells[i]
            .parse()
            .unwrap_or_else(|_| panic!("no number in {line:?}"))
    };
    Ohlcv {
        open: price(1),
        high: price(2),
        low: price(3),
        close: price(4),
        volume: price(5),
    }
}

fn text(raw: &[u8]) -> String {
    const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
    if !raw.starts_with(&GZIP_MAGIC) {
        return String::from_utf8_lossy(raw).into_owned();
    }
    let mut text = String::new();
    flate2::read::GzDecoder::new(raw)
        .read_to_string(&mut text)
        .expect("a gzip of text");
    text
}
