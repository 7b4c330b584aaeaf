//! Recorded data and known answers, which are not in the repository.

use std::path::PathBuf;

/// A file or folder of the test data, by its path there, such as `known_answers/errors.json`. `None`, with a line on
/// standard error, where `TRADEWIND_TEST_DATA` does not name the folder.
///
/// # Panics
/// With `CI=true` and without that folder: CI must not skip.
#[must_use]
pub fn test_data(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TRADEWIND_TEST_DATA");
    if folder.is_none() {
        let message = format!("SKIPPED: TRADEWIND_TEST_DATA is not set, so {path} was not read");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
        eprintln!("{message}");
    }
    folder.map(|folder| PathBuf::from(folder).join(path))
}
