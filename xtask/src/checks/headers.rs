//! Every Rust file opens with a paragraph: what it is, what it is not, where to start.

use crate::finding::Finding;
use crate::tree::Tree;

/// Findings for files that start with anything but `//!`.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let ours = tree
        .files()
        .filter(|file| file.has_extension(&["rs"]) && !file.is_generated());
    let bare = ours.filter(|file| !file.text.starts_with("//!"));
    bare.map(|file| {
        Finding::new(
            &file.path,
            1,
            "no module header",
            "open with //! and a paragraph: what it is, what it is not",
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    #[test]
    fn a_file_opens_with_its_header() {
        let files = [
            ("crates/a/src/good.rs", "//! Good.\n"),
            ("crates/a/src/bad.rs", "use std::fmt;\n//! Late.\n"),
            ("notes.txt", ""),
        ];
        assert_finds(check, &files, &["crates/a/src/bad.rs:1: no module header"]);
    }

    #[test]
    fn an_ordinary_comment_is_no_header() {
        assert_finds(
            check,
            &[("build.rs", "// Not a doc comment.\n")],
            &["build.rs:1: no module header"],
        );
    }
}
