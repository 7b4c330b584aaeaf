//! `tidy`: the one list of checks, and the report they make.
//!
//! A check is a function from the tree to findings; a note is a fact worth seeing that fails nothing. To add a rule: one file in
//! `checks/`, one line in [`CHECKS`], and a test that shows it failing.

use std::fmt;

use crate::checks;
use crate::finding::Finding;
use crate::tree::Tree;

type Check = fn(&Tree) -> Vec<Finding>;

/// Every rule, by name.
const CHECKS: [(&str, Check); 13] = [
    ("manifests", checks::manifests::check),
    ("arrows", checks::arrows::check),
    ("clients", checks::clients::check),
    ("core", checks::core::check),
    ("lock", checks::lock::check),
    ("headers", checks::headers::check),
    ("sizes", checks::sizes::check),
    ("words", checks::words::check),
    ("dialect", checks::dialect::check),
    ("sleeps", checks::sleeps::check),
    ("sockets", checks::sockets::check),
    ("links", checks::links::check),
    ("bounds", checks::bounds::check),
];

/// What one run of `tidy` has to say.
#[derive(Debug)]
pub(crate) struct Report {
    files: usize,
    notes: Vec<String>,
    findings: Vec<Finding>,
}

impl Report {
    /// Whether no rule is broken; notes do not count.
    pub(crate) fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Runs every check.
pub(crate) fn run(tree: &Tree) -> Report {
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|(_, check)| check(tree)).collect();
    findings.sort();
    let notes = [
        checks::clients::notes(tree),
        checks::arrows::notes(tree),
        checks::sizes::notes(tree),
    ]
    .concat();
    Report {
        files: tree.files().count(),
        notes,
        findings,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let names: Vec<_> = CHECKS.iter().map(|(name, _)| *name).collect();
        writeln!(
            f,
            "tidy: findings: {}, files: {}, checks: {}",
            self.findings.len(),
            self.files,
            names.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_untidy_tree_is_reported_by_every_kind_of_check_it_breaks() {
        let tree = Tree::of(&[
            ("crates/x/src/lib.rs", "fn main() {}\n"),
            ("README.md", "[gone](gone.md)\n"),
        ]);
        let report = run(&tree);
        assert!(!report.is_clean());
        let text = report.to_string();
        assert!(
            text.contains("crates/x/src/lib.rs:1: ") && text.contains("README.md:1: "),
            "{text}"
        );
    }
}
