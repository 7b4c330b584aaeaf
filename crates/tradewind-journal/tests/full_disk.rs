//! A full disk (S05).

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use common::{at, intent, journal};
use tradewind_journal::{JournalError, MemoryStorage, StorageFault};

#[test]
fn no_intent_is_journaled_once_the_disk_is_full() {
    let storage = MemoryStorage::new();
    let (mut journal, _) = journal(&storage);
    journal.flush().unwrap();
    storage.set_fault(Some(StorageFault::full(100)));
    journal.append_intent(1, at(1), &intent(1)).unwrap();
    assert!(matches!(journal.flush(), Err(JournalError::Io { .. })));
}
