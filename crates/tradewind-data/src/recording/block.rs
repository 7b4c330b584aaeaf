//! One block of a recording: a gzip member whose extra field tells its length and times. Source: RFC 1952, section 2.3.1.1.
//!
//! The field `TW` has 28 bytes, little-endian: bytes of the whole member `u32`, lines `u32`, first and last time in
//! nanoseconds `i64`, and a CRC-32 of these 24 bytes. A reader that does not know it sees a common gzip member.

use std::io::{self, Read as _, Write as _};

use flate2::bufread::GzDecoder;
use flate2::{Compression, Crc, GzBuilder};
use tradewind_model::Timestamp;

/// What a gzip member with an extra field begins with.
pub(super) const MAGIC: [u8; 4] = [0x1f, 0x8b, 8, 4];
const ID: &[u8; 2] = b"TW";
const FIELDS: usize = 28;
/// The gzip head (10), the length of the extra field (2), id and length of the only one in it (4).
const FIELDS_AT: usize = 16;
/// Bytes before the packed text.
pub(super) const HEAD: usize = FIELDS_AT + FIELDS;
/// No block unpacks to more: a writer closes one long before, and a damaged one must not take the memory.
const TEXT_MAX: u64 = 64 << 20;

/// What the head of a block says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes of the block, this head included.
    pub(super) bytes: u32,
    pub(super) lines: u32,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// Packs text of `lines` lines.
pub(super) fn pack(
    text: &[u8],
    lines: u32,
    first: Timestamp,
    last: Timestamp,
) -> io::Result<Vec<u8>> {
    let mut extra = ID.to_vec();
    extra.extend(28_u16.to_le_bytes());
    extra.extend([0; FIELDS]);
    let member = GzBuilder::new().extra(extra);
    let mut encoder = member.write(Vec::new(), Compression::fast());
    encoder.write_all(text)?;
    let mut block = encoder.finish()?;
    let bytes = u32::try_from(block.len()).map_err(|_| damaged("a block is too long"))?;
    let mut fields = Vec::with_capacity(FIELDS);
    fields.extend(bytes.to_le_bytes());
    fields.extend(lines.to_le_bytes());
    fields.extend(first.as_nanos().to_le_bytes());
    fields.extend(last.as_nanos().to_le_bytes());
    fields.extend(checksum(&fields).to_le_bytes());
    block[FIELDS_AT..HEAD].copy_from_slice(&fields);
    Ok(block)
}

/// Reads the head of a block; `None` if these bytes are none.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let begins = bytes.get(..4)? == MAGIC;
    let is_ours = bytes.get(12..14)? == ID && bytes.get(14..16)? == 28_u16.to_le_bytes();
    let fields = bytes.get(FIELDS_AT..HEAD)?;
    let (body, sum) = fields.split_at_checked(FIELDS - 4)?;
    if !begins || !is_ours || sum != checksum(body).to_le_bytes() {
        return None;
    }
    let word = |at: usize| Some(u32::from_le_bytes(body.get(at..at + 4)?.try_into().ok()?));
    let time = |at: usize| {
        let nanos = i64::from_le_bytes(body.get(at..at + 8)?.try_into().ok()?);
        Some(Timestamp::from_nanos(nanos))
    };
    Some(Head {
        bytes: word(0)?,
        lines: word(4)?,
        first: time(8)?,
        last: time(16)?,
    })
}

/// The text of a whole block. gzip's checksum and the number of lines are compared.
pub(super) fn unpack(block: &[u8], head: &Head) -> io::Result<String> {
    let mut text = String::new();
    GzDecoder::new(block)
        .take(TEXT_MAX)
        .read_to_string(&mut text)?;
    let lines = text.bytes().filter(|byte| *byte == b'\n').count();
    if lines != head.lines as usize {
        return Err(damaged("a block has another number of lines than it says"));
    }
    Ok(text)
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn damaged(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
