//! What the catalogue holds: one text file that is replaced as a whole. A file that it does not name is not there.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Crc;
use tradewind_model::{Interval, Timestamp};

use super::CatalogueError;
use super::series::{Series, Subject};
use crate::product::Product;

const NAME: &str = "manifest.tsv";
const FIRST: &str = "tradewind catalogue 1";

/// One file of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) series: Series,
    /// Its path below the catalogue's folder.
    pub(super) file: String,
    pub(super) rows: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) bytes: u64,
    pub(super) crc: u32,
    pub(super) price: u8,
    pub(super) quantity: Option<u8>,
}

impl Entry {
    /// How far its candles begin after their interval does.
    pub(super) fn offset(&self) -> Duration {
        self.series.offset(self.first)
    }

    fn line(&self) -> String {
        let quantity = self
            .quantity
            .map_or("-".to_owned(), |decimals| decimals.to_string());
        format!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{:08x}\t{}\t{quantity}\n",
            self.series,
            self.file,
            self.rows,
            self.first.as_nanos(),
            self.last.as_nanos(),
            self.bytes,
            self.crc,
            self.price
        )
    }

    fn read(line: &str) -> Option<Self> {
        let mut cells = line.split('\t');
        let mut next = || cells.next();
        let entry = Self {
            series: next()?.parse().ok()?,
            file: next()?.to_owned(),
            rows: next()?.parse().ok()?,
            first: Timestamp::from_nanos(next()?.parse().ok()?),
            last: Timestamp::from_nanos(next()?.parse().ok()?),
            bytes: next()?.parse().ok()?,
            crc: u32::from_str_radix(next()?, 16).ok()?,
            price: next()?.parse().ok()?,
            quantity: match next()? {
                "-" => None,
                decimals => Some(decimals.parse().ok()?),
            },
        };
        let inside = !entry
            .file
            .split('/')
            .any(|part| part.is_empty() || part == "..");
        (inside && next().is_none()).then_some(entry)
    }
}

/// Reads the manifest; an empty list if there is neither one nor data.
pub(super) fn read(root: &Path) -> Result<Vec<Entry>, CatalogueError> {
    let path = root.join(NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return nothing(root, path),
        Err(source) => return Err(CatalogueError::Io { path, source }),
    };
    let damaged = || {
        CatalogueError::Damaged {
        path: path.clone(),
        reason: "it is no manifest that can be read; take it from a copy, or import the files again into an empty folder".to_owned(),
    }
    };
    let (body, sum) = text.trim_end().rsplit_once('\n').ok_or_else(damaged)?;
    let mut lines = body.lines();
    if lines.next() != Some(FIRST) || sum != format!("{:08x}", checksum(body)) {
        return Err(damaged());
    }
    lines
        .map(|line| Entry::read(line).ok_or_else(damaged))
        .collect()
}

/// Without a manifest nothing is there, unless data is: what it was is not known then, and nothing may be done to it.
fn nothing(root: &Path, path: PathBuf) -> Result<Vec<Entry>, CatalogueError> {
    let found = below(root).map_err(|source| CatalogueError::Io {
        path: root.to_owned(),
        source,
    })?;
    match found
        .iter()
        .find(|found| found.extension().is_some_and(|ending| ending == "parquet"))
    {
        None => Ok(Vec::new()),
        Some(data) => Err(CatalogueError::Damaged {
            path,
            reason: format!(
                "the manifest is missing and there is data ({}); put it back from a copy, or move the data away and import its sources again",
                data.strip_prefix(root).unwrap_or(data).display()
            ),
        }),
    }
}

/// Replaces the manifest. What it says holds once this returns, and not before.
pub(super) fn write(root: &Path, entries: &[Entry]) -> io::Result<()> {
    let mut body = format!("{FIRST}\n");
    entries
        .iter()
        .for_each(|entry| body.push_str(&entry.line()));
    let text = format!("{body}{:08x}\n", checksum(body.trim_end()));
    let aside = root.join("manifest.part");
    let mut file = File::create(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, root.join(NAME))?;
    sync_folder(root)
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn checksum(text: &str) -> u32 {
    let mut crc = Crc::new();
    crc.update(text.as_bytes());
    crc.sum()
}

/// The files that an import has written: those that are called as it calls them, `venue/BASE_QUOTE/1m-2024-10-0a1b2c3d.parquet`.
pub(super) fn files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = below(root)?;
    found.retain(|path| path.strip_prefix(root).is_ok_and(is_own));
    Ok(found)
}

/// All files below the catalogue's folder. What is behind a link is not the catalogue's.
fn below(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a path below the catalogue's folder is one that an import writes.
fn is_own(path: &Path) -> bool {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    match parts.as_deref() {
        Some(["manifest.part"]) => true,
        Some([venue, subject, file]) => {
            let is_product = || {
                let assets = subject.split_once('_');
                assets.is_some_and(|(base, quote)| Product::new(base, quote).is_some())
            };
            let is_name = || {
                let is_legal = |name: &Subject| name.folder() == *subject;
                Subject::named(subject).as_ref().is_some_and(is_legal)
            };
            let is_of_house = ["numbers-", "targets-"]
                .iter()
                .any(|of| file.starts_with(of));
            Series::venue(venue).is_some_and(|known| known == *venue)
                && if is_of_house { is_name() } else { is_product() }
                && is_own_name(file)
        }
        _ => false,
    }
}

/// `1m-2024-10-0a1b2c3d.parquet`, `trades-2024-10-01.part`.
fn is_own_name(file: &str) -> bool {
    let (stem, sum) = if let Some(stem) = file.strip_suffix(".part") {
        (stem, None)
    } else {
        let parts = file
            .strip_suffix(".parquet")
            .and_then(|stem| stem.rsplit_once('-'));
        let Some((stem, sum)) = parts else {
            return false;
        };
        (stem, Some(sum))
    };
    let Some((of, period)) = stem.split_once('-') else {
        return false;
    };
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let wanted: &[usize] = match of {
        "trades" | "quotes" => &[4, 2, 2],
        "book" => &[4, 2, 2, 2],
        "numbers" | "targets" => &[4, 2],
        _ if of.parse::<Interval>().is_ok() => &[4, 2],
        _ => return false,
    };
    let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    sum.is_none_or(|sum| sum.len() == 8 && sum.bytes().all(hex))
        && period.split('-').map(str::len).eq(wanted.iter().copied())
        && period.split('-').all(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_import_writes_is_its_own() {
        for (path, own) in [
            ("manifest.part", true),
            ("binance/BTC_USDT/1m-2024-10-0a1b2c3d.parquet", true),
            ("binance/BTC_USDT/1m-2024-12.part", true),
            ("kraken/BTC_EUR/trades-2024-10-01-0a1b2c3d.parquet", true),
            ("kraken/BTC_EUR/book-2024-10-01-07-0a1b2c3d.parquet", true),
            ("binance/BTC_USDT/trades-2024-10-0a1b2c3d.parquet", false),
            ("binance/BTC_USDT/mine-2024-10-0a1b2c3d.parquet", false),
            ("binance/BTC_USDT/1m-2024-10.parquet", false),
            ("binance/BTC_USDT/1m-2024-10-0A1B2C3D.parquet", false),
            ("binance/BTC_USDT/model.part", false),
            ("house/fear/numbers-2024-10-0a1b2c3d.parquet", true),
            (
                "signals/follower_binance_BTC_USDT/targets-2024-10-0a1b2c3d.parquet",
                true,
            ),
            ("house/fear/numbers-2024-10-01-0a1b2c3d.parquet", false),
            ("house/fear/1m-2024-10-0a1b2c3d.parquet", false),
            ("binance/features.parquet", false),
            ("mine.part", false),
            ("a/binance/BTC_USDT/1m-2024-10-0a1b2c3d.parquet", false),
        ] {
            assert_eq!(is_own(Path::new(path)), own, "{path}");
        }
    }
}
