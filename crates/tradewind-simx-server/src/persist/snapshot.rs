//! The exchange at one moment, in one file that is replaced whole.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tradewind_model::Timestamp;
use tradewind_simx::{Exchange, Generated, KlineStore};

use super::StoreError;
use crate::mirror::SavedMirror;

/// Grows when the file's shape does.
const FORMAT: u32 = 3;
/// Checksum and format before the body.
const HEADER: usize = 8;

/// Everything that is needed to go on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot<'a> {
    /// Which log continues it.
    pub(crate) generation: u64,
    /// When it was taken, by the exchange's clock.
    pub(crate) at: Timestamp,
    /// API keys by account id: which key trades on which account.
    pub(crate) keys: Cow<'a, [String]>,
    /// Accounts, orders, trades, book.
    pub(crate) exchange: Cow<'a, Exchange>,
    /// Where prices come from.
    pub(crate) market: SavedMarket<'a>,
    /// Candles.
    pub(crate) klines: Cow<'a, KlineStore>,
}

/// What a market needs to go on.
#[derive(Debug, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one of it, for the moment of a snapshot"
)]
pub(crate) enum SavedMarket<'a> {
    /// The generator itself.
    Generated(Cow<'a, Generated>),
    /// Recorded data is read again and played on from [`Snapshot::at`]; the name tells which it was.
    Recorded(Cow<'a, str>),
    /// Another venue's, which will tell prices and candles again.
    Mirror(SavedMirror<'a>),
}

impl SavedMarket<'_> {
    /// Which market it is, in words.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Generated(market) => format!("the market generated from seed {}", market.seed()),
            Self::Recorded(name) => format!("recorded data of {name}"),
            Self::Mirror(mirror) => format!("the mirror of {}", mirror.venue),
        }
    }
}

/// The snapshot at `path` and its length; `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<(Snapshot<'static>, u64)>, StoreError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(StoreError::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    let damaged = |reason: &str| StoreError::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let (header, body) = bytes
        .split_first_chunk::<HEADER>()
        .ok_or_else(|| damaged("it is too short"))?;
    let field = |at: usize| {
        header
            .get(at..at + 4)?
            .try_into()
            .ok()
            .map(u32::from_le_bytes)
    };
    let found = field(4).unwrap_or_default();
    if found != FORMAT {
        return Err(StoreError::Format {
            path: path.to_owned(),
            found,
            known: FORMAT,
        });
    }
    if field(0) != Some(crc32fast::hash(body)) {
        return Err(damaged("its checksum does not match"));
    }
    let snapshot = rmp_serde::from_slice(body).map_err(|error| damaged(&error.to_string()))?;
    Ok(Some((
        snapshot,
        u64::try_from(bytes.len()).unwrap_or(u64::MAX),
    )))
}

/// Writes beside `path`, syncs, and renames over it; returns the length.
pub(super) fn write(path: &Path, snapshot: &Snapshot<'_>) -> Result<u64, StoreError> {
    let body = rmp_serde::to_vec(snapshot).expect("writing plain data to memory cannot fail");
    let temporary = path.with_extension("tmp");
    let written = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(&crc32fast::hash(&body).to_le_bytes())?;
        file.write_all(&FORMAT.to_le_bytes())?;
        file.write_all(&body)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        path.parent()
            .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    })();
    written.map_err(|source| StoreError::Io {
        path: path.to_owned(),
        source,
    })?;
    Ok(u64::try_from(body.len() + HEADER).unwrap_or(u64::MAX))
}
