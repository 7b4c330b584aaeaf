//! What a record can hold, and how its payload is written.
//!
//! Market data has fixed payloads (`market.rs`). The rest is MessagePack with named fields, so that a field can be added
//! and a reader in another language needs no schema.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tradewind_events::{Event, Input, Intent};
use tradewind_model::Timestamp;

use crate::frame::Header;
use crate::market;
use crate::segment::SegmentHeader;
use crate::snapshot::SnapshotPart;

/// Version of every payload written today.
pub(crate) const VERSION: u8 = 1;

/// The kinds of record, as their number in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Segment = 1,
    Input = 2,
    Quote = 3,
    Trade = 4,
    Candle = 5,
    Intent = 6,
    Event = 7,
    Snapshot = 8,
}

impl Kind {
    pub(crate) const fn tag(self) -> (u8, u8) {
        (self as u8, VERSION)
    }

    const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Segment,
            2 => Self::Input,
            3 => Self::Quote,
            4 => Self::Trade,
            5 => Self::Candle,
            6 => Self::Intent,
            7 => Self::Event,
            8 => Self::Snapshot,
            _ => return None,
        })
    }
}

/// The contents of one record.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// The first of each file: who wrote it.
    Segment(SegmentHeader),
    /// What the engine was given.
    Input(Input),
    /// An order intent, written before the order is sent.
    Intent(Intent),
    /// What the engine announced.
    Event(Event),
    /// A part of the engine's state as of input `seq`; [`Reader::recovery_tail`](crate::Reader::recovery_tail) puts the
    /// parts together.
    Snapshot(SnapshotPart),
}

/// A record with its place in the sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamped {
    /// Number of the input it is, or belongs to.
    pub seq: u64,
    /// When, by the driver's clock.
    pub at: Timestamp,
    /// What.
    pub record: Record,
}

/// Why a sound frame holds no record.
#[derive(Debug)]
pub(crate) enum PayloadFault {
    /// A kind or version this release does not know.
    Unknown(String),
    /// It should be readable and is not.
    Malformed(String),
}

impl Stamped {
    pub(crate) fn decode(header: &Header, payload: &[u8]) -> Result<Self, PayloadFault> {
        Ok(Self {
            seq: header.seq,
            at: header.at,
            record: Record::decode(header, payload)?,
        })
    }
}

impl Record {
    fn decode(header: &Header, payload: &[u8]) -> Result<Self, PayloadFault> {
        Ok(match kind(header)? {
            Kind::Segment => Self::Segment(unpack(payload)?),
            Kind::Input | Kind::Quote | Kind::Trade | Kind::Candle => {
                let malformed = || PayloadFault::Malformed("no input".into());
                Self::Input(input(header, payload)?.ok_or_else(malformed)?)
            }
            Kind::Intent => Self::Intent(unpack(payload)?),
            Kind::Event => Self::Event(unpack(payload)?),
            Kind::Snapshot => Self::Snapshot(fixed(SnapshotPart::decode(payload))?),
        })
    }
}

/// The input that a record holds; `None` for any other kind.
pub(crate) fn input(header: &Header, payload: &[u8]) -> Result<Option<Input>, PayloadFault> {
    Ok(Some(match kind(header)? {
        Kind::Input => unpack(payload)?,
        Kind::Quote => Input::Quote(fixed(market::read_quote(payload))?),
        Kind::Trade => Input::Trade(fixed(market::read_trade(payload))?),
        Kind::Candle => Input::Candle(fixed(market::read_candle(payload))?),
        Kind::Segment | Kind::Intent | Kind::Event | Kind::Snapshot => return Ok(None),
    }))
}

/// The kind a header names.
pub(crate) fn kind(header: &Header) -> Result<Kind, PayloadFault> {
    match Kind::from_number(header.kind) {
        Some(kind) if header.version == VERSION => Ok(kind),
        _ => Err(PayloadFault::Unknown(format!(
            "record kind {}, version {}",
            header.kind, header.version
        ))),
    }
}

/// Writes `value` as MessagePack with named fields.
pub(crate) fn pack<T: Serialize>(
    out: &mut Vec<u8>,
    value: &T,
) -> Result<(), rmp_serde::encode::Error> {
    rmp_serde::encode::write_named(out, value)
}

/// Reads what [`pack`] wrote.
pub(crate) fn unpack<T: DeserializeOwned>(payload: &[u8]) -> Result<T, PayloadFault> {
    rmp_serde::from_slice(payload).map_err(|error| PayloadFault::Malformed(error.to_string()))
}

fn fixed<T>(value: Option<T>) -> Result<T, PayloadFault> {
    value.ok_or_else(|| PayloadFault::Malformed("a fixed record of the wrong shape".into()))
}
