//! How the last runs of the desk ended. After some unclean ends within ten minutes the next start is in SAFE mode (P06).
//!
//! A run is marked as running from its start until it ends in order. A start that ends with an error of its own has ended in
//! order; a crash, an abort and a failed component have not.

use std::time::Duration;

use serde_json::{Value, json};
use tradewind_journal::StateFile;
use tradewind_model::Timestamp;

/// Ends that are kept, the newest.
const KEPT: usize = 100;
/// Unclean ends that are older do not count.
const WINDOW: Duration = Duration::from_secs(600);

/// This run's mark. While it exists the desk counts as running; dropped, as ended in order, unless by a panic.
#[derive(Debug)]
pub(crate) struct Runs {
    file: StateFile,
    unclean: Vec<Timestamp>,
    has_failed: bool,
}

impl Runs {
    /// Begins a run at `now`, a time of the system's clock. The lock of the directory must be held.
    pub(crate) fn begin(file: StateFile, now: Timestamp) -> Self {
        let unclean = unclean_ends(file.read().as_ref(), now);
        let runs = Self {
            file,
            unclean,
            has_failed: false,
        };
        runs.write(true);
        runs
    }

    /// Whether so many of the last runs ended uncleanly, or more; 0 stands for never.
    pub(crate) const fn are_unsafe(&self, safe_after: u64) -> bool {
        safe_after > 0 && self.unclean.len() as u64 >= safe_after
    }

    /// This run ends, though in order, by a failure.
    pub(crate) const fn note_failure(&mut self) {
        self.has_failed = true;
    }

    fn write(&self, running: bool) {
        let unclean = self.unclean.iter().map(|at| at.as_millis());
        let state = json!({ "running": running, "unclean": unclean.collect::<Vec<_>>() });
        if let Err(error) = self.file.write(&state) {
            tracing::warn!(%error, "How this run ends cannot be noted; SAFE mode may come late.");
        }
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        if !self.has_failed && !std::thread::panicking() {
            self.write(false);
        }
    }
}

/// The unclean ends that still count, the last run's included.
fn unclean_ends(written: Option<&Value>, now: Timestamp) -> Vec<Timestamp> {
    let Some(written) = written else {
        return Vec::new();
    };
    let ends = written["unclean"].as_array().into_iter().flatten();
    let ends = ends.filter_map(|end| end.as_i64().map(Timestamp::from_millis));
    let mut ends: Vec<Timestamp> = ends
        .filter(|end| *end <= now && now.since(*end) < WINDOW)
        .collect();
    if written["running"] == true {
        ends.push(now);
    }
    ends.drain(..ends.len().saturating_sub(KEPT));
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::sync::Arc;
    use tradewind_journal::{MemoryStorage, Storage as _};

    fn file() -> StateFile {
        let storage = MemoryStorage::new();
        storage.create_dir(Path::new("desk")).unwrap();
        StateFile::new(Arc::new(storage), Path::new("desk"), "runs.json")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    /// A run that begins then and is killed.
    fn killed(file: &StateFile, seconds: i64) -> bool {
        let runs = Runs::begin(file.clone(), at(seconds));
        let is_unsafe = runs.are_unsafe(3);
        std::mem::forget(runs);
        is_unsafe
    }

    #[test]
    fn the_start_after_three_unclean_ends_in_ten_minutes_is_unsafe() {
        let file = file();
        assert_eq!(
            [0, 60, 120, 180].map(|at| killed(&file, at)),
            [false, false, false, true]
        );
        assert!(killed(&file, 200), "and so is each after it");
        assert!(!killed(&file, 900), "until they are old");
    }

    #[test]
    fn an_end_in_order_does_not_count_and_a_failure_does() {
        let file = file();
        for second in 0..5 {
            drop(Runs::begin(file.clone(), at(second)));
        }
        assert!(!killed(&file, 5));
        let mut failing = Runs::begin(file.clone(), at(6));
        failing.note_failure();
        drop(failing);
        assert!(!killed(&file, 7));
        assert!(killed(&file, 8));
    }

    #[test]
    fn a_clock_that_was_set_back_forgets_what_is_in_the_future() {
        let file = file();
        killed(&file, 5_000);
        killed(&file, 5_001);
        killed(&file, 5_002);
        assert!(!killed(&file, 0));
    }
}
