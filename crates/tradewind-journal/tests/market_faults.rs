//! A disk that refuses market data.

#![expect(
    clippy::unwrap_used,
    reason = "what must be there and is not fails the test"
)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{DIR, at, journal, options, quote};
use tradewind_events::Input;
use tradewind_journal::{Journal, MemoryStorage, StorageFault};

/// EIO, as the system reports a broken disk.
const EIO: i32 = 5;

fn is_market(path: &Path) -> bool {
    path.to_string_lossy().contains("market-")
}

#[test]
fn a_write_error_of_the_market_store_ends_the_desk() {
    let storage = MemoryStorage::new();
    let (mut journal, _) = journal(&storage);
    storage.set_fault(Some(StorageFault::errors(EIO).on(is_market)));
    let quote = Input::Quote(quote(5));
    journal.append_input(1, at(1), &quote).unwrap();
    assert!(journal.flush().is_err());
}

#[test]
fn a_start_needs_a_market_store() {
    for fault in [
        StorageFault::errors(EIO).on(is_market),
        StorageFault::full(0).on(is_market),
    ] {
        let storage = MemoryStorage::new();
        storage.set_fault(Some(fault));
        let opened = Journal::open(Arc::new(storage), Path::new(DIR), &options(), at(0));
        assert!(opened.is_err());
    }
}
