//! What house sources send of targets: whether each is connected, and what became of its targets.
//!
//! The targets themselves are kept where their bots trade. Nothing here outlives a restart: a source is connected once it says so.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_events::SourceView;
use tradewind_model::Timestamp;

/// Most sources that are known; a further one is not, and never counts as connected.
const SOURCES_MAX: usize = 256;
/// Refusals of a source are announced this far apart.
const ANNOUNCED_EVERY: Duration = Duration::from_secs(1);

/// Sources by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Targets(BTreeMap<String, Source>);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Source {
    is_live: bool,
    taken: u64,
    ignored: u64,
    refused: u64,
    last_refusal: Option<String>,
    announced_at: Option<Timestamp>,
}

impl Targets {
    fn source(&mut self, name: &str) -> Option<&mut Source> {
        if !self.0.contains_key(name) {
            if self.0.len() == SOURCES_MAX {
                return None;
            }
            self.0.insert(name.to_owned(), Source::default());
        }
        self.0.get_mut(name)
    }

    /// Notes whether a source is connected and subscribed.
    pub(crate) fn set_live(&mut self, source: &str, is_live: bool) {
        if let Some(source) = self.source(source) {
            source.is_live = is_live;
        }
    }

    /// Counts a target that was taken.
    pub(crate) fn note_taken(&mut self, source: &str) {
        if let Some(source) = self.source(source) {
            source.taken += 1;
        }
    }

    /// Counts a target that was not newer than the one there was.
    pub(crate) fn note_ignored(&mut self, source: &str) {
        if let Some(source) = self.source(source) {
            source.ignored += 1;
        }
    }

    /// Counts a target that was refused. Returns how many were, if that is to be announced.
    pub(crate) fn note_refused(
        &mut self,
        source: &str,
        reason: &str,
        now: Timestamp,
    ) -> Option<u64> {
        let source = self.source(source)?;
        source.refused += 1;
        source.last_refusal = Some(reason.to_owned());
        let is_due = |before: Timestamp| now.since(before) >= ANNOUNCED_EVERY;
        if source.announced_at.is_some_and(|before| !is_due(before)) {
            return None;
        }
        source.announced_at = Some(now);
        Some(source.refused)
    }

    /// Whether a source is connected and subscribed.
    pub(crate) fn is_live(&self, source: &str) -> bool {
        self.0.get(source).is_some_and(|source| source.is_live)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that sources sent.
    pub(crate) fn views(&self) -> Vec<SourceView> {
        let sources = self.0.iter();
        sources
            .map(|(name, source)| SourceView {
                source: name.clone(),
                is_live: source.is_live,
                taken: source.taken,
                ignored: source.ignored,
                refused: source.refused,
                last_refusal: source.last_refusal.clone(),
            })
            .collect()
    }
}
