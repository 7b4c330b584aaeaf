//! How far each house source was read in its streams or behind its cursors, kept over a restart: what came while the desk was
//! away is read then.
//!
//! What is written is what was read a period ago: it is in the journal by then, unless the disk refuses the journal. So after
//! an end of any other kind some messages are read twice and none is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_journal::StateFile;
use tradewind_venues::house::{KeptPositions, Positions, Transport};

use crate::app::supervisor::Supervisor;
use crate::config::SourceSettings;

const PERIOD: Duration = Duration::from_secs(1);

/// Positions by source and address.
type Kept = BTreeMap<String, KeptPositions>;

/// The positions of all sources.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourcePositions {
    /// Where they are kept; nowhere for who reads without a desk.
    file: Option<StateFile>,
    found: Kept,
    sources: Vec<(String, Positions)>,
    read: Kept,
    written: Kept,
    /// The last write failed, which is said once.
    is_refused: bool,
}

impl SourcePositions {
    /// Reads what the last run left.
    pub(crate) fn open(file: StateFile) -> Self {
        let found: Option<Kept> = file.read();
        Self {
            file: Some(file),
            found: found.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Where a source begins. Another address has other streams, and another master of a Sentinel.
    pub(crate) fn of(&mut self, source: &SourceSettings) -> Positions {
        let master = match &source.transport {
            Transport::Redis { redis, .. } => redis.sentinel.as_deref().unwrap_or_default(),
            _ => "",
        };
        let name = format!("{} {} {master}", source.name, source.address);
        let positions: Positions = self.found.remove(&name).unwrap_or_default().into();
        self.sources.push((name, positions.clone()));
        positions
    }

    /// Keeps them until the desk stops.
    pub(crate) fn keep(self, supervisor: &mut Supervisor) {
        supervisor.keep("source positions", move |stop| self.clone().run(stop));
    }

    async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        while !self.sources.is_empty() {
            let ended = tokio::time::timeout(PERIOD, stop.cancelled()).await.is_ok();
            if ended {
                break;
            }
            self.step();
        }
        stop.cancelled().await;
        Ok(())
    }

    /// Writes what was read at the last step.
    fn step(&mut self) {
        let now = self.sources.iter();
        let now = now.map(|(name, positions)| (name.clone(), positions.kept()));
        let read = std::mem::replace(&mut self.read, now.collect());
        let Some(file) = self.file.as_ref().filter(|_| read != self.written) else {
            return;
        };
        let written = file.write(&read);
        let was_refused = std::mem::replace(&mut self.is_refused, written.is_err());
        if let Err(error) = written
            && !was_refused
        {
            tracing::warn!(%error, "How far sources were read cannot be kept over a restart.");
        }
        self.written = read;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use tradewind_journal::{MemoryStorage, Storage as _};

    use super::*;

    #[test]
    fn what_was_read_a_period_ago_is_where_the_next_run_begins() {
        let storage = MemoryStorage::new();
        storage.create_dir(Path::new("desk")).unwrap();
        let file = || StateFile::new(Arc::new(storage.clone()), Path::new("desk"), "sources.json");
        let kept = |id: &str| -> KeptPositions {
            serde_json::from_value(serde_json::json!({ "last": { "prices": id } })).unwrap()
        };
        let mut now = SourcePositions::open(file());
        let source = || "house redis://a:1".to_owned();
        now.sources.push((source(), kept("5-0").into()));
        now.step();
        assert_eq!(file().read::<Kept>(), None);
        now.sources[0].1 = kept("9-0").into();
        now.step();
        let next = SourcePositions::open(file());
        assert_eq!(next.found, Kept::from([(source(), kept("5-0"))]));
        now.step();
        let next = SourcePositions::open(file());
        assert_eq!(next.found, Kept::from([(source(), kept("9-0"))]));
    }
}
