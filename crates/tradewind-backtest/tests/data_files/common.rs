//! Where the real data lies, and what to do when it is not there.

use std::path::PathBuf;

/// A file or folder of the test data. `None`, with a message on stderr, if `TRADEWIND_TEST_DATA` is not set.
///
/// # Panics
/// If `CI=true` and the variable is not set: CI must have the data.
pub(crate) fn test_data(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("TRADEWIND_TEST_DATA") else {
        let message = format!("SKIPPED: TRADEWIND_TEST_DATA is not set, {name} was not read");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
        eprintln!("{message}");
        return None;
    };
    Some(PathBuf::from(folder).join("data").join(name))
}
