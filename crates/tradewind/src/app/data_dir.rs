//! The data directory: its lock, latch and identity are opened before anything else starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tradewind_journal::{
    DirectoryLock, Disk, Home, Identity, Journal, LatchFile, Options, Recovery, Storage,
};
use tradewind_model::{Clock, Timestamp};
use tradewind_risk::KillLatch;

use crate::app::venue::random_hex;

/// Zeros written ahead of the journal's records: a sync every second fills it in some minutes.
const PREALLOCATED: u64 = 1 << 20;

/// Bytes kept for exits, cancels and their records when the disk is full.
const RESERVE: u64 = 64 << 20;

/// The opened data directory.
pub(super) struct DataDir {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) journal_dir: PathBuf,
    pub(super) lock: DirectoryLock,
    pub(super) latch: Arc<KillLatch>,
    pub(super) latch_file: Arc<LatchFile>,
    pub(super) identity: Identity,
}

impl DataDir {
    pub(super) fn open(data_dir: &Path, clock: &dyn Clock) -> anyhow::Result<Self> {
        let storage: Arc<dyn Storage> = Arc::new(Disk);
        let journal_dir = data_dir.join("journal");
        let lock = DirectoryLock::acquire(data_dir)?;
        let latch_file = Arc::new(LatchFile::new(Arc::clone(&storage), data_dir, &journal_dir));
        let state = latch_file
            .open(clock.now())
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
        let identity = Identity::begin(Arc::clone(&storage), &journal_dir, home, draw)
            .context("beginning a new epoch")?;
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
        Ok(Self {
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
