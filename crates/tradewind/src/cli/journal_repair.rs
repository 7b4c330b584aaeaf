//! `tradewind journal repair`: what is damaged is cut off, and kept (S03).
//!
//! The next start takes what is left: the newest snapshot before the damage and the records behind it. Fills, orders and balances since
//! then come from the venue, and who they belong to may be lost with their intents. So that start is killed until a person has
//! compared the account and resets it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use serde_json::json;
use tradewind_journal::{DirectoryLock, Disk, Durable, JournalError, Reader};

use super::location::Location;
use super::output::Output;
use super::time::now;

/// The principal and the reason in the latch.
const BY: &str = "tradewind journal repair";
const REASON: &str = "the journal was repaired: compare positions and balances, then reset";

/// Repairs the journal in `dir`, and sets the latch.
///
/// # Errors
/// A desk runs in the folder, what is damaged is not what a start reads, or a file cannot be written.
pub(super) fn repair(location: &Location, dir: &Path, output: Output) -> anyhow::Result<()> {
    let held = DirectoryLock::acquire(&location.data_dir);
    let _lock = held.context("only the journal of a desk that does not run can be repaired")?;
    let reader = Reader::new(Arc::new(Disk), dir);
    let aside = aside(&location.data_dir);
    let mut kept = Vec::new();
    while let Err(error) = reader.verify() {
        if kept.is_empty() {
            let latched = location.latch().kill(REASON, BY, now());
            ensure!(
                latched != Durable::No,
                "kill.json cannot be written; nothing was changed"
            );
            fs::create_dir(&aside).with_context(|| format!("making {}", aside.display()))?;
        }
        let before = kept.len();
        cut(&error, dir, &aside, &mut kept)?;
        ensure!(kept.len() > before, "{error}: it is not repaired");
    }
    if kept.is_empty() {
        return Ok(match output.is_json() {
            true => output.value(&json!({ "repaired": false, "kept": [] }))?,
            false => output.line("nothing is damaged, and nothing was changed")?,
        });
    }
    for name in ["tradewind.db", "tradewind.db-wal", "tradewind.db-shm"] {
        keep(&location.data_dir.join(name), &aside, &mut kept)?;
    }
    let shown: Vec<String> = kept.iter().map(|path| path.display().to_string()).collect();
    if output.is_json() {
        return Ok(output.value(&json!({ "repaired": true, "kept": shown }))?);
    }
    output.line("repaired; what was there is kept:")?;
    for path in shown {
        output.line(&format!("  {path}"))?;
    }
    Ok(output.line(
        "the next start is killed: compare `tradewind positions` and `tradewind balances` with the venue, then `tradewind reset`",
    )?)
}

/// A new folder for what is cut off.
fn aside(data_dir: &Path) -> PathBuf {
    let seconds = now().as_millis() / 1_000;
    let names = (seconds..).map(|number| data_dir.join(format!("damaged-{number}")));
    let mut free = names.filter(|path| !path.exists());
    free.next().unwrap_or_else(|| data_dir.join("damaged"))
}

/// Copies the damaged file and cuts it before the damage, and moves the files of its store behind it.
fn cut(
    error: &JournalError,
    dir: &Path,
    aside: &Path,
    kept: &mut Vec<PathBuf>,
) -> anyhow::Result<()> {
    let place = error.place();
    let Some((path, offset)) = place.filter(|_| matches!(error, JournalError::Corrupt { .. }))
    else {
        bail!("{error}; {}", error.cure());
    };
    let name = path.file_name().and_then(|name| name.to_str());
    let Some((name, (store, _))) = name.and_then(|name| Some((name, name.split_once('-')?))) else {
        bail!("{error}; {}", error.cure());
    };
    ensure!(
        path.parent() == Some(dir),
        "{error}: it is in the archive, which no start reads; move the file to another folder"
    );
    let copy = aside.join(name);
    fs::copy(path, &copy).with_context(|| format!("keeping {}", path.display()))?;
    File::open(&copy)?.sync_all()?;
    kept.push(copy);
    if offset == 0 {
        fs::remove_file(path)?;
    } else {
        let file = File::options().write(true).open(path)?;
        file.set_len(offset)?;
        file.sync_all()?;
    }
    for later in fs::read_dir(dir)? {
        let later = later?.path();
        let of_store = later.file_name().and_then(|name| name.to_str());
        let of_store = of_store.filter(|one| one.starts_with(&format!("{store}-")));
        if of_store.is_some_and(|one| one > name) {
            keep(&later, aside, kept)?;
        }
    }
    File::open(dir)?.sync_all()?;
    Ok(())
}

/// Moves a file aside, if it is there.
fn keep(path: &Path, aside: &Path, kept: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let name = path.file_name().context("a file has a name")?;
    let to = aside.join(name);
    fs::rename(path, &to).with_context(|| format!("moving {}", path.display()))?;
    kept.push(to);
    Ok(())
}
