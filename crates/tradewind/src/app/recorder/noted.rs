//! What a recording says besides the frames of its feed: the recorder's own lines, read.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use tradewind_data::Blocks;
use tradewind_model::Timestamp;
use tradewind_venues::VenueKind;

/// An instrument as a recording notes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its full name.
    pub(crate) name: String,
    /// The venue's name for it.
    pub(crate) symbol: String,
    /// Decimals of the prices that the venue writes.
    pub(crate) price_decimals: u8,
    /// Decimals of the quantities that the venue writes.
    pub(crate) quantity_decimals: u8,
}

/// What a line of the recorder's own is, and its data as it stands there.
pub(crate) struct Own<'a> {
    /// When it was received.
    pub(crate) at: Timestamp,
    /// What it is: the name of its stream behind `tradewind@`.
    pub(crate) what: &'a str,
    /// Its data, as JSON.
    pub(crate) data: &'a str,
    /// The connection that a frame came on.
    pub(crate) connection: u64,
}

/// A line of the recorder's own; `None` for another.
pub(crate) fn own(line: &str) -> Option<Own<'_>> {
    let (at, json) = line.split_once(' ')?;
    let (what, rest) = json
        .strip_prefix(r#"{"stream":"tradewind@"#)?
        .split_once(r#"","data":"#)?;
    let data = rest.strip_suffix('}')?;
    // Recordings of before have no number there.
    let numbered = data.rsplit_once(r#","connection":"#);
    let numbered = numbered.and_then(|(data, number)| Some((data, number.parse().ok()?)));
    let is_read = matches!(what, "frame" | "text" | "bytes");
    let (data, connection) = numbered.filter(|_| is_read).unwrap_or((data, 0));
    Some(Own {
        at: Timestamp::from_nanos(at.parse().ok()?),
        what,
        data,
        connection,
    })
}

/// The instruments of a note about them, and of which kind of venue they are.
///
/// # Errors
/// It is no such note.
pub(crate) fn instruments(data: &str) -> anyhow::Result<(VenueKind, Vec<Listed>)> {
    let data: Value = serde_json::from_str(data)?;
    let kind = data["kind"].as_str().unwrap_or_default();
    let kind = VenueKind::named(kind)
        .with_context(|| format!("it is of {kind:?}, which is no known venue"))?;
    let listed = |one: &Value| {
        let text = |key: &str| one[key].as_str().map(str::to_owned);
        let count = |key: &str| one[key].as_u64().and_then(|count| u8::try_from(count).ok());
        Some(Listed {
            name: text("name")?,
            symbol: text("symbol")?,
            price_decimals: count("price_decimals")?,
            quantity_decimals: count("quantity_decimals")?,
        })
    };
    let all = data["instruments"].as_array().map(Vec::as_slice);
    let all: Option<Vec<Listed>> = all.unwrap_or_default().iter().map(listed).collect();
    Ok((kind, all.context("an instrument of it cannot be read")?))
}

/// Whose frames the files have, and its instruments, if they say so at their beginning; captures of Binance do not.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn noted(files: &[PathBuf]) -> anyhow::Result<Option<(VenueKind, Vec<Listed>)>> {
    for path in files {
        let mut blocks = Blocks::open(path)?;
        let reading = || format!("reading {}", path.display());
        // What a recording is of stands in front of the first frame.
        'file: while let Some(text) = blocks.next_block().with_context(reading)? {
            for line in text.lines() {
                match own(line) {
                    Some(line) if line.what == "instruments" => {
                        return Ok(Some(instruments(line.data).with_context(reading)?));
                    }
                    Some(line) if !matches!(line.what, "frame" | "text" | "bytes") => {}
                    _ => break 'file,
                }
            }
        }
    }
    Ok(None)
}

/// The files of a recording in order of time: the file itself, or those in the folder.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let reading = || format!("reading {}", path.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(reading)? {
        let file = entry.with_context(reading)?.path();
        if file.extension().is_some_and(|ending| ending == "gz") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
