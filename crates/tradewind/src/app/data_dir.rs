//! The data directory: its lock, latch and identity are opened before anything else starts.

use std::io::{
    self,
    ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull},
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tradewind_journal::{
    DirectoryLock, Disk, Home, Identity, Journal, LatchFile, LockError, Options, Recovery,
    StateFile, Storage, make_room,
};
use tradewind_model::{Clock as _, DeskClock, Timestamp};
use tradewind_risk::KillLatch;

use crate::app::bans::Bans;
use crate::app::components::wall;
use crate::app::runs::Runs;
use crate::app::venue::random_hex;

/// Zeros written ahead of the journal's records: a sync every second fills it in some minutes.
const PREALLOCATED: u64 = 1 << 20;

/// Bytes kept for exits, cancels and their records when the disk is full.
pub(crate) const RESERVE: u64 = 64 << 20;

/// The opened data directory.
pub(super) struct DataDir {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) journal_dir: PathBuf,
    pub(super) lock: DirectoryLock,
    pub(super) latch: Arc<KillLatch>,
    pub(super) latch_file: Arc<LatchFile>,
    pub(super) identity: Identity,
    pub(super) runs: Runs,
    pub(super) bans: Bans,
    pub(super) source_positions: StateFile,
}

/// An error of the disk as one line with what to do.
fn with_cure(error: io::Error, doing: &str) -> anyhow::Error {
    let cure = match error.kind() {
        StorageFull | QuotaExceeded => "make room on the disk, a few megabytes are enough",
        ReadOnlyFilesystem => "mount the file system writable",
        _ => "check the disk and the permissions of the folder",
    };
    anyhow::Error::new(error).context(format!("{doing}; {cure} and start the desk again"))
}

impl DataDir {
    pub(super) fn open(data_dir: &Path) -> anyhow::Result<Self> {
        let storage: Arc<dyn Storage> = Arc::new(Disk);
        let journal_dir = data_dir.join("journal");
        let lock = DirectoryLock::acquire(data_dir).map_err(|error| match error {
            LockError::Io { source, .. } => {
                with_cure(source, &format!("locking {}", data_dir.display()))
            }
            held => held.into(),
        })?;
        let latch_file = Arc::new(LatchFile::new(Arc::clone(&storage), data_dir, &journal_dir));
        let state = latch_file
            .open(DeskClock::system().now())
            .context("opening the kill latch")?;
        if state.killed {
            tracing::warn!(
                reason = state.reason,
                by = state.by,
                "The kill latch is set: no order is sent until it is reset."
            );
        }
        let random = random_hex()?;
        let draw = || {
            random
                .get(..8)
                .and_then(|text| u32::from_str_radix(text, 16).ok())
                .unwrap_or(1)
        };
        storage.create_dir(&journal_dir)?;
        let home = Home::of(&journal_dir).context("examining the journal's folder")?;
        let begin = || Identity::begin(Arc::clone(&storage), &journal_dir, home, draw);
        let identity = match begin() {
            // The desk holds space that it does not use.
            Err(error) if error.kind() == StorageFull && make_room(&*storage, &journal_dir)? => {
                begin()
            }
            begun => begun,
        };
        let identity = identity.map_err(|error| {
            with_cure(
                error,
                &format!("beginning a new epoch in {}", journal_dir.display()),
            )
        })?;
        if identity.epoch == 1
            && let Some(former) = identity.former.last()
        {
            tracing::warn!(
                former = former.instance,
                instance = identity.instance,
                "This folder was copied or restored; its orders get a new instance number."
            );
        }
        let latch = Arc::new(KillLatch::new(state.killed));
        let state_file = |name| StateFile::new(Arc::clone(&storage), data_dir, name);
        let runs = Runs::begin(state_file("runs.json"), wall());
        let bans = Bans::open(state_file("bans.json"), wall);
        let source_positions = state_file("sources.json");
        Ok(Self {
            runs,
            bans,
            source_positions,
            storage,
            journal_dir,
            lock,
            latch,
            latch_file,
            identity,
        })
    }

    /// Opens the journal and logs records that the last run did not finish.
    pub(super) fn open_journal(&self, now: Timestamp) -> anyhow::Result<(Journal, Recovery)> {
        let options = Options {
            build: env!("CARGO_PKG_VERSION").to_owned(),
            preallocated_bytes: PREALLOCATED,
            reserve_bytes: RESERVE,
            ..Options::default()
        };
        let opened = Journal::open(Arc::clone(&self.storage), &self.journal_dir, &options, now);
        let opened = opened.map_err(|error| {
            let cure = error.cure();
            anyhow::Error::new(error).context(format!("the journal cannot be opened; {cure}"))
        })?;
        for torn in &opened.1.torn {
            tracing::warn!(
                ?torn,
                "The last run did not finish writing; the tail was cut off."
            );
        }
        Ok(opened)
    }
}
