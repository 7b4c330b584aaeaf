//! Small files that are replaced whole: the old contents or the new, never a mixture, whatever happens in between.

use std::io;
use std::path::Path;

use crate::storage::{CrashPoint, OpenMode, Storage};

/// Writes `bytes` beside `dir/name`, syncs, gives it that name and syncs the directory. Durable when it returns.
///
/// # Errors
/// Any error of the storage; the old contents are then still there, or the new ones already.
pub fn replace(storage: &dyn Storage, dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (target, draft) = (dir.join(name), dir.join(format!("{name}.new")));
    storage.reach(CrashPoint::BeforeReplacement)?;
    let file = storage.open(&draft, OpenMode::Create)?;
    file.write_at(bytes, 0)?;
    storage.reach(CrashPoint::ReplacementWritten)?;
    file.sync()?;
    storage.reach(CrashPoint::ReplacementSynced)?;
    storage.rename(&draft, &target)?;
    storage.reach(CrashPoint::ReplacementRenamed)?;
    storage.sync_dir(dir)
}
