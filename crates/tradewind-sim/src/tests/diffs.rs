//! Books that are kept by their changes, on the desk: whatever happens to the changes, each book that the engine is given was the
//! exchange's, as a second connection has it that gets the best 20 levels whole.

use std::collections::BTreeSet;
use std::time::Duration;

use tradewind_venues::BookSource;

use crate::tests::rows::in_order;
use crate::watched::Book;
use crate::world::{Choices, World};

const SECOND: Duration = Duration::from_secs(1);

/// Changes are struck by a script for a minute. How often an instrument's data became worse for this reason.
#[track_caller]
fn under(script: &str, words: &str) -> usize {
    let mut world = World::new(Choices {
        books: BookSource::Diffs,
        ..Choices::busy(3)
    });
    world.start_desk();
    world.run(20 * SECOND);
    world.add_faults(script);
    world.run(60 * SECOND);
    let hits = world.fault_hits();
    assert!(hits.iter().all(|hits| *hits > 0), "{hits:?}");
    in_order(&mut world);
    let sent = world.books.sent.lock().unwrap();
    let shown = world.books.shown.lock().unwrap();
    let known: BTreeSet<String> = sent.iter().map(|(book, _)| format!("{book:?}")).collect();
    let is_known = |book: &Book| known.contains(&format!("{book:?}"));
    let invented = shown
        .iter()
        .filter(|(book, is_first)| !is_first && !is_known(book));
    let invented: Vec<_> = invented.collect();
    assert_eq!(invented.len(), 0, "{:?}", invented.first());
    assert!(shown.len() > 500, "{}", shown.len());
    let snapshots = shown.iter().filter(|(_, is_first)| *is_first).count();
    eprintln!(
        "{} books shown, {snapshots} of them by snapshots, {} sent whole",
        shown.len(),
        sent.len()
    );
    let instruments: BTreeSet<_> = shown.iter().map(|((of, ..), _)| *of).collect();
    for instrument in instruments {
        let last = |books: &[(Book, bool)]| {
            let mut books = books.iter().map(|(book, _)| book);
            books.rfind(|(of, ..)| *of == instrument).cloned()
        };
        assert_eq!(last(&shown), last(&sent), "it is the exchange's in the end");
    }
    let reasons = world.books.reasons.lock().unwrap();
    reasons.iter().filter(|reason| *reason == words).count()
}

/// D01: changes are missing.
#[test]
fn d01_a_missing_change_holds_its_instrument_until_a_snapshot() {
    let script = r#"
        [[fault]]
        do = "drop"
        frame = "depth"
        every = 151
    "#;
    let gaps = under(script, "a change of the book is missing");
    assert!(gaps > 5, "{gaps}");
}

/// D02: snapshots are older than the changes that were kept for them, for half a minute.
#[test]
fn d02_a_snapshot_that_is_too_old_is_never_shown() {
    let script = r#"
        [[fault]]
        do = "stale-depth"
        symbol = "SOLUSDT"
        call = "depth"
        for = "30s"
        [[fault]]
        do = "drop"
        frame = "depth"
        every = 151
        after = "5s"
    "#;
    let gaps = under(script, "a change of the book is missing");
    assert!(gaps > 0, "{gaps}");
}

/// D03: changes come twice, late, and in another order.
#[test]
fn d03_changes_that_come_again_change_nothing() {
    let script = r#"
        [[fault]]
        do = "duplicate"
        frame = "depth"
        by = "exponential(300ms)"
        chance = 0.3
    "#;
    let gaps = under(script, "a change of the book is missing");
    assert_eq!(gaps, 0);
}

/// D04: the connection ends, and the book changes meanwhile.
#[test]
fn d04_a_new_connection_begins_with_a_book_of_its_own() {
    let script = r#"
        [[fault]]
        do = "close"
        on = "frame"
        frame = "depth"
        every = 400
    "#;
    let absent = under(script, "whole again");
    assert!(absent > 5, "{absent}");
}
