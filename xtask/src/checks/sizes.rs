//! Files stay readable and the repository small.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// At this length a file wants to be two, and the report says so.
const LINES_NOTED: usize = 600;
/// Past this length it must be.
const LINES_MAX: usize = 900;
/// No tracked file is larger: data lives outside, fixtures are small.
const BYTES_MAX: u64 = 1024 * 1024;

/// Findings for files that are too long or too large.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let long = tree
        .files()
        .filter(|file| length(file) > LINES_MAX)
        .map(|file| {
            let what = format!("{} lines, at most {LINES_MAX}", length(file));
            Finding::new(&file.path, LINES_MAX, what, "split it by the state it owns")
        });
    let large = tree
        .files()
        .filter(|file| file.bytes > BYTES_MAX)
        .map(|file| {
            let what = format!("{} bytes, at most {BYTES_MAX}", file.bytes);
            Finding::new(&file.path, 1, what, "keep it outside, or generate it")
        });
    long.chain(large).collect()
}

/// Files that are getting long, the longest first.
pub(crate) fn notes(tree: &Tree) -> Vec<String> {
    let mut long: Vec<_> = tree
        .files()
        .map(|file| (length(file), &file.path))
        .filter(|(lines, _)| *lines > LINES_NOTED)
        .collect();
    long.sort_by(|a, b| b.cmp(a));
    long.into_iter()
        .map(|(lines, path)| {
            format!("{path}: {lines} lines; at {LINES_NOTED} a file wants to be two")
        })
        .collect()
}

/// The length of a file that people write and read; 0 for all others.
fn length(file: &File) -> usize {
    let is_source = file.has_extension(&["rs", "ts", "tsx", "css", "py", "sh", "sql"]);
    if is_source && !file.is_generated() {
        file.text.lines().count()
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    #[test]
    fn a_long_file_is_noted_and_a_very_long_one_is_found() {
        let (long, too_long) = (
            "//!\n".repeat(LINES_NOTED + 1),
            "//!\n".repeat(LINES_MAX + 1),
        );
        let files = [
            ("long.rs", long.as_str()),
            ("too_long.rs", too_long.as_str()),
        ];
        assert_finds(check, &files, &["too_long.rs:900: 901 lines"]);
        let notes = notes(&Tree::of(&files));
        assert!(
            notes.len() == 2
                && notes
                    .iter()
                    .any(|note| note.starts_with("long.rs: 601 lines")),
            "{notes:?}"
        );
    }

    #[test]
    fn at_its_limit_a_file_passes() {
        assert_finds(check, &[("a.rs", &"//!\n".repeat(LINES_MAX))], &[]);
        assert!(notes(&Tree::of(&[("a.rs", &"//!\n".repeat(LINES_NOTED))])).is_empty());
    }

    #[test]
    fn generated_files_and_lock_files_have_no_length() {
        let generated = concat!("// @gene", "rated\n").to_owned() + &"x\n".repeat(LINES_MAX);
        let lock = "x\n".repeat(LINES_MAX + 1);
        assert_finds(
            check,
            &[("types.ts", &generated), ("Cargo.lock", &lock)],
            &[],
        );
    }

    #[test]
    fn a_large_blob_is_found() {
        let blob = "x".repeat(1024 * 1024 + 1);
        assert_finds(
            check,
            &[("golden.bin", &blob)],
            &["golden.bin:1: 1048577 bytes"],
        );
    }
}
