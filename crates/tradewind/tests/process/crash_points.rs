//! The points at which `crash_shim.c` kills a desk, and the faults of the exchange meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::desk_soak::{Kind, kinds};
use crate::draws::Draws;
use crate::shim;

/// When in a life a point is armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Before the process starts.
    Start,
    /// Once it trades.
    Trading,
    /// Once it trades; then its operator kills it.
    Killing,
}

/// A named point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) name: &'static str,
    pub(crate) when: When,
    /// It is hit up to so many times before the process dies.
    hits: usize,
}

const fn point(name: &'static str, when: When, hits: usize) -> Point {
    Point { name, when, hits }
}

/// Those of the journal (`CrashPoint`), of an order's way, and of a start.
pub(crate) const POINTS: [Point; 22] = [
    point("before_flush", When::Trading, 200),
    point("after_flush", When::Trading, 200),
    point("before_sync", When::Trading, 40),
    point("after_sync", When::Trading, 40),
    point("before_rotation", When::Start, 1),
    point("after_rotation", When::Start, 1),
    point("before_replacement", When::Start, 2),
    point("replacement_written", When::Start, 2),
    point("replacement_synced", When::Start, 2),
    point("replacement_renamed", When::Start, 2),
    point("before_latch", When::Killing, 1),
    point("latch_written", When::Killing, 1),
    point("latch_synced", When::Killing, 1),
    point("before_order", When::Trading, 8),
    point("order_sent", When::Trading, 8),
    point("answer_read", When::Trading, 8),
    point("report_read", When::Trading, 12),
    point("cancel_sent", When::Trading, 1),
    point("start_rules", When::Start, 1),
    point("start_account", When::Start, 1),
    point("start_trades", When::Start, 3),
    point("start_orders", When::Start, 1),
];

/// Kinds of `docs/faults.md` that leave the exchange's books true and the desk able to read them afterwards.
const FAULTS: [&str; 13] = [
    "N02", "N04", "N09", "N10", "V01", "V02", "V04", "V06", "V07", "V08", "V09", "V14", "V21",
];

/// Points and faults in an order that a seed draws, all points before one comes again.
pub(crate) struct Plan {
    waiting: Vec<Point>,
    faults: Vec<Kind>,
    library: TempDir,
}

impl Plan {
    pub(crate) fn new() -> Self {
        let library = TempDir::new().unwrap();
        shim::compiled(library.path(), "crash_shim");
        let mut faults = kinds();
        faults.retain(|(row, _)| FAULTS.contains(row));
        assert_eq!(faults.len(), FAULTS.len());
        Self {
            waiting: Vec::new(),
            faults,
            library,
        }
    }

    /// The next point, and the fault beside it in two of three lives.
    pub(crate) fn next(&mut self, draws: &mut Draws) -> (Point, Option<Kind>) {
        if self.waiting.is_empty() {
            self.waiting = POINTS.to_vec();
        }
        let point = self.waiting.swap_remove(draws.below(self.waiting.len()));
        let is_quiet = draws.one_in(3);
        let fault = self.faults[draws.below(self.faults.len())].clone();
        (point, (!is_quiet).then_some(fault))
    }

    fn file(&self) -> PathBuf {
        self.library.path().join("point")
    }

    /// Puts the library beneath a desk.
    pub(crate) fn beneath(&self, mut command: Command) -> Command {
        let library: &Path = self.library.path();
        command
            .env("LD_PRELOAD", library.join("crash_shim.so"))
            .env("CRASH_POINT", self.file());
        command
    }

    /// From now on hits are counted, and one that is drawn is the last.
    pub(crate) fn arm(&self, point: Point, draws: &mut Draws) {
        let line = format!("{} {}", point.name, 1 + draws.below(point.hits));
        let draft = self.library.path().join("draft");
        fs::write(&draft, line).unwrap();
        fs::rename(draft, self.file()).unwrap();
    }

    pub(crate) fn disarm(&self) {
        // Nothing may be armed.
        drop(fs::remove_file(self.file()));
    }
}
