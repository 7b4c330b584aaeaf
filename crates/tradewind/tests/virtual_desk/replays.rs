//! The journal that a desk leaves, replayed: the same comes out, whatever it went through.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tradewind::replay::{Verdict, verify};
use tradewind_journal::{MemoryStorage, Reader};

use crate::world::{Choices, JOURNAL, World};

fn replayed(disk: &MemoryStorage) -> Verdict {
    let reader = Reader::new(Arc::new(disk.clone()), Path::new(JOURNAL));
    verify(&reader, &mut |_| {}).unwrap()
}

/// # Panics
/// Something came out differently, or could not be compared.
#[track_caller]
pub(crate) fn assert_identical(disk: &MemoryStorage) -> Verdict {
    let verdict = replayed(disk);
    assert_eq!(verdict.difference, None, "{:?}", verdict.totals);
    assert_eq!(verdict.totals.passed_over, 0, "{:?}", verdict.totals);
    verdict
}

/// I10: orders, fills, stops and every snapshot of the state.
#[test]
fn a_session_with_two_deaths_replays_identical() {
    let mut world = World::new(Choices::busy(42));
    world.start_desk();
    for _ in 0..2 {
        world.run(Duration::from_secs(200));
        world.kill_desk();
        world.run(Duration::from_secs(20));
        world.start_desk();
    }
    world.run(Duration::from_secs(150));
    world.stop_desk();
    let totals = assert_identical(&world.storage).totals;
    assert_eq!(totals.starts, 3);
    assert!(totals.inputs > 10_000, "{totals:?}");
    assert!(totals.outcomes > 500, "{totals:?}");
    assert!(totals.checkpoints >= 8, "{totals:?}");
}
