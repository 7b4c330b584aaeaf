//! The reader over bytes, for fuzzers and properties.

use std::io::Write as _;
use std::path::Path;

use crate::table::{Content, Hints, open};

/// Reads bytes as a file of this name would be read; whether all of it was understood. Nothing panics and nothing loops.
///
/// # Panics
/// If no file can be written in `folder`, which the caller has made.
pub fn read(folder: &Path, name: &str, bytes: &[u8]) -> bool {
    let path = folder.join(name);
    let mut file = std::fs::File::create(&path).expect("the caller's folder takes a file");
    file.write_all(bytes)
        .expect("the caller's folder takes a file");
    match open(&path, &Hints::default()) {
        Ok(Content::Table(table)) => table
            .rows()
            .is_ok_and(|mut rows| rows.all(|row| row.is_ok())),
        Ok(Content::Empty | Content::Capture) => true,
        Err(_) => false,
    }
}
