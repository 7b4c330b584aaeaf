//! The bytes of one record: a header of 40 bytes, then the payload. All numbers are little-endian.
//!
//! | at | size | field | |
//! |---|---|---|---|
//! | 0 | 4 | `len` | bytes of payload |
//! | 4 | 1 | `kind` | which record, see `record.rs` |
//! | 5 | 1 | `version` | of that kind's payload |
//! | 6 | 2 | `unsynced` | sectors of 512 bytes from the end of what was durable to this record, plus 1; 0 if not known |
//! | 8 | 8 | `seq` | sequence number of the input it belongs to |
//! | 16 | 8 | `at` | nanoseconds since 1970, the driver's clock |
//! | 24 | 8 | `chain` | the chain after this record |
//! | 32 | 4 | `crc` | CRC-32 of bytes 0..24 and the payload |
//! | 36 | 4 | `head` | CRC-32 of bytes 0..36 |
//!
//! `unsynced` was zero in files without preallocated space, and is not known there.
//!
//! `crc` detects damage, `chain` detects a valid record in the wrong place, `head` distinguishes a torn record (a sound
//! header, not enough bytes behind it) from a damaged one.

use tradewind_model::Timestamp;

/// Bytes of a header.
pub(crate) const HEADER: usize = 40;

/// Longest payload that is believed; a longer one is damage.
pub(crate) const PAYLOAD_MAX: usize = 64 * 1024 * 1024;

/// A disk writes a sector whole or not at all.
pub(crate) const SECTOR: u64 = 512;

/// A record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) len: u32,
    pub(crate) kind: u8,
    pub(crate) version: u8,
    unsynced: u16,
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) chain: u64,
    pub(crate) crc: u32,
}

impl Header {
    /// Reads a header; `None` if its own checksum does not fit.
    pub(crate) fn decode(bytes: &[u8; HEADER]) -> Option<Self> {
        let header = Self {
            len: u32::from_le_bytes(field(bytes, 0)),
            kind: bytes[4],
            version: bytes[5],
            unsynced: u16::from_le_bytes(field(bytes, 6)),
            seq: u64::from_le_bytes(field(bytes, 8)),
            at: Timestamp::from_nanos(i64::from_le_bytes(field(bytes, 16))),
            chain: u64::from_le_bytes(field(bytes, 24)),
            crc: u32::from_le_bytes(field(bytes, 32)),
        };
        let head = u32::from_le_bytes(field(bytes, 36));
        (head == crc32fast::hash(&bytes[..36])).then_some(header)
    }

    /// Bytes of the whole record.
    pub(crate) const fn record_len(&self) -> usize {
        HEADER + self.len as usize
    }

    /// What was durable of its file when it was written, if it lies at `offset`: a lower bound, in bytes.
    pub(crate) fn durable_before(&self, offset: u64) -> u64 {
        match self.unsynced {
            0 | u16::MAX => 0,
            sectors => offset.saturating_sub(u64::from(sectors - 1) * SECTOR),
        }
    }

    /// The chain that this record continues `before` with.
    pub(crate) const fn chain_after(&self, before: u64) -> u64 {
        link(before, self.crc, self.seq)
    }
}

/// The fields of a header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) tag: (u8, u8),
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) unsynced: u16,
}

/// The field of that name for a record at `offset` of a file that is durable up to `durable`.
pub(crate) fn unsynced(offset: u64, durable: u64) -> u16 {
    let sectors = offset.saturating_sub(durable).div_ceil(SECTOR) + 1;
    u16::try_from(sectors).unwrap_or(u16::MAX)
}

/// Writes one record at the end of `out` and moves `chain` on; `payload` writes the payload.
pub(crate) fn write<E>(
    out: &mut Vec<u8>,
    stamp: Stamp,
    chain: &mut u64,
    payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    out.resize(start + HEADER, 0);
    if let Err(error) = payload(out) {
        out.truncate(start);
        return Err(error);
    }
    let (head, body) = out[start..].split_at_mut(HEADER);
    assert!(body.len() <= PAYLOAD_MAX, "no record is that long");
    #[expect(clippy::cast_possible_truncation, reason = "at most PAYLOAD_MAX")]
    let len = body.len() as u32;
    head[0..4].copy_from_slice(&len.to_le_bytes());
    (head[4], head[5]) = stamp.tag;
    head[6..8].copy_from_slice(&stamp.unsynced.to_le_bytes());
    head[8..16].copy_from_slice(&stamp.seq.to_le_bytes());
    head[16..24].copy_from_slice(&stamp.at.as_nanos().to_le_bytes());
    let crc = checksum(&head[..24], body);
    *chain = link(*chain, crc, stamp.seq);
    head[24..32].copy_from_slice(&chain.to_le_bytes());
    head[32..36].copy_from_slice(&crc.to_le_bytes());
    let head_crc = crc32fast::hash(&head[..36]);
    head[36..40].copy_from_slice(&head_crc.to_le_bytes());
    Ok(())
}

/// The records in bytes that [`write`] wrote: their headers and payloads.
pub(crate) fn split(mut bytes: &[u8]) -> impl Iterator<Item = (Header, &[u8])> {
    std::iter::from_fn(move || {
        let header = Header::decode(bytes.first_chunk()?)?;
        let (record, rest) = bytes.split_at_checked(header.record_len())?;
        bytes = rest;
        Some((header, &record[HEADER..]))
    })
}

/// The checksum of a record: of the first 24 bytes of its header and its payload.
pub(crate) fn checksum(head: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(payload);
    hasher.finalize()
}

/// One link of the chain: the finaliser of splitmix64 over the chain so far, the checksum and the sequence number.
const fn link(before: u64, crc: u32, seq: u64) -> u64 {
    let mut mixed = before ^ ((crc as u64) << 32) ^ seq.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// `N` bytes of a record at `at`.
///
/// # Panics
/// If there are fewer; the caller has checked the length.
pub(crate) fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}
