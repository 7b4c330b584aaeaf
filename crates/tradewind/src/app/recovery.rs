//! The state that the last run of the desk left, recovered from its journal.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use tradewind_engine::{EngineState, Recorded, Recovery, StrategySource};
use tradewind_journal::{Reader, Record, RecoveryTail, Stamped, Storage, StoreKind};

/// Folds the newest snapshot and the truth behind it. A snapshot that this build cannot read is passed over if the journal
/// reaches back to its beginning.
///
/// # Errors
/// The journal is damaged, or has neither a snapshot that can be read nor its beginning.
pub fn recover(
    storage: &Arc<dyn Storage>,
    journal_dir: &Path,
    strategies: impl Fn() -> StrategySource,
) -> anyhow::Result<Recovery> {
    recover_before(
        &Reader::new(Arc::clone(storage), journal_dir),
        u32::MAX,
        strategies,
    )
}

/// The same for an earlier start: the one that began file `ordinal` of the truth.
///
/// # Errors
/// As [`recover`].
pub(crate) fn recover_before(
    reader: &Reader,
    ordinal: u32,
    strategies: impl Fn() -> StrategySource,
) -> anyhow::Result<Recovery> {
    let tail = reader.recovery_tail_before(ordinal);
    let tail = tail.context("reading the journal")?;
    match begin(&tail, &strategies) {
        Ok(recovery) => fold(recovery, tail.records),
        Err(error) => {
            ensure!(
                tail.first_seq <= 1,
                "the journal's snapshot cannot be read ({error:#}), and its beginning is gone; use the build that wrote it"
            );
            tracing::warn!(%error, "A snapshot cannot be read; the whole journal is folded instead.");
            let records = reader.records_before(StoreKind::Truth, ordinal)?;
            fold(Recovery::from_nothing(strategies()), records)
        }
    }
}

fn begin(tail: &RecoveryTail, strategies: impl Fn() -> StrategySource) -> anyhow::Result<Recovery> {
    let Some(snapshot) = &tail.snapshot else {
        return Ok(Recovery::from_nothing(strategies()));
    };
    let state = EngineState::from_bytes(&snapshot.bytes)?;
    Ok(Recovery::from_state(strategies(), &state)?)
}

fn fold<E: std::error::Error + Send + Sync + 'static>(
    mut recovery: Recovery,
    records: impl Iterator<Item = Result<Stamped, E>>,
) -> anyhow::Result<Recovery> {
    for stamped in records {
        let Stamped { seq, at, record } = stamped.context("reading the journal")?;
        let recorded = match &record {
            Record::Input(input) => Recorded::Input(input),
            Record::Intent(intent) => Recorded::Intent(intent),
            Record::Event(event) => Recorded::Event(event),
            // A start may have begun a file and written nothing else.
            Record::Segment(_) | Record::Snapshot(_) => {
                recovery.pass(at);
                continue;
            }
        };
        recovery.fold(seq, at, recorded);
    }
    Ok(recovery)
}
