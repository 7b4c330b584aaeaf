//! Which instance and epoch a start gets, also in a directory that was copied or restored (S11, P05).

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::Path;

use common::DIR;
use tradewind_journal::{Identity, Loss, MemoryStorage};

/// S11, P05: client order ids are made of instance and epoch, so two desks use the same ids.
#[test]
fn a_copied_directory_uses_the_ids_of_the_original() {
    let original = MemoryStorage::new();
    let begin = |storage: &MemoryStorage| Identity::begin(storage, Path::new(DIR), || 9).unwrap();
    begin(&original);
    let copy = original.after(Loss::Process);
    assert_eq!(begin(&original), begin(&copy));
}
