//! The bytes of a file as UTF-8 text: unpacked if it is packed, decoded if it is UTF-16. What it is shows in its first
//! bytes, not in its name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::error::DataError;
use crate::zip;

const BUFFER: usize = 1 << 16;

/// First bytes of what is not read, with what it is and what to do.
const REFUSED: [(&[u8], &str); 9] = [
    (
        b"PAR1",
        "it is a Parquet file; write it as CSV: python3 -c 'import sys, pandas; pandas.read_parquet(sys.argv[1]).to_csv(sys.argv[2], index=False)' IN OUT.csv",
    ),
    (
        b"ARROW1",
        "it is a Feather file; write it as CSV: python3 -c 'import sys, pandas; pandas.read_feather(sys.argv[1]).to_csv(sys.argv[2], index=False)' IN OUT.csv",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "it is packed with zstd; unpack it first: unzstd FILE",
    ),
    (
        b"\xfd7zXZ\0",
        "it is packed with xz; unpack it first: unxz FILE",
    ),
    (
        b"BZh",
        "it is packed with bzip2; unpack it first: bunzip2 FILE",
    ),
    (
        b"7z\xbc\xaf\x27\x1c",
        "it is packed with 7-Zip; unpack it first: 7z x FILE",
    ),
    (
        b"\x89HDF",
        "it is an HDF5 file; write it as CSV: python3 -c 'import sys, pandas; pandas.read_hdf(sys.argv[1]).to_csv(sys.argv[2], index=False)' IN OUT.csv",
    ),
    (
        b"\xd0\xcf\x11\xe0",
        "it is an Excel workbook; save it as CSV (UTF-8) first",
    ),
    (
        b"SQLite format 3",
        "it is a SQLite database; write the table as CSV first: sqlite3 -header -csv FILE 'select * from TABLE'",
    ),
];

/// Opens a file as text.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead + Send>, DataError> {
    let io = |source| DataError::io(path, source);
    let file = File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.is_dir() {
        return Err(DataError::file(
            path,
            "it is a folder; name the files in it",
        ));
    }
    let ends_with = |ending: &str| {
        let extension = path.extension().and_then(|name| name.to_str());
        extension.is_some_and(|name| name.eq_ignore_ascii_case(ending))
    };
    let mut reader = BufReader::with_capacity(BUFFER, file);
    let head = head(&mut reader).map_err(io)?;
    if head.starts_with(b"\x1f\x8b") {
        return text(path, MultiGzDecoder::new(reader));
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return text(path, zip::open(path)?);
    }
    if !head.is_empty() && (ends_with("gz") || ends_with("zip")) {
        return Err(DataError::file(
            path,
            "its name says that it is packed, and it is not; take .gz or .zip off its name, or fetch it again",
        ));
    }
    text(path, reader)
}

/// The first bytes, left to be read.
fn head(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    Ok(reader.fill_buf()?.iter().copied().take(16).collect())
}

fn text(
    path: &Path,
    bytes: impl Read + Send + 'static,
) -> Result<Box<dyn BufRead + Send>, DataError> {
    let mut reader = BufReader::with_capacity(BUFFER, bytes);
    let head = match head(&mut reader) {
        Ok(head) => head,
        Err(error) => return Err(packing(path, 1, error)),
    };
    if let Some((_, reason)) = REFUSED.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(DataError::file(path, *reason));
    }
    if head.starts_with(b"\x1f\x8b") || head.starts_with(b"PK\x03\x04") {
        return Err(DataError::file(
            path,
            "it is packed twice; unpack it once first",
        ));
    }
    let big_endian = head.starts_with(b"\xfe\xff");
    if big_endian || head.starts_with(b"\xff\xfe") {
        reader.consume(2);
        let decoded = Utf16 {
            inner: reader,
            big_endian,
            high: None,
            out: Vec::new(),
            taken: 0,
        };
        return Ok(Box::new(BufReader::with_capacity(BUFFER, decoded)));
    }
    // Without a mark in front every other byte of plain text is a zero.
    let zeros = [0, 1].map(|place| head.get(place) == Some(&0));
    if zeros[0] != zeros[1] {
        let decoded = Utf16 {
            inner: reader,
            big_endian: zeros[0],
            high: None,
            out: Vec::new(),
            taken: 0,
        };
        return Ok(Box::new(BufReader::with_capacity(BUFFER, decoded)));
    }
    if head.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    Ok(Box::new(reader))
}

/// What an error while reading means: the content is bad, or the file system is.
pub(crate) fn packing(path: &Path, line: u64, error: io::Error) -> DataError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => DataError::line(
            path,
            line,
            "the packed file is cut off here; fetch it again, or unpack what there is: zcat FILE > OUT.csv",
        ),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => DataError::line(
            path,
            line,
            format!("the packed file is damaged ({error}); fetch it again"),
        ),
        _ => DataError::io(path, error),
    }
}

/// UTF-16 as UTF-8. A lone surrogate or half a unit becomes U+FFFD, which is in no number.
struct Utf16<R> {
    inner: BufReader<R>,
    big_endian: bool,
    high: Option<u16>,
    out: Vec<u8>,
    taken: usize,
}

impl<R: Read> Utf16<R> {
    fn unit(&mut self) -> io::Result<Option<u16>> {
        let mut pair = [0; 2];
        for byte in &mut pair {
            let Some(next) = self.inner.fill_buf()?.first().copied() else {
                return Ok(None);
            };
            self.inner.consume(1);
            *byte = next;
        }
        Ok(Some(if self.big_endian {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        }))
    }

    fn refill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.taken = 0;
        let mut units = Vec::with_capacity(BUFFER / 4);
        units.extend(self.high.take());
        while units.len() < BUFFER / 4 {
            let Some(unit) = self.unit()? else { break };
            units.push(unit);
        }
        let full = units.len() >= BUFFER / 4;
        if full
            && units
                .last()
                .is_some_and(|last| (0xd800..0xdc00).contains(last))
        {
            self.high = units.pop();
        }
        let decoded: String = char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        self.out.extend_from_slice(decoded.as_bytes());
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.out.len() {
            self.refill()?;
        }
        let mut left = self.out.get(self.taken..).unwrap_or_default();
        let read = left.read(buffer)?;
        self.taken += read;
        Ok(read)
    }
}
