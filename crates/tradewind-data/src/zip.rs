//! A zip archive of one table. Only its directory is read here, and the member is unpacked as it is needed: the formats'
//! rare parts (encryption, several discs, other methods than deflate) are refused by name.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use crate::error::DataError;

const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
/// The directory of an archive with one table is small; the end record has a comment of 65,535 bytes at most.
const END_SPAN: u64 = 65_535 + 22;
const DIRECTORY_MAX: u64 = 1 << 20;

struct Member {
    name: String,
    method: u16,
    encrypted: bool,
    crc: u32,
    packed: u64,
    size: u64,
    offset: u64,
}

/// The one table of an archive.
pub(crate) fn open(path: &Path) -> Result<impl Read + Send + 'static, DataError> {
    let damaged = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            DataError::file(path, "the zip file is cut off or damaged; fetch it again")
        }
        _ => DataError::io(path, error),
    };
    let mut file = File::open(path).map_err(|error| DataError::io(path, error))?;
    let members = directory(&mut file).map_err(damaged)?;
    if members
        .iter()
        .any(|member| member.name == "[Content_Types].xml")
    {
        return Err(DataError::file(
            path,
            "it is an Excel workbook; save it as CSV (UTF-8) first",
        ));
    }
    let mut tables = members.iter().filter(|member| is_table(&member.name));
    let (Some(member), None) = (tables.next(), tables.next()) else {
        let tables = members
            .iter()
            .filter(|member| is_table(&member.name))
            .count();
        return Err(DataError::file(
            path,
            format!(
                "the zip file holds {tables} tables and not one; unpack it and name the files: unzip FILE"
            ),
        ));
    };
    if member.encrypted || !matches!(member.method, 0 | 8) {
        return Err(DataError::file(
            path,
            "the zip file is encrypted, or not packed by deflate; unzip it first",
        ));
    }
    let mut head = [0; 30];
    file.seek(SeekFrom::Start(member.offset)).map_err(damaged)?;
    file.read_exact(&mut head).map_err(damaged)?;
    let skip = u64::from(short(&head, 26)) + u64::from(short(&head, 28));
    file.seek(SeekFrom::Start(member.offset + 30 + skip))
        .map_err(damaged)?;
    let packed = BufReader::with_capacity(1 << 16, file.take(member.packed));
    let bytes: Box<dyn Read + Send> = if member.method == 8 {
        Box::new(DeflateDecoder::new(packed))
    } else {
        Box::new(packed)
    };
    Ok(Checked {
        bytes,
        crc: Crc::new(),
        wanted: member.crc,
        size: member.size,
    })
}

fn is_table(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let ending = lower.rsplit_once('.').map_or("", |(_, ending)| ending);
    matches!(ending, "csv" | "txt" | "json" | "tsv") && !lower.starts_with("__macosx")
}

fn directory(file: &mut File) -> io::Result<Vec<Member>> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail = length.min(END_SPAN);
    file.seek(SeekFrom::Start(length - tail))?;
    let mut bytes = Vec::new();
    file.take(tail).read_to_end(&mut bytes)?;
    let end = bytes
        .windows(END.len())
        .rposition(|window| window == END)
        .ok_or_else(bad)?;
    let end = bytes
        .get(end..)
        .filter(|end| end.len() >= 22)
        .ok_or_else(bad)?;
    let (size, start) = (u64::from(long(end, 12)), u64::from(long(end, 16)));
    if size > DIRECTORY_MAX {
        return Err(bad());
    }
    file.seek(SeekFrom::Start(start))?;
    let mut entries = Vec::new();
    file.take(size).read_to_end(&mut entries)?;
    let mut rest = entries.as_slice();
    let mut members = Vec::new();
    for _ in 0..short(end, 10) {
        if !rest.starts_with(ENTRY) || rest.len() < 46 {
            return Err(bad());
        }
        let name_length = usize::from(short(rest, 28));
        let whole = 46 + name_length + usize::from(short(rest, 30)) + usize::from(short(rest, 32));
        let name = rest.get(46..46 + name_length).ok_or_else(bad)?;
        let extra = rest.get(46 + name_length..whole).ok_or_else(bad)?;
        let wide = [24, 20, 42].map(|at| u64::from(long(rest, at)));
        let [size, packed, offset] = widened(extra, wide);
        members.push(Member {
            name: String::from_utf8_lossy(name).into_owned(),
            encrypted: short(rest, 8) & 1 == 1,
            method: short(rest, 10),
            crc: long(rest, 16),
            packed,
            size,
            offset,
        });
        rest = rest.get(whole..).ok_or_else(bad)?;
    }
    Ok(members)
}

/// Size, packed size and offset, from the extra field of large archives where they are not in the entry itself.
fn widened(extra: &[u8], mut found: [u64; 3]) -> [u64; 3] {
    let mut rest = extra;
    while rest.len() >= 4 {
        let length = usize::from(short(rest, 2));
        if short(rest, 0) == 1 {
            let mut at = 4;
            for value in found
                .iter_mut()
                .filter(|value| **value == u64::from(u32::MAX))
            {
                *value = u64::from(long(rest, at)) | u64::from(long(rest, at + 4)) << 32;
                at += 8;
            }
        }
        rest = rest.get(4 + length..).unwrap_or_default();
    }
    found
}

fn bad() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

/// A number of two bytes, 0 past the end.
fn short(bytes: &[u8], at: usize) -> u16 {
    let byte = |at| bytes.get(at).copied().unwrap_or(0);
    u16::from_le_bytes([byte(at), byte(at + 1)])
}

fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from(short(bytes, at)) | u32::from(short(bytes, at + 2)) << 16
}

/// A member whose checksum and length are compared at its end.
struct Checked {
    bytes: Box<dyn Read + Send>,
    crc: Crc,
    wanted: u32,
    size: u64,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.crc.update(buffer.get(..read).unwrap_or_default());
        self.size = self.size.saturating_sub(read as u64);
        if read == 0 && !buffer.is_empty() {
            if self.size > 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            if self.crc.sum() != self.wanted {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the checksum is wrong",
                ));
            }
        }
        Ok(read)
    }
}
