//! What the catalogue holds: one text file that is replaced as a whole. A file that it does not name is not there.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Crc;
use tradewind_model::Timestamp;

use super::CatalogueError;
use super::series::Series;

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

/// Reads the manifest; an empty list if there is none.
pub(super) fn read(root: &Path) -> Result<Vec<Entry>, CatalogueError> {
    let path = root.join(NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
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

/// All files below the catalogue's folder that could be data.
pub(super) fn files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|ending| ending == "parquet" || ending == "part")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
